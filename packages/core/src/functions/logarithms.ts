/** Logarithms and powers of other bases, and sums of numbers that are given by their logarithms. */
import { customGradient } from '../graph/custom-gradient.ts';
import type { Node } from '../graph/node.ts';
import { add, divide, maximum, multiply, negate, power, subtract } from '../ops/arithmetic.ts';
import { and, equal, less, or, where } from '../ops/compare.ts';
import { abs, clamp, exp, log, log1p, round, sigmoid } from '../ops/functions.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { float, real, realPair } from './operands.ts';

/**
 * log(x) / log(base), exact at whole powers of the base: the nearest whole power is divided out first, so that what is left
 * is near 1. `most` is the largest power that float32 holds, upside down, too.
 */
function logarithm(v: Node, base: number, most: number): Node {
  const scale = float(1 / Math.log(base));
  const whole = clamp(round(multiply(log(v), scale)), float(-most), float(most));
  const divisor = power(float(base), abs(whole));
  const rest = where(less(whole, float(0)), multiply(v, divisor), divide(v, divisor));
  const y = add(whole, multiply(log(rest), scale));
  return customGradient(y, [v], (g) => [divide(multiply(g, scale), v)]); // d log_b(x) = dx / (x log(b))
}

/**
 * The logarithm to the base 2, exact at powers of 2; elsewhere at most 2 ulp from the exact one.
 *
 * @example
 * import { log2 } from '@nn/core';
 * console.log(await log2([8, 0.25]).array()); // => [3, -2]
 */
export function log2(x: TensorLike): Tensor {
  return wrap(logarithm(real('log2', x), 2, 126));
}

/**
 * The logarithm to the base 10, exact at powers of 10; elsewhere at most 2 ulp from the exact one.
 *
 * @example
 * import { log10 } from '@nn/core';
 * console.log(await log10([1000, 0.01]).array()); // => [3, -2]
 */
export function log10(x: TensorLike): Tensor {
  return wrap(logarithm(real('log10', x), 10, 37));
}

/**
 * 2^x, exact for whole x where the device's power is.
 *
 * @example
 * import { exp2 } from '@nn/core';
 * console.log(await exp2([3, -1]).array()); // => [8, 0.5]
 */
export function exp2(x: TensorLike): Tensor {
  const v = real('exp2', x);
  const y = power(float(2), v);
  return wrap(customGradient(y, [v], (g) => [multiply(g, multiply(y, float(Math.LN2)))])); // d 2^x = 2^x log(2) dx
}

/**
 * log(x / (1 - x)), the inverse of the sigmoid; exact near 1/2, NaN outside of [0, 1]. With `eps` x is first brought into
 * [eps, 1 - eps].
 *
 * @example
 * import { logit } from '@nn/core';
 * console.log(await logit([0.5, 1]).array()); // => [0, Infinity]
 */
export function logit(x: TensorLike, eps: number | null = null): Tensor {
  const given = real('logit', x);
  const v = eps === null ? given : clamp(given, float(eps), float(1 - eps));
  const rest = subtract(float(1), v);
  // near 1/2: x / (1 - x) = 1 + (2x - 1) / (1 - x)
  const isMiddle = and(less(float(0.25), v), less(v, float(0.75)));
  const middle = log1p(divide(subtract(multiply(v, float(2)), float(1)), rest));
  const y = where(isMiddle, middle, log(divide(v, rest)));
  return wrap(customGradient(y, [v], (g) => [divide(g, multiply(v, rest))])); // d logit(x) = dx / (x (1 - x))
}

/**
 * x log(y), and 0 where x is 0 (unless y is NaN): a term of an entropy. Both operands broadcast.
 *
 * @example
 * import { xlogy } from '@nn/core';
 * console.log(await xlogy([0, 2], [0, 1]).array()); // => [0, 0]
 */
export function xlogy(x: TensorLike, y: TensorLike): Tensor {
  const [factor, v] = realPair('xlogy', x, y);
  const isNothing = and(equal(factor, float(0)), equal(v, v));
  const value = multiply(factor, log(where(isNothing, float(1), v)));
  // d (x log y) = log(y) dx + x / y dy; where x and y are 0, both are 0
  return wrap(
    customGradient(value, [factor, v], (g) => {
      const isBoth = and(isNothing, or(less(v, float(0)), equal(v, float(0))));
      const safe = where(isBoth, float(1), v);
      return [() => multiply(g, log(safe)), () => multiply(g, divide(factor, safe))];
    }),
  );
}

/**
 * log(exp(a) + exp(b)), without overflow. Both operands broadcast; equal ones share the gradient.
 *
 * @example
 * import { logAddExp } from '@nn/core';
 * console.log((await logAddExp(1000, 1000).item()).toFixed(3)); // => 1000.693
 */
export function logAddExp(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = realPair('logAddExp', a, b);
  const larger = maximum(left, right);
  const isInfinite = equal(abs(larger), float(Number.POSITIVE_INFINITY));
  // equal infinities have no difference
  const difference = where(and(isInfinite, equal(left, right)), float(0), subtract(left, right));
  const y = where(isInfinite, larger, add(larger, log1p(exp(negate(abs(difference))))));
  // d logAddExp(a, b) = sigmoid(a - b) da + sigmoid(b - a) db
  return wrap(
    customGradient(y, [left, right], (g) => [
      () => multiply(g, sigmoid(difference)),
      () => multiply(g, sigmoid(negate(difference))),
    ]),
  );
}
