/**
 * Dot products of a vector of float32 with rows of bytes as numbers: runs of bytes that share a scale are summed first, and their sum is
 * scaled once. Functions of a program's own module; `decoded.ts` knows when.
 *
 * Halves of bytes are not moved into place: of a word of four bytes, `and` leaves the low half of byte b, which is 256^b times its
 * number, and the vector has been multiplied by 256^-b before, which loses nothing. The high halves are those of the words shifted by 4.
 */
import { type Local, type Statement, type V128, words } from '../../code/assembler.ts';
import { f32, f32x4, forLoop, i32, i32x4, select, v128, whileLoop } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';

/** Rows whose bytes are at hand together: what registers hold beside sums, totals and masks. */
export const rowsAtOnce = 3;

/** Floats of a group of `length` bytes in a prepared vector: two for each byte, and four for the offset. */
export const groupFloats = (length: number): number => 2 * length + 4;

const advance = (local: Local<'i32'>, by: number): Statement => local.set(i32.add(local, i32.const(by)));

/**
 * (rows of bytes, bytes of one, scales, bytes from row to row, rows, vector, results, bytes from row to row, groups); `length`: bytes
 * of a group, which share a scale.
 */
export function decodedDots(
  context: ModuleContext,
  { length, signed, halves }: { readonly length: number; readonly signed: boolean; readonly halves: boolean },
): ReturnType<ModuleContext['helper']> {
  const { fused } = context.target;
  const multiplyAdd = (a: V128, b: V128, c: V128): V128 =>
    fused ? f32x4.relaxedMadd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
  const name = `decoded-${length}-${signed ? 's' : 'u'}${halves ? '-halves' : ''}`;
  return context.helper(name, words(9), [], (builder) => {
    const [matrix, rowBytes, scales, scaleBytes, rowCount, vector, results, rowStep, groups] = builder.words(9);
    const rows = Array.from({ length: rowsAtOnce }, () => ({
      index: builder.local('i32'),
      at: builder.local('i32'),
      scale: builder.local('i32'),
      bytes: builder.local('v128'),
      sum: builder.local('v128'),
      total: builder.local('v128'),
    }));
    const [row, group, x, end] = [0, 1, 2, 3].map(() => builder.local('i32')) as [
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
    ];
    const numbers = builder.local('v128');
    const zero = v128.words([0, 0, 0, 0]);
    const masks = [0, 1, 2, 3].map((byte) => ({ byte, mask: builder.local('v128') }));
    const masked = masks.map(({ byte, mask }) => {
      const word = 15 << (8 * byte);
      return mask.set(v128.words([word, word, word, word]));
    });

    /** Sixteen bytes of each row. */
    const chunk: Statement[] = [];
    if (halves) {
      for (const { at, bytes } of rows) chunk.push(bytes.set(v128.load(at)));
      for (const half of [0, 1]) {
        for (const { byte, mask } of masks) {
          chunk.push(numbers.set(v128.load(x, 64 * half + 16 * byte)));
          for (const { bytes, sum } of rows) {
            chunk.push(sum.set(multiplyAdd(f32x4.convert(v128.and(bytes, mask)), numbers, sum)));
          }
        }
        if (half === 0) for (const { bytes } of rows) chunk.push(bytes.set(i32x4.shrU(bytes, i32.const(4))));
      }
    } else {
      for (const quarter of [0, 1, 2, 3]) {
        chunk.push(numbers.set(v128.load(x, 16 * quarter)));
        for (const { at, bytes, sum } of rows) {
          if (quarter % 2 === 0) chunk.push(bytes.set((signed ? v128.load8x8S : v128.load8x8U)(at, 4 * quarter)));
          // 16 bits hold either kind, with its sign
          const wide = quarter % 2 === 0 ? i32x4.extendLowI16x8S(bytes) : i32x4.extendHighI16x8S(bytes);
          chunk.push(sum.set(multiplyAdd(f32x4.convert(wide), numbers, sum)));
        }
      }
    }
    for (const { at } of rows) chunk.push(advance(at, 16));
    chunk.push(advance(x, halves ? 128 : 64));
    const bytesOfX = halves ? 8 * length : 4 * length;

    builder.emit(
      ...(halves ? masked : []),
      forLoop(row, i32.const(0), rowCount, rowsAtOnce, [
        // beyond the last row: the last one again, with the same result in the same place
        ...rows.flatMap(({ index, at, scale, total }, place) => {
          const wanted = i32.add(row, i32.const(place));
          return [
            index.set(select(wanted, i32.sub(rowCount, i32.const(1)), i32.ltU(wanted, rowCount))),
            at.set(i32.add(matrix, i32.mul(index, rowBytes))),
            scale.set(i32.add(scales, i32.mul(index, scaleBytes))),
            total.set(zero),
          ];
        }),
        x.set(vector),
        forLoop(group, i32.const(0), groups, 1, [
          end.set(i32.add(x, i32.const(bytesOfX))),
          ...rows.map(({ sum }) => sum.set(halves ? v128.load(x, bytesOfX) : zero)),
          ...(length === 16 ? chunk : [whileLoop(i32.ltU(x, end), chunk)]),
          ...rows.flatMap(({ sum, total, scale }) => [
            total.set(multiplyAdd(sum, v128.load32Splat(scale), total)),
            advance(scale, 4),
          ]),
          ...(halves ? [advance(x, 16)] : []),
        ]),
        ...rows.map(({ index, total }) => {
          const pairs = numbers.set(f32x4.add(total, v128.shuffleWords(total, total, [2, 3, 0, 1])));
          const both = f32.add(f32x4.extract(numbers, 0), f32x4.extract(numbers, 1));
          return [pairs, f32.store(i32.add(results, i32.mul(index, rowStep)), both)];
        }),
      ]),
    );
  });
}
