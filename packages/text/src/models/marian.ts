/**
 * The Transformer of "Attention is all you need" as Marian has it: encoder and decoder with norms after the sums, sinusoidal
 * positions, one table for source, target and output. Owns the architecture and its names.
 */
import { checkOptions, type Parameter, parameter, type Tensor, tensor, ValueError } from '@nn/core';
import {
  type AttentionPrefix,
  dropout,
  type Embedding,
  type KeysAndValues,
  KeyValueCache,
  LayerNorm,
  type Linear,
} from '@nn/layers';
import { checkPairCall, hiddenBy, type Memory, type PairCall, type TargetCall } from './encoder-decoder.ts';
import { attendHeads, type HeadsOptions, splitHeads } from './heads.ts';
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

export interface MarianOptions {
  /** How many tokens there are, of source and target together. */
  readonly vocabularySize: number;
  /** The token that targets begin with. Default: the padding token's. */
  readonly startId?: number;
  /** The token that ends a target. Default 0. */
  readonly endId?: number;
  /** Default: the last token. */
  readonly paddingId?: number;
  /** The longest source and target. Default 512. */
  readonly contextLength?: number;
  /** Default 512. */
  readonly dimension?: number;
  /** Layers of the encoder. Default 6. */
  readonly encoderLayers?: number;
  /** Layers of the decoder. Default 6. */
  readonly decoderLayers?: number;
  /** Default 8. */
  readonly heads?: number;
  /** Width of the inner network. Default 4 times the dimension. */
  readonly feedForward?: number;
  /** Share of values dropped in training: of embeddings, and before each sum. Default 0.1. */
  readonly dropout?: number;
  /** Default 'swish'. */
  readonly activation?: ActivationName;
  /** Whether embeddings are multiplied with the root of the dimension. Default true. */
  readonly scaleEmbeddings?: boolean;
  /** The spread of the start values. Default 0.02. */
  readonly startDeviation?: number;
}

const optionNames = [
  ...['vocabularySize', 'startId', 'endId', 'paddingId', 'contextLength', 'dimension', 'encoderLayers'],
  ...['decoderLayers', 'heads', 'feedForward', 'dropout', 'activation', 'scaleEmbeddings', 'startDeviation'],
];

class MarianAttention {
  readonly heads: number;
  readonly headDimension: number;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;

  prefix: AttentionPrefix | null = null;

  constructor(dimension: number, heads: number, start: number) {
    this.heads = heads;
    this.headDimension = dimension / heads;
    this.query = normalLinear(dimension, dimension, start);
    this.key = normalLinear(dimension, dimension, start);
    this.value = normalLinear(dimension, dimension, start);
    this.output = normalLinear(dimension, dimension, start);
    nameParts(this, () => ({
      k_proj: this.key,
      v_proj: this.value,
      q_proj: this.query,
      out_proj: this.output,
      prefix: this.prefix,
    }));
  }

  keysAndValues(x: Tensor, heads: number): KeysAndValues {
    return { key: splitHeads(this.key.forward(x), heads), value: splitHeads(this.value.forward(x), heads) };
  }

  attend(
    x: Tensor,
    memory: KeysAndValues,
    options: HeadsOptions,
  ): { readonly output: Tensor; readonly weights: Tensor } {
    const query = splitHeads(this.query.forward(x), options.heads);
    const found = attendHeads('Marian', query, memory, { ...options, prefix: this.prefix?.keysAndValues() });
    return { output: this.output.forward(found.output), weights: found.weights };
  }
}

class MarianLayer {
  readonly attention: MarianAttention;
  readonly attentionNorm: LayerNorm;
  /** Of decoder layers. */
  readonly cross: MarianAttention | null;
  readonly crossNorm: LayerNorm | null;
  readonly inner: Linear;
  readonly outer: Linear;
  readonly norm: LayerNorm;

  constructor(dimension: number, heads: number, feedForward: number, start: number, isDecoder: boolean) {
    this.attention = new MarianAttention(dimension, heads, start);
    this.attentionNorm = new LayerNorm(dimension);
    this.cross = isDecoder ? new MarianAttention(dimension, heads, start) : null;
    this.crossNorm = isDecoder ? new LayerNorm(dimension) : null;
    this.inner = normalLinear(dimension, feedForward, start);
    this.outer = normalLinear(feedForward, dimension, start);
    this.norm = new LayerNorm(dimension);
    nameParts(this, () => ({
      self_attn: this.attention,
      self_attn_layer_norm: this.attentionNorm,
      encoder_attn: this.cross,
      encoder_attn_layer_norm: this.crossNorm,
      fc1: this.inner,
      fc2: this.outer,
      final_layer_norm: this.norm,
    }));
  }
}

