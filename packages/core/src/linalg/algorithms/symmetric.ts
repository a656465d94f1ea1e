/**
 * Eigenvalues and eigenvectors of symmetric matrices, in double precision: reflections make the matrix tridiagonal, then
 * rotations with Wilkinson's shift make the rest vanish. Golub and Van Loan, Matrix Computations, 4th edition, 8.3.
 */
import { reflect, reflectionOf } from './householder.ts';

export interface Eigensystem {
  /** Ascending. */
  readonly values: Float64Array;
  /** [n, n]: one vector a row, its largest component positive. */
  readonly vectors: Float64Array;
}

const epsilon = 2 ** -52;
const mostSteps = 60;

/** Of a symmetric matrix, of which only the lower triangle is read. */
export function eigensystem(a: Float64Array, n: number): Eigensystem {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = a[i * n + j]!;
  }
  const vectors = tridiagonalise(matrix, n);
  const diagonal = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]!);
  const beside = Float64Array.from({ length: n }, (_, i) => (i + 1 < n ? matrix[(i + 1) * n + i]! : 0));
  diagonalise(diagonal, beside, vectors, n);
  const order = Array.from(diagonal.keys()).sort((i, j) => diagonal[i]! - diagonal[j]!);
  const sorted = new Float64Array(n * n);
  order.forEach((from, row) => {
    const vector = vectors.subarray(from * n, (from + 1) * n);
    const sign = signOf(vector);
    for (let i = 0; i < n; i++) sorted[row * n + i] = sign * vector[i]!;
  });
  return { values: Float64Array.from(order, (from) => diagonal[from]!), vectors: sorted };
}

/** The sign of the component with the largest magnitude; of two that are equal but for rounding the first counts. */
export function signOf(vector: Float64Array): 1 | -1 {
  let largest = 0;
  for (const component of vector) if (Math.abs(component) > Math.abs(largest) * (1 + 1e-9)) largest = component;
  return largest < 0 ? -1 : 1;
}

/** A becomes Q^T A Q; gives Q^T. */
function tridiagonalise(a: Float64Array, n: number): Float64Array {
  const reflections = [];
  for (let k = 0; k + 2 < n; k++) {
    const reflection = reflectionOf(a, k + 1, k, n, n);
    if (reflection === null) continue;
    reflections.push(reflection);
    const { v, scale, first, result } = reflection;
    // H A H = A - v w^T - w v^T  with  w = p - (scale / 2) (p . v) v,  p = scale A v
    const w = new Float64Array(v.length);
    let along = 0;
    for (let i = 0; i < v.length; i++) {
      let sum = 0;
      for (let j = 0; j < v.length; j++) sum += a[(first + i) * n + first + j]! * v[j]!;
      w[i] = scale * sum;
      along += w[i]! * v[i]!;
    }
    for (let i = 0; i < v.length; i++) w[i]! -= (scale / 2) * along * v[i]!;
    for (let i = 0; i < v.length; i++) {
      const row = (first + i) * n + first;
      for (let j = 0; j < v.length; j++) a[row + j]! -= v[i]! * w[j]! + w[i]! * v[j]!;
    }
    for (let i = first; i < n; i++) a[i * n + k] = a[k * n + i] = i === first ? result : 0;
  }
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  // Q = H1 H2 ..., and Q^T the other way round
  for (const reflection of reflections) reflect(q, reflection, 0, n);
  return q;
}

/** Rotates until nothing stands beside the diagonal; the rows of `vectors` turn with it. */
function diagonalise(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number): void {
  let last = n - 1;
  for (let steps = 0; last > 0; ) {
    if (isNothing(d, e, last - 1)) {
      e[last - 1] = 0;
      last--;
      steps = 0;
      continue;
    }
    if (steps++ > mostSteps) throw new Error('the rotations of a symmetric matrix do not come to an end');
    let first = last - 1;
    while (first > 0 && !isNothing(d, e, first - 1)) first--;
    sweep(d, e, vectors, n, first, last);
  }
}

function isNothing(d: Float64Array, e: Float64Array, k: number): boolean {
  const beside = Math.abs(e[k]!);
  return beside <= epsilon * (Math.abs(d[k]!) + Math.abs(d[k + 1]!)) || beside < 1e-290;
}

/** One implicit step of QR from row `first` to row `last`. */
function sweep(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number, first: number, last: number): void {
  const half = (d[last - 1]! - d[last]!) / 2;
  const corner = e[last - 1]!;
  const root = Math.hypot(half, corner);
  let x = d[first]! - (d[last]! - (corner * corner) / (half + (half < 0 ? -root : root)));
  let z = e[first]!;
  for (let k = first; k < last; k++) {
    const length = Math.hypot(x, z);
    const [c, s] = length === 0 ? [1, 0] : [x / length, z / length];
    if (k > first) e[k - 1] = length;
    const [upper, beside, lower] = [d[k]!, e[k]!, d[k + 1]!];
    d[k] = c * c * upper + 2 * c * s * beside + s * s * lower;
    d[k + 1] = s * s * upper - 2 * c * s * beside + c * c * lower;
    e[k] = c * s * (lower - upper) + (c * c - s * s) * beside;
    x = e[k]!;
    if (k + 1 < last) {
      z = s * e[k + 1]!;
      e[k + 1]! *= c;
    }
    rotateRows(vectors, k, k + 1, c, s, n);
  }
}

/** Rows p and q become c p + s q and c q - s p. */
export function rotateRows(a: Float64Array, p: number, q: number, c: number, s: number, columns: number): void {
  for (let i = p * columns, j = q * columns, end = i + columns; i < end; i++, j++) {
    const [x, y] = [a[i]!, a[j]!];
    a[i] = c * x + s * y;
    a[j] = c * y - s * x;
  }
}
