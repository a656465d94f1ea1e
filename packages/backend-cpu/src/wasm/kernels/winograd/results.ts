/**
 * The way back from products to small images, as functions of the library module: with M a matrix of `filtering.ts`, M X M^T
 * of the numbers of all frequencies, four tiles or four channels as the lanes of a vector. The opposite of `panels.ts`.
 */
import { type I32, type ModuleBuilder, type Statement, words } from '../../code/assembler.ts';
import { i32, v128, whileLoop } from '../../code/instructions.ts';
import { transpose } from '../gemm.ts';
import { filters, type Matrix, outputs, reach, transposed } from './filtering.ts';
import { Lines } from './lines.ts';
import { advance, lanes } from './panels.ts';

export function addWinogradResults(module: ModuleBuilder, fused: boolean): void {
  addResults(module, 'tileResults', transposed(outputs), fused);
  addResults(module, 'filterResults', transposed(filters), fused);
}

/**
 * (source, target, temporary, lane table, lane count, outer count, bytes of an outer one in the source, and in the target,
 * bytes of a row of the target, bytes of a frequency): the way back, from vectors of lanes to a small image for each.
 */
function addResults(module: ModuleBuilder, name: string, matrix: Matrix, fused: boolean): void {
  const side = matrix.length;
  module.function(name, words(10), [], (builder) => {
    const [source, target, temporary, table, count, outer, sourceBytes, targetBytes, rowBytes, frequencyBytes] =
      builder.words(10);
    const lines = new Lines(builder, fused);
    const places = lanes.map(() => builder.local('i32'));
    const from = builder.local('i32');
    const frequency = builder.local('i32');
    const lane = builder.local('i32');
    const end = builder.local('i32');
    const body: Statement[] = [frequency.set(from)];
    lines.sandwich(
      body,
      matrix,
      temporary,
      () =>
        Array.from({ length: reach }, () => {
          const loaded = lines.keep(body, v128.load(frequency));
          body.push(advance(frequency, frequencyBytes));
          return loaded;
        }),
      places.map((place, index) => place.set(i32.add(target, i32.load(lane, 4 * index)))),
      (values) => {
        const row = values.map((value) => lines.keep(body, value));
        if (side === 4) {
          const images = transpose(builder, row, body);
          body.push(...places.map((place, index) => v128.store(place, images[index]!)));
        } else {
          const numbers = row.map((value, at) => lanes.map((lane) => [value, at, lane] as const));
          for (const [value, at, lane] of numbers.flat()) {
            body.push(v128.store32Lane(places[lane] as I32, value, lane, 4 * at));
          }
        }
        body.push(...places.map((place) => advance(place, rowBytes)));
      },
    );
    body.push(advance(from, i32.const(16)), advance(lane, i32.const(16)));
    builder.emit(
      end.set(i32.add(table, i32.shl(count, i32.const(2)))),
      whileLoop(outer, [
        from.set(source),
        lane.set(table),
        whileLoop(i32.ltU(lane, end), body),
        advance(source, sourceBytes),
        advance(target, targetBytes),
        outer.set(i32.sub(outer, i32.const(1))),
      ]),
    );
  });
}
