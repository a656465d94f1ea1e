/** The hyperbolic functions and their inverses, without overflow before the result itself overflows. */
import { customGradient } from '../graph/custom-gradient.ts';
import type { Node } from '../graph/node.ts';
import { add, divide, multiply, subtract } from '../ops/arithmetic.ts';
import { less, where } from '../ops/compare.ts';
import { abs, exp, log, log1p, sqrt, square } from '../ops/functions.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { hypotenuse } from './combinations.ts';
import { float, odd, polynomial, real } from './operands.ts';

/** sinh(t) / t = sum of t^2k / (2k + 1)!, for t from 0 to 1. */
const series = (): number[] => [1, 1 / 6, 1 / 120, 1 / 5040, 1 / 362_880, 1 / 39_916_800];

/** Past this size x^2 + 1 is x^2 in float32, and the inverse functions are log(2x). */
const isHuge = (v: Node): Node => less(float(4096), v);

/** exp(x) / 2 by exp(x / 2)^2, which does not overflow, and exp(-x) / 2. */
function halves(v: Node): readonly [up: Node, down: Node] {
  const root = exp(multiply(v, float(0.5)));
  return [multiply(multiply(root, float(0.5)), root), divide(divide(float(0.5), root), root)];
}

function sine(v: Node): Node {
  const size = abs(v);
  const [up, down] = halves(size);
  const small = multiply(v, polynomial(square(v), series()));
  const y = where(less(size, float(1)), small, odd(v, subtract(up, down)));
  return customGradient(y, [v], (g) => [multiply(g, cosine(v))]); // d sinh(x) = cosh(x) dx
}

function cosine(v: Node): Node {
  const [up, down] = halves(abs(v));
  return customGradient(add(up, down), [v], (g) => [multiply(g, sine(v))]); // d cosh(x) = sinh(x) dx
}

/**
 * (exp(x) - exp(-x)) / 2, exact near 0; at most 5 ulp from the exact one.
 *
 * @example
 * import { sinh } from '@nn/core';
 * console.log((await sinh(1).item()).toFixed(5)); // => 1.17520
 */
export function sinh(x: TensorLike): Tensor {
  return wrap(sine(real('sinh', x)));
}

/**
 * (exp(x) + exp(-x)) / 2; at most 5 ulp from the exact one.
 *
 * @example
 * import { cosh } from '@nn/core';
 * console.log((await cosh(1).item()).toFixed(5)); // => 1.54308
 */
export function cosh(x: TensorLike): Tensor {
  return wrap(cosine(real('cosh', x)));
}

/**
 * The inverse of sinh, log(x + sqrt(x^2 + 1)), exact near 0; at most 3 ulp from the exact one.
 *
 * @example
 * import { asinh } from '@nn/core';
 * console.log(await asinh([0, 1]).array()); // => [0, 0.8813735842704773]
 */
export function asinh(x: TensorLike): Tensor {
  const v = real('asinh', x);
  const size = abs(v);
  const squared = square(size);
  const root = sqrt(add(squared, float(1)));
  const near = log1p(add(size, divide(squared, add(root, float(1)))));
  const y = odd(v, where(isHuge(size), add(log(size), float(Math.LN2)), near));
  // d asinh(x) = dx / sqrt(x^2 + 1)
  return wrap(customGradient(y, [v], (g) => [divide(g, hypotenuse(v, float(1)))]));
}

/**
 * The inverse of cosh, log(x + sqrt(x^2 - 1)); NaN below 1. At most 3 ulp from the exact one.
 *
 * @example
 * import { acosh } from '@nn/core';
 * console.log(await acosh([1, 2, 0]).array()); // => [0, 1.316957950592041, NaN]
 */
export function acosh(x: TensorLike): Tensor {
  const v = real('acosh', x);
  const rest = subtract(v, float(1));
  const root = multiply(sqrt(rest), sqrt(add(v, float(1))));
  const y = where(isHuge(v), add(log(v), float(Math.LN2)), log1p(add(rest, root)));
  // d acosh(x) = dx / sqrt(x^2 - 1)
  return wrap(
    customGradient(y, [v], (g) => [divide(g, multiply(sqrt(subtract(v, float(1))), sqrt(add(v, float(1)))))]),
  );
}

/**
 * The inverse of tanh, log((1 + x) / (1 - x)) / 2, exact near 0; NaN outside of [-1, 1]. At most 3 ulp from the exact one.
 *
 * @example
 * import { atanh } from '@nn/core';
 * console.log(await atanh([0, 0.5, 1]).array()); // => [0, 0.5493061542510986, Infinity]
 */
export function atanh(x: TensorLike): Tensor {
  const v = real('atanh', x);
  const size = abs(v);
  const ratio = divide(multiply(size, float(2)), subtract(float(1), size));
  const y = odd(v, multiply(log1p(ratio), float(0.5)));
  // d atanh(x) = dx / (1 - x^2)
  return wrap(customGradient(y, [v], (g) => [divide(g, multiply(subtract(float(1), v), add(float(1), v)))]));
}
