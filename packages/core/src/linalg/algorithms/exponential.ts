/**
 * The exponential of a matrix in double precision, by scaling and squaring around a Padé approximation. Golub and Van Loan,
 * Matrix Computations, 4th edition, algorithm 9.3.1.
 */
import { eliminate, solveEliminated } from './elimination.ts';

/** With the norm at most 1/2, this many powers leave an error below the last place. */
const degree = 8;

export function matrixProduct(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const c = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const times = a[i * n + k]!;
      if (times === 0) continue;
      for (let j = 0; j < n; j++) c[i * n + j]! += times * b[k * n + j]!;
    }
  }
  return c;
}

export function exponential(a: Float64Array, n: number): Float64Array {
  let norm = 0;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += Math.abs(a[i * n + j]!);
    norm = Math.max(norm, sum);
  }
  const squarings = norm > 0.5 ? Math.ceil(Math.log2(norm)) + 1 : 0;
  const scaled = a.map((value) => value / 2 ** squarings);
  const above = new Float64Array(n * n);
  const below = new Float64Array(n * n);
  for (let i = 0; i < n; i++) above[i * n + i] = below[i * n + i] = 1;
  let power: Float64Array | null = null;
  let coefficient = 1;
  for (let k = 1; k <= degree; k++) {
    power = power === null ? scaled : matrixProduct(scaled, power, n);
    coefficient *= (degree - k + 1) / ((2 * degree - k + 1) * k);
    const mirrored = k % 2 === 0 ? coefficient : -coefficient;
    for (let i = 0; i < n * n; i++) {
      above[i]! += coefficient * power[i]!;
      below[i]! += mirrored * power[i]!;
    }
  }
  let result = solveEliminated(eliminate(below, n), n, above, n);
  for (let k = 0; k < squarings; k++) result = matrixProduct(result, result, n);
  return result;
}
