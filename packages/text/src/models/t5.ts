/**
 * T5: encoder and decoder with root-mean-square norms first, and distances that are learned as biases of the scores. Owns the
 * architecture and its names.
 */
import { arange, checkOptions, type Tensor, tensor } from '@nn/core';
import {
  type AttentionPrefix,
  dropout,
  type Embedding,
  type KeysAndValues,
  KeyValueCache,
  type Linear,
  RMSNorm,
} from '@nn/layers';
import { checkPairCall, hiddenBy, type Memory, type PairCall, type TargetCall } from './encoder-decoder.ts';
import { attendHeads, type HeadsOptions, splitHeads } from './heads.ts';
import {
  type ActivationName,
  activationOf,
  type Configuration,
  checkIds,
  checkSizes,
  nameParts,
  normalEmbedding,
  normalLinear,
} from './parts.ts';

export interface T5Options {
  readonly vocabularySize: number;
  /** The token that targets begin with, and that pads. Default 0. */
  readonly startId?: number;
  /** The token that ends a target. Default 1. */
  readonly endId?: number;
  /** Default 512. */
  readonly dimension?: number;
  /** Default 6. */
  readonly encoderLayers?: number;
  /** Default: as many as the encoder's. */
  readonly decoderLayers?: number;
  /** Default 8. */
  readonly heads?: number;
  /** Width of a head. Default 64. */
  readonly headDimension?: number;
  /** Width of the inner network. Default 4 times the dimension. */
  readonly feedForward?: number;
  /** Distances are sorted into so many buckets. Default 32. */
  readonly distanceBuckets?: number;
  /** Longer distances are as this one. Default 128. */
  readonly longestDistance?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /** Added to the mean square in the norms. Default 1e-6. */
  readonly epsilon?: number;
  /** Default 'relu'. */
  readonly activation?: ActivationName;
  /** Whether the inner network has a gate, as in version 1.1. Default false. */
  readonly gated?: boolean;
  /** Whether input and output share a table. Default true. */
  readonly tied?: boolean;
}

const optionNames = [
  ...['vocabularySize', 'startId', 'endId', 'dimension', 'encoderLayers', 'decoderLayers', 'heads', 'headDimension'],
  ...['feedForward', 'distanceBuckets', 'longestDistance', 'dropout', 'epsilon', 'activation', 'gated', 'tied'],
];

class T5Attention {
  readonly heads: number;
  readonly headDimension: number;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** [buckets, heads], in the first layers alone. */
  readonly distances: Embedding | null;
  /** Distances add nothing to its scores. */
  prefix: AttentionPrefix | null = null;

