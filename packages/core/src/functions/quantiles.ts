/**
 * What stands at a place of the sorted row: quantiles, medians, the k-th value, and the most frequent value. All are read from
 * x by sorted indices, so gradients go to the elements that were chosen.
 */
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import { customGradient } from '../graph/custom-gradient.ts';
import { constant, type Node } from '../graph/node.ts';
import { add, divide, floorDivide, maximum, multiply, subtract } from '../ops/arithmetic.ts';
import { equal, less, notEqual, where } from '../ops/compare.ts';
import { cast, ceil, clamp, floor, round } from '../ops/functions.ts';
import { concat, gather, takeAlong } from '../ops/indexing.ts';
import { sort } from '../ops/order.ts';
import { argExtreme, type ReduceOptions, sum } from '../ops/reduce.ts';
import { indexAlong } from '../ops/sources.ts';
import { narrow, permute, reshape } from '../ops/views.ts';
import { normalizeAxis, show } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { computable, float, real } from './operands.ts';
import { largestSoFar, type Placed } from './running.ts';
import { table } from './tables.ts';

export type QuantileInterpolation = 'linear' | 'lower' | 'higher' | 'nearest' | 'midpoint';

export interface QuantileOptions {
  /** All elements where none is named. */
  readonly axis?: number;
  readonly keepAxes?: boolean;
  /** Between two elements: 'linear' by default, the 'lower', the 'higher', the 'nearest' (halves to even) or their 'midpoint'. */
  readonly interpolation?: QuantileInterpolation;
}

const interpolations: readonly string[] = ['linear', 'lower', 'higher', 'nearest', 'midpoint'];
const integer = (value: number): Node => constant(value, 'int32');

function requireRow(operation: string, x: Node, axis: number): void {
  if (x.shape[axis] !== 0) return;
  throw new ShapeError(operation, `axis ${axis} of ${show(x.shape)} is empty: there is nothing to choose from.`, {
    shape: x.shape,
    axis,
  });
}

/** A place in a sorted row between two elements. */
interface Place {
  readonly below: Node;
  readonly above: Node;
  readonly weight: Node;
}

/** Numbers of the host, whose places are found in double precision, or null. */
function hostNumbers(q: TensorLike): number[] | null {
  if (typeof q === 'number') return [q];
  return Array.isArray(q) && q.every((value) => typeof value === 'number') ? q : null;
}

function hostPlace(q: readonly number[], count: number, interpolation: QuantileInterpolation, x: Node): Place {
  const places = q.map((value) => {
    const exact = value * (count - 1);
    const half = Math.floor(exact) % 2 === 0 ? Math.floor(exact) : Math.ceil(exact);
    const nearest = exact % 1 === 0.5 ? half : Math.round(exact);
    const whole = { lower: Math.floor(exact), higher: Math.ceil(exact), nearest };
    return interpolation === 'linear' || interpolation === 'midpoint' ? exact : whole[interpolation];
  });
  const weights = places.map((place) => (interpolation === 'midpoint' ? 0.5 : place % 1));
  return {
    below: table(Int32Array.from(places, Math.floor), [q.length], x),
    above: table(Int32Array.from(places, Math.ceil), [q.length], x),
    weight: table(Float32Array.from(weights), [q.length], x),
  };
}

/** As `hostPlace`, for what only the device knows. `last`: the last index of each row. */
function devicePlace(q: Node, last: Node, interpolation: QuantileInterpolation): Place {
  const exact = multiply(clamp(q, float(0), float(1)), maximum(last, float(0)));
  const rounded = { lower: floor, higher: ceil, nearest: round, linear: null, midpoint: null }[interpolation];
  const place = rounded === null ? exact : rounded(exact);
  const below = floor(place);
  return {
    below: cast(below, 'int32'),
    above: cast(ceil(place), 'int32'),
    weight: interpolation === 'midpoint' ? float(0.5) : subtract(place, below),
  };
}

