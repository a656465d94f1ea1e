/**
 * Copies of a tensor with elements written at computed positions: PyTorch's scatter and index functions. Where several values
 * meet at one place the last one wins, on every device. Positions outside throw where they are on the host; computed ones are
 * ignored, and reported by `debug({ eager: true })`.
 */
import { checkOptions, ShapeError } from '../errors.ts';
import { constant, type Node } from '../graph/node.ts';
import { lift } from '../graph/recorder.ts';
import { add, multiply, subtract } from '../ops/arithmetic.ts';
import { indexAt } from '../ops/at.ts';
import { and, less, truth, where } from '../ops/compare.ts';
import { requireInside } from '../ops/index-range.ts';
import { flatPositions, gather, requireInteger, scatterAdd } from '../ops/indexing.ts';
import { cumsum } from '../ops/order.ts';
import { indexAlong } from '../ops/sources.ts';
import { expandTo, inverseOrder, narrow, permute, reshape } from '../ops/views.ts';
import { broadcastShapes, normalizeAxis, sameShape, show } from '../shape.ts';
import {
  type IndexItem,
  integers,
  isTensor,
  itemNodes,
  type Tensor,
  type TensorLike,
  toNode,
  wrap,
} from '../tensor.ts';
import { computable, valuesFor } from './operands.ts';
import { checkReduction, type MeetingOptions, type Reduction, reduceInto } from './segments.ts';

const integer = (value: number): Node => constant(value, 'int32');
const replacing: MeetingOptions = { reduction: 'last', includesBase: false };

/** Each value at its own index along an axis: index and values are of x's rank, and no larger than x but along the axis. */
function elementwise(
  operation: string,
  x: TensorLike,
  indices: TensorLike,
  values: TensorLike,
  axis: number,
  options: MeetingOptions,
): Tensor {
  const node = computable(operation, x);
  const index = integers(indices);
  requireInteger(operation, index);
  const along = normalizeAxis(operation, axis, node.shape.length);
  const given = valuesFor(operation, node, values);
  const source = given.shape.length === 0 ? expandTo(given, index.shape) : given;
  const fits =
    index.shape.length === node.shape.length &&
    source.shape.length === node.shape.length &&
    index.shape.every((size, a) => size <= source.shape[a]! && (a === along || size <= node.shape[a]!));
  if (!fits) {
    throw new ShapeError(
      operation,
      `indices ${show(index.shape)} must be of the rank of ${show(node.shape)}, no larger than the values ${show(source.shape)}, nor than ${show(node.shape)} but along axis ${along}.`,
      { shape: node.shape, indices: index.shape, values: source.shape, axis: along },
    );
  }
  const size = node.shape[along]!;
  requireInside(index, { operation, from: `axis ${along} of ${show(node.shape)}`, size });
  const used = index.shape.reduce((part, length, a) => narrow(part, a, 0, length), source);
  const isInside = and(less(integer(-1), index), less(index, integer(size)));
  const flat = where(isInside, flatPositions(node, index, along), integer(-1));
  const y = reduceInto(reshape(node, [-1]), reshape(flat, [-1]), reshape(used, [-1]), options);
  return wrap(reshape(y, node.shape));
}

/** Whole slices at `indices` [J] along an axis. */
function slices(
  operation: string,
  x: TensorLike,
  indices: TensorLike,
  values: TensorLike,
  axis: number,
  options: MeetingOptions,
): Tensor {
  const node = computable(operation, x);
  const given = integers(indices);
  requireInteger(operation, given);
  const along = normalizeAxis(operation, axis, node.shape.length);
  const index = given.shape.length === 0 ? reshape(given, [1]) : given;
  const expected = node.shape.map((size, a) => (a === along ? index.size : size));
  const source = valuesFor(operation, node, values);
  if (index.shape.length !== 1 || !sameShape(source.shape, expected)) {
    throw new ShapeError(
      operation,
      `values ${show(source.shape)} do not fit: ${show(node.shape)} with indices ${show(given.shape)} at axis ${along} takes ${show(expected)}, and a vector of indices.`,
      { shape: node.shape, indices: given.shape, values: source.shape, axis: along },
    );
  }
  requireInside(index, { operation, from: `axis ${along} of ${show(node.shape)}`, size: node.shape[along]! });
  const order = [along, ...node.shape.map((_, a) => a).filter((a) => a !== along)];
  const y = reduceInto(permute(node, order), index, permute(source, order), options);
  return wrap(permute(y, inverseOrder(order)));
}

/**
 * x with values[i][j] at [indices[i][j]][j] (for axis 0), as PyTorch's `scatter`: the counterpart of `takeAlong`. Indices are
 * int32, of the rank of x; values a number, or at least as large as the indices.
 *
 * @example
 * import { scatter } from '@nn/core';
 * console.log(await scatter([[0, 0, 0]], [[2, 0]], [[5, 6]], 1).array()); // => [[6, 0, 5]]
 */