/**
 * The encoder-decoder Transformer: source ids [N, S] and target ids [N, L] to scores [N, L, vocabularySize] of the token that
 * follows each of the target. (Vaswani et al. 2017; Junczys-Dowmunt et al. 2018.)
 *
 * Parameters bear the names of Hugging Face's `MarianMTModel`: `model.shared.weight`, `model.encoder.layers.0.self_attn.q_proj.weight`,
 * ..., `final_logits_bias`. Throws ShapeError for more tokens than `contextLength`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Marian } from '@nn/text';
 * const model = new Marian({ vocabularySize: 50, dimension: 8, encoderLayers: 1, decoderLayers: 1, heads: 2 });
 * console.log(model.forward(tensor([[5, 6, 7, 0]]), tensor([[49, 8]])).shape); // => [1, 2, 50]
 */
export class Marian {
  readonly vocabularySize: number;
  readonly startId: number;
  readonly endId: number;
  readonly paddingId: number;
  readonly contextLength: number;
  readonly dimension: number;
  readonly heads: number;
  readonly dropout: number;
  readonly activation: (x: Tensor) => Tensor;
  readonly tokens: Embedding;
  readonly encoder: readonly MarianLayer[];
  readonly decoder: readonly MarianLayer[];
  /** [1, vocabularySize]; never trained. */
  readonly bias: Parameter;
  readonly #scale: number;
  readonly #positions: Tensor;

  constructor(options: MarianOptions) {
    checkOptions('Marian', options, optionNames);
    const { vocabularySize, contextLength = 512, dimension = 512, heads = 8 } = options;
    const { encoderLayers = 6, decoderLayers = 6, feedForward = 4 * dimension, startDeviation = 0.02 } = options;
    checkSizes('Marian', {
      vocabularySize,
      contextLength,
      dimension,
      heads,
      encoderLayers,
      decoderLayers,
      feedForward,
    });
    checkHeads('Marian', dimension, heads);
    this.vocabularySize = vocabularySize;
    this.paddingId = options.paddingId ?? vocabularySize - 1;
    this.startId = options.startId ?? this.paddingId;
    this.endId = options.endId ?? 0;
    this.contextLength = contextLength;
    this.dimension = dimension;
    this.heads = heads;
    this.dropout = options.dropout ?? 0.1;
    this.activation = activationOf('Marian', options.activation ?? 'swish');
    this.#scale = options.scaleEmbeddings === false ? 1 : Math.sqrt(dimension);
    this.tokens = normalEmbedding(vocabularySize, dimension, startDeviation, true);
    const make = (count: number, isDecoder: boolean): MarianLayer[] =>
      Array.from({ length: count }, () => new MarianLayer(dimension, heads, feedForward, startDeviation, isDecoder));
    this.encoder = make(encoderLayers, false);
    this.decoder = make(decoderLayers, true);
    this.bias = parameter(new Float32Array(vocabularySize), { shape: [1, vocabularySize], buffer: true });
    this.#positions = sinusoids(contextLength, dimension);
    nameParts(this, () => ({
      final_logits_bias: this.bias,
      model: { shared: this.tokens, encoder: { layers: this.encoder }, decoder: { layers: this.decoder } },
    }));
  }

  /** The options of a config.json whose model_type is 'marian'. */
  static optionsOf(config: Configuration): MarianOptions {
    config.only('normalize_before', false);
    config.only('normalize_embedding', false);
    config.only('share_encoder_decoder_embeddings', true);
    config.only('static_position_embeddings', true);
    const vocabularySize = config.number('vocab_size');
    const heads = config.number('encoder_attention_heads');
    const feedForward = config.number('encoder_ffn_dim');
    config.only('decoder_attention_heads', heads);
    config.only('decoder_ffn_dim', feedForward);
    const paddingId = config.number('pad_token_id', vocabularySize - 1);
    return {
      vocabularySize,
      paddingId,
      startId: config.number('decoder_start_token_id', paddingId),
      endId: config.number('eos_token_id', 0),
      contextLength: config.number('max_position_embeddings', 512),
      dimension: config.number('d_model'),
      encoderLayers: config.depth('encoder_layers'),
      decoderLayers: config.depth('decoder_layers'),
      heads,
      feedForward,
      dropout: config.number('dropout', 0.1),
      activation: config.activation('activation_function', 'gelu'),
      scaleEmbeddings: config.flag('scale_embedding', false),
    };
  }

  /** Scores of the next token after each of the target: [N, L, vocabularySize]. */
  forward(source: Tensor, target: Tensor, call: PairCall = {}): Tensor {
    return this.withWeights(source, target, call).output;
  }