function quantileOf(
  operation: string,
  x: TensorLike,
  q: TensorLike,
  options: QuantileOptions,
  skipsNaN: boolean,
): Tensor {
  const { axis, keepAxes = false, interpolation = 'linear' } = options;
  if (!interpolations.includes(interpolation)) {
    throw new ValueError(operation, `no interpolation '${interpolation}': ${interpolations.join(', ')}.`);
  }
  const numbers = hostNumbers(q);
  const outside = numbers?.find((value) => !(value >= 0 && value <= 1));
  if (outside !== undefined) {
    throw new ValueError(operation, `a quantile must be from 0 to 1, got ${outside}.`, { q: outside });
  }
  const given = real(operation, x);
  const wanted = real(operation, q);
  if (wanted.shape.length > 1) {
    throw new ShapeError(operation, `quantiles must be a number or a list, got ${show(wanted.shape)}.`);
  }
  const flat = axis === undefined ? reshape(given, [-1]) : given;
  const along = normalizeAxis(operation, axis ?? 0, flat.shape.length);
  requireRow(operation, flat, along);
  // rows last: [...others, n]
  const others = flat.shape.map((_, a) => a).filter((a) => a !== along);
  const rows = permute(flat, [...others, along]);
  const end = others.length;
  const count = rows.shape[end]!;
  const sorted = sort(rows, end).values;
  const last = narrow(sorted, end, count - 1, 1);
  const list = reshape(wanted, [-1]);
  let between: (place: Node) => Node;
  let place: Place;
  if (skipsNaN) {
    const numbersInRow = sum(cast(equal(rows, rows), 'float32'), end, { keepAxes: true });
    place = devicePlace(list, subtract(numbersInRow, float(1)), interpolation);
    between = (at) => takeAlong(sorted, at, end);
  } else {
    place =
      numbers === null
        ? devicePlace(list, float(count - 1), interpolation)
        : hostPlace(numbers, count, interpolation, given);
    between = (at) => gather(sorted, at, end);
  }
  const [low, high] = [between(place.below), between(place.above)];
  // equal ones, infinite ones among them, have nothing between them
  const mixed = where(equal(low, high), low, add(low, multiply(place.weight, subtract(high, low))));
  // NaN is sorted last: a row that has one is NaN
  const values = skipsNaN ? mixed : where(notEqual(last, last), last, mixed);
  const kept = flat.shape.map((size, a) => (a === along ? 1 : size));
  const shape = keepAxes ? (axis === undefined ? given.shape.map(() => 1) : kept) : others.map((a) => flat.shape[a]!);
  const front = permute(values, [end, ...others.map((_, k) => k)]);
  return wrap(reshape(front, [...wanted.shape, ...shape]));
}

/**
 * The quantiles q (from 0 to 1) of the elements along an axis, or of all: what stands at q (n - 1) in the sorted row. q may be
 * a list, whose axis is then the first of the result. NaN where the row has one.
 *
 * @example
 * import { quantile } from '@nn/core';
 * console.log(await quantile([4, 1, 3, 2], [0.25, 0.5]).array()); // => [1.75, 2.5]
 */
export function quantile(x: TensorLike, q: TensorLike, options: QuantileOptions = {}): Tensor {
  checkOptions('quantile', options, ['axis', 'keepAxes', 'interpolation']);
  return quantileOf('quantile', x, q, options, false);
}

/**
 * As `quantile`, of what is not NaN; NaN where a row has nothing else.
 *
 * @example
 * import { nanQuantile } from '@nn/core';
 * console.log(await nanQuantile([4, NaN, 1, 3, 2], 0.5).item()); // => 2.5
 */
export function nanQuantile(x: TensorLike, q: TensorLike, options: QuantileOptions = {}): Tensor {
  checkOptions('nanQuantile', options, ['axis', 'keepAxes', 'interpolation']);
  return quantileOf('nanQuantile', x, q, options, true);
}

/** What stands at `place` (kept axes) of the sorted rows of x. */
function placed(x: Node, indices: Node, place: Node, axis: number, { keepAxes }: ReduceOptions): Placed {
  const index = takeAlong(indices, place, axis);
  const values = takeAlong(x, index, axis);
  const shape = keepAxes === true ? index.shape : index.shape.filter((_, a) => a !== axis);
  return { values: wrap(reshape(values, shape)), indices: wrap(reshape(index, shape)) };
}

function medianOf(
  operation: string,
  x: TensorLike,
  axis: number | undefined,
  options: ReduceOptions,
  skipsNaN: boolean,
): Placed {
  const given = computable(operation, x);
  const node = axis === undefined ? reshape(given, [-1]) : given;
  const along = normalizeAxis(operation, axis ?? 0, node.shape.length);
  requireRow(operation, node, along);
  const { indices } = sort(node, along);
  const size = node.shape[along]!;
  // numbers come first in the sorted row, the first NaN after them
  const count = sum(cast(equal(node, node), 'int32'), along, { keepAxes: true });
  const middle = maximum(floorDivide(subtract(count, integer(1)), integer(2)), integer(0));
  const place = skipsNaN ? middle : where(less(count, integer(size)), count, middle);
  return placed(node, indices, place, along, options);
}

