/** Operations made of others: nothing here has a gradient or a loop of its own. */
import type { Axes } from '../backend.ts';
import { ValueError } from '../errors.ts';
import { customGradient, stopGradient } from '../graph/custom-gradient.ts';
import { named } from '../graph/hooks.ts';
import { constant, type Node } from '../graph/node.ts';
import { normalizeAxes } from '../shape.ts';
import { add, divide, multiply, power, subtract } from './arithmetic.ts';
import { equal, less, or, where } from './compare.ts';
import { abs, cast, erf, exp, log, sigmoid, softplus, sqrt, square, tanh } from './functions.ts';
import { scope } from './halves.ts';
import { magnitude, max, type ReduceOptions, sum } from './reduce.ts';
import { indexAlong } from './sources.ts';
import { reshape, unsqueeze } from './views.ts';

const float = (value: number): Node => constant(value, 'float32');

/**
 * log(sum(exp(x))), shifted by the largest element so that it never overflows. d logSumExp(x) = softmax(x) dx, and 0 where
 * all elements are -Infinity: there is nothing to share out.
 */
export function logSumExp(x: Node, axes?: number | Axes, options: ReduceOptions = {}): Node {
  const normal = normalizeAxes('logSumExp', axes, x.shape.length);
  const shift = largest(x, normal);
  const e = exp(subtract(x, shift));
  const sums = sum(e, normal, { keepAxes: true });
  const total = customGradient(add(log(sums), shift), [x], (g) => {
    const isNothing = equal(sums, float(0));
    return [multiply(e, divide(g, where(isNothing, float(1), sums)))];
  });
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
  const { stored } = scope.storing;
  const y = stored(multiply(e, divide(float(1), sum(e, axes, { keepAxes: true }))));
  const share = (g: Node): Node => multiply(y, subtract(g, sum(multiply(g, y), axes, { keepAxes: true })));
  return named(
    'softmax',
    [x],
    axes[0],
    customGradient(y, [x], (g) => [stored(share(g))]),
  );
}

/** x - logSumExp(x). d logSoftmax(x) = g - softmax(x) sum(g) */
export function logSoftmax(x: Node, axis = -1): Node {
  const axes = normalizeAxes('logSoftmax', axis, x.shape.length);
  const shifted = subtract(x, largest(x, axes));
  const y = subtract(shifted, log(sum(exp(shifted), axes, { keepAxes: true })));
  const share = (g: Node): Node => subtract(g, multiply(exp(y), sum(g, axes, { keepAxes: true })));
  return named(
    'logSoftmax',
    [x],
    axes[0],
    customGradient(y, [x], (g) => [share(g)]),
  );
}

/** The largest element of each row, a constant to gradients; 0 where it is infinite, so that differences stay numbers. */
function largest(x: Node, axes: Axes): Node {
  if (axes.some((axis) => x.shape[axis] === 0)) return float(0); // nothing has no largest element
  const top = max(cast(x, 'float32'), axes, { keepAxes: true });
  return stopGradient(where(equal(abs(top), float(Number.POSITIVE_INFINITY)), float(0), top));
}

/** x Phi(x), exact with erf or by the tanh approximation (Hendrycks and Gimpel 2016). */
export function gelu(given: Node, approximate: 'none' | 'tanh' = 'none'): Node {
  const x = scope.storing.kept(given);
  const half = multiply(x, float(0.5));
  const of = (y: Node): Node => named('gelu', [given], approximate, y);
  if (approximate === 'none') return of(scope.storing.gelu(multiply(half, normalShare(x)), x));
  const inner = multiply(add(x, multiply(multiply(square(x), x), float(0.044715))), float(Math.sqrt(2 / Math.PI)));
  return of(multiply(half, add(tanh(inner), float(1))));
}

/** 2 Phi(x), the normal distribution function. */
export const normalShare = (x: Node): Node => add(erf(multiply(x, float(Math.SQRT1_2))), float(1));

export function silu(given: Node): Node {
  const x = scope.storing.kept(given);
  return multiply(x, sigmoid(x));
}

export function mish(given: Node): Node {
  const x = scope.storing.kept(given);
  return multiply(x, tanh(softplus(x)));
}

/** The vector norm of any order; the gradient at 0 is 0. */
export function norm(x: Node, axes?: number | Axes, options: ReduceOptions & { readonly order?: number } = {}): Node {
  const { order = 2 } = options;
  const real = cast(x, 'float32');
  if (order === 1) return sum(abs(real), axes, options);
  if (order === Number.POSITIVE_INFINITY) return max(abs(real), axes, options);
  if (!(order > 0)) throw new ValueError('norm', `the order must be positive, got ${order}.`, { order });
  if (real.size === 0) return sum(abs(real), axes, options);
  const normal = normalizeAxes('norm', axes, x.shape.length);
  // powers leave the range of float32 long before the norm does: scaled, the largest element is where they cannot
  const scale = order === 2 ? powerOfTwo(real, normal) : largestOf(real, normal);
  const scaled = multiply(real, divide(float(1), scale));
  const total = order === 2 ? square(scaled) : power(abs(scaled), float(order));
  const sums = sum(total, normal, { keepAxes: true });
  // a root has no slope at 0: take it of 1 there instead, and give 0
  const isZero = equal(sums, float(0));
  const safe = where(isZero, float(1), sums);
  const root = order === 2 ? sqrt(safe) : power(safe, float(1 / order));
  const y = where(isZero, float(0), multiply(root, scale));
  if (options.keepAxes === true) return y;
  return reshape(
    y,
    y.shape.filter((_, axis) => !normal.includes(axis)),
  );
}

/** The largest magnitude of each row, 1 where it is 0 or infinite. */
function largestOf(x: Node, axes: Axes): Node {
  const top = magnitude(x, axes);
  const isUseless = or(equal(top, float(0)), equal(top, float(Number.POSITIVE_INFINITY)));
  return where(isUseless, float(1), top);
}

/** 1 for rows of ordinary numbers, which it leaves as they are, else a power of two, by which division is exact. */
function powerOfTwo(x: Node, axes: Axes): Node {
  const top = magnitude(x, axes);
  const huge = where(less(float(1e15), top), float(2 ** 96), float(1));
  return where(less(top, float(1e-15)), float(2 ** -96), huge);
}

/** 1 at the index, 0 elsewhere, along a new last axis. */
export function oneHot(indices: Node, classes: number): Node {
  const wide = unsqueeze(indices, indices.shape.length);
  return cast(equal(wide, indexAlong([classes], 0)), 'float32');
}
