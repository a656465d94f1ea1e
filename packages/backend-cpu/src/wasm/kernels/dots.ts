/**
 * Few rows times a matrix, both with their rows along the inner axis (a Linear layer on a small batch): dot products of
 * each of the few, the vectors, with each row of the matrix. Nothing is packed and the matrix is read once: four numbers
 * of several rows at a time, each in a sum of its own, and in the end each sum is added up.
 */
import {
  type FunctionBuilder,
  type Local,
  type ModuleBuilder,
  type Statement,
  type V128,
  words,
} from '../code/assembler.ts';
import { f32, f32x4, forLoop, i32, select, v128, whileLoop } from '../code/instructions.ts';
import { type Elements, floats } from './gemm.ts';

/** Rows of the matrix that are worth a call: whole tiles of any height. */
export const dotsUnit = 12;

/** What is computed in one go: as many sums as registers hold beside the operands, and enough to hide the latency. */
interface Tile {
  readonly rows: number;
  readonly vectors: number;
  /** Vectors of four numbers of each row in one turn. */
  readonly steps: number;
}

/** `dots` for one vector, `dotPairs` for more of them. A product and a sum that are not one instruction take a register. */
export function addDots(module: ModuleBuilder, fused: boolean): void {
  for (const name of ['dots', 'dotPairs'] as const) {
    module.function(name, words(10), [], (builder) => dotProducts(builder, name, fused, floats));
  }
}

const range = (length: number): number[] => Array.from({ length }, (_, at) => at);
const advance = (local: Local<'i32'>, by: number): Statement => local.set(i32.add(local, i32.const(by)));

/**
 * (matrix, bytes of a row, rows, vectors, bytes of one, vectors, results, bytes from row to row, bytes from vector to
 * vector, inner). `elements`: those of the matrix; vectors are of float32.
 */
export function dotProducts(
  builder: FunctionBuilder,
  name: 'dots' | 'dotPairs',
  fused: boolean,
  elements: Elements,
): void {
  const tile: Tile =
    name === 'dots' ? { rows: 6, vectors: 1, steps: fused ? 2 : 1 } : { rows: fused ? 6 : 4, vectors: 2, steps: 1 };
  const [matrix, rowBytes, rowCount, vectors, vectorBytes, vectorCount, results, rowStep, vectorStep, inner] =
    builder.words(10);
  const steps = range(tile.steps);
  /** Rows of the matrix, or vectors: which ones, and where. */
  const side = (count: number): { index: Local<'i32'>; at: Local<'i32'> }[] =>
    range(count).map(() => ({ index: builder.local('i32'), at: builder.local('i32') }));
  const rows = side(tile.rows);
  const columns = side(tile.vectors);
  const pairs = columns.flatMap((column) =>
    rows.map((row) => ({ row, column, partial: steps.map(() => builder.local('v128')), sum: builder.local('f32') })),
  );
  const [row, column, left] = [builder.local('i32'), builder.local('i32'), builder.local('i32')];
  const loaded = builder.local('v128');
  const multiplyAdd = (a: V128, b: V128, c: V128): V128 =>
    fused ? f32x4.relaxedMadd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);

  const kept = new Map(columns.map((one) => [one, steps.map(() => builder.local('v128'))]));
  const some: Statement[] = [];
  const single: Statement[] = [];
  kept.forEach((numbers, { at }) => {
    numbers.forEach((four, step) => {
      some.push(four.set(v128.load(at, 16 * step)));
    });
  });
  for (const each of rows) {
    for (const step of steps) {
      const four = elements.four(some, each.at, 4 * elements.bytes * step);
      some.push(loaded.set(four));
      for (const { partial, column: one } of pairs.filter((pair) => pair.row === each)) {
        const [sums, numbers] = [partial[step], kept.get(one)?.[step]] as [Local<'v128'>, Local<'v128'>];
        some.push(sums.set(multiplyAdd(loaded, numbers, sums)));
      }
    }
  }
  for (const { row: each, column: one, sum } of pairs) {
    single.push(sum.set(f32.add(sum, f32.mul(elements.one(each.at), f32.load(one.at)))));
  }
  const ends = [...rows.map(({ at }) => [at, elements.bytes] as const), ...columns.map(({ at }) => [at, 4] as const)];
  for (const [at, each] of ends) {
    some.push(advance(at, 4 * tile.steps * each));
    single.push(advance(at, each));
  }
  some.push(advance(left, -4 * tile.steps));
  single.push(advance(left, -1));

  // Beyond the last one: the last one again, with the same result in the same place.
  const choose = (sides: typeof rows, first: Local<'i32'>, count: Local<'i32'>): Statement[] =>
    sides.map(({ index }, place) => {
      const wanted = i32.add(first, i32.const(place));
      return index.set(select(wanted, i32.sub(count, i32.const(1)), i32.ltU(wanted, count)));
    });
  const body: Statement[] = [
    ...choose(columns, column, vectorCount),
    ...rows.map(({ index, at }) => at.set(i32.add(matrix, i32.mul(index, rowBytes)))),
    ...columns.map(({ index, at }) => at.set(i32.add(vectors, i32.mul(index, vectorBytes)))),
    ...pairs.flatMap(({ partial }) => partial.map((sums) => sums.set(v128.words([0, 0, 0, 0])))),
    left.set(inner),
    whileLoop(i32.geS(left, i32.const(4 * tile.steps)), some),
    ...addUp(builder, pairs),
    whileLoop(left, single),
    ...pairs.map(({ row: each, column: one, sum }) => {
      const place = i32.add(i32.mul(each.index, rowStep), i32.mul(one.index, vectorStep));
      return f32.store(i32.add(results, place), sum);
    }),
  ];
  builder.emit(
    forLoop(row, i32.const(0), rowCount, tile.rows, [
      ...choose(rows, row, rowCount),
      forLoop(column, i32.const(0), vectorCount, tile.vectors, body),
    ]),
  );
}

/** Adds up the numbers of each partial sum, four of them at a time: the sums of four vectors are one vector. */
function addUp(
  builder: FunctionBuilder,
  pairs: readonly { readonly partial: readonly Local<'v128'>[]; readonly sum: Local<'f32'> }[],
): Statement[] {
  const statements: Statement[] = [];
  const keep = (value: V128): Local<'v128'> => {
    const local = builder.local('v128');
    statements.push(local.set(value));
    return local;
  };
  const folded = (a: V128, b: V128, low: Four, high: Four): V128 =>
    f32x4.add(v128.shuffleWords(a, b, low), v128.shuffleWords(a, b, high));
  for (let from = 0; from < pairs.length; from += 4) {
    const four = pairs.slice(from, from + 4);
    const whole = (at: number): Local<'v128'> => {
      const { partial } = (four[at] ?? four[0])!;
      return keep(partial.slice(1).reduce((sum: V128, part) => f32x4.add(sum, part), partial[0] as V128));
    };
    const halves = (a: V128, b: V128): Local<'v128'> => keep(folded(a, b, [0, 1, 4, 5], [2, 3, 6, 7]));
    const [ab, cd] = [halves(whole(0), whole(1)), halves(whole(2), whole(3))];
    const sums = keep(folded(ab, cd, [0, 2, 4, 6], [1, 3, 5, 7]));
    four.forEach(({ sum }, lane) => {
      statements.push(sum.set(f32x4.extract(sums, lane)));
    });
  }
  return statements;
}
type Four = readonly [number, number, number, number];
