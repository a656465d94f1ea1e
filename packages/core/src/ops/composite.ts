/** Operations made of others: nothing here has a gradient or a loop of its own. */
import type { Axes } from '../backend.ts';
import { ValueError } from '../errors.ts';
import { customGradient, stopGradient } from '../graph/custom-gradient.ts';
import { constant, type Node } from '../graph/node.ts';
import { normalizeAxes } from '../shape.ts';
import { add, divide, multiply, power, subtract } from './arithmetic.ts';
import { equal, where } from './compare.ts';
import { abs, cast, erf, exp, log, sigmoid, softplus, sqrt, square, tanh } from './functions.ts';
import { max, type ReduceOptions, sum } from './reduce.ts';
import { indexAlong } from './sources.ts';
import { reshape, unsqueeze } from './views.ts';

const float = (value: number): Node => constant(value, 'float32');

/** log(sum(exp(x))), shifted by the largest element so that it never overflows. */
export function logSumExp(x: Node, axes?: number | Axes, options: ReduceOptions = {}): Node {
  const normal = normalizeAxes('logSumExp', axes, x.shape.length);
  const shift = largest(x, normal);
  const total = add(log(sum(exp(subtract(x, shift)), normal, { keepAxes: true })), shift);
  return options.keepAxes === true
    ? total
    : reshape(
        total,
        total.shape.filter((_, axis) => !normal.includes(axis)),
      );
}

/** exp(x) / sum(exp(x)). d softmax(x) = y (g - sum(g y)) */
export function softmax(x: Node, axis = -1): Node {
  const axes = normalizeAxes('softmax', axis, x.shape.length);
  const e = exp(subtract(x, largest(x, axes)));
  // One division for each row.
  const y = multiply(e, divide(float(1), sum(e, axes, { keepAxes: true })));
  return customGradient(y, [x], (g) => [multiply(y, subtract(g, sum(multiply(g, y), axes, { keepAxes: true })))]);
}

/** x - logSumExp(x). d logSoftmax(x) = g - softmax(x) sum(g) */
export function logSoftmax(x: Node, axis = -1): Node {
  const axes = normalizeAxes('logSoftmax', axis, x.shape.length);
  const shifted = subtract(x, largest(x, axes));
  const y = subtract(shifted, log(sum(exp(shifted), axes, { keepAxes: true })));
  return customGradient(y, [x], (g) => [subtract(g, multiply(exp(y), sum(g, axes, { keepAxes: true })))]);
}

/** The largest element of each row, a constant to gradients; 0 where it is infinite, so that differences stay numbers. */
function largest(x: Node, axes: Axes): Node {
  const top = max(cast(x, 'float32'), axes, { keepAxes: true });
  return stopGradient(where(equal(abs(top), float(Number.POSITIVE_INFINITY)), float(0), top));
}

/** x Phi(x), exact with erf or by the tanh approximation (Hendrycks and Gimpel 2016). */
export function gelu(x: Node, approximate: 'none' | 'tanh' = 'none'): Node {
  const half = multiply(x, float(0.5));
  if (approximate === 'none') return multiply(half, add(erf(multiply(x, float(Math.SQRT1_2))), float(1)));
  const inner = multiply(add(x, multiply(multiply(square(x), x), float(0.044715))), float(Math.sqrt(2 / Math.PI)));
  return multiply(half, add(tanh(inner), float(1)));
}

export const silu = (x: Node): Node => multiply(x, sigmoid(x));
export const mish = (x: Node): Node => multiply(x, tanh(softplus(x)));

/** The vector norm of any order; the gradient at 0 is 0. */
export function norm(x: Node, axes?: number | Axes, options: ReduceOptions & { readonly order?: number } = {}): Node {
  const { order = 2 } = options;
  const real = cast(x, 'float32');
  if (order === 1) return sum(abs(real), axes, options);
  if (order === Number.POSITIVE_INFINITY) return max(abs(real), axes, options);
  if (!(order > 0)) throw new ValueError(`norm: the order must be positive, got ${order}.`, { order });
  const total = order === 2 ? sum(square(real), axes, options) : sum(power(abs(real), float(order)), axes, options);
  // a root has no slope at 0: take it of 1 there instead, and give 0
  const isZero = equal(total, float(0));
  const safe = where(isZero, float(1), total);
  const root = order === 2 ? sqrt(safe) : power(safe, float(1 / order));
  return where(isZero, float(0), root);
}

/** 1 at the index, 0 elsewhere, along a new last axis. */
export function oneHot(indices: Node, classes: number): Node {
  const wide = unsqueeze(indices, indices.shape.length);
  return cast(equal(wide, indexAlong([classes], 0)), 'float32');
}
