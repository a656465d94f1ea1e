/**
 * Few rows times a matrix whose rows lie along the inner axis (a Linear layer on one example): dot products, six rows of
 * the matrix at a time, so that enough sums are under way and the vector is loaded once for all of them.
 */
import type { Local, ModuleBuilder, Statement, V128 } from '../wasm/assembler.ts';
import { f32, f32x4, forLoop, i32, select, v128, when, whileLoop } from '../wasm/instructions.ts';

/** Rows at a time: with more of them not all sums and addresses stay in registers. */
export const dotsRows = 6;

export const dotsParameters: readonly 'i32'[] = Array.from({ length: 7 }, () => 'i32' as const);

/** `dots`: (matrix, bytes of a row, rows, vector, results, bytes between results, inner): result[r] = matrix[r] . vector. */
export function addDots(module: ModuleBuilder, fused: boolean): void {
  module.function('dots', dotsParameters, [], (builder) => {
    const [matrix, rowBytes, rows, vector, results, stride, inner] = dotsParameters.map((_, at) =>
      builder.parameter(at, 'i32'),
    ) as [Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>];
    const [x, left, row, count] = [
      builder.local('i32'),
      builder.local('i32'),
      builder.local('i32'),
      builder.local('i32'),
    ];
    const advance = (local: Local<'i32'>, by: number): Statement => local.set(i32.add(local, i32.const(by)));
    const multiplyAdd = (a: V128, b: V128, c: V128): V128 =>
      fused ? f32x4.relaxedMadd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);

    // Fused, two vectors at a time hide the latency; a product of its own takes the registers for that.
    const steps = fused ? [0, 1] : [0];
    const vectors = steps.map(() => builder.local('v128'));
    const lanes = Array.from({ length: dotsRows }, () => ({
      at: builder.local('i32'),
      sums: steps.map(() => builder.local('v128')),
      sum: builder.local('f32'),
    }));
    const bytes = 16 * steps.length;
    const some: Statement[] = vectors.map((numbers, step) => numbers.set(v128.load(x, 16 * step)));
    const one: Statement[] = [];
    for (const { at, sums, sum } of lanes) {
      sums.forEach((partial, step) => {
        some.push(partial.set(multiplyAdd(v128.load(at, 16 * step), vectors[step] as Local<'v128'>, partial)));
      });
      some.push(advance(at, bytes));
      one.push(sum.set(f32.add(sum, f32.mul(f32.load(at), f32.load(x)))), advance(at, 4));
    }
    some.push(advance(x, bytes), advance(left, -bytes / 4));
    one.push(advance(x, 4), advance(left, -1));

    const body: Statement[] = [x.set(vector), left.set(inner), count.set(i32.sub(rows, row))];
    lanes.forEach(({ at, sums }, lane) => {
      // Beyond the last row: the last one again, whose result is not stored.
      const wanted = i32.add(row, i32.const(lane));
      const known = lane === 0 ? row : select(wanted, i32.sub(rows, i32.const(1)), i32.ltU(wanted, rows));
      body.push(at.set(i32.add(matrix, i32.mul(known, rowBytes))));
      for (const partial of sums) body.push(partial.set(v128.words([0, 0, 0, 0])));
    });
    body.push(whileLoop(i32.geS(left, i32.const(bytes / 4)), some));
    for (const { sums, sum } of lanes) {
      const [all, ...others] = sums as [Local<'v128'>, ...Local<'v128'>[]];
      for (const other of others) body.push(all.set(f32x4.add(all, other)));
      body.push(
        all.set(f32x4.add(all, v128.shuffleWords(all, all, [2, 3, 0, 1]))),
        sum.set(f32.add(f32x4.extract(all, 0), f32x4.extract(all, 1))),
      );
    }
    body.push(whileLoop(left, one));
    lanes.forEach(({ sum }, lane) => {
      const store = f32.store(i32.add(results, i32.mul(i32.add(row, i32.const(lane)), stride)), sum);
      body.push(when(i32.gtU(count, i32.const(lane)), [store]));
    });
    builder.emit(forLoop(row, i32.const(0), rows, dotsRows, body));
  });
}
