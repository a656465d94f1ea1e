/** GPT-2: blocks of causal attention with norms first, positions to learn. Owns the architecture and its names. */
import { checkOptions, type Tensor } from '@nn/core';
import { type AttentionPrefix, dropout, type Embedding, KeyValueCache, LayerNorm } from '@nn/layers';
import { attendHeads, splitHeads } from './heads.ts';
import {
  type ActivationName,
  activationOf,
  type Configuration,
  Conv1D,
  checkHeads,
  checkIds,
  checkSizes,
  nameParts,
  normalEmbedding,
} from './parts.ts';
import { callNames, type DecoderCall, type Sight, sightOf } from './sight.ts';

export interface GPT2Options {
  /** How many tokens there are. */
  readonly vocabularySize: number;
  /** How many positions there are. Default 1024. */
  readonly contextLength?: number;
  /** Default 768. */
  readonly dimension?: number;
  /** Default 12. */
  readonly layers?: number;
  /** Default 12. */
  readonly heads?: number;
  /** Width of the inner network. Default 4 times the dimension. */
  readonly feedForward?: number;
  /** Share of values dropped in training: of embeddings, attention weights and before each sum. Default 0.1. */
  readonly dropout?: number;
  /** Added to the variance in the norms. Default 1e-5. */
  readonly epsilon?: number;
  /** Default 'gelu_new', the approximation by tanh. */
  readonly activation?: ActivationName;
}

const optionNames = [
  ...['vocabularySize', 'contextLength', 'dimension', 'layers', 'heads'],
  ...['feedForward', 'dropout', 'epsilon', 'activation'],
];

/** Start values: normal, of a size that keeps the sum of all layers in bounds. (Radford et al. 2019.) */
const START = 0.02;

class GPT2Attention {
  readonly heads: number;
  readonly headDimension: number;
  readonly projections: Conv1D;
  readonly output: Conv1D;
  prefix: AttentionPrefix | null = null;

  constructor(dimension: number, heads: number, last: number) {
    this.heads = heads;
    this.headDimension = dimension / heads;
    this.projections = new Conv1D(dimension, 3 * dimension, START);
    this.output = new Conv1D(dimension, dimension, last);
    nameParts(this, () => ({ c_attn: this.projections, c_proj: this.output, prefix: this.prefix }));
  }
}

class GPT2Block {
  readonly ln1: LayerNorm;
  readonly ln2: LayerNorm;
  readonly attention: GPT2Attention;
  readonly network: Conv1D;
  readonly networkOutput: Conv1D;

  constructor(dimension: number, heads: number, feedForward: number, layers: number, epsilon: number) {
    const last = START / Math.sqrt(2 * layers);
    this.ln1 = new LayerNorm(dimension, { epsilon });
    this.ln2 = new LayerNorm(dimension, { epsilon });
    this.attention = new GPT2Attention(dimension, heads, last);
    this.network = new Conv1D(dimension, feedForward, START);
    this.networkOutput = new Conv1D(feedForward, dimension, last);
    nameParts(this, () => ({
      ln_1: this.ln1,
      attn: this.attention,
      ln_2: this.ln2,
      mlp: { c_fc: this.network, c_proj: this.networkOutput },
    }));
  }
}

/**
 * GPT-2, a language model: ids [N, L] to scores [N, L, vocabularySize] of the token that follows each. Norm first, tied tables of
 * input and output. (Radford et al. 2019.)
 *
 * Parameters bear the names of Hugging Face's `GPT2LMHeadModel`: `transformer.wte.weight`, `transformer.h.0.attn.c_attn.weight`
 * [inputs, outputs], ... Throws ShapeError for more tokens than positions.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { GPT2 } from '@nn/text';
 * const model = new GPT2({ vocabularySize: 50, contextLength: 16, dimension: 8, layers: 2, heads: 2 });
 * console.log(model.forward(tensor([[3, 1, 4]])).shape); // => [1, 3, 50]
 */
export class GPT2 {
  readonly vocabularySize: number;
  readonly heads: number;
  readonly dimension: number;
  readonly dropout: number;
  readonly activation: (x: Tensor) => Tensor;
  readonly tokens: Embedding;
  readonly positions: Embedding;
  readonly blocks: readonly GPT2Block[];
  readonly norm: LayerNorm;

