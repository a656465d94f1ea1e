/** How many, and between which: counts of elements, places in a sorted row, histograms. No gradient goes through a count. */
import type { Axes } from '../backend.ts';
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import { constant, type Node } from '../graph/node.ts';
import { lift } from '../graph/recorder.ts';
import { add, divide, minimum, multiply, subtract } from '../ops/arithmetic.ts';
import { and, equal, less, lessEqual, not, notEqual, where } from '../ops/compare.ts';
import { cast } from '../ops/functions.ts';
import { gather, scatterAdd } from '../ops/indexing.ts';
import { like } from '../ops/pointwise.ts';
import { max, min, type ReduceOptions, sum } from '../ops/reduce.ts';
import { indexAlong } from '../ops/sources.ts';
import { expandTo, narrow, reshape, unsqueeze } from '../ops/views.ts';
import { sameShape, show, sizeOf } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { computable, float, real } from './operands.ts';

const integer = (value: number): Node => constant(value, 'int32');

/**
 * How many elements are not 0, over all axes by default; int32. NaN is not 0.
 *
 * @example
 * import { countNonzero } from '@nn/core';
 * console.log(await countNonzero([[0, 2], [3, 4]], 1).array()); // => [1, 2]
 */
export function countNonzero(x: TensorLike, axes?: number | Axes, options: ReduceOptions = {}): Tensor {
  checkOptions('countNonzero', options, ['keepAxes']);
  const node = computable('countNonzero', x);
  return wrap(sum(cast(notEqual(node, like(node, 0)), 'int32'), axes, options));
}

export interface SearchSortedOptions {
  /** Of places between equal elements the last instead of the first. */
  readonly right?: boolean;
}

/** Rows up to this long are counted in one pass; longer ones are halved. */
const counted = 32;

/**
 * Where each value belongs in a sorted row, so that it stays sorted: how many elements are smaller (with `right`: not larger),
 * int32. `sorted` is [N] for all values, or [..., N] with values [..., M]. NaN belongs at the end.
 *
 * @example
 * import { searchSorted } from '@nn/core';
 * console.log(await searchSorted([1, 3, 5], [0, 3, 9]).array()); // => [0, 1, 3]
 * console.log(await searchSorted([1, 3, 5], [0, 3, 9], { right: true }).array()); // => [0, 2, 3]
 */
export function searchSorted(sorted: TensorLike, values: TensorLike, options: SearchSortedOptions = {}): Tensor {
  checkOptions('searchSorted', options, ['right']);
  const [row, wanted] = [computable('searchSorted', sorted), computable('searchSorted', values)];
  const isOne = row.shape.length === 1;
  if (
    !isOne &&
    (row.shape.length === 0 ||
      !sameShape(row.shape.slice(0, -1), wanted.shape.slice(0, -1)) ||
      wanted.shape.length === 0)
  ) {
    throw new ShapeError(
      'searchSorted',
      `sorted ${show(row.shape)} and values ${show(wanted.shape)}: needs [N], or [..., N] with [..., M] and equal leading axes.`,
      { sorted: row.shape, values: wanted.shape },
    );
  }
  return wrap(placesOf(row, wanted, options.right === true));
}

/** How many elements of its row come before each value. */
export function placesOf(row: Node, values: Node, right: boolean): Node {
  const size = row.shape.at(-1)!;
  if (size === 0 || values.size === 0) return constant(0, 'int32', values.shape, values.backend);
  // written so that every element comes before NaN
  const isBefore = (element: Node, value: Node): Node => not(right ? less(value, element) : lessEqual(value, element));
  if (size <= counted) {
    const rank = values.shape.length;
    const wide = row.shape.length === 1 ? row : unsqueeze(row, row.shape.length - 1);
    return sum(cast(isBefore(wide, unsqueeze(values, rank)), 'int32'), rank);
  }
  const flat = reshape(row, [-1]);
  const rows = sizeOf(row.shape.slice(0, -1));
  const start =
    rows === 1 ? integer(0) : reshape(multiply(indexAlong([rows], 0), integer(size)), [...row.shape.slice(0, -1), 1]);
  let found = constant(0, 'int32', values.shape);
  for (let step = 2 ** Math.floor(Math.log2(size)); step >= 1; step /= 2) {
    const probe = add(found, integer(step));
    const element = gather(flat, add(start, subtract(minimum(probe, integer(size)), integer(1))));
    const isFurther = and(lessEqual(probe, integer(size)), isBefore(element, values));
    found = where(isFurther, probe, found);
  }
  return found;
}

