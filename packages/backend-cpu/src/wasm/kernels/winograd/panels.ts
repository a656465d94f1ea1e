/**
 * The transforms of patches, filters and cotangents into panels of a matrix product, as functions of the library module: with
 * M a matrix of `filtering.ts`, M X M^T of each small image X, four tiles or four channels as the lanes of a vector. The
 * products around them are in `forward.ts` and `weight-gradient.ts`.
 */
import {
  type FunctionBuilder,
  type I32,
  type Local,
  type ModuleBuilder,
  type Statement,
  type V128,
  words,
} from '../../code/assembler.ts';
import { i32, select, v128, whileLoop } from '../../code/instructions.ts';
import { transpose } from '../gemm.ts';
import { filters, type Matrix, outputs, patches, taps } from './filtering.ts';
import { Lines } from './lines.ts';

export const lanes = [0, 1, 2, 3] as const;
export const advance = (local: Local<'i32'>, by: I32): Statement => local.set(i32.add(local, by));

export function addWinogradPanels(module: ModuleBuilder, fused: boolean): void {
  addPanels(module, 'patchPanels', patches, { width: 8, fused });
  addPanels(module, 'filterPanels', filters, { width: 4, fused });
  addPanels(module, 'turnedPanels', filters, { width: 4, fused, turned: true });
  addPanels(module, 'cotangentPanels', outputs, { width: 4, fused });
}

/**
 * (source, target, temporary, inner table, inner count, lane table, lane count, bytes of a row, bytes of a frequency):
 * for each frequency, panels of `width` lanes with the inner index outermost. The numbers of a lane and an inner index are
 * a small image at the sum of both offsets; `turned`: a filter, back to front. Tables are as in `im2col.ts`.
 */
function addPanels(
  module: ModuleBuilder,
  name: string,
  matrix: Matrix,
  { width, fused, turned = false }: { readonly width: 4 | 8; readonly fused: boolean; readonly turned?: boolean },
): void {
  const side = matrix[0]!.length;
  module.function(name, words(9), [], (builder) => {
    const [source, target, temporary, inner, innerCount, lane, laneCount, rowBytes, frequencyBytes] = builder.words(9);
    const lines = new Lines(builder, fused);
    const bases = lanes.map(() => builder.local('i32'));
    const places = lanes.map(() => builder.local('i32'));
    const at = builder.local('i32');
    const end = builder.local('i32');
    const to = builder.local('i32');
    const frequency = builder.local('i32');
    const half = builder.local('i32');
    const body = places.map((place, index) => place.set(i32.add(bases[index] as I32, i32.load(at))));
    lines.sandwich(
      body,
      matrix,
      temporary,
      (row) =>
        side === taps
          ? filterRow(lines, body, places, turned ? side - 1 - row : row, turned)
          : imageRow(builder, lines, body, places, side, rowBytes),
      [frequency.set(to)],
      (values) => {
        for (const value of values) body.push(v128.store(frequency, value), advance(frequency, frequencyBytes));
      },
    );
    body.push(advance(to, i32.const(4 * width)), advance(at, i32.const(4)));
    const panelBytes = i32.mul(innerCount, i32.const(4 * width));
    // A panel of 8 is written in two passes.
    const next =
      width === 4
        ? [advance(target, panelBytes)]
        : [
            advance(target, select(i32.sub(panelBytes, i32.const(16)), i32.const(16), half)),
            half.set(i32.xor(half, i32.const(1))),
          ];
    builder.emit(
      end.set(i32.add(inner, i32.shl(innerCount, i32.const(2)))),
      half.set(i32.const(0)),
      whileLoop(i32.gtS(laneCount, i32.const(0)), [
        ...bases.map((base, index) => base.set(i32.add(source, i32.load(lane, 4 * index)))),
        at.set(inner),
        to.set(target),
        whileLoop(i32.ltU(at, end), body),
        ...next,
        advance(lane, i32.const(16)),
        laneCount.set(i32.sub(laneCount, i32.const(4))),
      ]),
    );
  });
}

/** A row of four filters, number by number: they do not lie side by side. `turned`: from its end. */
function filterRow(
  lines: Lines,
  body: Statement[],
  places: readonly Local<'i32'>[],
  row: number,
  turned: boolean,
): V128[] {
  const [first, ...others] = places as [Local<'i32'>, ...Local<'i32'>[]];
  return Array.from({ length: taps }, (_, at) => {
    const offset = 4 * (row * taps + (turned ? taps - 1 - at : at));
    const gathered = others.reduce<V128>(
      (vector, place, index) => v128.load32Lane(place, vector, index + 1, offset),
      v128.load32Zero(first, offset),
    );
    return lines.keep(body, gathered);
  });
}

/** A row of four small images, `side` numbers each: loaded as vectors, and transposed so that images are lanes. */
function imageRow(
  builder: FunctionBuilder,
  lines: Lines,
  body: Statement[],
  places: readonly Local<'i32'>[],
  side: number,
  rowBytes: I32,
): V128[] {
  const four = places.map((place) => lines.keep(body, v128.load(place)));
  const loaded: V128[] = transpose(builder, four, body).map((column) => lines.keep(body, column));
  if (side > 4) {
    const pairs = places.map((place) => v128.load64Zero(place, 16)) as [V128, V128, V128, V128];
    const low = lines.keep(body, v128.shuffleWords(pairs[0], pairs[1], [0, 4, 1, 5]));
    const high = lines.keep(body, v128.shuffleWords(pairs[2], pairs[3], [0, 4, 1, 5]));
    loaded.push(
      lines.keep(body, v128.shuffleWords(low, high, [0, 1, 4, 5])),
      lines.keep(body, v128.shuffleWords(low, high, [2, 3, 6, 7])),
    );
  }
  body.push(...places.map((place) => advance(place, rowBytes)));
  return loaded;
}
