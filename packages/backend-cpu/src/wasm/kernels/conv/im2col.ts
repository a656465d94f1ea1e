/**
 * Panels of a convolution's patches, taken from an image by two tables of byte offsets: one for the taps (channel and
 * place in the kernel), one for the pixels (place of the output). The number at (tap, pixel) lies at the sum of both, so
 * one function covers every rank, stride and dilation. Tables are padded to a multiple of 8 with their last entry.
 * Functions of the library module; `forward.ts` and the gradients beside it make the tables and multiply the panels.
 */
import { type I32, type Local, type ModuleBuilder, type Statement, type V128, words } from '../../code/assembler.ts';
import { f32, f32x4, i32, v128, when, whileLoop } from '../../code/instructions.ts';
import { transpose } from '../gemm.ts';

const advance = (local: Local<'i32'>, by: number): Statement => local.set(i32.add(local, i32.const(by)));

/**
 * `packPixels`: (image, target, taps, number of taps, pixels, number of pixels). Panels of 8 pixels, taps outermost:
 * the right operand of the forward product.
 */
export function addPackPixels(module: ModuleBuilder): void {
  module.function('packPixels', words(6), [], (builder) => {
    const [image, target, taps, tapCount, pixels, count] = builder.words(6);
    const places = Array.from({ length: 8 }, () => builder.local('i32'));
    const tap = builder.local('i32');
    const end = builder.local('i32');
    const offset = builder.local('i32');
    const lowRun = builder.local('i32');
    const highRun = builder.local('i32');
    const at = (pixel: number): Local<'i32'> => places[pixel]!;
    // Whether four pixels lie `bytes` apart, each from the one before: at the end of a row, and where the table repeats its
    // last entry, the way from the first to the last alone tells nothing.
    const apart = (from: number, bytes: number): I32 =>
      [1, 2, 3]
        .map((pixel) => i32.eq(i32.sub(at(from + pixel), at(from + pixel - 1)), i32.const(bytes)))
        .reduce((all, step) => i32.and(all, step));
    const half = (from: number): V128 => {
      let vector = v128.load32Zero(i32.add(at(from), offset));
      for (const lane of [1, 2, 3]) vector = v128.load32Lane(i32.add(at(from + lane), offset), vector, lane);
      return vector;
    };
    const quick = (from: number): V128 => v128.load(i32.add(at(from), offset));
    const walk = (low: V128, high: V128): Statement =>
      whileLoop(i32.ltU(tap, end), [
        offset.set(i32.load(tap)),
        v128.store(target, low),
        v128.store(target, high, 16),
        advance(target, 32),
        advance(tap, 4),
      ]);
    const everyOther = (from: number): V128 =>
      v128.shuffleWords(v128.load(i32.add(at(from), offset)), v128.load(i32.add(at(from), offset), 16), [0, 2, 4, 6]);
    builder.emit(
      end.set(i32.add(taps, i32.shl(tapCount, i32.const(2)))),
      whileLoop(i32.gtS(count, i32.const(0)), [
        ...places.map((place, pixel) => place.set(i32.add(image, i32.load(pixels, 4 * pixel)))),
        tap.set(taps),
        lowRun.set(apart(0, 4)),
        highRun.set(apart(4, 4)),
        when(
          i32.and(lowRun, highRun),
          [walk(quick(0), quick(4))],
          [
            when(
              i32.and(apart(0, 8), apart(4, 8)),
              [walk(everyOther(0), everyOther(4))],
              [
                when(
                  lowRun,
                  [walk(quick(0), half(4))],
                  [when(highRun, [walk(half(0), quick(4))], [walk(half(0), half(4))])],
                ),
              ],
            ),
          ],
        ),
        advance(pixels, 32),
        count.set(i32.sub(count, i32.const(8))),
      ]),
    );
  });
}

/**
 * `packTaps`: (image, target, taps, number of taps, pixels, number of pixels). Panels of 8 taps, pixels outermost: the
 * right operand of the product that gives the weights' gradient.
 */
export function addPackTaps(module: ModuleBuilder): void {
  module.function('packTaps', words(6), [], (builder) => {
    const [image, target, taps, count, pixels, pixelCount] = builder.words(6);
    const bases = Array.from({ length: 8 }, () => builder.local('i32'));
    const pixel = builder.local('i32');
    const end = builder.local('i32');
    const offset = builder.local('i32');
    const rows = Array.from({ length: 4 }, () => builder.local('v128'));
    const base = (tap: number): Local<'i32'> => bases[tap]!;
    const four: Statement[] = [];
    for (const from of [0, 4]) {
      rows.forEach((row, tap) => {
        four.push(row.set(v128.load(i32.add(base(from + tap), offset))));
      });
      const columns = transpose(builder, rows, four);
      columns.forEach((column, at) => {
        four.push(v128.store(target, column, at * 32 + from * 4));
      });
    }
    four.push(advance(target, 128), advance(pixel, 16));
    const one: Statement[] = [];
    for (let tap = 0; tap < 8; tap++) one.push(f32.store(target, f32.load(i32.add(base(tap), offset)), 4 * tap));
    one.push(advance(target, 32), advance(pixel, 4));
    const quad = i32.and(
      i32.leU(i32.add(pixel, i32.const(16)), end),
      i32.eq(i32.sub(i32.load(pixel, 12), offset), i32.const(12)),
    );
    builder.emit(
      end.set(i32.add(pixels, i32.shl(pixelCount, i32.const(2)))),
      whileLoop(i32.gtS(count, i32.const(0)), [
        ...bases.map((local, tap) => local.set(i32.add(image, i32.load(taps, 4 * tap)))),
        pixel.set(pixels),
        whileLoop(i32.ltU(pixel, end), [offset.set(i32.load(pixel)), when(quad, four, one)]),
        advance(taps, 32),
        count.set(i32.sub(count, i32.const(8))),
      ]),
    );
  });
}

/**
 * `addPatches`: (patches, image, taps, number of taps, pixels, number of pixels). Adds the number at (tap, pixel) of a
 * dense array to the image, where several patches overlap: the opposite of taking patches.
 */
export function addAddPatches(module: ModuleBuilder): void {
  module.function('addPatches', words(6), [], (builder) => {
    const [source, image, taps, count, pixels, pixelCount] = builder.words(6);
    const base = builder.local('i32');
    const pixel = builder.local('i32');
    const end = builder.local('i32');
    const place = builder.local('i32');
    const quad = i32.and(
      i32.leU(i32.add(pixel, i32.const(16)), end),
      i32.eq(i32.sub(i32.load(pixel, 12), i32.load(pixel)), i32.const(12)),
    );
    builder.emit(
      end.set(i32.add(pixels, i32.shl(pixelCount, i32.const(2)))),
      whileLoop(count, [
        base.set(i32.add(image, i32.load(taps))),
        pixel.set(pixels),
        whileLoop(i32.ltU(pixel, end), [
          place.set(i32.add(base, i32.load(pixel))),
          when(
            quad,
            [
              v128.store(place, f32x4.add(v128.load(place), v128.load(source))),
              advance(source, 16),
              advance(pixel, 16),
            ],
            [f32.store(place, f32.add(f32.load(place), f32.load(source))), advance(source, 4), advance(pixel, 4)],
          ),
        ]),
        advance(taps, 4),
        count.set(i32.sub(count, i32.const(1))),
      ]),
    );
  });
}
