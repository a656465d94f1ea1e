/**
 * The inverse functions of sine, cosine and tangent. Polynomials are near-minimax fits (scripts/golden/coefficients.py) that
 * are exact to less than a quarter of a unit in the last place of float32; errors named are against double precision.
 */
import { customGradient } from '../graph/custom-gradient.ts';
import type { Node } from '../graph/node.ts';
import { add, divide, maximum, minimum, multiply, negate, subtract } from '../ops/arithmetic.ts';
import { equal, less, where } from '../ops/compare.ts';
import { abs, reciprocal, sqrt, square } from '../ops/functions.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { hypotenuse } from './combinations.ts';
import { float, isNegative, polynomial, real, realPair } from './operands.ts';

/** atan(t) / t in t^2, for t from 0 to 1. */
const arcTangent = [
  1, -0.333333225, 0.199995581, -0.14278576, 0.110507713, -0.0878504329, 0.0668528153, -0.0439284108, 0.0219129459,
  -0.0070306695, 0.00105760744,
];

/** (asin(t) / t - 1) / t^2 in t^2, for t from 0 to 1/2. */
const arcSine = [0.166666667, 0.0749999232, 0.04464769, 0.0302687771, 0.0236142442, 0.0105666058, 0.0309841967];

const halfPi = 1.5707963267948966;
const arc = (t: Node): Node => multiply(t, polynomial(square(t), arcTangent));

/**
 * The angle between -pi/2 and pi/2 whose tangent is x; at most 2 ulp from the exact one. Integers give float32.
 *
 * @example
 * import { atan } from '@nn/core';
 * console.log(await atan([0, Infinity]).array()); // => [0, 1.5707963705062866]
 */
export function atan(x: TensorLike): Tensor {
  const v = real('atan', x);
  // atan(x) = +-pi/2 - atan(1 / x)
  const isLarge = less(float(1), abs(v));
  const angle = arc(where(isLarge, reciprocal(v), v));
  const right = where(less(v, float(0)), float(-halfPi), float(halfPi));
  // d atan(x) = dx / (1 + x^2)
  return wrap(
    customGradient(where(isLarge, subtract(right, angle), angle), [v], (g) => [divide(g, add(square(v), float(1)))]),
  );
}

/**
 * The angle of the point (x, y), from -pi to pi, at most 3 ulp from the exact one; zeros and infinities as in C, and both
 * operands broadcast. The gradient at the origin is 0.
 *
 * @example
 * import { atan2 } from '@nn/core';
 * console.log(await atan2([1, 0], [0, -1]).array()); // => [1.5707963705062866, 3.1415927410125732]
 */
export function atan2(y: TensorLike, x: TensorLike): Tensor {
  const [rise, run] = realPair('atan2', y, x);
  const [high, wide] = [abs(rise), abs(run)];
  const [small, large] = [minimum(high, wide), maximum(high, wide)];
  const slope = where(equal(small, large), float(1), divide(small, large)); // two infinities are a diagonal
  const first = arc(where(equal(large, float(0)), float(0), slope));
  const quarter = where(less(wide, high), subtract(float(halfPi), first), first);
  const half = where(isNegative(run), subtract(float(Math.PI), quarter), quarter);
  // d atan2(y, x) = (x dy - y dx) / r^2
  return wrap(
    customGradient(where(isNegative(rise), negate(half), half), [rise, run], (g) => {
      const radius = hypotenuse(rise, run);
      const isOrigin = equal(radius, float(0));
      const safe = where(isOrigin, float(1), radius);
      const share = (leg: Node): Node => multiply(g, divide(divide(leg, safe), safe));
      return [() => share(run), () => negate(share(rise))];
    }),
  );
}

/**
 * asin of |x| up to 1/2 by the polynomial, and for larger ones by asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)); `inner` is the
 * signed angle, `outer` that of the root.
 */
function arcs(v: Node): { readonly isOuter: Node; readonly inner: Node; readonly outer: Node } {
  const size = abs(v);
  const isOuter = less(float(0.5), size);
  const z = where(isOuter, multiply(subtract(float(1), size), float(0.5)), square(v));
  const root = sqrt(z);
  const factor = multiply(z, polynomial(z, arcSine));
  return { isOuter, inner: add(v, multiply(v, factor)), outer: add(root, multiply(root, factor)) };
}

/** sqrt(1 - x^2), without the loss of digits near 1. */
const cosineOfArc = (v: Node): Node => sqrt(multiply(subtract(float(1), v), add(float(1), v)));

/**
 * The angle between -pi/2 and pi/2 whose sine is x; NaN outside of [-1, 1]. At most 3 ulp from the exact one.
 *
 * @example
 * import { asin } from '@nn/core';
 * console.log(await asin([0, 1, 2]).array()); // => [0, 1.5707963705062866, NaN]
 */
export function asin(x: TensorLike): Tensor {
  const v = real('asin', x);
  const { isOuter, inner, outer } = arcs(v);
  const large = subtract(float(halfPi), multiply(outer, float(2)));
  const y = where(isOuter, where(less(v, float(0)), negate(large), large), inner);
  // d asin(x) = dx / sqrt(1 - x^2)
  return wrap(customGradient(y, [v], (g) => [divide(g, cosineOfArc(v))]));
}

/**
 * The angle between 0 and pi whose cosine is x; NaN outside of [-1, 1]. At most 2 ulp from the exact one.
 *
 * @example
 * import { acos } from '@nn/core';
 * console.log(await acos([1, 0]).array()); // => [0, 1.5707963705062866]
 */
export function acos(x: TensorLike): Tensor {
  const v = real('acos', x);
  const { isOuter, inner, outer } = arcs(v);
  const double = multiply(outer, float(2));
  const large = where(less(v, float(0)), subtract(float(Math.PI), double), double);
  const y = where(isOuter, large, subtract(float(halfPi), inner));
  // d acos(x) = -dx / sqrt(1 - x^2)
  return wrap(customGradient(y, [v], (g) => [negate(divide(g, cosineOfArc(v)))]));
}
