/** The table of vectors that turns indices into vectors. */
import { checkIndices, checkRoom, type Parameter, type Shape, type Tensor, ValueError, where } from '@nn/core';
import { requireWhole } from '../layer.ts';
import { normalRows } from './rows.ts';

export interface EmbeddingOptions {
  /** The row of this index starts as 0 and is not trained: for padding. */
  readonly paddingIndex?: number;
}

/**
 * Rows of a table: indices [...] to vectors [..., dimension].
 *
 * `weight` is [count, dimension], drawn from the normal distribution, as in PyTorch's `nn.Embedding`. Indices of another
 * dtype are cast to int32. One outside 0 to count - 1 is a ValueError where the values are on the host, compiled or not;
 * computed ones are clamped, and named by `debug({ eager: true })`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Embedding } from '@nn/layers';
 * console.log(new Embedding(100, 16).forward(tensor([[5, 7, 5]])).shape); // => [1, 3, 16]
 */
export class Embedding {
  readonly count: number;
  readonly dimension: number;
  readonly paddingIndex: number | null;
  weight: Parameter;
  /** Whether the table makes scores, too (`scores`), as in models whose input and output share it: no adapter is merged into it then. */
  tied: boolean = false;

  constructor(count: number, dimension: number, options: EmbeddingOptions = {}) {
    this.count = count;
    this.dimension = dimension;
    requireWhole(String(this), 'count', count);
    requireWhole(String(this), 'dimension', dimension);
    const index = options.paddingIndex;
    if (index !== undefined && !(Number.isInteger(index) && index >= -count && index < count)) {
      throw new ValueError(String(this), `paddingIndex is ${index}: it must be from ${-count} to ${count - 1}.`, {
        layer: String(this),
        paddingIndex: index,
      });
    }
    this.paddingIndex = index === undefined ? null : index < 0 ? index + count : index;
    checkRoom(String(this), [count, dimension]);
    this.weight = normalRows(count, dimension, this.paddingIndex);
  }

  forward(indices: Tensor): Tensor {
    checkIndices(String(this), indices, this.count, 'rows');
    const rows = indices.dtype === 'int32' ? indices : indices.cast('int32');
    const vectors = this.weight.gather(rows, 0);
    if (this.paddingIndex === null) return vectors;
    return where(rows.equal(this.paddingIndex).unsqueeze(-1), vectors.stopGradient(), vectors);
  }

  /** Products of vectors [..., dimension] with all rows of the table: [..., count]. Flax's `attend`. */
  scores(vectors: Tensor): Tensor {
    return vectors.matmul(this.weight.transpose());
  }

  multiplyAdds(_inputs: readonly Shape[], _output: Shape): number {
    return 0;
  }

  toString(): string {
    return `Embedding(${this.count}, ${this.dimension})`;
  }
}