export function scatter(x: TensorLike, indices: TensorLike, values: TensorLike, axis = 0): Tensor {
  return elementwise('scatter', x, indices, values, axis, replacing);
}

export interface ScatterReduceOptions {
  /** Whether what stands in x takes part; true by default. */
  readonly includeSelf?: boolean;
}

/**
 * As `scatter`, but values that meet, and what stood there, are reduced by sum, product, mean, max or min. PyTorch's
 * `scatter_reduce` (its 'prod', 'amax' and 'amin') and `scatter_add`. The gradient of an extreme goes to all equal ones in
 * equal shares.
 *
 * @example
 * import { scatterReduce } from '@nn/core';
 * console.log(await scatterReduce([1, 1], [0, 0, 1], [2, 5, 3], 'max').array()); // => [5, 3]
 * console.log(await scatterReduce([1, 1], [0, 0], [2, 5], 'product', 0, { includeSelf: false }).array()); // => [10, 1]
 */
export function scatterReduce(
  x: TensorLike,
  indices: TensorLike,
  values: TensorLike,
  reduction: Reduction,
  axis = 0,
  options: ScatterReduceOptions = {},
): Tensor {
  checkOptions('scatterReduce', options, ['includeSelf']);
  const { includeSelf = true } = options;
  checkReduction('scatterReduce', reduction);
  return elementwise('scatterReduce', x, indices, values, axis, { reduction, includesBase: includeSelf });
}

/**
 * x with the slices of `values` in place of those at `indices` [J] along an axis, as PyTorch's `index_copy`.
 *
 * @example
 * import { indexCopy } from '@nn/core';
 * console.log(await indexCopy([[1, 1], [2, 2], [3, 3]], [2, 0], [[7, 7], [8, 8]]).array()); // => [[8, 8], [2, 2], [7, 7]]
 */
export function indexCopy(x: TensorLike, indices: TensorLike, values: TensorLike, axis = 0): Tensor {
  return slices('indexCopy', x, indices, values, axis, replacing);
}

/**
 * x with `alpha` times the slices of `values` added to those at `indices` [J] along an axis, as PyTorch's `index_add`;
 * repeated indices add up.
 *
 * @example
 * import { indexAdd } from '@nn/core';
 * console.log(await indexAdd([1, 1, 1], [2, 2], [5, 6]).array()); // => [1, 1, 12]
 */
export function indexAdd(
  x: TensorLike,
  indices: TensorLike,
  values: TensorLike,
  axis = 0,
  options: { readonly alpha?: number } = {},
): Tensor {
  checkOptions('indexAdd', options, ['alpha']);
  const { alpha = 1 } = options;
  const node = valuesFor('indexAdd', computable('indexAdd', x), values);
  const scaled = alpha === 1 ? node : multiply(node, lift(alpha, node.dtype));
  return slices('indexAdd', x, indices, wrap(scaled), axis, { reduction: 'sum', includesBase: true });
}

/**
 * x with the slices of `values` reduced into those at `indices` [J] along an axis, as PyTorch's `index_reduce`; see
 * `scatterReduce`.
 *
 * @example
 * import { indexReduce } from '@nn/core';
 * console.log(await indexReduce([1, 9], [0, 0, 1], [4, 2, 3], 'min').array()); // => [1, 3]
 */
export function indexReduce(
  x: TensorLike,
  indices: TensorLike,
  values: TensorLike,
  reduction: Reduction,
  axis = 0,
  options: ScatterReduceOptions = {},
): Tensor {
  checkOptions('indexReduce', options, ['includeSelf']);
  const { includeSelf = true } = options;
  checkReduction('indexReduce', reduction);
  return slices('indexReduce', x, indices, values, axis, { reduction, includesBase: includeSelf });
}

/**
 * x with the elements of `source`, one after the other, where the mask holds; the mask broadcasts to the shape of x. The
 * source needs as many elements as the mask chooses: with fewer its last one is repeated, and `debug({ eager: true })` says so.
 *
 * @example
 * import { maskedScatter } from '@nn/core';
 * console.log(await maskedScatter([1, 2, 3], [true, false, true], [8, 9]).array()); // => [8, 2, 9]
 */
export function maskedScatter(x: TensorLike, mask: TensorLike, source: TensorLike): Tensor {
  const node = computable('maskedScatter', x);
  const condition = truth(toNode(mask, 'int32'));
  if (!sameShape(broadcastShapes('maskedScatter', node.shape, condition.shape), node.shape)) {
    throw new ShapeError(
      'maskedScatter',
      `a mask of ${show(condition.shape)} is larger than ${show(node.shape)}: expand the tensor first.`,
      { shape: node.shape, mask: condition.shape },
    );
  }
  return wrap(
    fillFrom('maskedScatter', node, expandTo(condition, node.shape), valuesFor('maskedScatter', node, source)),
  );
}