/** Of all elements: every element that equals the median has an equal share of it, as in PyTorch. */
function medianOfAll(operation: string, x: TensorLike, skipsNaN: boolean): Tensor {
  const node = computable(operation, x);
  const value = medianOf(operation, x, undefined, {}, skipsNaN).values.node;
  if (node.dtype !== 'float32') return wrap(value);
  const y: Node = customGradient(value, [node], (g) => {
    const isMedian = cast(equal(node, y), 'float32');
    return [multiply(isMedian, divide(g, maximum(sum(isMedian), float(1))))];
  });
  return wrap(y);
}

/**
 * The median: the middle of the sorted elements, of an even number the lower one (as PyTorch; `quantile(x, 0.5)` takes the
 * mean of both). Along an axis with the indices where they stood. NaN where there is one.
 *
 * @example
 * import { median } from '@nn/core';
 * console.log(await median([3, 1, 2, 9]).item()); // => 2
 * const { values, indices } = median([[3, 1, 2]], 1);
 * console.log(await values.array(), await indices.array()); // => [2] [2]
 */
export function median(x: TensorLike): Tensor;
export function median(x: TensorLike, axis: number, options?: ReduceOptions): Placed;
export function median(x: TensorLike, axis?: number, options: ReduceOptions = {}): Tensor | Placed {
  checkOptions('median', options, ['keepAxes']);
  return axis === undefined ? medianOfAll('median', x, false) : medianOf('median', x, axis, options, false);
}

/**
 * As `median`, of what is not NaN; NaN where there is nothing else.
 *
 * @example
 * import { nanMedian } from '@nn/core';
 * console.log(await nanMedian([3, NaN, 1, 2]).item()); // => 2
 */
export function nanMedian(x: TensorLike): Tensor;
export function nanMedian(x: TensorLike, axis: number, options?: ReduceOptions): Placed;
export function nanMedian(x: TensorLike, axis?: number, options: ReduceOptions = {}): Tensor | Placed {
  checkOptions('nanMedian', options, ['keepAxes']);
  return axis === undefined ? medianOfAll('nanMedian', x, true) : medianOf('nanMedian', x, axis, options, true);
}

/**
 * The k-th smallest element along an axis, counted from 1, and where it stood (of equal ones in their order); NaN counts as
 * the largest. Throws ValueError for a k outside.
 *
 * @example
 * import { kthValue } from '@nn/core';
 * const { values, indices } = kthValue([5, 1, 3], 2);
 * console.log(await values.item(), await indices.item()); // => 3 2
 */
export function kthValue(x: TensorLike, k: number, axis = -1, options: ReduceOptions = {}): Placed {
  checkOptions('kthValue', options, ['keepAxes']);
  const node = computable('kthValue', x);
  const along = normalizeAxis('kthValue', axis, node.shape.length);
  const size = node.shape[along]!;
  if (!Number.isInteger(k) || k < 1 || k > size) {
    throw new ValueError(
      'kthValue',
      `k = ${k} is not from 1 to ${size}, the size of axis ${along} of ${show(node.shape)}.`,
    );
  }
  const { indices } = sort(node, along);
  const place = table(
    Int32Array.of(k - 1),
    node.shape.map(() => 1),
    node,
  );
  const shape = node.shape.map((length, a) => (a === along ? 1 : length));
  return placed(node, indices, add(place, constant(0, 'int32', shape)), along, options);
}

/**
 * The most frequent element along an axis, the smallest of those that are equally frequent, and the last place where it stands.
 *
 * @example
 * import { mode } from '@nn/core';
 * const { values, indices } = mode([3, 1, 1, 3, 2]);
 * console.log(await values.item(), await indices.item()); // => 1 2
 */
export function mode(x: TensorLike, axis = -1, options: ReduceOptions = {}): Placed {
  checkOptions('mode', options, ['keepAxes']);
  const node = computable('mode', x);
  const along = normalizeAxis('mode', axis, node.shape.length);
  requireRow('mode', node, along);
  const { values, indices } = sort(node, along);
  const size = node.shape[along]!;
  const place = indexAlong(node.shape, along);
  // how far each sorted element is from the first one equal to it; the longest way ends at the mode
  const changes = notEqual(narrow(values, along, 1, size - 1), narrow(values, along, 0, size - 1));
  const isFirst = size === 1 ? null : concat([equal(narrow(place, along, 0, 1), integer(0)), changes], along);
  const first = isFirst === null ? place : largestSoFar(where(isFirst, place, integer(0)), along);
  const best = argExtreme('max', subtract(place, first), along, { keepAxes: true });
  return placed(node, indices, best, along, options);
}
