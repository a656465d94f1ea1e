/**
 * Products of a constant matrix with vectors, as code of any kind: sums with known coefficients, where lines that differ in signs
 * only share their parts. `lines.ts` writes them in WebAssembly, @nn/backend-native in C, so both have the same bits.
 */
import { type Matrix, transposed } from './filtering.ts';

/** How code of a kind computes with its vectors. */
export interface Sums<V> {
  add(a: V, b: V): V;
  sub(a: V, b: V): V;
  times(factor: number, x: V): V;
  /** sum + factor * x, rounded once where the code may. */
  plusTimes(sum: V, factor: number, x: V): V;
  /** The value under a name: what is used more than once. */
  keep(value: V): V;
}

type Term<V> = readonly [factor: number, x: V];

function sumOf<V>(code: Sums<V>, terms: readonly Term<V>[]): V {
  const [first, ...rest] = [...terms].sort(([a], [b]) => Number(b === 1) - Number(a === 1));
  const [factor, x] = first!;
  return rest.reduce<V>(
    (sum, [by, y]) => {
      if (by === 1) return code.add(sum, y);
      return by === -1 ? code.sub(sum, y) : code.plusTimes(sum, by, y);
    },
    factor === 1 ? x : code.times(factor, x),
  );
}

/**
 * The product of a matrix with a vector of vectors. Points come as x and -x, so pairs of columns or rows differ in signs
 * only: they share what is equal and what is opposite.
 */
export function productOf<V>(code: Sums<V>, matrix: Matrix, vectors: readonly V[]): V[] {
  const rows = matrix.map((): Term<V>[] => []);
  const columns = transposed(matrix);
  const done = new Set<number>();
  columns.forEach((column, at) => {
    if (done.has(at)) return;
    const x = vectors[at]!;
    const mate = mateOf(columns, at);
    if (mate < 0) {
      column.forEach((factor, row) => {
        if (factor !== 0) rows[row]?.push([factor, x]);
      });
      return;
    }
    done.add(mate);
    const y = vectors[mate]!;
    const equal = code.keep(code.add(x, y));
    const opposite = code.keep(code.sub(x, y));
    column.forEach((factor, row) => {
      rows[row]?.push([factor, factor === columns[mate]?.[row] ? equal : opposite]);
    });
  });
  const results: V[] = [];
  rows.forEach((terms, at) => {
    if (results[at] !== undefined) return;
    const mate = mateOf(matrix, at);
    if (mate < 0) {
      results[at] = sumOf(code, terms);
      return;
    }
    const agrees = terms.map(([factor], term) => factor === rows[mate]?.[term]?.[0]);
    const equal = code.keep(
      sumOf(
        code,
        terms.filter((_, term) => agrees[term]),
      ),
    );
    const opposite = code.keep(
      sumOf(
        code,
        terms.filter((_, term) => !agrees[term]),
      ),
    );
    results[at] = code.add(equal, opposite);
    results[mate] = code.sub(equal, opposite);
  });
  return results;
}

/** The later line that differs in some signs only, or -1. */
function mateOf(lines: Matrix, at: number): number {
  const line = lines[at]!;
  return lines.findIndex(
    (other, place) =>
      place > at &&
      line.every((value, k) => Math.abs(value) === Math.abs(other[k]!)) &&
      line.some((value, k) => value !== other[k]) &&
      line.some((value, k) => value !== 0 && value === other[k]),
  );
}
