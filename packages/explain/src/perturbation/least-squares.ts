/** Small systems of equations on the host, in double precision: weighted least squares, and the lasso. */
import { ValueError } from '@nn/core';

/**
 * Solves A X = B in place for a symmetric, positive definite A [n x n] and B [n x m], row by row, by Cholesky's A = L L^T.
 * False where A is (nearly) singular.
 */
export function solvePositive(a: Float64Array, n: number, b: Float64Array, m: number): boolean {
  for (let j = 0; j < n; j++) {
    const scale = a[j * n + j] as number;
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (a[i * n + k] as number) * (a[j * n + k] as number);
      if (i === j) {
        if (!(sum > 1e-10 * scale)) return false;
        a[j * n + j] = Math.sqrt(sum);
      } else a[i * n + j] = sum / (a[j * n + j] as number);
    }
  }
  for (let c = 0; c < m; c++) {
    for (let i = 0; i < n; i++) {
      let sum = b[i * m + c] as number;
      for (let k = 0; k < i; k++) sum -= (a[i * n + k] as number) * (b[k * m + c] as number);
      b[i * m + c] = sum / (a[i * n + i] as number);
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = b[i * m + c] as number;
      for (let k = i + 1; k < n; k++) sum -= (a[k * n + i] as number) * (b[k * m + c] as number);
      b[i * m + c] = sum / (a[i * n + i] as number);
    }
  }
  return true;
}

export interface Fitted {
  readonly coefficients: Float64Array;
  readonly intercept: number;
  /** The share of the weighted variance that is explained. */
  readonly score: number;
}

/**
 * Minimises sum(w (y - X b - c)^2) / (2 sum(w)) + alpha sum|b| by coordinate descent over X [rows x columns]: scikit-learn's
 * Lasso with weights of samples.
 */
export function weightedLasso(
  rows: readonly Uint8Array[],
  y: ArrayLike<number>,
  weights: ArrayLike<number>,
  alpha: number,
): Fitted {
  const columns = rows[0]?.length ?? 0;
  const total = sumOf(weights);
  if (!(total > 0)) throw new ValueError('weightedLasso', 'all weights are 0.');
  const share = Float64Array.from(weights, (w) => w / total);
  const meanY = dot(share, y);
  const means = new Float64Array(columns);
  rows.forEach((row, r) => {
    for (let k = 0; k < columns; k++) means[k] = (means[k] as number) + (share[r] as number) * (row[k] as number);
  });
  const centred = rows.map((row) => Float64Array.from(row, (value, k) => value - (means[k] as number)));
  const norms = Float64Array.from({ length: columns }, (_, k) =>
    centred.reduce((sum, row, r) => sum + (share[r] as number) * (row[k] as number) ** 2, 0),
  );
  const coefficients = new Float64Array(columns);
  const residual = Float64Array.from(y, (value) => value - meanY);
  for (let turn = 0; turn < 10_000; turn++) {
    let moved = 0;
    for (let k = 0; k < columns; k++) {
      const norm = norms[k] as number;
      if (norm === 0) continue;
      const before = coefficients[k] as number;
      const pull = centred.reduce(
        (sum, row, r) => sum + (share[r] as number) * (row[k] as number) * (residual[r] as number),
        norm * before,
      );
      const after = (Math.sign(pull) * Math.max(0, Math.abs(pull) - alpha)) / norm;
      if (after === before) continue;
      coefficients[k] = after;
      centred.forEach((row, r) => {
        residual[r] = (residual[r] as number) - (after - before) * (row[k] as number);
      });
      moved = Math.max(moved, Math.abs(after - before));
    }
    if (moved <= 1e-12 * Math.max(1, ...coefficients.map(Math.abs))) break;
  }
  const spreadOf = (values: ArrayLike<number>, around: number): number =>
    share.reduce((sum, w, r) => sum + w * ((values[r] as number) - around) ** 2, 0);
  const variance = spreadOf(y, meanY);
  return {
    coefficients,
    intercept: meanY - dot(coefficients, means),
    score: variance === 0 ? 1 : 1 - spreadOf(residual, 0) / variance,
  };
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
