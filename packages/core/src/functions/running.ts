/**
 * Products, maxima, minima and log-sums of all elements up to each one. The first three are scans, as the running sum is
 * (Tensor.cumsum). Log-sums, and the gradients of both products and log-sums, which are recurrences from the other end, are made
 * in log2(n) passes in which every element meets the one twice as far before it (Hillis and Steele 1986): arithmetic only. They
 * divide by nothing, so they are right at zeros, to every order.
 */
import { customGradient, stopGradient } from '../graph/custom-gradient.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import type { Primitive, Unary } from '../graph/primitive.ts';
import { add, maximum, multiply, negate, subtract } from '../ops/arithmetic.ts';
import { equal, less, notEqual, or, where } from '../ops/compare.ts';
import { abs, cast, exp, log } from '../ops/functions.ts';
import { concat, takeAlong } from '../ops/indexing.ts';
import { running } from '../ops/order.ts';
import { indexAlong } from '../ops/sources.ts';
import { moveAxis, narrow, reshape } from '../ops/views.ts';
import { normalizeAxis } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { computable, float } from './operands.ts';

/** Values of a row and where they stood. */
export interface Placed {
  readonly values: Tensor;
  /** int32 positions along the axis. */
  readonly indices: Tensor;
}

const CumulativeMax: Primitive<number, Unary> = running('cumulativeMax', 'max', null);
const CumulativeMin: Primitive<number, Unary> = running('cumulativeMin', 'min', null);

const CumulativeProduct: Primitive<number, Unary> = running('cumulativeProduct', 'product', (g, [x], y) => {
  const axis = y.attributes;
  // x_k is a factor of y_i from i = k on: dy_i / dx_k = (x_0 ... x_(k-1)) (x_(k+1) ... x_i)
  const behind = recurrence(g, moved(x, axis, -1, 0), axis);
  return [multiply(moved(y as Node, axis, 1, 1), behind)];
});

/** The largest of all elements up to each one; no gradient. */
export const largestSoFar = (x: Node, axis: number): Node => apply(CumulativeMax, [x], axis);

/** All elements up to each one, combined in passes; `combine` is associative. */
export function combined(x: Node, axis: number, combine: (earlier: Node, later: Node) => Node): Node {
  const size = x.shape[axis]!;
  let y = x;
  for (let distance = 1; distance < size; distance *= 2) {
    const rest = size - distance;
    y = concat(
      [narrow(y, axis, 0, distance), combine(narrow(y, axis, 0, rest), narrow(y, axis, distance, rest))],
      axis,
    );
  }
  return y;
}

/** s with s_k = g_k + factors_k s_(k+1), from the end of an axis; the last factor counts for nothing. */
function recurrence(g: Node, factors: Node, axis: number): Node {
  const size = g.shape[axis]!;
  let sums = g;
  let steps = factors; // steps_k: the product of the factors from k to k + distance, as far as that is inside
  for (let distance = 1; distance < size; distance *= 2) {
    const rest = size - distance;
    const near = narrow(steps, axis, 0, rest);
    const nearer = add(narrow(sums, axis, 0, rest), multiply(near, narrow(sums, axis, distance, rest)));
    sums = concat([nearer, narrow(sums, axis, rest, distance)], axis);
    const inside = Math.max(0, rest - distance);
    steps = multiply(narrow(steps, axis, 0, inside), narrow(steps, axis, Math.min(distance, rest), inside));
  }
  return sums;
}

/** x moved by one place along an axis, from the end to the front (`by` 1) or back (-1); the new element is `value`. */
function moved(x: Node, axis: number, by: 1 | -1, value: number): Node {
  const size = x.shape[axis]!;
  const edge = constant(
    value,
    x.dtype,
    x.shape.map((length, a) => (a === axis ? Math.min(1, length) : length)),
  );
  const rest = Math.max(0, size - 1);
  return by === 1
    ? concat([edge, narrow(x, axis, 0, rest)], axis)
    : concat([narrow(x, axis, Math.min(1, size), rest), edge], axis);
}

/** An operand with at least one axis: a scalar is a row of one element. */
function rowsOf(
  operation: string,
  x: TensorLike,
  axis: number,
): { node: Node; along: number; back: (y: Node) => Tensor } {
  const given = computable(operation, x);
  const row = given.shape.length === 0 ? reshape(given, [1]) : given;
  const node = row.dtype === 'bool' ? cast(row, 'int32') : row;
  return {
    node,
    along: normalizeAxis(operation, axis, node.shape.length),
    back: (y) => wrap(reshape(y, given.shape)),
  };
}

/**
 * The product of all elements up to each one along an axis, of the shape of x; bool counts as int32. Gradients are right at
 * zeros, to every order.
 *
 * @example
 * import { cumprod } from '@nn/core';
 * console.log(await cumprod([1, 2, 3, 4], 0).array()); // => [1, 2, 6, 24]
 */
