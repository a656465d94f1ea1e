/**
 * Products of many rows of bytes of 7 bits or fewer with packed panels of int8: the bytes of eight outputs lie four by four, in the order
 * in which they are multiplied. A lane is an output, so that nothing is added up across lanes, however short the rows are.
 *
 * Of two neighbouring products sums of 16 bits are made, of these sums of 32. Where bytes have 6 bits, two sums of 16 bits are added
 * first (4 * 63 * 128 < 2^15), which saves a fourth of the multiplications. Native code has one instruction for four products.
 * Functions of a program's own module; the loops around them are in `product.ts`.
 */
import { type FunctionBuilder, type Local, type Statement, type V128, words } from '../../code/assembler.ts';
import { doWhile, forLoop, i8x16, i16x8, i32, i32x4, select, v128, when, whileLoop } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import type { Side } from './dots.ts';

type Helper = ReturnType<ModuleContext['helper']>;

/** Outputs of a panel, and rows that are multiplied with it at a time. */
export const panelOutputs = 8;
const tileRows = 4;

/** Bytes of a panel: rows are filled up with zeros to whole steps of sixteen. */
export const panelBytes = (inner: number): number => panelOutputs * Math.ceil(inner / 16) * 16;

/** Whether rows of `vectors` may be multiplied with panels of `matrix`. */
export const fitPanels = ({ target }: ModuleContext, matrix: Side, vectors: Side): boolean =>
  target.relaxedDots === true && matrix.signed && matrix.mask === 255 && vectors.mask < 128;

const range = (length: number): number[] => Array.from({ length }, (_, at) => at);
const advance = (local: Local<'i32'>, by: number): Statement => local.set(i32.add(local, i32.const(by)));
/** `first + at`, or the last one where that is beyond. */
const within = (first: Local<'i32'>, at: number, count: Local<'i32'>): ReturnType<typeof i32.add> => {
  const wanted = i32.add(first, i32.const(at));
  return select(wanted, i32.sub(count, i32.const(1)), i32.ltU(wanted, count));
};

/**
 * (matrix, bytes of a row, rows, first, panel, inner): one panel, of the eight rows from `first` on. Up to 15 bytes behind a row are read
 * and do not count.
 */
export function packPanel(context: ModuleContext): Helper {
  return context.helper('bytes-pack-panel', words(6), [], (builder) => {
    const [matrix, rowBytes, rows, first, panel, inner] = builder.words(6);
    const [to, left, valid] = [builder.local('i32'), builder.local('i32'), builder.local('v128')];
    const from = range(4).map(() => builder.local('i32'));
    const [a, b, c, d] = range(4).map(() => builder.local('v128')) as [V, V, V, V];
    const [low, high] = [builder.local('v128'), builder.local('v128')];
    /** Four words of four rows, turned: a vector for each word. */
    const turned: Statement[] = [
      [0, 4, 1, 5],
      [2, 6, 3, 7],
    ].flatMap((order, half) => [
      low.set(v128.shuffleWords(a, b, order)),
      high.set(v128.shuffleWords(c, d, order)),
      v128.store(to, v128.shuffleWords(low, high, [0, 1, 4, 5]), 64 * half),
      v128.store(to, v128.shuffleWords(low, high, [2, 3, 6, 7]), 64 * half + 32),
    ]);
    for (const half of [0, 1]) {
      builder.emit(
        ...from.map((at, row) => at.set(i32.add(matrix, i32.mul(within(first, 4 * half + row, rows), rowBytes)))),
        to.set(i32.add(panel, i32.const(16 * half))),
        left.set(inner),
        whileLoop(i32.geS(left, i32.const(1)), [
          ...[a, b, c, d].map((vector, row) => vector.set(v128.load(from[row]!))),
          when(i32.ltU(left, i32.const(16)), [
            valid.set(i8x16.ltU(lanes, i8x16.splat(left))),
            ...[a, b, c, d].map((vector) => vector.set(v128.and(vector, valid))),
          ]),
          ...turned,
          ...from.map((at) => advance(at, 16)),
          advance(to, 128),
          advance(left, -16),
        ]),
      );
    }
  });
}

type V = Local<'v128'>;
const lanes = v128.words([0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c]);

/**
 * (panels, bytes of one, outputs, rows, bytes of one, rows, results, bytes from row to row, steps of eight bytes). Results of a row lie side
 * by side. Up to 7 bytes behind a row are read; panels have zeros there.
 */