/**
 * The bucket of each element: how many boundaries [N], in ascending order, are smaller (with `right`: not larger); int32.
 *
 * @example
 * import { bucketize } from '@nn/core';
 * console.log(await bucketize([[3, 6], [9, 1]], [3, 5, 7]).array()); // => [[0, 2], [3, 0]]
 */
export function bucketize(x: TensorLike, boundaries: TensorLike, options: SearchSortedOptions = {}): Tensor {
  checkOptions('bucketize', options, ['right']);
  const [node, row] = [computable('bucketize', x), computable('bucketize', boundaries)];
  if (row.shape.length !== 1) {
    throw new ShapeError('bucketize', `boundaries must be a vector, got ${show(row.shape)}.`, { shape: row.shape });
  }
  return wrap(placesOf(row, node, options.right === true));
}

export interface HistogramOptions {
  /** How many bins of equal width, 10 by default, or their edges in ascending order, one more than bins. */
  readonly bins?: number | TensorLike;
  /** The ends of the first and the last bin; by default the smallest and the largest element. */
  readonly range?: readonly [number, number];
  /** What each element counts, of the shape of x; 1 by default. The gradient goes to these. */
  readonly weights?: TensorLike;
  /** Divided by the total and the widths: the area is 1. */
  readonly density?: boolean;
}

/**
 * How many elements of x lie in each bin, float32, and the edges of the bins. A bin has its lower edge, the last one both; what
 * lies outside, and NaN, is not counted. As PyTorch's and NumPy's `histogram`.
 *
 * @example
 * import { histogram } from '@nn/core';
 * const { counts, edges } = histogram([1, 2, 2, 4], { bins: 3 });
 * console.log(await counts.array(), await edges.array()); // => [1, 2, 1] [1, 2, 3, 4]
 */
export function histogram(
  x: TensorLike,
  options: HistogramOptions = {},
): { readonly counts: Tensor; readonly edges: Tensor } {
  checkOptions('histogram', options, ['bins', 'range', 'weights', 'density']);
  const { bins = 10, range, weights, density = false } = options;
  const v = reshape(real('histogram', x), [-1]);
  const edges = typeof bins === 'number' ? evenEdges(v, bins, range) : real('histogram', bins);
  if (edges.shape.length !== 1 || edges.size < 2) {
    throw new ShapeError('histogram', `edges must be a vector of at least two, got ${show(edges.shape)}.`);
  }
  const count = edges.size - 1;
  const weight = weights === undefined ? constant(1, 'float32', v.shape) : reshape(real('histogram', weights), [-1]);
  if (weight.size !== v.size) {
    throw new ShapeError('histogram', `${weight.size} weights for ${v.size} elements: one for each.`);
  }
  const place = subtract(placesOf(edges, v, true), integer(1));
  // the last bin has its upper edge; scatterAdd ignores what lies outside
  const bin = where(equal(v, narrow(edges, 0, count, 1)), integer(count - 1), place);
  const sums = scatterAdd(constant(0, 'float32', [count], v.backend), bin, weight);
  const widths = subtract(narrow(edges, 0, 1, count), narrow(edges, 0, 0, count));
  const counts = density ? divide(divide(sums, sum(sums)), widths) : sums;
  return { counts: wrap(counts), edges: wrap(edges) };
}

/** bins + 1 edges at equal distances; a range of no width is widened by 1/2 at both ends. */
function evenEdges(v: Node, bins: number, range: HistogramOptions['range']): Node {
  if (!Number.isInteger(bins) || bins < 1) {
    throw new ValueError('histogram', `the number of bins must be a whole number from 1, got ${bins}.`, { bins });
  }
  if (range !== undefined && !(range[0] <= range[1] && Number.isFinite(range[1] - range[0]))) {
    throw new ValueError('histogram', `the range must be two finite numbers in ascending order, got ${show(range)}.`);
  }
  const isEmpty = v.size === 0 && range === undefined;
  const ends = range ?? (isEmpty ? [0, 1] : null);
  const [low, high] = ends === null ? [min(v), max(v)] : [lift(ends[0]!, 'float32'), lift(ends[1]!, 'float32')];
  const widen = where(equal(low, high), float(0.5), float(0));
  const [from, to] = [subtract(low, widen), add(high, widen)];
  const index = indexAlong([bins + 1], 0);
  const inner = add(from, multiply(cast(index, 'float32'), divide(subtract(to, from), float(bins))));
  const edges = where(equal(index, integer(bins)), expandTo(to, [bins + 1]), inner);
  edges.backend ??= v.backend;
  return edges;
}
