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
 * The error function, to 2e-12. Up to 1 it is x * P(x^2); beyond, 1 - exp(-x^2) * Q(1 / (|x| + 2)), with polynomials
 * fitted at Chebyshev's points (of [0, 1], and of 1 / (x + 2) for x in [1, 6]).
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 1) {
    const s = x * x;
    let p = -1.04691103321512084e-7 * s + 1.53063731636410843e-6;
    p = p * s - 1.47950314006620446e-5;
    p = p * s + 1.20462612697797974e-4;
    p = p * s - 8.54793373651963316e-4;
    p = p * s + 5.22396719354389972e-3;
    p = p * s - 2.68661690505993239e-2;
    p = p * s + 1.12837916585487128e-1;
    p = p * s - 3.76126389028086136e-1;
    p = p * s + 1.12837916709549382;
    return x * p;
  }
  if (size >= 6) return x > 0 ? 1 : -1;
  const t = 1 / (size + 2);
  let q = -8.16041854199779863 * t - 25.0610228772327717;
  q = q * t + 82.8122336939251863;
  q = q * t - 77.8312757740460685;
  q = q * t + 27.3961962411666332;
  q = q * t - 4.22402405327255012;
  q = q * t + 3.97379738050821509;
  q = q * t + 1.84545194323760702;
  q = q * t + 1.13774500206232197;
  q = q * t + 0.56379187149349248;
  q = q * t + 7.52446527231576195e-6;
  const tail = q * Math.exp(-x * x);
  return x > 0 ? 1 - tail : tail - 1;
}

export const random: typeof randomValue = randomValue;
