/** Vectors of sets of indices: rows of a table, brought together by their sum, mean or maximum. */
import {
  arange,
  checkIndices,
  checkOptions,
  checkRoom,
  concat,
  type Parameter,
  ShapeError,
  showShape,
  type Tensor,
  ValueError,
  where,
  zeros,
} from '@nn/core';
import { requireWhole, sizeAt } from '../layer.ts';
import { normalRows } from './rows.ts';

export interface EmbeddingBagOptions {
  /** How the vectors of a bag come together. Default 'mean', as in PyTorch. */
  readonly mode?: 'sum' | 'mean' | 'max';
  /** The row of this index starts as 0, is not trained, and counts in no bag. */
  readonly paddingIndex?: number;
}

/** What a call may be given beside the indices. */
export interface BagOptions {
  /** For flat indices: where each bag begins, int32 [bags], from 0 and never less than the one before. */
  readonly offsets?: Tensor;
  /** A factor for each index, of the shape of the indices; for the mode 'sum'. PyTorch's `per_sample_weights`. */
  readonly weights?: Tensor;
}

/**
 * The sum, mean or maximum of the rows of a table that each bag names: indices [N, length] to [N, dimension], or flat indices
 * [length] with `offsets` [N]. A bag with nothing in it gives zeros. As PyTorch's `nn.EmbeddingBag`.
 *
 * `weight` is [count, dimension], drawn from the normal distribution. Indices of another dtype are cast to int32. Throws
 * ValueError for indices outside of the table where they are on the host, ShapeError for shapes that do not fit.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { EmbeddingBag } from '@nn/layers';
 * const layer = new EmbeddingBag(100, 16, { mode: 'sum' });
 * console.log(layer.forward(tensor([[5, 7, 5], [1, 2, 3]])).shape); // => [2, 16]
 * console.log(layer.forward(tensor([5, 7, 5, 1]), { offsets: tensor([0, 3]) }).shape); // => [2, 16]
 */
export class EmbeddingBag {
  readonly count: number;
  readonly dimension: number;
  readonly mode: 'sum' | 'mean' | 'max';
  readonly paddingIndex: number | null;
  weight: Parameter;

  constructor(count: number, dimension: number, options: EmbeddingBagOptions = {}) {
    this.count = count;
    this.dimension = dimension;
    requireWhole(String(this), 'count', count);
    requireWhole(String(this), 'dimension', dimension);
    checkOptions(String(this), options, ['mode', 'paddingIndex']);
    const { mode = 'mean', paddingIndex: index } = options;
    if (mode !== 'sum' && mode !== 'mean' && mode !== 'max') {
      throw new ValueError(String(this), `mode is ${String(mode)}: it must be 'sum', 'mean' or 'max'.`, { mode });
    }
    if (index !== undefined && !(Number.isInteger(index) && index >= -count && index < count)) {
      throw new ValueError(String(this), `paddingIndex is ${index}: it must be from ${-count} to ${count - 1}.`, {
        layer: String(this),
        paddingIndex: index,
      });
    }
    this.mode = mode;
    this.paddingIndex = index === undefined ? null : index < 0 ? index + count : index;
    checkRoom(String(this), [count, dimension]);
    this.weight = normalRows(count, dimension, this.paddingIndex);
  }

  forward(indices: Tensor, options: BagOptions = {}): Tensor {
    this.#check(indices, options);
    const rows = indices.dtype === 'int32' ? indices : indices.cast('int32');
    const counts = this.paddingIndex === null ? null : rows.notEqual(this.paddingIndex);
    const found = this.weight.gather(rows, 0);
    const vectors = options.weights === undefined ? found : found.mul(options.weights.unsqueeze(-1));
    const { offsets } = options;
    return offsets === undefined ? this.#ofRows(vectors, counts) : this.#ofBags(vectors, counts, offsets);
  }

