/** BERT: an encoder that sees both sides, with heads for masked words and for classes. Owns the architecture and its names. */
import { arange, checkOptions, type Parameter, parameter, type Tensor, zeros } from '@nn/core';
import { type AttentionPrefix, dropout, type Embedding, LayerNorm, type Linear } from '@nn/layers';
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

export interface BertOptions {
  readonly vocabularySize: number;
  /** How many positions there are. Default 512. */
  readonly contextLength?: number;
  /** Kinds of tokens: first and second text. Default 2. */
  readonly types?: number;
  /** Default 768. */
  readonly dimension?: number;
  /** Default 12. */
  readonly layers?: number;
  /** Default 12. */
  readonly heads?: number;
  /** Width of the inner network. Default 4 times the dimension. */
  readonly feedForward?: number;
  /** Share of values dropped in training. Default 0.1. */
  readonly dropout?: number;
  /** Added to the variance in the norms. Default 1e-12. */
  readonly epsilon?: number;
  /** Default 'gelu'. */
  readonly activation?: ActivationName;
  /** Whether the first token's features go through a layer of their own. Default true. */
  readonly pooler?: boolean;
}

const optionNames = [
  ...['vocabularySize', 'contextLength', 'types', 'dimension', 'layers', 'heads'],
  ...['feedForward', 'dropout', 'epsilon', 'activation', 'pooler'],
];

/** What an encoder is given beside ids [N, L]; a tokenizer's batch has both. */
export interface EncoderCall {
  /** bool [N, L]: which tokens are real. Default: all. */
  readonly mask?: Tensor;
  /** int32 [N, L]: 0 in the first text of a pair, 1 in the second. Default 0. */
  readonly types?: Tensor;
}

const START = 0.02;

class BertAttention {
  readonly heads: number;
  readonly headDimension: number;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  prefix: AttentionPrefix | null = null;

  constructor(dimension: number, heads: number) {
    this.heads = heads;
    this.headDimension = dimension / heads;
    this.query = normalLinear(dimension, dimension, START);
    this.key = normalLinear(dimension, dimension, START);
    this.value = normalLinear(dimension, dimension, START);
    nameParts(this, () => ({ query: this.query, key: this.key, value: this.value, prefix: this.prefix }));
  }
}

class BertLayer {
  readonly attention: BertAttention;
  readonly output: Linear;
  readonly attentionNorm: LayerNorm;
  readonly inner: Linear;
  readonly outer: Linear;
  readonly norm: LayerNorm;

  constructor(dimension: number, heads: number, feedForward: number, epsilon: number) {
    this.attention = new BertAttention(dimension, heads);
    this.output = normalLinear(dimension, dimension, START);
    this.attentionNorm = new LayerNorm(dimension, { epsilon });
    this.inner = normalLinear(dimension, feedForward, START);
    this.outer = normalLinear(feedForward, dimension, START);
    this.norm = new LayerNorm(dimension, { epsilon });
    nameParts(this, () => ({
      attention: {
        self: this.attention,
        output: { dense: this.output, LayerNorm: this.attentionNorm },
      },
      intermediate: { dense: this.inner },
      output: { dense: this.outer, LayerNorm: this.norm },
    }));
  }
}

/**
 * BERT's encoder: ids [N, L] to features [N, L, dimension]; `pooled` gives the first token's. (Devlin et al. 2019.)
 *
 * Parameters bear the names of Hugging Face's `BertModel`: `embeddings.word_embeddings.weight`, `encoder.layer.0...`.
 * Throws ShapeError for more tokens than positions.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Bert } from '@nn/text';
 * const model = new Bert({ vocabularySize: 50, dimension: 8, layers: 2, heads: 2 });
 * console.log(model.forward(tensor([[2, 7, 3]])).shape, model.pooled(tensor([[2, 7, 3]])).shape); // => [1, 3, 8] [1, 8]
 */
