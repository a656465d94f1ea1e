/** The complement and the inverse of the error function. Polynomials are near-minimax fits: scripts/golden/coefficients.py. */
import { customGradient } from '../graph/custom-gradient.ts';
import type { Node } from '../graph/node.ts';
import { add, divide, minimum, multiply, negate, subtract } from '../ops/arithmetic.ts';
import { less, where } from '../ops/compare.ts';
import { abs, erf, exp, floor, log, sqrt, square } from '../ops/functions.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { float, polynomial, real } from './operands.ts';

/** (1 + 2x) exp(x^2) erfc(x) in q = (x - 3) / (x + 3), for x from 0 to 10.2. */
const scaledComplement = [
  1.25300806, -0.135621145, -0.0475622894, 0.129646612, -0.119272474, 0.0682933674, -0.023791348, 0.00257884536,
  0.00199637574, -0.000795749233, -0.000276390255,
];

/** erfinv(x) / x in w - 2.5 for w = -log(1 - x^2) up to 5, and past it in sqrt(w) - 3 (the form of Giles 2010). */
const inverseCentre = [
  1.50140936, 0.246640279, -0.00417739288, -0.00125272639, 0.000218349386, -4.97241969e-6, -3.46398527e-6,
  4.68131348e-7, 2.33359671e-8, -8.93192596e-9,
];
const inverseTail = [
  2.83297683, 1.00167482, 0.0094440363, -0.00763507887, 0.00569676611, -0.00360811513, 0.00146082078, -3.46817728e-5,
  -0.000290712281, 9.91599222e-5,
];

/**
 * 1 - erf(x), with all its digits where that is tiny: at most 6 ulp from the exact one down to the smallest normal number.
 *
 * @example
 * import { erfc } from '@nn/core';
 * console.log(await erfc(0).item(), (await erfc(5).item()).toExponential(4)); // => 1 1.5375e-12
 */
export function erfc(x: TensorLike): Tensor {
  const v = real('erfc', x);
  const size = minimum(abs(v), float(10.2)); // past it the result is 0 in float32
  const q = divide(subtract(size, float(3)), add(size, float(3)));
  const scaled = divide(polynomial(q, scaledComplement), add(multiply(size, float(2)), float(1)));
  // x^2 = h^2 + (x - h)(x + h) with h of 12 bits, whose square is exact: exp multiplies the error of its argument
  const head = multiply(floor(multiply(size, float(256))), float(1 / 256));
  const rest = multiply(subtract(size, head), add(size, head));
  const tail = multiply(multiply(scaled, exp(negate(square(head)))), exp(negate(rest)));
  const far = where(less(v, float(0)), subtract(float(2), tail), tail);
  const y = where(less(size, float(0.25)), subtract(float(1), erf(v)), far);
  // d erfc(x) = -2 / sqrt(pi) exp(-x^2) dx
  return wrap(
    customGradient(y, [v], (g) => [multiply(g, multiply(exp(negate(square(v))), float(-2 / Math.sqrt(Math.PI))))]),
  );
}

/**
 * The number whose error function is x; infinite at 1 and -1, NaN outside. At most 3 ulp from the exact one.
 *
 * @example
 * import { erfinv } from '@nn/core';
 * console.log(await erfinv([0, 1]).array()); // => [0, Infinity]
 */
export function erfinv(x: TensorLike): Tensor {
  const v = real('erfinv', x);
  const w = negate(log(multiply(subtract(float(1), v), add(float(1), v))));
  const centre = polynomial(subtract(w, float(2.5)), inverseCentre);
  const tail = polynomial(subtract(sqrt(w), float(3)), inverseTail);
  const y = multiply(v, where(less(w, float(5)), centre, tail));
  const result: Node = customGradient(y, [v], (g) => [
    // d erfinv(x) = sqrt(pi) / 2 exp(y^2) dx
    multiply(g, multiply(exp(square(result)), float(Math.sqrt(Math.PI) / 2))),
  ]);
  return wrap(result);
}
