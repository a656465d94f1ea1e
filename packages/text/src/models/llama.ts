/**
 * The decoder of Llama and its kin: root-mean-square norms, rotary positions, heads that share keys and values, a gated network.
 * Owns the architecture and its names.
 */
import { checkOptions, FormatError, full, type Tensor } from '@nn/core';
import { type AttentionPrefix, dropout, type Embedding, KeyValueCache, type Linear, RMSNorm, rotary } from '@nn/layers';
import { attendHeads, splitHeads } from './heads.ts';
import {
  type ActivationName,
  activationOf,
  type Configuration,
  checkHeads,
  checkIds,
  checkSizes,
  nameParts,
  normalEmbedding,
  normalLinear,
} from './parts.ts';
import { callNames, type DecoderCall, type Sight, sightOf } from './sight.ts';

export interface LlamaOptions {
  readonly vocabularySize: number;
  /** The longest sequence. Default 2048. */
  readonly contextLength?: number;
  /** Default 512. */
  readonly dimension?: number;
  /** Default 8. */
  readonly layers?: number;
  /** Default 8. */
  readonly heads?: number;
  /** Heads of keys and values. Default: as many as heads. */
  readonly keyValueHeads?: number;
  /** Width of a head. Default dimension / heads. */
  readonly headDimension?: number;
  /** Width of the gated network. Default 8/3 of the dimension, up to a multiple of 32. */
  readonly feedForward?: number;
  /** Added to the mean square in the norms. Default 1e-5. */
  readonly epsilon?: number;
  /** The base of the rotary positions. Default 10000. */
  readonly rotaryBase?: number;
  /** Positions are divided by this. Default 1. */
  readonly rotaryScale?: number;
  /** A token sees only those less than so many positions away. Default: all. */
  readonly window?: number;
  /** Biases: of no projection, of queries, keys and values (Qwen2), or of all four. Default 'none'. */
  readonly attentionBias?: 'none' | 'queryKeyValue' | 'all';
  /** Whether input and output share a table. Default false. */
  readonly tied?: boolean;
  /** Share of values dropped in training before each sum. Default 0. */
  readonly dropout?: number;
  /** Default 'silu'. */
  readonly activation?: ActivationName;
}

const optionNames = [
  ...['vocabularySize', 'contextLength', 'dimension', 'layers', 'heads', 'keyValueHeads', 'headDimension'],
  ...[
    'feedForward',
    'epsilon',
    'rotaryBase',
    'rotaryScale',
    'window',
    'attentionBias',
    'tied',
    'dropout',
    'activation',
  ],
];

const START = 0.02;

type Widths = Required<Pick<LlamaOptions, 'dimension' | 'feedForward' | 'epsilon' | 'attentionBias'>>;

class LlamaAttention {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDimension: number;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** Its keys are as turned keys are where tokens begin behind them. */
  prefix: AttentionPrefix | null = null;

  constructor(
    { dimension, attentionBias }: Widths,
    sizes: Pick<LlamaAttention, 'heads' | 'keyValueHeads' | 'headDimension'>,
  ) {
    this.heads = sizes.heads;
    this.keyValueHeads = sizes.keyValueHeads;
    this.headDimension = sizes.headDimension;
    const [wide, narrow] = [sizes.heads * sizes.headDimension, sizes.keyValueHeads * sizes.headDimension];
    const bias = attentionBias !== 'none';
    this.query = normalLinear(dimension, wide, START, bias);
    this.key = normalLinear(dimension, narrow, START, bias);
    this.value = normalLinear(dimension, narrow, START, bias);
    this.output = normalLinear(wide, dimension, START, attentionBias === 'all');
    nameParts(this, () => ({
      q_proj: this.query,
      k_proj: this.key,
      v_proj: this.value,
      o_proj: this.output,
      prefix: this.prefix,
    }));
  }
}

class LlamaLayer {
  readonly inputNorm: RMSNorm;
  readonly networkNorm: RMSNorm;
  readonly attention: LlamaAttention;
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;

