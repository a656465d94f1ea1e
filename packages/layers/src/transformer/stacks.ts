/** Layers of the transformer on top of each other. Owns their order and a last norm; what a layer does is its own matter. */
import { checkOptions, type Tensor, ValueError } from '@nn/core';
import type { KeyValueCache } from '../attention/cache.ts';
import type { AttentionMasks } from '../attention/multihead.ts';
import { type Layer, requireWhole } from '../layer.ts';
import type { DecoderMasks } from './decoder-layer.ts';

export interface TransformerStackOptions {
  /** Applied to the result of the last layer. Default: none. */
  readonly norm?: Layer;
}

/** What the encoder needs of a layer: that of `TransformerEncoderLayer`. */
export interface EncoderLayer {
  forward(input: Tensor, masks?: AttentionMasks): Tensor;
  cache?(batch: number, capacity: number, options?: { readonly window?: number }): KeyValueCache;
}

/** What the decoder needs of a layer: that of `TransformerDecoderLayer`. */
export interface DecoderLayer {
  forward(target: Tensor, memory: Tensor, masks?: DecoderMasks): Tensor;
  cache?(batch: number, capacity: number, options?: { readonly window?: number }): KeyValueCache;
}

/** Masks for all layers, and a cache for each. */
export interface EncoderStackMasks extends Omit<AttentionMasks, 'cache'> {
  /** One for each layer, as `caches` makes them: the tokens of the call come behind those of earlier calls. */
  readonly caches?: readonly KeyValueCache[];
}

/** Masks for all layers, and a cache for each. */
export interface DecoderStackMasks extends DecoderMasks {
  /** One for each layer, as `caches` makes them: the targets of the call come behind those of earlier calls. */
  readonly caches?: readonly KeyValueCache[];
}

function cacheOf(stack: string, caches: readonly KeyValueCache[] | undefined, layers: number, i: number) {
  if (caches === undefined) return {};
  const cache = caches[i];
  if (cache === undefined || caches.length !== layers) {
    throw new ValueError(
      stack,
      `${caches.length} caches for ${layers} layers: take caches(batch, capacity), one for each.`,
      {
        caches: caches.length,
        layers,
      },
    );
  }
  return { cache };
}

function cachesOf(
  stack: string,
  layers: readonly (EncoderLayer | DecoderLayer)[],
  ...sizes: readonly [batch: number, capacity: number, options: { readonly window?: number }]
): KeyValueCache[] {
  return layers.map((layer) => {
    if (layer.cache !== undefined) return layer.cache(...sizes);
    throw new ValueError(stack, `${String(layer)} has no cache(batch, capacity).`);
  });
}

/**
 * Encoder layers on top of each other: [length, N, dimension], the shape stays. `make` is called once for each, so that each
 * has start values of its own; PyTorch copies those of one.
 *
 * Names are those of PyTorch's `nn.TransformerEncoder`: `layers.0...`, `norm`. With `causal` it is what GPT is made of, and
 * `caches` generate token by token.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LayerNorm, TransformerEncoder, TransformerEncoderLayer } from '@nn/layers';
 * const make = () => new TransformerEncoderLayer(8, 2, { feedForward: 16, batchFirst: true });
 * const encoder = new TransformerEncoder(make, 3, { norm: new LayerNorm(8) });
 * console.log(encoder.forward(zeros([4, 10, 8])).shape); // => [4, 10, 8]
 */
export class TransformerEncoder<L extends EncoderLayer = EncoderLayer> implements Layer {
  readonly layers: readonly L[];
  readonly norm: Layer | null;

  constructor(make: (index: number) => L, layers: number, options: TransformerStackOptions = {}) {
    requireWhole('TransformerEncoder', 'layers', layers);
    checkOptions('TransformerEncoder', options, ['norm']);
    this.layers = Array.from({ length: layers }, (_, index) => make(index));
    this.norm = options.norm ?? null;
  }

  forward(input: Tensor, masks: EncoderStackMasks = {}): Tensor {
    const { caches, ...others } = masks;
    const { layers } = this;
    const last = layers.reduce(
      (x, layer, i) => layer.forward(x, { ...others, ...cacheOf(String(this), caches, layers.length, i) }),
      input,
    );
    return this.norm === null ? last : this.norm.forward(last);
  }

  /** Memory for the keys and values of each layer, of `batch` sequences of up to `capacity` tokens. */
  caches(batch: number, capacity: number, options: { readonly window?: number } = {}): KeyValueCache[] {
    return cachesOf(String(this), this.layers, batch, capacity, options);
  }

  toString(): string {
    return `TransformerEncoder(${this.layers.length})`;
  }
}

/**
 * Decoder layers on top of each other: target [length, N, dimension] and memory [S, N, dimension] to the shape of the target.
 * `make` is called once for each, so that each has start values of its own; PyTorch copies those of one.
 *
 * Names are those of PyTorch's `nn.TransformerDecoder`: `layers.0...`, `norm`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { TransformerDecoder, TransformerDecoderLayer } from '@nn/layers';
 * const decoder = new TransformerDecoder(() => new TransformerDecoderLayer(8, 2, { feedForward: 16 }), 2);
 * console.log(decoder.forward(zeros([5, 4, 8]), zeros([10, 4, 8]), { target: { causal: true } }).shape); // => [5, 4, 8]
 */
export class TransformerDecoder<L extends DecoderLayer = DecoderLayer> {
  readonly layers: readonly L[];
  readonly norm: Layer | null;

  constructor(make: (index: number) => L, layers: number, options: TransformerStackOptions = {}) {
    requireWhole('TransformerDecoder', 'layers', layers);
    checkOptions('TransformerDecoder', options, ['norm']);
    this.layers = Array.from({ length: layers }, (_, index) => make(index));
    this.norm = options.norm ?? null;
  }

  forward(target: Tensor, memory: Tensor, masks: DecoderStackMasks = {}): Tensor {
    const { caches, ...others } = masks;
    const { layers } = this;
    const last = layers.reduce((x, layer, i) => {
      const cache = cacheOf(String(this), caches, layers.length, i);
      return layer.forward(x, memory, { ...others, target: { ...others.target, ...cache } });
    }, target);
    return this.norm === null ? last : this.norm.forward(last);
  }

  /** Memory for the keys and values of each layer, of `batch` targets of up to `capacity` tokens. */
  caches(batch: number, capacity: number, options: { readonly window?: number } = {}): KeyValueCache[] {
    return cachesOf(String(this), this.layers, batch, capacity, options);
  }

  toString(): string {
    return `TransformerDecoder(${this.layers.length})`;
  }
}