  constructor(dimension: number, wide: number, heads: number, buckets: number | null) {
    this.heads = heads;
    this.headDimension = wide / heads;
    // scores are not divided by the root of the width, so queries start smaller
    this.query = normalLinear(dimension, wide, (dimension * (wide / heads)) ** -0.5, false);
    this.key = normalLinear(dimension, wide, dimension ** -0.5, false);
    this.value = normalLinear(dimension, wide, dimension ** -0.5, false);
    this.output = normalLinear(wide, dimension, wide ** -0.5, false);
    this.distances = buckets === null ? null : normalEmbedding(buckets, heads, dimension ** -0.5);
    nameParts(this, () => ({
      q: this.query,
      k: this.key,
      v: this.value,
      o: this.output,
      relative_attention_bias: this.distances,
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
    const prefix = this.prefix?.keysAndValues();
    const found = attendHeads('T5', query, memory, { ...options, prefix, scale: 1 });
    return { output: this.output.forward(found.output), weights: found.weights };
  }
}

class T5Network {
  readonly inner: Linear;
  readonly gate: Linear | null;
  readonly outer: Linear;

  constructor(dimension: number, feedForward: number, gated: boolean) {
    this.inner = normalLinear(dimension, feedForward, dimension ** -0.5, false);
    this.gate = gated ? normalLinear(dimension, feedForward, dimension ** -0.5, false) : null;
    this.outer = normalLinear(feedForward, dimension, feedForward ** -0.5, false);
    nameParts(this, () =>
      this.gate === null ? { wi: this.inner, wo: this.outer } : { wi_0: this.inner, wi_1: this.gate, wo: this.outer },
    );
  }
}

class T5Block {
  readonly attention: T5Attention;
  readonly attentionNorm: RMSNorm;
  readonly cross: T5Attention | null;
  readonly crossNorm: RMSNorm | null;
  readonly network: T5Network;
  readonly networkNorm: RMSNorm;

  constructor(options: Required<T5Options>, isDecoder: boolean, isFirst: boolean) {
    const { dimension, heads, headDimension, feedForward, epsilon, gated, distanceBuckets } = options;
    const wide = heads * headDimension;
    this.attention = new T5Attention(dimension, wide, heads, isFirst ? distanceBuckets : null);
    this.attentionNorm = new RMSNorm(dimension, { epsilon });
    this.cross = isDecoder ? new T5Attention(dimension, wide, heads, null) : null;
    this.crossNorm = isDecoder ? new RMSNorm(dimension, { epsilon }) : null;
    this.network = new T5Network(dimension, feedForward, gated);
    this.networkNorm = new RMSNorm(dimension, { epsilon });
    nameParts(this, () => ({
      layer: [
        { SelfAttention: this.attention, layer_norm: this.attentionNorm },
        ...(this.cross === null ? [] : [{ EncDecAttention: this.cross, layer_norm: this.crossNorm }]),
        { DenseReluDense: this.network, layer_norm: this.networkNorm },
      ],
    }));
  }
}

/**
 * T5: source ids [N, S] and target ids [N, L] to scores [N, L, vocabularySize] of the token that follows each of the target.
 * (Raffel et al. 2020; with `gated` version 1.1, Shazeer 2020.)
 *
 * Parameters bear the names of Hugging Face's `T5ForConditionalGeneration`: `shared.weight`,
 * `encoder.block.0.layer.0.SelfAttention.q.weight`, ...
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { T5 } from '@nn/text';
 * const model = new T5({ vocabularySize: 50, dimension: 8, encoderLayers: 1, heads: 2, headDimension: 4 });
 * console.log(model.forward(tensor([[5, 6, 7, 1]]), tensor([[0, 8]])).shape); // => [1, 2, 50]
 */
export class T5 {
  readonly vocabularySize: number;
  readonly startId: number;
  readonly endId: number;
  readonly paddingId: number;
  /** Distances have no end. */
  readonly contextLength: number = Number.POSITIVE_INFINITY;
  readonly dimension: number;
  readonly heads: number;
  readonly headDimension: number;
  readonly dropout: number;
  readonly activation: (x: Tensor) => Tensor;
  readonly tokens: Embedding;
  readonly encoder: readonly T5Block[];
  readonly decoder: readonly T5Block[];
  readonly encoderNorm: RMSNorm;
  readonly decoderNorm: RMSNorm;
  readonly head: Linear | null;
  readonly #buckets: readonly [encoder: Tensor, decoder: Tensor];
  readonly #longest: number;

  constructor(given: T5Options) {
    checkOptions('T5', given, optionNames);
    const { dimension = 512, encoderLayers = 6 } = given;
    const options: Required<T5Options> = {
      ...{ startId: 0, endId: 1, dimension, encoderLayers, decoderLayers: encoderLayers, heads: 8, headDimension: 64 },
      ...{ feedForward: 4 * dimension, distanceBuckets: 32, longestDistance: 128, dropout: 0.1, epsilon: 1e-6 },
      ...{ activation: 'relu', gated: false, tied: true },
      ...given,
    };
    const { vocabularySize, decoderLayers, heads, headDimension, feedForward, distanceBuckets, longestDistance } =
      options;
    checkSizes('T5', { vocabularySize, dimension, encoderLayers, decoderLayers, heads, headDimension, feedForward });
    this.vocabularySize = vocabularySize;
    this.startId = options.startId;
    this.paddingId = options.startId;
    this.endId = options.endId;
    this.dimension = dimension;
    this.heads = heads;
    this.headDimension = headDimension;
    this.dropout = options.dropout;
    this.activation = activationOf('T5', options.activation);
    this.tokens = normalEmbedding(vocabularySize, dimension, 1, options.tied);
    this.encoder = Array.from({ length: encoderLayers }, (_, i) => new T5Block(options, false, i === 0));
    this.decoder = Array.from({ length: decoderLayers }, (_, i) => new T5Block(options, true, i === 0));
    this.encoderNorm = new RMSNorm(dimension, { epsilon: options.epsilon });
    this.decoderNorm = new RMSNorm(dimension, { epsilon: options.epsilon });
    this.head = options.tied ? null : normalLinear(dimension, vocabularySize, dimension ** -0.5, false);
    this.#longest = longestDistance;
    this.#buckets = [
      distanceTable(distanceBuckets, longestDistance, true),
      distanceTable(distanceBuckets, longestDistance, false),
    ];
    nameParts(this, () => ({
      shared: this.tokens,
      encoder: { block: this.encoder, final_layer_norm: this.encoderNorm },
      decoder: { block: this.decoder, final_layer_norm: this.decoderNorm },
      lm_head: this.head,
    }));
  }

  /** The options of a config.json whose model_type is 't5'. */
  static optionsOf(config: Configuration): T5Options {
    const kind = config.text('feed_forward_proj', 'relu');
    const gated = kind.startsWith('gated-');
    const bent = kind === 'gated-gelu' ? 'gelu_new' : kind.replace('gated-', '');
    return {
      vocabularySize: config.number('vocab_size'),
      startId: config.number('decoder_start_token_id', 0),
      endId: config.number('eos_token_id', 1),
      dimension: config.number('d_model'),
      encoderLayers: config.depth('num_layers'),
      decoderLayers: config.depth('num_decoder_layers', config.depth('num_layers')),
      heads: config.number('num_heads'),
      headDimension: config.number('d_kv'),
      feedForward: config.number('d_ff'),
      distanceBuckets: config.number('relative_attention_num_buckets', 32),
      longestDistance: config.number('relative_attention_max_distance', 128),
      dropout: config.number('dropout_rate', 0.1),
      epsilon: config.number('layer_norm_epsilon', 1e-6),
      activation: config.activation('feed_forward_proj', 'relu', bent),
      gated,
      tied: config.flag('tie_word_embeddings', true),
    };
  }

  /** Scores of the next token after each of the target: [N, L, vocabularySize]. */
  forward(source: Tensor, target: Tensor, call: PairCall = {}): Tensor {
    checkPairCall('T5', call);
    const memory = this.memoryOf(source, call.sourceMask);
    return this.scores(this.decode(target, memory, { ...(call.targetMask && { mask: call.targetMask }) }));
  }

  /** What the encoder makes of a source: [N, S, dimension]. */
  encode(source: Tensor, mask?: Tensor): Tensor {
    const [, length] = checkIds('T5', source);
    const bias = this.#bias(this.encoder, 0, arange(length), arange(length));
    const hidden = hiddenBy(mask);
    const { heads } = this;
    const last = this.encoder.reduce(
      (x, block) => {
        const y = block.attentionNorm.forward(x);
        const { output } = block.attention.attend(y, block.attention.keysAndValues(y, heads), {
          heads,
          hidden,
          bias,
          dropout: this.dropout,
        });
        return this.#network(block, x.add(dropout(output, this.dropout)));
      },
      dropout(this.tokens.forward(source), this.dropout),
    );
    return dropout(this.encoderNorm.forward(last), this.dropout);
  }

  /** What the decoder looks at: the encoded source as keys and values of each of its layers. */
  memoryOf(source: Tensor, mask?: Tensor): Memory {
    const encoded = this.encode(source, mask);
    return {
      layers: this.decoder.map(({ cross }) => cross!.keysAndValues(encoded, this.heads)),
      hidden: hiddenBy(mask),
    };
  }

  /** What the last norm of the decoder gives: [N, L, dimension]. */
  decode(target: Tensor, memory: Memory, { caches, mask }: TargetCall = {}): Tensor {
    const { heads } = this;
    const [, length] = checkIds('T5', target);
    const cache = caches?.[0];
    const bias = this.#bias(
      this.decoder,
      1,
      cache?.positions(length) ?? arange(length),
      arange(cache?.capacity ?? length),
    );
    const hidden = hiddenBy(mask);
    const last = this.decoder.reduce(
      (x, block, i) => {
        const y = block.attentionNorm.forward(x);
        const own = block.attention.keysAndValues(y, heads);
        const options = { heads, causal: true, cache: caches?.[i], hidden, bias, dropout: this.dropout };
        const attended = x.add(dropout(block.attention.attend(y, own, options).output, this.dropout));
        // decoder blocks have both
        const z = block.crossNorm!.forward(attended);
        const cross = block.cross!.attend(z, memory.layers[i]!, {
          heads,
          hidden: memory.hidden,
          dropout: this.dropout,
        });
        return this.#network(block, attended.add(dropout(cross.output, this.dropout)));
      },
      dropout(this.tokens.forward(target), this.dropout),
    );
    return dropout(this.decoderNorm.forward(last), this.dropout);
  }

  scores(features: Tensor): Tensor {
    if (this.head !== null) return this.head.forward(features);
    return this.tokens.scores(features.mul(this.dimension ** -0.5));
  }

  /** Memory for the targets' keys and values, one for each layer of the decoder. */
  caches(batch: number, capacity: number): KeyValueCache[] {
    return this.decoder.map(() => new KeyValueCache(batch, this.heads, capacity, this.headDimension));
  }

  /** What distances add to the scores, [1, heads, L, S]: learned in the first layer, and the same for all. */
  #bias(blocks: readonly T5Block[], which: 0 | 1, queries: Tensor, keys: Tensor): Tensor {
    const most = this.#longest;
    const distance = keys.sub(queries.unsqueeze(1)).maximum(-most).minimum(most);
    const buckets = this.#buckets[which].gather(distance.add(most), 0);
    const table = blocks[0]!.attention.distances!;
    return table.forward(buckets).permute([2, 0, 1]).unsqueeze(0);
  }