  constructor(widths: Widths, sizes: Pick<LlamaAttention, 'heads' | 'keyValueHeads' | 'headDimension'>) {
    const { dimension, feedForward, epsilon } = widths;
    this.inputNorm = new RMSNorm(dimension, { epsilon });
    this.networkNorm = new RMSNorm(dimension, { epsilon });
    this.attention = new LlamaAttention(widths, sizes);
    this.gate = normalLinear(dimension, feedForward, START, false);
    this.up = normalLinear(dimension, feedForward, START, false);
    this.down = normalLinear(feedForward, dimension, START, false);
    nameParts(this, () => ({
      input_layernorm: this.inputNorm,
      self_attn: this.attention,
      post_attention_layernorm: this.networkNorm,
      mlp: { gate_proj: this.gate, up_proj: this.up, down_proj: this.down },
    }));
  }
}

/**
 * A language model of the kind of Llama, Mistral and Qwen2: ids [N, L] to scores [N, L, vocabularySize]. RMSNorm first, rotary
 * positions, grouped queries, SwiGLU. (Touvron et al. 2023.)
 *
 * Parameters bear the names of Hugging Face's `LlamaForCausalLM`: `model.layers.0.self_attn.q_proj.weight`, ..., `lm_head.weight`.
 * Throws ShapeError for more tokens than `contextLength`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Llama } from '@nn/text';
 * const model = new Llama({ vocabularySize: 50, dimension: 16, layers: 2, heads: 4, keyValueHeads: 2 });
 * console.log(model.forward(tensor([[3, 1, 4]])).shape); // => [1, 3, 50]
 */
export class Llama {
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly dimension: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDimension: number;
  readonly window: number | null;
  readonly dropout: number;
  readonly activation: (x: Tensor) => Tensor;
  readonly tokens: Embedding;
  readonly layers: readonly LlamaLayer[];
  readonly norm: RMSNorm;
  /** Null where the table of the input serves. */
  readonly head: Linear | null;
  readonly #rotary: { readonly base: number; readonly scale: number };

  constructor(options: LlamaOptions) {
    checkOptions('Llama', options, optionNames);
    const {
      vocabularySize,
      contextLength = 2048,
      dimension = 512,
      layers = 8,
      heads = 8,
      keyValueHeads = heads,
    } = options;
    const { feedForward = Math.ceil((8 * dimension) / 3 / 32) * 32, epsilon = 1e-5, attentionBias = 'none' } = options;
    checkSizes('Llama', { vocabularySize, contextLength, dimension, layers, heads, keyValueHeads, feedForward });
    if (options.headDimension === undefined) checkHeads('Llama', dimension, heads);
    checkHeads('Llama, heads of keys and values', heads, keyValueHeads);
    this.vocabularySize = vocabularySize;
    this.contextLength = contextLength;
    this.dimension = dimension;
    this.heads = heads;
    this.keyValueHeads = keyValueHeads;
    this.headDimension = options.headDimension ?? dimension / heads;
    this.window = options.window ?? null;
    this.dropout = options.dropout ?? 0;
    this.activation = activationOf('Llama', options.activation ?? 'silu');
    this.#rotary = { base: options.rotaryBase ?? 10000, scale: options.rotaryScale ?? 1 };
    this.tokens = normalEmbedding(vocabularySize, dimension, START, options.tied === true);
    const widths = { dimension, feedForward, epsilon, attentionBias };
    const sizes = { heads, keyValueHeads, headDimension: this.headDimension };
    this.layers = Array.from({ length: layers }, () => new LlamaLayer(widths, sizes));
    this.norm = new RMSNorm(dimension, { epsilon });
    this.head = options.tied ? null : normalLinear(dimension, vocabularySize, START, false);
    nameParts(this, () => ({
      model: { embed_tokens: this.tokens, layers: this.layers, norm: this.norm },
      lm_head: this.head,
    }));
  }

