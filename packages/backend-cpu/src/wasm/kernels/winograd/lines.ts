/**
 * The sums of `sums.ts` in WebAssembly, and M X M^T made of them. The transforms in `panels.ts` and `results.ts` are one of these
 * each.
 */
import type { FunctionBuilder, Local, Statement, V128 } from '../../code/assembler.ts';
import { f32, f32x4, v128 } from '../../code/instructions.ts';
import type { Matrix } from './filtering.ts';
import { productOf, type Sums } from './sums.ts';

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
  product(body: Statement[], matrix: Matrix, vectors: readonly V128[]): V128[] {
    const code: Sums<V128> = {
      add: f32x4.add,
      sub: f32x4.sub,
      times: (factor, x) => f32x4.mul(this.#constant(factor), x),
      plusTimes: (sum, factor, x) =>
        this.fused
          ? f32x4.relaxedMadd(this.#constant(factor), x, sum)
          : f32x4.add(sum, f32x4.mul(this.#constant(factor), x)),
      keep: (value) => this.keep(body, value),
    };
    return productOf(code, matrix, vectors);
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