/** x with the elements of `source` in a row where the mask, of the shape of x, holds. */
function fillFrom(operation: string, x: Node, mask: Node, source: Node): Node {
  if (x.size === 0) return x;
  const flat = reshape(mask, [-1]);
  const place = where(flat, subtract(cumsum(flat, 0), integer(1)), integer(0));
  if (source.size === 0) {
    throw new ShapeError(operation, `the source ${show(source.shape)} is empty, there is nothing to take.`);
  }
  requireInside(place, { operation, from: `the source ${show(source.shape)}`, size: source.size });
  const taken = reshape(gather(reshape(source, [-1]), place), x.shape);
  return where(mask, taken, x);
}

export interface IndexPutOptions {
  /** Added to what stands there; what meets at one place adds up. */
  readonly accumulate?: boolean;
}

/**
 * Assignment: a copy of x in which `x.at(...items)` is `values`, which broadcast to it. As NumPy's `x[items] = values`, PyTorch's
 * `index_put`, JAX's `x.at[items].set` (and `add`, with `accumulate`). The items are those of `at`; a computed mask is taken
 * alone. Where one place is named twice the last value stays.
 *
 * @example
 * import { indexPut, tensor } from '@nn/core';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * const columns = tensor([2, 0], { dtype: 'int32' });
 * console.log(await indexPut(x, [0, columns], [8, 9]).array()); // => [[9, 2, 8], [4, 5, 6]]
 * console.log(await indexPut(x, [x.greater(3)], 0).array()); // => [[1, 2, 3], [0, 0, 0]]
 * console.log(await indexPut(x, ['...', [1, 3]], 1, { accumulate: true }).array()); // => [[1, 3, 4], [4, 6, 7]]
 */
export function indexPut(
  x: TensorLike,
  items: readonly IndexItem[],
  values: TensorLike,
  options: IndexPutOptions = {},
): Tensor {
  checkOptions('indexPut', options, ['accumulate']);
  const { accumulate = false } = options;
  const node = computable('indexPut', x);
  const given = valuesFor('indexPut', node, values);
  const [first] = items;
  if (items.length === 1 && isTensor(first) && first.dtype === 'bool') {
    return wrap(putMasked(node, first.node, given, accumulate));
  }
  // the positions of what `at` gives: the same items choose among them
  const positions = indexAt(reshape(indexAlong([node.size], 0), node.shape), itemNodes(items));
  if (!sameShape(broadcastShapes('indexPut', positions.shape, given.shape), positions.shape)) {
    throw new ShapeError(
      'indexPut',
      `values ${show(given.shape)} do not broadcast to ${show(positions.shape)}, which the items choose of ${show(node.shape)}.`,
      { shape: node.shape, values: given.shape },
    );
  }
  const [base, index] = [reshape(node, [-1]), reshape(positions, [-1])];
  const flat = reshape(expandTo(given, positions.shape), [-1]);
  const repeats = items.some(isTensor);
  const y = accumulate
    ? scatterAdd(base, index, flat)
    : reduceInto(base, index, flat, { ...replacing, isSorted: !repeats && isAscending(items) });
  return wrap(reshape(y, node.shape));
}

/** Ranges and numbers name every place once, in ascending order unless one goes backwards. */
const isAscending = (items: readonly IndexItem[]): boolean =>
  items.every((item) => !Array.isArray(item) || ((item[2] as number | null | undefined) ?? 1) > 0);

/** Where a mask over the first axes holds: one value for all, or rows that broadcast, or as many rows as it chooses. */
function putMasked(x: Node, mask: Node, values: Node, accumulate: boolean): Node {
  const rank = mask.shape.length;
  if (rank === 0 || !sameShape(mask.shape, x.shape.slice(0, rank))) {
    throw new ShapeError('indexPut', `a mask of ${show(mask.shape)} does not fit the first axes of ${show(x.shape)}.`, {
      shape: x.shape,
      mask: mask.shape,
    });
  }
  const rest = x.shape.slice(rank);
  const whole = expandTo(reshape(mask, [...mask.shape, ...rest.map(() => 1)]), x.shape);
  const isRow =
    values.shape.length <= rest.length || (values.shape.length === rest.length + 1 && values.shape[0] === 1);
  if (isRow) {
    const row = expandTo(values.shape.length > rest.length ? reshape(values, values.shape.slice(1)) : values, rest);
    return where(whole, accumulate ? add(x, row) : row, x);
  }
  const count = values.shape[0]!;
  const filled = fillFrom('indexPut', x, whole, expandTo(values, [count, ...rest]));
  return accumulate ? where(whole, add(x, filled), x) : filled;
}
