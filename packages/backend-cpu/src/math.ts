/**
 * Scalar functions that JavaScript lacks, or that differ from the contract: shared by the JavaScript loops and the
 * interpreter. Precise to float32 at least; the edges are as the contract (or IEEE 754 and C, where it is silent).
 */
import { randomValue } from '@nn/core';

/** int32 from any number: truncated, saturated, NaN to 0. */
export function toInt32(x: number): number {
  // NaN is not at either end, and NaN | 0 is 0.
  if (x >= 2147483647) return 2147483647;
  return x <= -2147483648 ? -2147483648 : x | 0;
}

/** x^y as C has it: 1^y and x^0 are 1 even for NaN, (-1)^(+-infinity) is 1. */
export function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && (y === Infinity || y === -Infinity))) return 1;
  return x ** y;
}

export function square(x: number): number {
  return x * x;
}

export function cube(x: number): number {
  return x * x * x;
}

/** x^y over int32; negative exponents give 1 / x^-y truncated: 0, except for the bases 1 and -1 (and 0, division by 0). */
export function powerInt32(x: number, y: number): number {
  if (y < 0) return x === 1 ? 1 : x === -1 ? (y & 1 ? -1 : 1) : 0;
  let result = 1;
  let square = x;
  for (let rest = y; rest > 0; rest >>= 1) {
    if (rest & 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
}

export function divideInt32(a: number, b: number): number {
  return b === 0 ? 0 : (a / b) | 0;
}

export function remainderInt32(a: number, b: number): number {
  return b === 0 ? 0 : (a % b) | 0;
}

export function floorDivideInt32(a: number, b: number): number {
  return b === 0 ? 0 : Math.floor(a / b) | 0;
}

export function floorModuloInt32(a: number, b: number): number {
  if (b === 0) return 0;
  const rest = (a % b) | 0;
  return rest !== 0 && rest < 0 !== b < 0 ? (rest + b) | 0 : rest;
}

/** The remainder with the sign of the divisor. */
export function floorModulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/**
 * The error function, to 2e-10 where float32 needs 3e-8. Up to 1 it is x * P(x^2); beyond, 1 - exp(-x^2) * Q(1 / (|x| + 2)),
 * with polynomials fitted at Chebyshev's points (of [0, 1], and of 1 / (x + 2) for x in [1, 6]).
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 1) {
    const s = x * x;
    let p = -9.673590639e-6 * s + 0.0001126825383;
    p = p * s - 0.0008484396542;
    p = p * s + 0.005221053412;
    p = p * s - 0.02686543831;
    p = p * s + 0.1128378262;
    p = p * s - 0.3761263848;
    p = p * s + 1.128379167;
    return x * p;
  }
  if (size >= 6) return x > 0 ? 1 : -1;
  const t = 1 / (size + 2);
  let q = 11.61716568 * t - 7.541888841;
  q = q * t - 10.7283837;
  q = q * t + 8.660913836;
  q = q * t + 1.135842237;
  q = q * t + 2.254144294;
  q = q * t + 1.100582966;
  q = q * t + 0.5657293828;
  q = q * t - 3.662569237e-5;
  const tail = q * Math.exp(-x * x);
  return x > 0 ? 1 - tail : tail - 1;
}

export const random: typeof randomValue = randomValue;
