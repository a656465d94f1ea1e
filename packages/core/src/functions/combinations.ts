/** Small functions of one to three numbers: lengths, signs, mixtures, sinc. */
import { customGradient } from '../graph/custom-gradient.ts';
import type { Node } from '../graph/node.ts';
import { add, divide, floorModulo, maximum, multiply, negate, subtract } from '../ops/arithmetic.ts';
import { equal, less, or, where } from '../ops/compare.ts';
import { abs, round, sin, sqrt, square } from '../ops/functions.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { float, isNegative, polynomial, real, realPair } from './operands.ts';

/** sqrt(a^2 + b^2), scaled by a power of two where squares would leave float32. */
export function hypotenuse(a: Node, b: Node): Node {
  const size = maximum(abs(a), abs(b));
  const up = where(less(size, float(1e-15)), float(2 ** 96), float(1));
  const scale = where(less(float(1e15), size), float(2 ** -96), up);
  const y = divide(sqrt(add(square(multiply(a, scale)), square(multiply(b, scale)))), scale);
  const isInfinite = or(equal(abs(a), float(Number.POSITIVE_INFINITY)), equal(abs(b), float(Number.POSITIVE_INFINITY)));
  const result: Node = customGradient(where(isInfinite, float(Number.POSITIVE_INFINITY), y), [a, b], (g) => {
    // d r = (a da + b db) / r, and 0 at the origin
    const safe = where(equal(result, float(0)), float(1), result);
    return [() => multiply(g, divide(a, safe)), () => multiply(g, divide(b, safe))];
  });
  return result;
}

/**
 * sqrt(x^2 + y^2), without overflow; infinite where one of them is. Both operands broadcast; the gradient at 0 is 0.
 *
 * @example
 * import { hypot } from '@nn/core';
 * console.log(await hypot([3, 5], [4, 12]).array()); // => [5, 13]
 */
export function hypot(x: TensorLike, y: TensorLike): Tensor {
  return wrap(hypotenuse(...realPair('hypot', x, y)));
}

/**
 * The size of x with the sign of y, -0 included; no gradient goes to y. Both operands broadcast.
 *
 * @example
 * import { copySign } from '@nn/core';
 * console.log(await copySign([1, -2], [-0, 3]).array()); // => [-1, 2]
 */
export function copySign(x: TensorLike, y: TensorLike): Tensor {
  const [v, sign] = realPair('copySign', x, y);
  const size = abs(v);
  return wrap(where(isNegative(sign), negate(size), size));
}

/**
 * start + weight (end - start), exact at both ends; all three broadcast.
 *
 * @example
 * import { lerp } from '@nn/core';
 * console.log(await lerp([0, 10], [4, 20], 0.25).array()); // => [1, 12.5]
 */
export function lerp(start: TensorLike, end: TensorLike, weight: TensorLike): Tensor {
  const [from, to, share] = [real('lerp', start), real('lerp', end), real('lerp', weight)];
  const way = subtract(to, from);
  const near = add(from, multiply(share, way));
  const far = subtract(to, multiply(way, subtract(float(1), share)));
  return wrap(where(less(share, float(0.5)), near, far));
}

/**
 * sin(pi x) / (pi x), and 1 at 0, with gradients of every order there.
 *
 * @example
 * import { sinc } from '@nn/core';
 * console.log(await sinc([0, 1]).array()); // => [1, 0]
 */
export function sinc(x: TensorLike): Tensor {
  const v = real('sinc', x);
  const isNear = less(abs(v), float(0.3));
  // near 0 the series 1 - u^2 / 3! + u^4 / 5! - ..., which has the right derivatives of all orders
  const u = multiply(where(isNear, v, float(0)), float(Math.PI));
  const near = polynomial(square(u), [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362_880, -1 / 39_916_800]);
  const safe = where(isNear, float(1), v);
  // sin(pi x) by the distance from the nearest whole number: 0 at those, where sin of a rounded multiple of pi is not
  const whole = round(safe);
  const wave = sin(multiply(subtract(safe, whole), float(Math.PI)));
  const isOdd = equal(floorModulo(whole, float(2)), float(1));
  const far = divide(where(isOdd, negate(wave), wave), multiply(safe, float(Math.PI)));
  return wrap(where(isNear, near, far));
}
