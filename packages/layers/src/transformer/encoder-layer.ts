/** One layer of the transformer's encoder: self-attention and a small network, each with a residual path and a norm. */
import { checkOptions, type Tensor } from '@nn/core';
import type { KeyValueCache } from '../attention/cache.ts';
import { type AttentionMasks, MultiheadAttention } from '../attention/multihead.ts';
import type { Layer } from '../layer.ts';
import { Linear } from '../linear.ts';
import { dropout } from '../noise/dropout.ts';
import { LayerNorm } from '../normalization/normalization.ts';
import { activationOf, layerOptionNames, type TransformerLayerOptions, transform } from './feed-forward.ts';

export interface TransformerEncoderLayerOptions extends TransformerLayerOptions {}

/**
 * Self-attention, then a network of two Linear layers, each added to its input and normalised: [length, N, dimension],
 * the shape stays; N first with `batchFirst`. (Vaswani et al. 2017; norm first: Xiong et al. 2020.)
 *
 * Parameters are those of PyTorch's `nn.TransformerEncoderLayer`: `self_attn`, `linear1`, `linear2`, `norm1`, `norm2`.
 * Throws ShapeError for an input of another width.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { TransformerEncoderLayer } from '@nn/layers';
 * const layer = new TransformerEncoderLayer(8, 2, { feedForward: 16, batchFirst: true });
 * console.log(layer.forward(zeros([4, 10, 8]), { causal: true }).shape); // => [4, 10, 8]
 */
export class TransformerEncoderLayer implements Layer {
  readonly dropout: number;
  readonly normFirst: boolean;
  readonly activation: (x: Tensor) => Tensor;
  selfAttn: MultiheadAttention;
  linear1: Linear;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;

  constructor(dimension: number, heads: number, options: TransformerEncoderLayerOptions = {}) {
    checkOptions('TransformerEncoderLayer', options, layerOptionNames);
    const { feedForward = 2048, activation = 'relu', epsilon = 1e-5, batchFirst = false, bias = true } = options;
    this.dropout = options.dropout ?? 0.1;
    this.normFirst = options.normFirst ?? false;
    this.activation = activationOf(activation);
    this.selfAttn = new MultiheadAttention(dimension, heads, { dropout: this.dropout, batchFirst, bias });
    this.linear1 = new Linear(dimension, feedForward, { bias });
    this.linear2 = new Linear(feedForward, dimension, { bias });
    this.norm1 = new LayerNorm(dimension, { epsilon, bias });
    this.norm2 = new LayerNorm(dimension, { epsilon, bias });
  }

  forward(input: Tensor, masks: AttentionMasks = {}): Tensor {
    if (this.normFirst) {
      const attended = input.add(this.#attend(this.norm1.forward(input), masks));
      return attended.add(transform(this, this.norm2.forward(attended)));
    }
    const attended = this.norm1.forward(input.add(this.#attend(input, masks)));
    return this.norm2.forward(attended.add(transform(this, attended)));
  }

  /** Memory for the keys and values of `batch` sequences of up to `capacity` tokens: `forward(x, { cache })`. */
  cache(batch: number, capacity: number, options: { readonly window?: number } = {}): KeyValueCache {
    return this.selfAttn.cache(batch, capacity, options);
  }

  #attend(x: Tensor, masks: AttentionMasks): Tensor {
    return dropout(this.selfAttn.forward(x, x, x, masks), this.dropout);
  }

  toString(): string {
    return `TransformerEncoderLayer(${this.selfAttn.dimension}, ${this.selfAttn.heads})`;
  }
}