export function panelDots(context: ModuleContext, vectors: Side): Helper {
  const small = vectors.mask < 64;
  return context.helper(`bytes-panel-dots${small ? '-small' : ''}`, words(9), [], (builder) => {
    new PanelDots(builder, small, context.target.lanes === 8).emit();
  });
}

class PanelDots {
  readonly #builder: FunctionBuilder;
  readonly #small: boolean;
  readonly #native: boolean;
  /** By row and half of the panel. */
  readonly #sums: readonly (readonly V[])[];
  readonly #at: readonly Local<'i32'>[];
  readonly #weight: Local<'i32'>;
  readonly #halves: readonly V[];
  readonly #next: readonly V[];
  readonly #bytes: readonly V[];
  readonly #ones: V;

  constructor(builder: FunctionBuilder, small: boolean, native: boolean) {
    const vector = (): V => builder.local('v128');
    this.#builder = builder;
    this.#small = small;
    this.#native = native;
    this.#sums = range(tileRows).map(() => [vector(), vector()]);
    this.#at = range(tileRows).map(() => builder.local('i32'));
    this.#weight = builder.local('i32');
    this.#halves = [vector(), vector()];
    this.#next = [vector(), vector()];
    this.#bytes = [vector(), vector()];
    this.#ones = vector();
  }

  emit(): void {
    const builder = this.#builder;
    const [panels, bytes, outputs, rows, rowBytes, count, results, step, steps] = builder.words(9);
    const [panel, column, row, left] = range(4).map(() => builder.local('i32')) as [
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
    ];
    const result = builder.local('i32');
    const tile: Statement[] = [
      ...this.#at.map((at, place) => at.set(i32.add(rows, i32.mul(within(row, place, count), rowBytes)))),
      ...this.#sums.flat().map((sum) => sum.set(v128.words([0, 0, 0, 0]))),
      this.#weight.set(panel),
      left.set(steps),
      doWhile(
        [...this.#step(), ...this.#at.map((at) => advance(at, 8)), advance(this.#weight, 64), advance(left, -1)],
        left,
      ),
      ...this.#sums.flatMap((sums, place) => [
        result.set(i32.add(i32.add(results, i32.shl(column, i32.const(2))), i32.mul(within(row, place, count), step))),
        when(
          i32.leU(i32.add(column, i32.const(panelOutputs)), outputs),
          sums.map((sum, half) => v128.store(result, sum, 16 * half)),
          range(panelOutputs - 1).map((lane) =>
            when(i32.ltU(i32.add(column, i32.const(lane)), outputs), [
              i32.store(result, i32x4.extract(sums[lane >> 2]!, lane & 3), 4 * lane),
            ]),
          ),
        ),
      ]),
    ];
    builder.emit(
      this.#ones.set(v128.words([0x00010001, 0x00010001, 0x00010001, 0x00010001])),
      panel.set(panels),
      forLoop(column, i32.const(0), outputs, panelOutputs, [
        forLoop(row, i32.const(0), count, tileRows, tile),
        panel.set(i32.add(panel, bytes)),
      ]),
    );
  }

  /** Eight bytes of each row with those of each output. */
  #step(): Statement[] {
    const load = (into: readonly V[], four: number): Statement[] =>
      into.map((half, at) => half.set(v128.load(this.#weight, 32 * four + 16 * at)));
    const splat = (place: number, four: number): V128 => v128.load32Splat(this.#at[place]!, 4 * four);
    if (this.#small && !this.#native) {
      return [
        ...load(this.#halves, 0),
        ...load(this.#next, 1),
        ...this.#sums.flatMap((sums, place) => [
          ...this.#bytes.map((bytes, four) => bytes.set(splat(place, four))),
          ...sums.map((sum, half) => {
            const products = [this.#halves, this.#next].map((weights, four) =>
              i16x8.relaxedDotI8x16(weights[half]!, this.#bytes[four]!),
            ) as [V128, V128];
            return sum.set(i32x4.add(i32x4.dotI16x8S(i16x8.add(...products), this.#ones), sum));
          }),
        ]),
      ];
    }
    return [0, 1].flatMap((four) => [
      ...load(this.#halves, four),
      ...this.#sums.flatMap((sums, place) => {
        const [bytes] = this.#bytes as [V];
        return [
          bytes.set(splat(place, four)),
          ...sums.map((sum, half) => {
            const weight = this.#halves[half]!;
            return sum.set(
              this.#native
                ? i32x4.relaxedDotAddI8x16(weight, bytes, sum)
                : i32x4.add(i32x4.dotI16x8S(i16x8.relaxedDotI8x16(weight, bytes), this.#ones), sum),
            );
          }),
        ];
      }),
    ]);
  }
}
