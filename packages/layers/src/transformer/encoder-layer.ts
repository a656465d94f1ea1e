/** One layer of the transformer's encoder: self-attention and a small network, each with a residual path and a norm. */
import type { Tensor } from '@nn/core';
import { gelu } from '../activations/gates.ts';
import { relu } from '../activations/rectifiers.ts';
import { type AttentionMasks, MultiheadAttention } from '../attention/attention.ts';
import type { Layer } from '../layer.ts';
import { Linear } from '../linear.ts';
import { dropout } from '../noise/dropout.ts';
import { LayerNorm } from '../normalization/normalization.ts';

export interface TransformerEncoderLayerOptions {
  /** Width of the inner network. Default 2048. */
  readonly feedForward?: number;
  /** Share of values dropped in training: of the attention weights, inside the network, and before each sum. Default 0.1. */
  readonly dropout?: number;
  /** Default 'relu'. */
  readonly activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor);
  /** Added to the variance in the norms. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether inputs are [N, length, dimension]; otherwise they are [length, N, dimension]. Default false, as in PyTorch. */
  readonly batchFirst?: boolean;
  /** Whether norms come before attention and network instead of after the sums. Default false, as in PyTorch. */
  readonly normFirst?: boolean;
}

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
    const { feedForward = 2048, activation = 'relu', epsilon = 1e-5, batchFirst = false } = options;
    this.dropout = options.dropout ?? 0.1;
    this.normFirst = options.normFirst ?? false;
    this.activation = activation === 'relu' ? relu : activation === 'gelu' ? (x) => gelu(x) : activation;
    this.selfAttn = new MultiheadAttention(dimension, heads, { dropout: this.dropout, batchFirst });
    this.linear1 = new Linear(dimension, feedForward);
    this.linear2 = new Linear(feedForward, dimension);
    this.norm1 = new LayerNorm(dimension, { epsilon });
    this.norm2 = new LayerNorm(dimension, { epsilon });
  }

  forward(input: Tensor, masks: AttentionMasks = {}): Tensor {
    if (this.normFirst) {
      const attended = input.add(this.#attend(this.norm1.forward(input), masks));
      return attended.add(this.#transform(this.norm2.forward(attended)));
    }
    const attended = this.norm1.forward(input.add(this.#attend(input, masks)));
    return this.norm2.forward(attended.add(this.#transform(attended)));
  }

  #attend(x: Tensor, masks: AttentionMasks): Tensor {
    return dropout(this.selfAttn.forward(x, x, x, masks), this.dropout);
  }

  #transform(x: Tensor): Tensor {
    const inner = dropout(this.activation(this.linear1.forward(x)), this.dropout);
    return dropout(this.linear2.forward(inner), this.dropout);
  }

  toString(): string {
    return `TransformerEncoderLayer(${this.selfAttn.dimension}, ${this.selfAttn.heads})`;
  }
}
