/**
 * Gaussian elimination with row exchanges, in double precision: P A = L U. Knows which pivots are nothing but rounding: each
 * element carries the sum of the magnitudes that went into it, and below n times their last place nothing is known of it.
 */

export interface Elimination {
  /** U, with the multipliers of L below its diagonal. */
  readonly factors: Float64Array;
  /** The row of A that stands in each row. */
  readonly order: Int32Array;
  /** Of the permutation. */
  readonly sign: 1 | -1;
  /** The first column without a pivot that is more than rounding; -1 where there is none such. */
  readonly singularAt: number;
}

const epsilon = 2 ** -52;

/** Of a matrix of n rows in row-major order, which is not changed. */
export function eliminate(a: Float64Array, n: number): Elimination {
  const factors = a.slice();
  const magnitudes = a.map(Math.abs);
  const order = Int32Array.from({ length: n }, (_, row) => row);
  const swap = (values: Float64Array | Int32Array, i: number, j: number, width: number): void => {
    for (let c = 0; c < width; c++) {
      const kept = values[i * width + c]!;
      values[i * width + c] = values[j * width + c]!;
      values[j * width + c] = kept;
    }
  };
  let sign: 1 | -1 = 1;
  for (let k = 0; k < n; k++) {
    let pivot = -1;
    let largest = 0;
    for (let i = k; i < n; i++) {
      const size = Math.abs(factors[i * n + k]!);
      if (size > largest && size > n * epsilon * magnitudes[i * n + k]!) {
        largest = size;
        pivot = i;
      }
    }
    if (pivot < 0) return { factors, order, sign, singularAt: k };
    if (pivot !== k) {
      swap(factors, pivot, k, n);
      swap(magnitudes, pivot, k, n);
      swap(order, pivot, k, 1);
      sign = sign === 1 ? -1 : 1;
    }
    for (let i = k + 1; i < n; i++) {
      const multiplier = factors[i * n + k]! / factors[k * n + k]!;
      factors[i * n + k] = multiplier;
      if (multiplier === 0) continue;
      for (let j = k + 1; j < n; j++) {
        factors[i * n + j]! -= multiplier * factors[k * n + j]!;
        magnitudes[i * n + j]! += Math.abs(multiplier) * magnitudes[k * n + j]!;
      }
    }
  }
  return { factors, order, sign, singularAt: -1 };
}

/** X of A X = B for B of `columns` columns. A is not singular. */
export function solveEliminated(
  { factors, order }: Elimination,
  n: number,
  b: ArrayLike<number>,
  columns: number,
): Float64Array {
  const x = new Float64Array(n * columns);
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < columns; c++) x[i * columns + c] = b[order[i]! * columns + c]!;
    for (let k = 0; k < i; k++) subtractRow(x, i, k, factors[i * n + k]!, columns);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtractRow(x, i, k, factors[i * n + k]!, columns);
    for (let c = 0; c < columns; c++) x[i * columns + c]! /= factors[i * n + i]!;
  }
  return x;
}

/** Row `to` less `times` row `from`. */
export function subtractRow(x: Float64Array, to: number, from: number, times: number, columns: number): void {
  if (times === 0) return;
  for (let c = 0; c < columns; c++) x[to * columns + c]! -= times * x[from * columns + c]!;
}
