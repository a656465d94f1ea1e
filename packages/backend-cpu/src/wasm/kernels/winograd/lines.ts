/**
 * Products of a constant matrix with vectors, as code: sums with known coefficients, where lines that differ in signs only
 * share their parts. The transforms in `panels.ts` and `results.ts` are two of these each, along rows and columns.
 */
import type { FunctionBuilder, Local, Statement, V128 } from '../../code/assembler.ts';
import { f32, f32x4, v128 } from '../../code/instructions.ts';
import { type Matrix, transposed } from './filtering.ts';

/** Sums of vectors with constant coefficients. */
export class Lines {
  readonly builder: FunctionBuilder;
  readonly fused: boolean;
  readonly #constants = new Map<number, Local<'v128'>>();
  readonly #pool: Local<'v128'>[] = [];
  #taken = 0;
  constructor(builder: FunctionBuilder, fused: boolean) {
    this.builder = builder;
    this.fused = fused;
  }
  /** Ends the use of all locals so far. */
  free(): void {
    this.#taken = 0;
  }
  keep(body: Statement[], value: V128): Local<'v128'> {
    const local = this.#pool[this.#taken] ?? this.builder.local('v128');
    this.#pool[this.#taken] = local;
    this.#taken += 1;
    body.push(local.set(value));
    return local;
  }
  /** Constants are set once, before all loops. */
  #constant(value: number): Local<'v128'> {
    const known = this.#constants.get(value);
    if (known) return known;
    const local = this.builder.local('v128');
    this.builder.emit(local.set(f32x4.splat(f32.const(value))));
    this.#constants.set(value, local);
    return local;
  }
  #sum(terms: readonly (readonly [factor: number, x: V128])[]): V128 {
    const [first, ...rest] = [...terms].sort(([a], [b]) => Number(b === 1) - Number(a === 1));
    const [factor, x] = first!;
    return rest.reduce<V128>(
      (sum, [by, y]) => {
        if (by === 1) return f32x4.add(sum, y);
        if (by === -1) return f32x4.sub(sum, y);
        return this.fused
          ? f32x4.relaxedMadd(this.#constant(by), y, sum)
          : f32x4.add(sum, f32x4.mul(this.#constant(by), y));
      },
      factor === 1 ? x : f32x4.mul(this.#constant(factor), x),
    );
  }
  /**
   * The product of a matrix with a vector of vectors. Points come as x and -x, so pairs of columns or rows differ in signs
   * only: they share what is equal and what is opposite.
   */
  product(body: Statement[], matrix: Matrix, vectors: readonly V128[]): V128[] {
    const rows = matrix.map((): [number, V128][] => []);
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
      const equal = this.keep(body, f32x4.add(x, y));
      const opposite = this.keep(body, f32x4.sub(x, y));
      column.forEach((factor, row) => {
        rows[row]?.push([factor, factor === columns[mate]?.[row] ? equal : opposite]);
      });
    });
    const results: V128[] = [];
    rows.forEach((terms, at) => {
      if (results[at]) return;
      const mate = mateOf(matrix, at);
      if (mate < 0) {
        results[at] = this.#sum(terms);
        return;
      }
      const agrees = terms.map(([factor], term) => factor === rows[mate]?.[term]?.[0]);
      const equal = this.keep(body, this.#sum(terms.filter((_, term) => agrees[term])));
      const opposite = this.keep(body, this.#sum(terms.filter((_, term) => !agrees[term])));
      results[at] = f32x4.add(equal, opposite);
      results[mate] = f32x4.sub(equal, opposite);
    });
    return results;
  }

  /**
   * M X M^T: `load` gives X row by row, `store` takes the result row by row. What M makes of the rows waits in memory at
   * `temporary`; `between` stands behind the last load.
   */
  sandwich(
    body: Statement[],
    matrix: Matrix,
    temporary: Local<'i32'>,
    load: (row: number) => readonly V128[],
    between: readonly Statement[],
    store: (row: readonly V128[]) => void,
  ): void {
    const side = matrix[0]!.length;
    for (let row = 0; row < side; row++) {
      this.product(body, matrix, load(row)).forEach((value, column) => {
        body.push(v128.store(temporary, value, 16 * (column * side + row)));
      });
      this.free();
    }
    body.push(...between);
    for (let column = 0; column < matrix.length; column++) {
      const vectors = Array.from({ length: side }, (_, row) =>
        this.keep(body, v128.load(temporary, 16 * (column * side + row))),
      );
      store(this.product(body, matrix, vectors));
      this.free();
    }
  }
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