  constructor(options: GPT2Options) {
    checkOptions('GPT2', options, optionNames);
    const { vocabularySize, contextLength = 1024, dimension = 768, layers = 12, heads = 12 } = options;
    const { feedForward = 4 * dimension, epsilon = 1e-5, activation = 'gelu_new' } = options;
    checkSizes('GPT2', { vocabularySize, contextLength, dimension, layers, heads, feedForward });
    checkHeads('GPT2', dimension, heads);
    this.vocabularySize = vocabularySize;
    this.dimension = dimension;
    this.heads = heads;
    this.dropout = options.dropout ?? 0.1;
    this.activation = activationOf('GPT2', activation);
    this.tokens = normalEmbedding(vocabularySize, dimension, START, true);
    this.positions = normalEmbedding(contextLength, dimension, START / 2);
    this.blocks = Array.from({ length: layers }, () => new GPT2Block(dimension, heads, feedForward, layers, epsilon));
    this.norm = new LayerNorm(dimension, { epsilon });
    nameParts(this, () => ({
      transformer: { wte: this.tokens, wpe: this.positions, h: this.blocks, ln_f: this.norm },
    }));
  }

  /** How many tokens there may be: a prefix of the attention takes positions, as in Hugging Face's caches. */
  get contextLength(): number {
    return this.positions.count - this.#prefix;
  }

  get #prefix(): number {
    return Math.max(...this.blocks.map(({ attention }) => attention.prefix?.length ?? 0));
  }

  /** The options of a config.json whose model_type is 'gpt2'. */
  static optionsOf(config: Configuration): GPT2Options {
    config.only('scale_attn_weights', true);
    config.only('scale_attn_by_inverse_layer_idx', false);
    config.only('add_cross_attention', false);
    config.only('tie_word_embeddings', true);
    const dimension = config.number('n_embd', 768);
    return {
      vocabularySize: config.number('vocab_size'),
      contextLength: config.number('n_positions', 1024),
      dimension,
      layers: config.depth('n_layer', 12),
      heads: config.number('n_head', 12),
      feedForward: config.number('n_inner', 4 * dimension),
      dropout: config.number('resid_pdrop', 0.1),
      epsilon: config.number('layer_norm_epsilon', 1e-5),
      activation: config.activation('activation_function', 'gelu_new'),
    };
  }

  /** Scores of the next token after each: [N, L, vocabularySize]. */
  forward(ids: Tensor, call: DecoderCall = {}): Tensor {
    return this.scores(this.features(ids, call));
  }

  /** What the last norm gives: [N, L, dimension]. */
  features(ids: Tensor, call: DecoderCall = {}): Tensor {
    checkOptions('GPT2', call, callNames);
    const [batch, length] = checkIds('GPT2', ids, this.contextLength);
    const sight = sightOf('GPT2', call, batch, length);
    // a cache may be as long as the model has positions, so no position is outside
    const places = this.#prefix === 0 ? sight.positions : sight.positions.add(this.#prefix);
    const sum = this.tokens.forward(ids).add(this.positions.forward(places));
    const input = dropout(sum, this.dropout);
    const last = this.blocks.reduce((x, block, i) => this.#through(block, x, sight, call.caches?.[i]), input);
    return this.norm.forward(last);
  }

  scores(features: Tensor): Tensor {
    return this.tokens.scores(features);
  }

  /** Memory for the keys and values of `batch` sequences of up to `capacity` tokens, one for each layer. */
  caches(batch: number, capacity: number): KeyValueCache[] {
    const { heads, dimension } = this;
    return this.blocks.map(() => new KeyValueCache(batch, heads, capacity, dimension / heads));
  }

  #through(block: GPT2Block, x: Tensor, { hidden }: Sight, cache: KeyValueCache | undefined): Tensor {
    const { heads } = this;
    const { attention } = block;
    const [q, k, v] = attention.projections.forward(block.ln1.forward(x)).split(3, -1) as [Tensor, Tensor, Tensor]; // the cast: three pieces
    const keys = { key: splitHeads(k, heads), value: splitHeads(v, heads) };
    const prefix = attention.prefix?.keysAndValues();
    const options = { heads, causal: true, cache, prefix, hidden, dropout: this.dropout };
    const { output } = attendHeads(String(this), splitHeads(q, heads), keys, options);
    const attended = x.add(dropout(attention.output.forward(output), this.dropout));
    const inner = this.activation(block.network.forward(block.ln2.forward(attended)));
    return attended.add(dropout(block.networkOutput.forward(inner), this.dropout));
  }

  toString(): string {
    return `GPT2(${this.blocks.length} layers of ${this.dimension})`;
  }
}