  /** As `forward`, with how each layer of the decoder looks at the source: [N, heads, L, S]. */
  withWeights(
    source: Tensor,
    target: Tensor,
    call: PairCall = {},
  ): { readonly output: Tensor; readonly weights: readonly Tensor[] } {
    checkPairCall('Marian', call);
    const { sourceMask, targetMask } = call;
    const memory = this.memoryOf(source, sourceMask);
    const { output, weights } = this.#decode(target, memory, { ...(targetMask && { mask: targetMask }) });
    return { output: this.scores(output), weights };
  }

  /** What the encoder makes of a source: [N, S, dimension]. */
  encode(source: Tensor, mask?: Tensor): Tensor {
    const [, length] = checkIds('Marian', source, this.contextLength);
    const hidden = hiddenBy(mask);
    return this.encoder.reduce(
      (x, layer) => {
        const { output } = layer.attention.attend(x, layer.attention.keysAndValues(x, this.heads), {
          heads: this.heads,
          hidden,
        });
        return this.#network(layer, layer.attentionNorm.forward(x.add(dropout(output, this.dropout))));
      },
      this.#embed(source, this.#positions.at([0, length])),
    );
  }

  /** What the decoder looks at: the encoded source as keys and values of each of its layers. */
  memoryOf(source: Tensor, mask?: Tensor): Memory {
    const encoded = this.encode(source, mask);
    const layers = this.decoder.map(({ cross }) => cross!.keysAndValues(encoded, this.heads));
    return { layers, hidden: hiddenBy(mask) };
  }

  /** What the last layer of the decoder gives: [N, L, dimension]. */
  decode(target: Tensor, memory: Memory, call: TargetCall = {}): Tensor {
    return this.#decode(target, memory, call).output;
  }

  scores(features: Tensor): Tensor {
    return this.tokens.scores(features).add(this.bias.at(0));
  }

  /** Memory for the targets' keys and values, one for each layer of the decoder. */
  caches(batch: number, capacity: number): KeyValueCache[] {
    const { heads, dimension } = this;
    return this.decoder.map(() => new KeyValueCache(batch, heads, capacity, dimension / heads));
  }

  #decode(target: Tensor, memory: Memory, { caches, mask }: TargetCall) {
    const { heads } = this;
    const [, length] = checkIds('Marian', target, this.contextLength);
    const positions = caches?.[0]?.positions(length);
    const where = positions === undefined ? this.#positions.at([0, length]) : this.#positions.gather(positions, 0);
    const hidden = hiddenBy(mask);
    const weights: Tensor[] = [];
    const output = this.decoder.reduce(
      (x, layer, i) => {
        const own = layer.attention.keysAndValues(x, heads);
        const self = layer.attention.attend(x, own, { heads, causal: true, cache: caches?.[i], hidden });
        const attended = layer.attentionNorm.forward(x.add(dropout(self.output, this.dropout)));
        // decoder layers have both
        const cross = layer.cross!.attend(attended, memory.layers[i]!, { heads, hidden: memory.hidden });
        weights.push(cross.weights);
        return this.#network(layer, layer.crossNorm!.forward(attended.add(dropout(cross.output, this.dropout))));
      },
      this.#embed(target, where),
    );
    return { output, weights };
  }

  #embed(ids: Tensor, positions: Tensor): Tensor {
    return dropout(this.tokens.forward(ids).mul(this.#scale).add(positions), this.dropout);
  }

  #network(layer: MarianLayer, x: Tensor): Tensor {
    const inner = this.activation(layer.inner.forward(x));
    return layer.norm.forward(x.add(dropout(layer.outer.forward(inner), this.dropout)));
  }

  toString(): string {
    return `Marian(${this.encoder.length} + ${this.decoder.length} layers of ${this.dimension})`;
  }
}

/** Positions as waves, [length, dimension]: sines in the first half, cosines in the second, of frequencies 10000^(-2i/dimension). */
function sinusoids(length: number, dimension: number): Tensor {
  const half = Math.ceil(dimension / 2);
  // a gigabyte; a config.json may say anything
  if (length * dimension > 2 ** 28) {
    const message = `${length} positions of ${dimension} numbers are too many for a table: contextLength must be at most ${Math.floor(2 ** 28 / dimension)}.`;
    throw new ValueError('Marian', message, { contextLength: length, dimension });
  }
  const values = new Float32Array(length * dimension);
  for (let position = 0; position < length; position++) {
    for (let i = 0; i < dimension; i++) {
      const angle = position / 10000 ** ((2 * (i % half)) / dimension);
      values[position * dimension + i] = i < half ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return tensor(values, { shape: [length, dimension] });
}