  /** Bags of equal length: [N, length, dimension]. */
  #ofRows(vectors: Tensor, counts: Tensor | null): Tensor {
    if (this.mode === 'max') return this.#largest(vectors, counts?.unsqueeze(-1) ?? null);
    const real = counts === null ? vectors : where(counts.unsqueeze(-1), vectors, 0);
    const sum = real.sum(1);
    if (this.mode === 'sum') return sum;
    const size = counts === null ? sizeAt(vectors, 1) : counts.cast('float32').sum(1, { keepAxes: true }).maximum(1);
    return sizeAt(vectors, 1) === 0 ? sum : sum.div(size);
  }

  /** Bags one behind the other: [length, dimension]. */
  #ofBags(vectors: Tensor, counts: Tensor | null, offsets: Tensor): Tensor {
    const [length, bags] = [sizeAt(vectors, 0), sizeAt(offsets, 0)];
    const starts = offsets.cast('int32');
    // [bags, length]: where the bag has begun, and the next has not
    const begun = starts.unsqueeze(1).lessEqual(arange(length));
    if (this.mode === 'max') {
      const none = zeros([1, length], { dtype: 'bool' });
      const next = bags === 1 ? none : concatRows(begun, none);
      const inside = begun.logicalAnd(next.logicalNot());
      const real = counts === null ? inside : inside.logicalAnd(counts);
      return this.#largest(vectors.unsqueeze(0).expand([bags, length, this.dimension]), real.unsqueeze(-1));
    }
    const bag = begun.cast('int32').sum(0).sub(1);
    const real = counts === null ? vectors : where(counts.unsqueeze(-1), vectors, 0);
    const sum = zeros([bags, this.dimension]).scatterAdd(bag, real, 0);
    if (this.mode === 'sum') return sum;
    const ones = counts === null ? zeros([length]).add(1) : counts.cast('float32');
    return sum.div(zeros([bags]).scatterAdd(bag, ones, 0).maximum(1).unsqueeze(1));
  }

  /** The largest of [N, length, dimension] along the length where `real`, the first of equal ones; 0 where there is none. */
  #largest(vectors: Tensor, real: Tensor | null): Tensor {
    if (sizeAt(vectors, 1) === 0) return vectors.sum(1);
    const shown = real === null ? vectors : where(real, vectors, Number.NEGATIVE_INFINITY);
    const best = vectors.takeAlong(shown.stopGradient().argMax(1).unsqueeze(1), 1).squeeze(1);
    return real === null ? best : where(real.any(1), best, 0);
  }

  #check(indices: Tensor, { offsets, weights }: BagOptions): void {
    checkIndices(String(this), indices, this.count, 'rows');
    if (indices.rank !== (offsets === undefined ? 2 : 1) || (offsets !== undefined && offsets.rank !== 1)) {
      throw new ShapeError(
        String(this),
        `takes indices [N, length], or [length] with offsets [N], got ${showShape(indices.shape)}${offsets === undefined ? '' : ` with offsets ${showShape(offsets.shape)}`}.`,
        { layer: String(this), shape: indices.shape },
      );
    }
    if (weights === undefined) return;
    if (this.mode !== 'sum') {
      throw new ValueError(String(this), `weights are of sums, the mode is '${this.mode}': make it { mode: 'sum' }.`, {
        mode: this.mode,
      });
    }
    if (showShape(weights.shape) !== showShape(indices.shape)) {
      throw new ShapeError(
        String(this),
        `weights ${showShape(weights.shape)} must have the shape of the indices, ${showShape(indices.shape)}.`,
        { layer: String(this), weights: weights.shape },
      );
    }
  }

  toString(): string {
    return `EmbeddingBag(${this.count}, ${this.dimension})`;
  }
}

/** The rows but for the first, and `last`. */
function concatRows(rows: Tensor, last: Tensor): Tensor {
  const rest = rows.slice([1, 0]).cast('int32');
  return concat([rest, last.cast('int32')]).notEqual(0);
}
