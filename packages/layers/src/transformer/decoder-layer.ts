/** One layer of the transformer's decoder: attention to itself, attention to what the encoder gave, and a small network. */
import { checkOptions, type Tensor } from '@nn/core';
import type { KeyValueCache } from '../attention/cache.ts';
import { type AttentionMasks, MultiheadAttention } from '../attention/multihead.ts';
import { Linear } from '../linear.ts';
import { dropout } from '../noise/dropout.ts';
import { LayerNorm } from '../normalization/normalization.ts';
import { activationOf, layerOptionNames, type TransformerLayerOptions, transform } from './feed-forward.ts';

export interface TransformerDecoderLayerOptions extends TransformerLayerOptions {}

/** What the target sees of itself, and what it sees of the memory. */
export interface DecoderMasks {
  readonly target?: AttentionMasks;
  readonly memory?: AttentionMasks;
}

/**
 * Attention of the target to itself, then to the memory, then a network of two Linear layers, each added to its input and
 * normalised: target [length, N, dimension] and memory [S, N, dimension] to the shape of the target; N first with
 * `batchFirst`. (Vaswani et al. 2017; norm first: Xiong et al. 2020.)
 *
 * Parameters are those of PyTorch's `nn.TransformerDecoderLayer`: `self_attn`, `multihead_attn`, `linear1`, `linear2`,
 * `norm1` to `norm3`. Throws ShapeError for inputs of another width.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { TransformerDecoderLayer } from '@nn/layers';
 * const layer = new TransformerDecoderLayer(8, 2, { feedForward: 16, batchFirst: true });
 * console.log(layer.forward(zeros([4, 5, 8]), zeros([4, 10, 8]), { target: { causal: true } }).shape); // => [4, 5, 8]
 */
export class TransformerDecoderLayer {
  readonly dropout: number;
  readonly normFirst: boolean;
  readonly activation: (x: Tensor) => Tensor;
  selfAttn: MultiheadAttention;
  multiheadAttn: MultiheadAttention;
  linear1: Linear;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  norm3: LayerNorm;

  constructor(dimension: number, heads: number, options: TransformerDecoderLayerOptions = {}) {
    checkOptions('TransformerDecoderLayer', options, layerOptionNames);
    const { feedForward = 2048, activation = 'relu', epsilon = 1e-5, batchFirst = false, bias = true } = options;
    this.dropout = options.dropout ?? 0.1;
    this.normFirst = options.normFirst ?? false;
    this.activation = activationOf(activation);
    const inner = { dropout: this.dropout, batchFirst, bias };
    this.selfAttn = new MultiheadAttention(dimension, heads, inner);
    this.multiheadAttn = new MultiheadAttention(dimension, heads, inner);
    this.linear1 = new Linear(dimension, feedForward, { bias });
    this.linear2 = new Linear(feedForward, dimension, { bias });
    this.norm1 = new LayerNorm(dimension, { epsilon, bias });
    this.norm2 = new LayerNorm(dimension, { epsilon, bias });
    this.norm3 = new LayerNorm(dimension, { epsilon, bias });
  }

  forward(target: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    checkOptions(String(this), masks, ['target', 'memory']);
    if (this.normFirst) {
      const self = target.add(this.#self(this.norm1.forward(target), masks));
      const both = self.add(this.#cross(this.norm2.forward(self), memory, masks));
      return both.add(transform(this, this.norm3.forward(both)));
    }
    const self = this.norm1.forward(target.add(this.#self(target, masks)));
    const both = this.norm2.forward(self.add(this.#cross(self, memory, masks)));
    return this.norm3.forward(both.add(transform(this, both)));
  }

  /** Memory for the keys and values of `batch` targets of up to `capacity` tokens: `forward(x, memory, { target: { cache } })`. */
  cache(batch: number, capacity: number, options: { readonly window?: number } = {}): KeyValueCache {
    return this.selfAttn.cache(batch, capacity, options);
  }

  #self(x: Tensor, { target }: DecoderMasks): Tensor {
    return dropout(this.selfAttn.forward(x, x, x, target), this.dropout);
  }

  #cross(x: Tensor, memory: Tensor, masks: DecoderMasks): Tensor {
    return dropout(this.multiheadAttn.forward(x, memory, memory, masks.memory), this.dropout);
  }

  toString(): string {
    return `TransformerDecoderLayer(${this.selfAttn.dimension}, ${this.selfAttn.heads})`;
  }
}