  /** The options of a config.json whose model_type is 'llama', 'mistral' or 'qwen2'. */
  static optionsOf(config: Configuration): LlamaOptions {
    const kind = config.text('model_type', 'llama');
    config.only('mlp_bias', false);
    const heads = config.number('num_attention_heads');
    const dimension = config.number('hidden_size');
    const slides = kind === 'mistral' || (kind === 'qwen2' && config.flag('use_sliding_window', false));
    const window =
      slides && typeof config.json.sliding_window === 'number' ? { window: config.json.sliding_window } : {};
    const own = config.flag('attention_bias', false) ? 'all' : 'none';
    return {
      vocabularySize: config.number('vocab_size'),
      contextLength: config.number('max_position_embeddings', 2048),
      dimension,
      layers: config.depth('num_hidden_layers'),
      heads,
      keyValueHeads: config.number('num_key_value_heads', heads),
      headDimension: config.number('head_dim', dimension / heads),
      feedForward: config.number('intermediate_size'),
      epsilon: config.number('rms_norm_eps', 1e-6),
      rotaryBase: config.number('rope_theta', 10000),
      rotaryScale: rotaryScaleOf(config),
      ...window,
      attentionBias: kind === 'qwen2' ? 'queryKeyValue' : own,
      tied: config.flag('tie_word_embeddings', false),
      activation: config.activation('hidden_act', 'silu'),
    };
  }

  /** Scores of the next token after each: [N, L, vocabularySize]. */
  forward(ids: Tensor, call: DecoderCall = {}): Tensor {
    return this.scores(this.features(ids, call));
  }

  /** What the last norm gives: [N, L, dimension]. */
  features(ids: Tensor, call: DecoderCall = {}): Tensor {
    checkOptions('Llama', call, callNames);
    const [batch, length] = checkIds('Llama', ids, this.contextLength);
    const sight = sightOf('Llama', call, batch, length);
    const input = this.tokens.forward(ids);
    const last = this.layers.reduce((x, layer, i) => this.#through(layer, x, sight, call.caches?.[i]), input);
    return this.norm.forward(last);
  }

  scores(features: Tensor): Tensor {
    return this.head === null ? this.tokens.scores(features) : this.head.forward(features);
  }

  /** Memory for the keys and values of `batch` sequences of up to `capacity` tokens, one for each layer. */
  caches(batch: number, capacity: number): KeyValueCache[] {
    return this.layers.map(() => new KeyValueCache(batch, this.keyValueHeads, capacity, this.headDimension));
  }

  #through(layer: LlamaLayer, x: Tensor, sight: Sight, cache: KeyValueCache | undefined): Tensor {
    const { heads, keyValueHeads, window } = this;
    const y = layer.inputNorm.forward(x);
    const { attention } = layer;
    const front = attention.prefix?.keysAndValues();
    // distances alone count, so that padding on the left and documents need no positions of their own, but from a prefix
    const places = sight.positions.rank === 2 ? sight.positions.unsqueeze(1) : sight.positions;
    const positions = front ? places : cache?.positions(x.shape[1] ?? 0);
    const turn = (part: Tensor, where = positions): Tensor =>
      rotary(part, { ...this.#rotary, ...(where && { positions: where }) });
    const query = turn(splitHeads(attention.query.forward(y), heads));
    const key = turn(splitHeads(attention.key.forward(y), keyValueHeads));
    const value = splitHeads(attention.value.forward(y), keyValueHeads);
    // keys that were learned for tokens behind them, turned back by as much: tokens begin at 0 all the same
    const count = attention.prefix?.length ?? 0;
    const prefix = front && { ...front, key: turn(front.key, full([count], -count, { dtype: 'int32' })) };
    const options = { heads, keyValueHeads, causal: true, cache, prefix, hidden: sight.hidden, window };
    const { output } = attendHeads(String(this), query, { key, value }, options);
    const attended = x.add(dropout(attention.output.forward(output), this.dropout));
    const z = layer.networkNorm.forward(attended);
    const inner = this.activation(layer.gate.forward(z)).mul(layer.up.forward(z));
    return attended.add(dropout(layer.down.forward(inner), this.dropout));
  }

  toString(): string {
    return `Llama(${this.layers.length} layers of ${this.dimension})`;
  }
}

/** The factor of linear scaling. Throws FormatError for other kinds of scaling. */
function rotaryScaleOf({ json }: Configuration): number {
  const scaling = json.rope_scaling;
  if (scaling === null || scaling === undefined) return 1;
  const { type, rope_type, factor } = scaling as { type?: unknown; rope_type?: unknown; factor?: unknown };
  const kind = rope_type ?? type;
  if (kind === 'default') return 1;
  if (kind === 'linear' && typeof factor === 'number') return factor;
  throw new FormatError(
    'fromPretrained/config',
    `rope_scaling is of the type '${String(kind)}': only 'linear' with a factor is supported.`,
    { field: 'rope_scaling' },
  );
}