export class Bert {
  readonly vocabularySize: number;
  readonly dimension: number;
  readonly heads: number;
  readonly dropout: number;
  readonly activation: (x: Tensor) => Tensor;
  readonly words: Embedding;
  readonly positions: Embedding;
  readonly types: Embedding;
  readonly norm: LayerNorm;
  readonly layers: readonly BertLayer[];
  readonly pooler: Linear | null;

  constructor(options: BertOptions) {
    checkOptions('Bert', options, optionNames);
    const { vocabularySize, contextLength = 512, types = 2, dimension = 768, layers = 12, heads = 12 } = options;
    const { feedForward = 4 * dimension, epsilon = 1e-12, activation = 'gelu' } = options;
    checkSizes('Bert', { vocabularySize, contextLength, types, dimension, layers, heads, feedForward });
    checkHeads('Bert', dimension, heads);
    this.vocabularySize = vocabularySize;
    this.dimension = dimension;
    this.heads = heads;
    this.dropout = options.dropout ?? 0.1;
    this.activation = activationOf('Bert', activation);
    this.words = normalEmbedding(vocabularySize, dimension, START);
    this.positions = normalEmbedding(contextLength, dimension, START);
    this.types = normalEmbedding(types, dimension, START);
    this.norm = new LayerNorm(dimension, { epsilon });
    this.layers = Array.from({ length: layers }, () => new BertLayer(dimension, heads, feedForward, epsilon));
    this.pooler = options.pooler === false ? null : normalLinear(dimension, dimension, START);
    nameParts(this, () => ({
      embeddings: {
        word_embeddings: this.words,
        position_embeddings: this.positions,
        token_type_embeddings: this.types,
        LayerNorm: this.norm,
      },
      encoder: { layer: this.layers },
      pooler: this.pooler === null ? null : { dense: this.pooler },
    }));
  }

  /** How many tokens there may be: a prefix of the attention takes positions, as in Hugging Face's caches. */
  get contextLength(): number {
    return this.positions.count - this.#prefix;
  }

