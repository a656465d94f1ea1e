/**
 * Orthogonal factors by Householder's reflections, in double precision. Signs are those of LAPACK: a reflection that has
 * nothing to remove is left out, and any other makes the diagonal of R the opposite of what it was.
 */

export interface Reflected {
  /** [rows, width] with orthonormal columns. */
  readonly q: Float64Array;
  /** [width, columns], zero below its diagonal. */
  readonly r: Float64Array;
}

/** A = Q R for A [rows, columns]; `width` columns of Q, from the smaller of both sizes to all rows. */
export function orthogonalise(a: Float64Array, rows: number, columns: number, width: number): Reflected {
  const work = a.slice();
  const steps = Math.min(rows, columns);
  const reflections: (Reflection | null)[] = [];
  for (let k = 0; k < steps; k++) {
    const reflection = reflectionOf(work, k, k, rows, columns);
    reflections.push(reflection);
    if (reflection === null) continue;
    reflect(work, reflection, k + 1, columns);
    work[k * columns + k] = reflection.result;
    for (let i = k + 1; i < rows; i++) work[i * columns + k] = 0;
  }
  const q = new Float64Array(rows * width);
  for (let i = 0; i < width; i++) q[i * width + i] = 1;
  for (const reflection of reflections.toReversed()) if (reflection !== null) reflect(q, reflection, 0, width);
  return { q, r: work.slice(0, width * columns) };
}

/** I - scale v v^T, with v from row `first` on. */
export interface Reflection {
  readonly first: number;
  readonly v: Float64Array;
  readonly scale: number;
  /** What the first element of the reflected column becomes. */
  readonly result: number;
}

/** The reflection that leaves of a column, from `first` on, nothing but its first element; null where there is nothing else. */
export function reflectionOf(
  a: Float64Array,
  first: number,
  column: number,
  rows: number,
  columns: number,
): Reflection | null {
  const v = new Float64Array(rows - first);
  for (let i = first; i < rows; i++) v[i - first] = a[i * columns + column]!;
  const alpha = v[0] ?? 0;
  const rest = Math.hypot(...v.subarray(1));
  if (rest === 0) return null;
  const result = alpha < 0 ? Math.hypot(alpha, rest) : -Math.hypot(alpha, rest);
  for (let i = 1; i < v.length; i++) v[i]! /= alpha - result;
  v[0] = 1;
  return { first, v, scale: (result - alpha) / result, result };
}

/** Reflects the columns from `start` on. */
export function reflect(a: Float64Array, { first, v, scale }: Reflection, start: number, columns: number): void {
  const sums = new Float64Array(columns);
  for (let i = 0; i < v.length; i++) {
    const row = (first + i) * columns;
    for (let c = start; c < columns; c++) sums[c]! += v[i]! * a[row + c]!;
  }
  for (let i = 0; i < v.length; i++) {
    const row = (first + i) * columns;
    const times = scale * v[i]!;
    for (let c = start; c < columns; c++) a[row + c]! -= times * sums[c]!;
  }
}

/**
 * Makes the last rows of [count, size] a basis together with the first `known`, which are orthonormal: each is what the known
 * ones leave of a unit vector, taken twice, as one pass leaves rounding.
 */
export function completeBasis(basis: Float64Array, known: readonly number[], count: number, size: number): void {
  const done = [...known];
  for (let row = 0; row < count; row++) {
    if (done.includes(row)) continue;
    // of all unit vectors the one that lies farthest from what is spanned
    const left = new Float64Array(size).fill(1);
    for (const other of done) for (let i = 0; i < size; i++) left[i]! -= basis[other * size + i]! ** 2;
    const best = left.indexOf(left.reduce((a, b) => Math.max(a, b)));
    const vector = basis.subarray(row * size, (row + 1) * size).fill(0);
    vector[best] = 1;
    for (let pass = 0; pass < 2; pass++) {
      for (const other of done) {
        let along = 0;
        for (let i = 0; i < size; i++) along += vector[i]! * basis[other * size + i]!;
        for (let i = 0; i < size; i++) vector[i]! -= along * basis[other * size + i]!;
      }
      const length = Math.hypot(...vector);
      for (let i = 0; i < size; i++) vector[i]! /= length;
    }
    done.push(row);
  }
}
