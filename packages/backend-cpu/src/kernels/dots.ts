/**
 * Few rows times a matrix whose rows lie along the inner axis (a Linear layer on one example): dot products, four rows
 * of the matrix at a time, so that four streams run in parallel and the vector is loaded once for all of them.
 */
import type { Local, ModuleBuilder, Statement, V128 } from '../wasm/assembler.ts';
import { f32, f32x4, forLoop, i32, select, v128, when, whileLoop } from '../wasm/instructions.ts';

export const dotsParameters: readonly 'i32'[] = Array.from({ length: 7 }, () => 'i32' as const);

/** `dots`: (matrix, bytes of a row, rows, vector, results, bytes between results, inner): result[r] = matrix[r] . vector. */
export function addDots(module: ModuleBuilder, fused: boolean): void {
  module.function('dots', dotsParameters, [], (builder) => {
    const [matrix, rowBytes, rows, vector, results, stride, inner] = dotsParameters.map((_, at) =>
      builder.parameter(at, 'i32'),
    ) as [Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>];
    const lanes = [0, 1, 2, 3] as const;
    const at = lanes.map(() => builder.local('i32'));
    const low = lanes.map(() => builder.local('v128'));
    const high = lanes.map(() => builder.local('v128'));
    const tail = lanes.map(() => builder.local('f32'));
    const x = builder.local('i32');
    const left = builder.local('i32');
    const row = builder.local('i32');
    const count = builder.local('i32');
    const first = builder.local('v128');
    const second = builder.local('v128');
    const zero = v128.words([0, 0, 0, 0]);
    const multiplyAdd = (a: V128, b: V128, c: V128): V128 =>
      fused ? f32x4.relaxedMadd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
    const place = (lane: number): Local<'i32'> => at[lane] as Local<'i32'>;
    const eight: Statement[] = [first.set(v128.load(x)), second.set(v128.load(x, 16))];
    const one: Statement[] = [];
    for (const lane of lanes) {
      const [a, b, c] = [low[lane], high[lane], tail[lane]] as [Local<'v128'>, Local<'v128'>, Local<'f32'>];
      eight.push(a.set(multiplyAdd(v128.load(place(lane)), first, a)));
      eight.push(b.set(multiplyAdd(v128.load(place(lane), 16), second, b)));
      eight.push(place(lane).set(i32.add(place(lane), i32.const(32))));
      one.push(c.set(f32.add(c, f32.mul(f32.load(place(lane)), f32.load(x)))));
      one.push(place(lane).set(i32.add(place(lane), i32.const(4))));
    }
    eight.push(x.set(i32.add(x, i32.const(32))), left.set(i32.sub(left, i32.const(8))));
    one.push(x.set(i32.add(x, i32.const(4))), left.set(i32.sub(left, i32.const(1))));
    const body: Statement[] = [x.set(vector), left.set(inner), count.set(i32.sub(rows, row))];
    for (const lane of lanes) {
      // Beyond the last row: the last one again, whose result is not stored.
      const last = i32.sub(rows, i32.const(1));
      const wanted = i32.add(row, i32.const(lane));
      const known = lane === 0 ? row : select(wanted, last, i32.ltU(wanted, rows));
      body.push(place(lane).set(i32.add(matrix, i32.mul(known, rowBytes))));
      for (const sum of [low, high]) body.push((sum[lane] as Local<'v128'>).set(zero));
      body.push((tail[lane] as Local<'f32'>).set(f32.const(0)));
    }
    body.push(whileLoop(i32.geS(left, i32.const(8)), eight), whileLoop(left, one));
    for (const lane of lanes) {
      const sum = low[lane] as Local<'v128'>;
      const pairs = f32x4.add(sum, v128.shuffleWords(sum, sum, [2, 3, 0, 1]));
      const result = f32.add(f32.add(f32x4.extract(sum, 0), f32x4.extract(sum, 1)), tail[lane] as Local<'f32'>);
      const store: Statement[] = [
        sum.set(f32x4.add(sum, high[lane] as Local<'v128'>)),
        sum.set(pairs),
        f32.store(i32.add(results, i32.mul(i32.add(row, i32.const(lane)), stride)), result),
      ];
      body.push(lane === 0 ? store : when(i32.gtU(count, i32.const(lane)), store));
    }
    builder.emit(forLoop(row, i32.const(0), rows, 4, body));
  });
}