export function cumprod(x: TensorLike, axis: number): Tensor {
  const { node, along, back } = rowsOf('cumprod', x, axis);
  // Along the last axis a kernel keeps the product of a row in double precision; views cost nothing.
  const last = node.shape.length - 1;
  const rows = moveAxis(node, along, last);
  return back(moveAxis(apply(CumulativeProduct, [rows], last), last, along));
}

/**
 * log(sum of exp) of all elements up to each one along an axis, without overflow.
 *
 * @example
 * import { logCumSumExp } from '@nn/core';
 * const y = await logCumSumExp([1000, 1000], 0).data();
 * console.log(y[1]?.toFixed(3)); // => 1000.693
 */
export function logCumSumExp(x: TensorLike, axis: number): Tensor {
  const { node, along, back } = rowsOf('logCumSumExp', x, axis);
  const v = cast(node, 'float32');
  const value = logSums(v, along);
  if (v.size === 0) return back(value);
  const y: Node = customGradient(value, [v], (g) => {
    // dx_k = sum over i >= k of g_i exp(x_k - y_i) = exp(x_k - y_k) s_k with s_k = g_k + exp(y_k - y_(k+1)) s_(k+1):
    // y never falls, so no exponential is above 1
    const next = moved(y, along, -1, 0);
    const last = equal(indexAlong(v.shape, along), constant(v.shape[along]! - 1, 'int32'));
    const factors = where(last, float(0), exp(difference(y, where(last, y, next))));
    const share = where(equal(v, float(Number.NEGATIVE_INFINITY)), float(0), exp(difference(v, y)));
    return [multiply(share, recurrence(g, factors, along))];
  });
  return back(y);
}

/** a - b, and 0 where they are equal, though infinite. */
const difference = (a: Node, b: Node): Node => where(equal(a, b), float(0), subtract(a, b));

/** log(sum of exp) of all up to each: the largest so far, and the sum of exponentials relative to it, in one exponential a pass. */
function logSums(x: Node, axis: number): Node {
  const size = x.shape[axis]!;
  let top = x;
  let sums = constant(1, 'float32', x.shape);
  for (let distance = 1; distance < size; distance *= 2) {
    const [rest, kept] = [size - distance, distance];
    const [a, b] = [narrow(top, axis, 0, rest), narrow(top, axis, distance, rest)];
    const [p, q] = [narrow(sums, axis, 0, rest), narrow(sums, axis, distance, rest)];
    const smaller = exp(negate(abs(difference(a, b))));
    const isFalling = less(b, a);
    const sum = where(isFalling, add(p, multiply(q, smaller)), add(multiply(p, smaller), q));
    sums = concat([narrow(sums, axis, 0, kept), sum], axis);
    top = concat([narrow(top, axis, 0, kept), maximum(a, b)], axis);
  }
  return add(top, log(sums));
}

function cumulativeExtreme(operation: string, x: TensorLike, axis: number, extreme: Primitive<number, Unary>): Placed {
  const { node, along, back } = rowsOf(operation, x, axis);
  const best = stopGradient(apply(extreme, [node], along));
  // an element that equals the best so far is it: of ties the last. NaN is the best from where it stands
  const isBest = or(equal(node, best), notEqual(node, node));
  const places = where(isBest, indexAlong(node.shape, along), constant(0, 'int32'));
  const indices = largestSoFar(places, along);
  // read from x, so that the cotangent goes to where the value came from
  const values = node.size === 0 ? node : takeAlong(node, indices, along);
  return { values: back(values), indices: back(indices) };
}

/**
 * The largest of all elements up to each one along an axis, and where it stood (of equal ones the last, as PyTorch has it).
 * From a NaN on all are NaN. The gradient goes to the elements that were chosen.
 *
 * @example
 * import { cummax } from '@nn/core';
 * const { values, indices } = cummax([1, 3, 2, 3], 0);
 * console.log(await values.array(), await indices.array()); // => [1, 3, 3, 3] [0, 1, 1, 3]
 */
export function cummax(x: TensorLike, axis: number): Placed {
  return cumulativeExtreme('cummax', x, axis, CumulativeMax);
}

/**
 * The smallest of all elements up to each one along an axis, and where it stood; see `cummax`.
 *
 * @example
 * import { cummin } from '@nn/core';
 * const { values, indices } = cummin([3, 1, 2, 1], 0);
 * console.log(await values.array(), await indices.array()); // => [3, 1, 1, 1] [0, 1, 1, 3]
 */
export function cummin(x: TensorLike, axis: number): Placed {
  return cumulativeExtreme('cummin', x, axis, CumulativeMin);
}