  #network({ network, networkNorm }: T5Block, x: Tensor): Tensor {
    const y = networkNorm.forward(x);
    const bent = this.activation(network.inner.forward(y));
    const inner = network.gate === null ? bent : bent.mul(network.gate.forward(y));
    return x.add(dropout(network.outer.forward(dropout(inner, this.dropout)), this.dropout));
  }

  toString(): string {
    return `T5(${this.encoder.length} + ${this.decoder.length} layers of ${this.dimension})`;
  }
}

/**
 * The bucket of each distance from -longest to longest, int32 [2 longest + 1]: short distances have one each, longer ones share
 * in steps of a logarithm; where both sides are seen, half of the buckets is for what comes later.
 */
export function distanceTable(buckets: number, longest: number, bothSides: boolean): Tensor {
  const own = bothSides ? Math.floor(buckets / 2) : buckets;
  const exact = Math.floor(own / 2);
  const table = Int32Array.from({ length: 2 * longest + 1 }, (_, i) => {
    const distance = i - longest;
    const later = bothSides && distance > 0 ? own : 0;
    const far = bothSides ? Math.abs(distance) : Math.max(0, -distance);
    if (far < exact) return later + far;
    // in the digits of float32, as PyTorch computes it: at the powers they decide
    const share = Math.fround(Math.fround(Math.log(Math.fround(far / exact))) / Math.log(longest / exact));
    return later + Math.min(own - 1, exact + Math.trunc(Math.fround(share * (own - exact))));
  });
  return tensor(table);
}
