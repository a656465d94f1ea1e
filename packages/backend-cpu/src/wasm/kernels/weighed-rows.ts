/**
 * A few vectors times a matrix whose rows lie across the inner axis (a layer with weights [inputs, outputs] on one sample): a sum
 * of the matrix's rows, each times a number of the vector. Nothing is packed, and the matrix is read once, several rows side by
 * side from their beginnings to their ends, as memory likes it; the sums stay in the cache.
 * Which products are done like this is up to `few-rows.ts`.
 */
import { type F32, type ModuleBuilder, type Statement, type V128, words } from '../code/assembler.ts';
import { f32, f32x4, forLoop, i32, memory, v128, whileLoop } from '../code/instructions.ts';

/** Columns that are worth a call; whole vectors, so that cuts change no result. */
export const weighedColumns = 128;
/** Rows of the matrix that are read side by side, and vectors of each in one turn. */
const together = 4;
const unroll = 4;

const range = (length: number): number[] => Array.from({ length }, (_, at) => at);

/**
 * `weighedRows`: (matrix, bytes of a row, columns, inner, vectors, bytes from number to number, bytes from vector to vector,
 * vectors, results, bytes from vector to vector).
 */
export function addWeighedRows(module: ModuleBuilder, fused: boolean): void {
  module.function('weighedRows', words(10), [], (builder) => {
    const [matrix, rowBytes, columns, inner, vectors, step, vectorBytes, count, results, resultBytes] =
      builder.words(10);
    const local = () => builder.local('i32');
    const [k, vector, number, to, left] = [local(), local(), local(), local(), local()];
    const rows = range(together).map(() => ({
      at: local(),
      numbers: builder.local('v128'),
      number: builder.local('f32'),
    }));

    /** What is there plus the products: in pairs, or each with a single rounding. */
    const added = (there: V128, height: number, offset: number): V128 => {
      const products = rows.slice(0, height).map(({ at, numbers }) => [v128.load(at, offset), numbers] as const);
      if (fused) return products.reduce((sum, [row, numbers]) => f32x4.relaxedMadd(row, numbers, sum), there);
      return f32x4.add(
        there,
        paired(
          products.map(([row, numbers]) => f32x4.mul(row, numbers)),
          f32x4.add,
        ),
      );
    };
    const addedOne = (there: F32, height: number): F32 =>
      f32.add(
        there,
        paired(
          rows.slice(0, height).map(({ at, number: times }) => f32.mul(f32.load(at), times)),
          f32.add,
        ),
      );
    /** Past so many columns. */
    const onward = (height: number, passed: number): Statement[] => [
      ...[to, ...rows.slice(0, height).map(({ at }) => at)].map((at) => at.set(i32.add(at, i32.const(4 * passed)))),
      left.set(i32.sub(left, i32.const(passed))),
    ];
    /** Adds `height` rows from row k on to the results of each vector. */
    const add = (height: number): Statement =>
      forLoop(vector, i32.const(0), count, 1, [
        number.set(i32.add(i32.add(vectors, i32.mul(vector, vectorBytes)), i32.mul(k, step))),
        ...rows
          .slice(0, height)
          .flatMap((row, at) => [
            row.at.set(i32.add(matrix, i32.mul(at === 0 ? k : i32.add(k, i32.const(at)), rowBytes))),
            row.numbers.set(v128.load32Splat(number)),
            row.number.set(f32.load(number)),
            number.set(i32.add(number, step)),
          ]),
        to.set(i32.add(results, i32.mul(vector, resultBytes))),
        left.set(columns),
        whileLoop(i32.geS(left, i32.const(4 * unroll)), [
          ...range(unroll).map((at) => v128.store(to, added(v128.load(to, 16 * at), height, 16 * at), 16 * at)),
          ...onward(height, 4 * unroll),
        ]),
        whileLoop(i32.geS(left, i32.const(4)), [v128.store(to, added(v128.load(to), height, 0)), ...onward(height, 4)]),
        whileLoop(left, [f32.store(to, addedOne(f32.load(to), height)), ...onward(height, 1)]),
      ]);
    const blocks = i32.and(inner, i32.const(-together));
    builder.emit(
      forLoop(vector, i32.const(0), count, 1, [
        memory.fill(i32.add(results, i32.mul(vector, resultBytes)), i32.const(0), i32.shl(columns, i32.const(2))),
      ]),
      forLoop(k, i32.const(0), blocks, together, [add(together)]),
      forLoop(k, blocks, inner, 1, [add(1)]),
    );
  });
}

/** ((a + b) + (c + d)): a sum of neighbours first. */
function paired<T>(values: readonly T[], sum: (a: T, b: T) => T): T {
  const [first, second, ...rest] = values as readonly [T, ...T[]];
  if (second === undefined) return first;
  const half = values.length >> 1;
  return rest.length === 0
    ? sum(first, second)
    : sum(paired(values.slice(0, half), sum), paired(values.slice(half), sum));
}
