/**
 * Singular values and vectors in double precision: after A = Q R, rotations make the rows of R orthogonal (Hestenes 1958),
 * which finds small singular values to the last place too. Demmel and Veselic 1992.
 */
import { completeBasis, orthogonalise } from './householder.ts';
import { rotateRows, signOf } from './symmetric.ts';

export interface SingularSystem {
  /** Descending, as many as the smaller of both sizes. */
  readonly values: Float64Array;
  /** One left vector a row of `rows` numbers, its largest component positive. */
  readonly left: Float64Array;
  /** One right vector a row of `columns` numbers. */
  readonly right: Float64Array;
}

const mostSweeps = 60;
const tolerance = 1e-15;

/** Of A [rows, columns]. With `isFull` the vectors are whole bases. */
export function singularSystem(a: Float64Array, rows: number, columns: number, isFull = false): SingularSystem {
  if (rows < columns) {
    const turned = new Float64Array(a.length);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = a[i * columns + j]!;
    const { values, left, right } = singularSystem(turned, columns, rows, isFull);
    return withSigns({ values, left: right, right: left }, rows, columns);
  }
  const n = columns;
  const scale = a.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
  const { q, r } = orthogonalise(
    a.map((value) => value / scale),
    rows,
    n,
    n,
  );
  const turns = new Float64Array(n * n);
  for (let i = 0; i < n; i++) turns[i * n + i] = 1;
  orthogonaliseRows(r, turns, n);
  // R = T^T S V^T, where T holds the turns and S V^T is what the rows became: A = (Q T^T) S V^T
  const lengths = Array.from({ length: n }, (_, i) => Math.hypot(...r.subarray(i * n, (i + 1) * n)));
  const order = [...lengths.keys()].sort((i, j) => lengths[j]! - lengths[i]!);
  const count = isFull ? rows : n;
  const left = new Float64Array(count * rows);
  const right = new Float64Array(n * n);
  const known: number[] = [];
  order.forEach((from, row) => {
    if (lengths[from]! > 0) known.push(row);
    for (let j = 0; j < n; j++) right[row * n + j] = r[from * n + j]! / (lengths[from]! || 1);
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += q[i * n + k]! * turns[from * n + k]!;
      left[row * rows + i] = sum;
    }
  });
  completeBasis(right, known, n, n);
  if (isFull) completeBasis(left, [...order.keys()], rows, rows);
  return withSigns({ values: Float64Array.from(order, (from) => lengths[from]! * scale), left, right }, rows, n);
}

/** Each pair of vectors so that the left one has its largest component positive. */
function withSigns(system: SingularSystem, rows: number, columns: number): SingularSystem {
  const { left, right, values } = system;
  for (let k = 0; k < values.length; k++) {
    const vector = left.subarray(k * rows, (k + 1) * rows);
    if (signOf(vector) > 0) continue;
    for (let i = 0; i < rows; i++) vector[i] = -vector[i]!;
    for (let j = 0; j < columns; j++) right[k * columns + j] = -right[k * columns + j]!;
  }
  return system;
}

/** Turns pairs of rows until all are orthogonal; `turns` turns along. */
function orthogonaliseRows(r: Float64Array, turns: Float64Array, n: number): void {
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let isDone = true;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        let [first, second, both] = [0, 0, 0];
        for (let i = p * n, j = q * n, end = i + n; i < end; i++, j++) {
          const [x, y] = [r[i]!, r[j]!];
          first += x * x;
          second += y * y;
          both += x * y;
        }
        if (Math.abs(both) <= tolerance * Math.sqrt(first) * Math.sqrt(second)) continue;
        isDone = false;
        const ratio = (first - second) / (2 * both);
        const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.hypot(1, ratio));
        const c = 1 / Math.hypot(1, tangent);
        rotateRows(r, p, q, c, c * tangent, n);
        rotateRows(turns, p, q, c, c * tangent, n);
      }
    }
    if (isDone) return;
  }
}