  get #prefix(): number {
    return Math.max(...this.layers.map(({ attention }) => attention.prefix?.length ?? 0));
  }

  /** The options of a config.json whose model_type is 'bert'. */
  static optionsOf(config: Configuration): BertOptions {
    config.only('position_embedding_type', 'absolute');
    return {
      vocabularySize: config.number('vocab_size'),
      contextLength: config.number('max_position_embeddings', 512),
      types: config.number('type_vocab_size', 2),
      dimension: config.number('hidden_size', 768),
      layers: config.depth('num_hidden_layers', 12),
      heads: config.number('num_attention_heads', 12),
      feedForward: config.number('intermediate_size', 3072),
      dropout: config.number('hidden_dropout_prob', 0.1),
      epsilon: config.number('layer_norm_eps', 1e-12),
      activation: config.activation('hidden_act', 'gelu'),
    };
  }

  /** Features of all tokens: [N, L, dimension]. */
  forward(ids: Tensor, call: EncoderCall = {}): Tensor {
    return this.withWeights(ids, call).output;
  }

  /** As `forward`, with the attention weights of each layer, [N, heads, L, L]; those over a prefix stand in front. */
  withWeights(ids: Tensor, call: EncoderCall = {}): { readonly output: Tensor; readonly weights: readonly Tensor[] } {
    checkOptions('Bert', call, ['mask', 'types']);
    const [batch, length] = checkIds('Bert', ids, this.contextLength);
    const type = this.types.forward(call.types ?? zeros([1, 1], { dtype: 'int32' }));
    const sum = this.words
      .forward(ids)
      .add(type)
      .add(this.positions.forward(arange(this.#prefix, this.#prefix + length)));
    const hidden = call.mask === undefined ? null : call.mask.logicalNot().reshape([batch, 1, 1, length]);
    const weights: Tensor[] = [];
    const output = this.layers.reduce(
      (x, layer) => {
        const found = this.#through(layer, x, hidden);
        weights.push(found.weights);
        return found.output;
      },
      dropout(this.norm.forward(sum), this.dropout),
    );
    return { output, weights };
  }

  /** The first token's features through a layer with tanh: [N, dimension]. */
  pooled(ids: Tensor, call: EncoderCall = {}): Tensor {
    const first = this.forward(ids, call).at([], 0);
    return this.pooler === null ? first : this.pooler.forward(first).tanh();
  }

  #through(layer: BertLayer, x: Tensor, hidden: Tensor | null): { readonly output: Tensor; readonly weights: Tensor } {
    const { heads } = this;
    const { key, value, query, prefix } = layer.attention;
    const keys = { key: splitHeads(key.forward(x), heads), value: splitHeads(value.forward(x), heads) };
    const options = { heads, prefix: prefix?.keysAndValues(), hidden, dropout: this.dropout };
    const { output, weights } = attendHeads(String(this), splitHeads(query.forward(x), heads), keys, options);
    const attended = layer.attentionNorm.forward(x.add(dropout(layer.output.forward(output), this.dropout)));
    const inner = this.activation(layer.inner.forward(attended));
    return { output: layer.norm.forward(attended.add(dropout(layer.outer.forward(inner), this.dropout))), weights };
  }

  toString(): string {
    return `Bert(${this.layers.length} layers of ${this.dimension})`;
  }
}

/**
 * BERT with the head that says which word stands where: ids [N, L] to scores [N, L, vocabularySize].
 * Names are those of Hugging Face's `BertForMaskedLM`; the table is tied to that of the input.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { BertForMaskedLM } from '@nn/text';
 * const model = new BertForMaskedLM({ vocabularySize: 50, dimension: 8, layers: 2, heads: 2 });
 * console.log(model.forward(tensor([[2, 4, 3]])).shape); // => [1, 3, 50]
 */
export class BertForMaskedLM {
  readonly bert: Bert;
  readonly transform: Linear;
  readonly norm: LayerNorm;
  readonly bias: Parameter;

  constructor(options: BertOptions) {
    this.bert = new Bert({ ...options, pooler: false });
    this.bert.words.tied = true;
    const { dimension, vocabularySize } = this.bert;
    this.transform = normalLinear(dimension, dimension, START);
    this.norm = new LayerNorm(dimension, { epsilon: options.epsilon ?? 1e-12 });
    this.bias = parameter(new Float32Array(vocabularySize));
    nameParts(this, () => ({
      bert: this.bert,
      cls: { predictions: { bias: this.bias, transform: { dense: this.transform, LayerNorm: this.norm } } },
    }));
  }

  forward(ids: Tensor, call: EncoderCall = {}): Tensor {
    const features = this.bert.activation(this.transform.forward(this.bert.forward(ids, call)));
    return this.bert.words.scores(this.norm.forward(features)).add(this.bias);
  }
}

export interface BertForSequenceClassificationOptions extends Omit<BertOptions, 'pooler'> {
  readonly classes: number;
}

/**
 * BERT with a head for classes of texts: ids [N, L] to scores [N, classes].
 * Names are those of Hugging Face's `BertForSequenceClassification`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { BertForSequenceClassification } from '@nn/text';
 * const model = new BertForSequenceClassification({ vocabularySize: 50, dimension: 8, layers: 2, heads: 2, classes: 3 });
 * console.log(model.forward(tensor([[2, 7, 3]])).shape); // => [1, 3]
 */
export class BertForSequenceClassification {
  readonly bert: Bert;
  readonly classifier: Linear;

  constructor({ classes, ...options }: BertForSequenceClassificationOptions) {
    checkSizes('BertForSequenceClassification', { classes });
    this.bert = new Bert(options);
    this.classifier = normalLinear(this.bert.dimension, classes, START);
  }

  forward(ids: Tensor, call: EncoderCall = {}): Tensor {
    return this.classifier.forward(dropout(this.bert.pooled(ids, call), this.bert.dropout));
  }
}
