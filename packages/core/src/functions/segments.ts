/**
 * Values that meet at one place, reduced: the arithmetic behind scatter, scatterReduce, indexCopy and segmentReduce. Sums and
 * extremes are primitives; the last of several is the one whose position is the largest, so that the same value wins on every
 * device. For products the values are sorted by their places and each run is multiplied in log2 passes, which is right at zeros.
 */
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import { customGradient } from '../graph/custom-gradient.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { add, divide, floorDivide, maximum, multiply, negate, subtract } from '../ops/arithmetic.ts';
import { and, equal, less, not, notEqual, or, where } from '../ops/compare.ts';
import { cast } from '../ops/functions.ts';
import { requireInside, valuesOnHost } from '../ops/index-range.ts';
import { concat, gather, requireInteger, ScatterMax, scatterAdd } from '../ops/indexing.ts';
import { argSort, cumsum, neutral } from '../ops/order.ts';
import { like } from '../ops/pointwise.ts';
import { indexAlong } from '../ops/sources.ts';
import { expandTo, inverseOrder, narrow, permute, reshape } from '../ops/views.ts';
import { normalizeAxis, show } from '../shape.ts';
import { integers, type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { placesOf } from './counting.ts';
import { computable } from './operands.ts';
import { combined } from './running.ts';

/** How values that meet are reduced; the mean of integers is rounded down. */
export type Reduction = 'sum' | 'product' | 'mean' | 'max' | 'min';

/** `last`: the value that comes last replaces what was there. */
type Meeting = Reduction | 'last';

export interface MeetingOptions {
  readonly reduction: Meeting;
  /** Whether what stands in the base takes part where something is written. */
  readonly includesBase: boolean;
  /** The index is in ascending order. */
  readonly isSorted?: boolean;
}

const integer = (value: number): Node => constant(value, 'int32');

/** Numbers along the first axis of x, to be broadcast over the others. */
const alongFirst = (row: Node, { shape }: Node): Node => reshape(row, [row.size, ...shape.slice(1).map(() => 1)]);

export function checkReduction(operation: string, reduction: Reduction): void {
  const known: readonly string[] = ['sum', 'product', 'mean', 'max', 'min'];
  if (known.includes(reduction)) return;
  throw new ValueError(operation, `no reduction '${reduction}': ${known.join(', ')}.`, { reduction });
}

/** base [N, ...] with values [J, ...] at index [J] along the first axis; an index outside is ignored. */
export function reduceInto(base: Node, index: Node, values: Node, options: MeetingOptions): Node {
  if (values.size === 0 || base.size === 0) return base;
  if (base.dtype === 'bool') {
    const whole = reduceInto(cast(base, 'int32'), index, cast(values, 'int32'), options);
    return cast(whole, 'bool');
  }
  const { reduction, includesBase } = options;
  const rows = base.shape[0]!;
  const counts = scatterAdd(constant(0, 'int32', [rows], base.backend), index, constant(1, 'int32', index.shape));
  const isHit = alongFirst(less(integer(0), counts), base);
  const zeros = constant(0, base.dtype, base.shape, base.backend);
  if (reduction === 'sum' || reduction === 'mean') {
    const total = scatterAdd(includesBase ? base : where(isHit, zeros, base), index, values);
    if (reduction === 'sum') return total;
    const many = alongFirst(maximum(includesBase ? add(counts, integer(1)) : counts, integer(1)), base);
    return base.dtype === 'int32' ? floorDivide(total, many) : divide(total, cast(many, 'float32'));
  }
  if (reduction === 'product') {
    const met = products(zeros, index, values, options.isSorted === true);
    return where(isHit, includesBase ? multiply(base, met) : met, base);
  }
  if (reduction === 'last') {
    const nobody = constant(-1, 'int32', [rows], base.backend);
    const winner = apply(ScatterMax, [nobody, index, indexAlong(index.shape, 0)], 0);
    return where(isHit, cast(gather(values, winner), base.dtype), base);
  }
  const start = includesBase ? base : where(isHit, like(base, neutral(reduction, base.dtype)), base);
  const y = extreme(reduction, start, index, cast(values, base.dtype));
  return shared(y, base, index, values, includesBase ? null : not(isHit));
}

/** The smallest is the largest of the numbers turned over: -x, or of integers -1 - x, which none of them leaves. */
function extreme(reduction: 'max' | 'min', base: Node, index: Node, values: Node): Node {
  const turn = (x: Node): Node => {
    if (reduction === 'max') return x;
    return x.dtype === 'int32' ? subtract(integer(-1), x) : negate(x);
  };
  return turn(apply(ScatterMax, [turn(base), index, turn(values)], 0));
}

/** The product of the values of each place, 0 where there are none. */
function products(zeros: Node, index: Node, values: Node, isSorted: boolean): Node {
  const order = isSorted ? null : argSort(index, 0);
  const keys = order === null ? index : gather(index, order);
  const sorted = order === null ? values : gather(values, order);
  const count = keys.size;
  // (key, value) pairs: the earlier one counts where it has the same key
  let distance = 1;
  const runs = combined(sorted, 0, (earlier, later) => {
    const rest = count - distance;
    const isSame = equal(narrow(keys, 0, 0, rest), narrow(keys, 0, distance, rest));
    distance *= 2;
    return where(alongFirst(isSame, later), multiply(earlier, later), later);
  });
  const next = concat([narrow(keys, 0, 1, count - 1), constant(-1, 'int32', [1])], 0);
  const isEnd = or(notEqual(keys, next), equal(indexAlong([count], 0), integer(count - 1)));
  return scatterAdd(zeros, where(isEnd, keys, integer(-1)), cast(runs, zeros.dtype));
}

/** An extreme y, whose gradient goes in equal shares to all elements that are it (as PyTorch's). `untouched`: the base alone. */
function shared(y: Node, base: Node, index: Node, values: Node, untouched: Node | null): Node {
  if (base.dtype !== 'float32') return y;
  const result: Node = customGradient(y, [base, values], (g) => {
    const rows = base.shape[0]!;
    const inside = alongFirst(and(less(integer(-1), index), less(index, integer(rows))), values);
    const isBase = cast(untouched ?? equal(base, result), 'float32');
    const isValue = cast(and(inside, equal(values, gather(result, index))), 'float32');
    const many = scatterAdd(expandTo(isBase, base.shape), index, isValue);
    const share = divide(g, maximum(many, like(many, 1)));
    return [() => multiply(share, isBase), () => multiply(gather(share, index), isValue)];
  });
  return result;
}

export interface SegmentOptions {
  /** How long each segment is, in order: their sum is the size of the axis. */
  readonly lengths?: TensorLike;
  /** In place of lengths: the segment of each element, in any order, from 0; others belong to none. */
  readonly ids?: TensorLike;
  /** With `ids`: how many segments there are. */
  readonly count?: number;
  /** 0 by default. */
  readonly axis?: number;
  /** What empty segments are: by default 0, 1, NaN, -Infinity or Infinity, by reduction; 0 of integers but for the product. */
  readonly initial?: number;
}

/**
 * The segments of an axis reduced to one element each, as PyTorch's `segment_reduce` (by lengths) and TensorFlow's
 * `unsorted_segment_sum` and its like (by ids): [..., segments, ...].
 *
 * @example
 * import { segmentReduce } from '@nn/core';
 * console.log(await segmentReduce([1, 2, 3, 4], 'sum', { lengths: [3, 1] }).array()); // => [6, 4]
 * console.log(await segmentReduce([1, 2, 3, 4], 'max', { ids: [1, 0, 1, 0], count: 2 }).array()); // => [4, 3]
 */
export function segmentReduce(x: TensorLike, reduction: Reduction, options: SegmentOptions): Tensor {
  checkOptions('segmentReduce', options, ['lengths', 'ids', 'count', 'axis', 'initial']);
  const { lengths, ids, axis = 0 } = options;
  checkReduction('segmentReduce', reduction);
  const given = computable('segmentReduce', x);
  const along = normalizeAxis('segmentReduce', axis, given.shape.length);
  if ((lengths === undefined) === (ids === undefined)) {
    throw new ValueError('segmentReduce', 'needs either lengths or ids.');
  }
  const size = given.shape[along]!;
  const list = integers((lengths ?? ids) as TensorLike);
  requireInteger('segmentReduce', list);
  const count = lengths === undefined ? options.count : list.size;
  if (count === undefined || !Number.isInteger(count) || count < 0) {
    throw new ValueError('segmentReduce', `ids need the count of segments, a whole number from 0, got ${count}.`, {
      count,
    });
  }
  const isRow = list.shape.length === 1 && (lengths !== undefined || list.size === size);
  if (!isRow) {
    throw new ShapeError(
      'segmentReduce',
      `${lengths === undefined ? 'ids' : 'lengths'} ${show(list.shape)} for axis ${along} of ${show(given.shape)}: needs a vector${lengths === undefined ? ` of ${size}` : ''}.`,
      { shape: given.shape, list: list.shape },
    );
  }
  const index = lengths === undefined ? list : segmentsOf(list, size);
  if (lengths === undefined) {
    requireInside(list, { operation: 'segmentReduce', from: `${count} segments`, size: count }, true);
  }
  const order = [along, ...given.shape.map((_, a) => a).filter((a) => a !== along)];
  const node = permute(given.dtype === 'bool' ? cast(given, 'int32') : given, order);
  const initial = options.initial ?? emptyOf(reduction, node.dtype);
  const base = constant(initial, node.dtype, [count, ...node.shape.slice(1)], node.backend);
  const y = reduceInto(base, index, node, {
    reduction,
    includesBase: options.initial !== undefined && reduction !== 'mean',
    isSorted: lengths !== undefined,
  });
  return wrap(permute(y, inverseOrder(order)));
}

/** The segment of each of `size` elements, by the lengths of the segments. */
function segmentsOf(lengths: Node, size: number): Node {
  const values = valuesOnHost(lengths, true);
  if (values !== null) {
    let total = 0;
    for (const value of values) {
      if (value < 0) throw new ValueError('segmentReduce', `a length must be from 0, got ${value}.`, { length: value });
      total += value;
    }
    if (total !== size) {
      throw new ShapeError('segmentReduce', `the lengths sum to ${total}, the axis has ${size} elements.`);
    }
  }
  if (lengths.size === 0) return constant(0, 'int32', [size]);
  return placesOf(cumsum(lengths, 0), indexAlong([size], 0), true);
}

function emptyOf(reduction: Reduction, dtype: Node['dtype']): number {
  if (reduction === 'product') return 1;
  if (dtype !== 'float32') return 0;
  const infinite = { max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY, mean: Number.NaN, sum: 0 };
  return infinite[reduction];
}
