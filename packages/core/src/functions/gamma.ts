/**
 * The logarithm of the gamma function and its derivatives of every order. Abramowitz and Stegun 1964, chapter 6; the
 * polynomial is a near-minimax fit (scripts/golden/coefficients.py).
 */
import { ValueError } from '../errors.ts';
import { customGradient } from '../graph/custom-gradient.ts';
import type { Node } from '../graph/node.ts';
import { add, divide, integerPower, minimum, multiply, negate, subtract } from '../ops/arithmetic.ts';
import { and, equal, less, where } from '../ops/compare.ts';
import { abs, cos, floor, log, reciprocal, round, sin } from '../ops/functions.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { float, polynomial, real } from './operands.ts';

/** lgamma(1 + s) / (s (s - 1)), for s from 0 to 1: the zeros at 1 and 2 are taken out, so that digits near them stay. */
const reduced = [
  0.577215662, -0.245250862, 0.155417184, -0.114918375, 0.0906505689, -0.0707244297, 0.0490535697, -0.0263118453,
  0.00914033095, -0.00148746906,
];

/** The Bernoulli numbers B2, B4, B6, B8. */
const bernoulliNumbers = (): number[] => [1 / 6, -1 / 30, 1 / 42, -1 / 30];

/** From here on Stirling's series is exact in float32. */
const far = 8;

/** A whole number from 0 downwards, -Infinity included: a pole. */
const isPole = (v: Node): Node => and(less(v, float(0)), equal(v, floor(v)));
/** pi times the distance from the nearest whole number, with sign. */
const phase = (v: Node): Node => multiply(subtract(v, round(v)), float(Math.PI));
/** The argument that a number below 0 is reflected to, 1 - x. */
const reflected = (v: Node): Node => where(less(v, float(0)), subtract(float(1), v), v);

/** x (x - 1) ... down to the factor in [1, 2): gamma(x) = that product times gamma(1 + fraction). */
function descending(b: Node): Node {
  let product = float(1);
  for (let step = 1; step < far - 1; step++) {
    product = multiply(product, where(less(b, float(step + 1)), float(1), subtract(b, float(step))));
  }
  return product;
}

function logGamma(v: Node): Node {
  const a = reflected(v);
  const near = minimum(a, float(far));
  const s = subtract(near, floor(near));
  const base = multiply(multiply(s, subtract(s, float(1))), polynomial(s, reduced));
  const isSmall = less(near, float(1));
  const shift = log(where(isSmall, near, descending(near)));
  const lower = add(base, where(isSmall, negate(shift), shift));
  // (a - 1/2) log(a) - a + log(2 pi) / 2 + 1 / 12a - 1 / 360a^3 + 1 / 1260a^5
  const inverse = reciprocal(a);
  const series = polynomial(multiply(inverse, inverse), [1 / 12, -1 / 360, 1 / 1260]);
  const main = multiply(subtract(a, float(0.5)), subtract(log(a), float(1)));
  const upper = add(main, add(multiply(inverse, series), float(0.5 * Math.log(2 * Math.PI) - 0.5)));
  const positive = where(less(a, float(far)), lower, upper);
  // gamma(x) gamma(1 - x) = pi / sin(pi x)
  const negative = subtract(log(divide(float(Math.PI), abs(sin(phase(v))))), positive);
  const y = where(less(v, float(0)), where(isPole(v), float(Number.POSITIVE_INFINITY), negative), positive);
  return customGradient(y, [v], (g) => [multiply(g, derivative(v, 0))]);
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** The n-th derivative of cot(u) as a polynomial in c = cot(u): dc = -(1 + c^2) du. */
function cotangentDerivative(order: number): number[] {
  let coefficients = [0, 1];
  for (let n = 0; n < order; n++) {
    const slope = coefficients.slice(1).map((value, power) => -value * (power + 1));
    coefficients = Array.from(
      { length: slope.length + 2 },
      (_, power) => (slope[power] ?? 0) + (slope[power - 2] ?? 0),
    );
  }
  return coefficients;
}

/** The derivative of order n of digamma, for n from 0: by its recurrence up to x + 8 and the asymptotic series there. */
function derivative(v: Node, n: number): Node {
  const a = reflected(v);
  const y = add(a, float(far));
  const inverse = reciprocal(y);
  const terms = Array.from({ length: far }, (_, k) => integerPower(reciprocal(add(a, float(k))), n + 1));
  // smallest first
  const sum = multiply(terms.toReversed().reduce(add), float(factorial(n)));
  const series = polynomial(
    multiply(inverse, inverse),
    bernoulliNumbers().map((b, k) => (b * factorial(2 * k + n + 1)) / factorial(2 * k + 2)),
  );
  const rest = add(multiply(inverse, multiply(inverse, series)), multiply(inverse, float(factorial(n) / 2)));
  // the sign of all terms is (-1)^(n + 1); of order 0 the leading one is a logarithm
  const total =
    n === 0
      ? subtract(log(y), add(rest, sum))
      : add(multiply(integerPower(inverse, n), add(rest, float(factorial(n - 1)))), sum);
  const positive = n % 2 === 0 && n > 0 ? negate(total) : total;
  // psi_n(x) = (-1)^n psi_n(1 - x) - pi d^n cot(pi x) / dx^n
  const angle = phase(v);
  const cotangent = polynomial(divide(cos(angle), sin(angle)), cotangentDerivative(n));
  const mirror = subtract(n % 2 === 0 ? positive : negate(positive), multiply(cotangent, float(Math.PI ** (n + 1))));
  // odd orders are infinite on both sides of a pole, even ones change their sign there
  const pole = float(n % 2 === 0 ? Number.NaN : Number.POSITIVE_INFINITY);
  const result = where(less(v, float(0)), where(isPole(v), pole, mirror), positive);
  return customGradient(result, [v], (g) => [() => multiply(g, derivative(v, n + 1))]);
}

/**
 * log|gamma(x)|, the logarithm of the factorial of x - 1; infinite at 0 and at whole numbers below. At most 4 ulp from the
 * exact one where x is positive, and as near as 1e-6 to its zeros below 0.
 *
 * @example
 * import { lgamma } from '@nn/core';
 * console.log(await lgamma([1, 2, 5]).array()); // => [0, 0, 3.1780538558959961]
 */
export function lgamma(x: TensorLike): Tensor {
  return wrap(logGamma(real('lgamma', x)));
}

/**
 * The derivative of `lgamma`; NaN at whole numbers below 0. At most 4 ulp from the exact
 * one where x is positive, and as near as 1e-6 to its zeros.
 *
 * @example
 * import { digamma } from '@nn/core';
 * console.log((await digamma(1).item()).toFixed(5)); // => -0.57722
 */
export function digamma(x: TensorLike): Tensor {
  return wrap(derivative(real('digamma', x), 0));
}

/**
 * The derivative of `digamma` of the given order, from 0 (digamma itself). Throws ValueError for another order.
 *
 * @example
 * import { polygamma } from '@nn/core';
 * console.log((await polygamma(1, 1).item()).toFixed(5)); // => 1.64493
 */
export function polygamma(order: number, x: TensorLike): Tensor {
  if (!Number.isInteger(order) || order < 0 || order > 20) {
    throw new ValueError('polygamma', `the order must be a whole number from 0 to 20, got ${order}.`, { order });
  }
  return wrap(derivative(real('polygamma', x), order));
}
