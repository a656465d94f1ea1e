/**
 * Dot products of bytes with sums of 32 bits: each of some vectors with each row of a matrix, both along the inner axis. Nothing is
 * packed: sixteen bytes of several rows are taken at a time, each row with sums of its own, which are added up in the end.
 *
 * Plain SIMD widens bytes to 16 bits and has an instruction for two products and their sum. Where one side has 7 bits and no sign,
 * relaxed SIMD has one on the bytes themselves; its sums of two fit into 16 bits: 2 * 127 * 128 < 2^15. V8 makes five instructions of
 * the one that adds four products to 32 bits, so two are used; native code has one for that.
 * Functions of a program's own module; the loops around them are in `product.ts`.
 */
import { type FunctionBuilder, type Local, type Statement, type V128, words } from '../../code/assembler.ts';
import { forLoop, i8x16, i16x8, i32, i32x4, select, v128, when, whileLoop } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';

/** What the bytes of a side are. */
export interface Side {
  readonly signed: boolean;
  /** Bits that count: 255 for all, or fewer, and then no sign. */
  readonly mask: number;
}

/** Bytes that are taken at a time. */
const step = 16;
/** One vector waits for memory, several for the sums. */
const tiles = { one: { rows: 8, vectors: 1 }, many: { rows: 4, vectors: 2 } } as const;

const range = (length: number): number[] => Array.from({ length }, (_, at) => at);
const advance = (local: Local<'i32'>, by: number): Statement => local.set(i32.add(local, i32.const(by)));
const isSmall = ({ mask }: Side): boolean => mask < 128;

/** Whether the bytes are multiplied as they are. */
export const isDirect = ({ target }: ModuleContext, matrix: Side, vectors: Side): boolean =>
  target.relaxedDots === true && ((isSmall(matrix) && vectors.signed) || (isSmall(vectors) && matrix.signed));

/**
 * (matrix, bytes of a row, rows, vectors, bytes of one, vectors, results, bytes from row to row, bytes from vector to vector,
 * inner). Up to 15 bytes behind the last row and the last vector are read and do not count.
 */
export function byteDots(
  context: ModuleContext,
  matrix: Side,
  vectors: Side,
  one: boolean,
): ReturnType<ModuleContext['helper']> {
  const name = [
    'bytes',
    one ? 'one' : 'many',
    ...[matrix, vectors].map((side) => `${side.signed ? 's' : 'u'}${side.mask}`),
  ];
  return context.helper(name.join('-'), words(10), [], (builder) => {
    new Dots(builder, context, matrix, vectors, tiles[one ? 'one' : 'many']).emit();
  });
}

interface Place {
  readonly index: Local<'i32'>;
  readonly at: Local<'i32'>;
}

class Dots {
  readonly #builder: FunctionBuilder;
  readonly #matrix: Side;
  readonly #vectors: Side;
  readonly #direct: boolean;
  readonly #native: boolean;
  readonly #rows: readonly Place[];
  readonly #columns: readonly Place[];
  /** By vector and row. */
  readonly #sums: readonly (readonly Local<'v128'>[])[];
  /** The bytes of each vector at hand: as they are, or their two halves in 16 bits. */
  readonly #kept: readonly (readonly Local<'v128'>[])[];
  readonly #loaded: Local<'v128'>;
  readonly #ones: Local<'v128'>;

  constructor(
    builder: FunctionBuilder,
    context: ModuleContext,
    matrix: Side,
    vectors: Side,
    tile: { readonly rows: number; readonly vectors: number },
  ) {
    const direct = isDirect(context, matrix, vectors);
    const places = (count: number): Place[] =>
      range(count).map(() => ({ index: builder.local('i32'), at: builder.local('i32') }));
    this.#builder = builder;
    this.#matrix = matrix;
    this.#vectors = vectors;
    this.#direct = direct;
    this.#native = context.target.lanes === 8;
    this.#rows = places(tile.rows);
    this.#columns = places(tile.vectors);
    this.#sums = this.#columns.map(() => this.#rows.map(() => builder.local('v128')));
    this.#kept = this.#columns.map(() => range(direct ? 1 : 2).map(() => builder.local('v128')));
    this.#loaded = builder.local('v128');
    this.#ones = builder.local('v128');
  }

  emit(): void {
    const [matrix, rowBytes, rowCount, vectors, vectorBytes, vectorCount, results, rowStep, vectorStep, inner] =
      this.#builder.words(10);
    const [row, column, left, result] = range(4).map(() => this.#builder.local('i32')) as [
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
    ];
    const behind = this.#builder.local('v128');
    const [rows, columns] = [this.#rows, this.#columns];
    // Beyond the last one: the last one again, with the same result in the same place.
    const choose = (sides: readonly Place[], first: Local<'i32'>, count: Local<'i32'>): Statement[] =>
      sides.map(({ index }, place) => {
        const wanted = i32.add(first, i32.const(place));
        return index.set(select(wanted, i32.sub(count, i32.const(1)), i32.ltU(wanted, count)));
      });
    const whole = i32.and(i32.eq(rowStep, i32.const(4)), i32.leU(i32.add(row, i32.const(rows.length)), rowCount));
    const body: Statement[] = [
      ...choose(columns, column, vectorCount),
      ...rows.map(({ index, at }) => at.set(i32.add(matrix, i32.mul(index, rowBytes)))),
      ...columns.map(({ index, at }) => at.set(i32.add(vectors, i32.mul(index, vectorBytes)))),
      ...this.#sums.flat().map((sum) => sum.set(v128.words([0, 0, 0, 0]))),
      left.set(inner),
      whileLoop(i32.geU(left, i32.const(step)), [
        ...this.#some(null),
        ...[...rows, ...columns].map(({ at }) => advance(at, step)),
        advance(left, -step),
      ]),
      // the bytes behind the end of the vectors do not count
      when(left, [behind.set(i8x16.ltU(lanes, i8x16.splat(left))), ...this.#some(behind)]),
      ...columns.flatMap((one, at) => {
        const fours = this.#addedUp(this.#sums[at]!);
        return [
          ...fours.statements,
          result.set(i32.add(results, i32.mul(one.index, vectorStep))),
          when(
            whole,
            [
              result.set(i32.add(result, i32.mul(row, rowStep))),
              ...fours.totals.map((total, four) => v128.store(result, total, 16 * four)),
            ],
            rows.map(({ index }, lane) =>
              i32.store(i32.add(result, i32.mul(index, rowStep)), i32x4.extract(fours.totals[lane >> 2]!, lane & 3)),
            ),
          ),
        ];
      }),
    ];
    this.#builder.emit(
      this.#ones.set(v128.words([0x00010001, 0x00010001, 0x00010001, 0x00010001])),
      forLoop(row, i32.const(0), rowCount, rows.length, [
        ...choose(rows, row, rowCount),
        forLoop(column, i32.const(0), vectorCount, columns.length, body),
      ]),
    );
  }

  /** Sixteen bytes of each side; `valid`: those of the vectors that count. */
  #some(valid: V128 | null): Statement[] {
    const statements: Statement[] = [];
    this.#columns.forEach(({ at }, column) => {
      const kept = this.#kept[column]!;
      const bytes = this.#bytes(at, this.#vectors);
      const counted = valid ? v128.and(bytes, valid) : bytes;
      if (this.#direct) statements.push(kept[0]!.set(counted));
      else if (valid || isMasked(this.#vectors)) {
        statements.push(this.#loaded.set(counted));
        kept.forEach((half, which) => {
          statements.push(half.set(widened(this.#loaded, which, this.#vectors.signed)));
        });
      } else {
        kept.forEach((half, which) => {
          statements.push(half.set(halfAt(at, which, this.#vectors.signed)));
        });
      }
    });
    this.#rows.forEach(({ at }, row) => {
      if (this.#direct) {
        statements.push(this.#loaded.set(this.#bytes(at, this.#matrix)));
        this.#sums.forEach((sums, column) => {
          const vector = this.#kept[column]![0]!;
          const [bytes, small] = isSmall(this.#vectors) ? [this.#loaded, vector] : [vector, this.#loaded];
          const added = this.#native
            ? i32x4.relaxedDotAddI8x16(bytes, small, sums[row]!)
            : i32x4.add(i32x4.dotI16x8S(i16x8.relaxedDotI8x16(bytes, small), this.#ones), sums[row]!);
          statements.push(sums[row]!.set(added));
        });
        return;
      }
      for (const which of [0, 1]) {
        const half = halfAt(at, which, this.#matrix.signed);
        const masked = isMasked(this.#matrix) ? v128.and(half, halves(this.#matrix.mask)) : half;
        statements.push(this.#loaded.set(masked));
        this.#sums.forEach((sums, column) => {
          const products = i32x4.dotI16x8S(this.#loaded, this.#kept[column]![which]!);
          statements.push(sums[row]!.set(i32x4.add(products, sums[row]!)));
        });
      }
    });
    return statements;
  }

  #bytes(at: Local<'i32'>, side: Side): V128 {
    const bytes = v128.load(at);
    return isMasked(side) ? v128.and(bytes, halves(side.mask * 257)) : bytes;
  }

  /** Four partial sums of each of four rows: one sum of each, in one vector. */
  #addedUp(sums: readonly Local<'v128'>[]): { readonly statements: Statement[]; readonly totals: Local<'v128'>[] } {
    const statements: Statement[] = [];
    const keep = (value: V128): Local<'v128'> => {
      const local = this.#builder.local('v128');
      statements.push(local.set(value));
      return local;
    };
    const folded = (a: V128, b: V128, low: readonly number[], high: readonly number[]): V128 =>
      i32x4.add(v128.shuffleWords(a, b, low), v128.shuffleWords(a, b, high));
    const totals: Local<'v128'>[] = [];
    for (let from = 0; from < sums.length; from += 4) {
      const sum = (at: number): V128 => sums[from + at]!;
      const ab = keep(folded(sum(0), sum(1), [0, 1, 4, 5], [2, 3, 6, 7]));
      const cd = keep(folded(sum(2), sum(3), [0, 1, 4, 5], [2, 3, 6, 7]));
      totals.push(keep(folded(ab, cd, [0, 2, 4, 6], [1, 3, 5, 7])));
    }
    return { statements, totals };
  }
}

const isMasked = ({ mask }: Side): boolean => mask < 255;
const lanes = v128.words([0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c]);
const halves = (value: number): V128 => {
  const word = value | (value << 16) | 0;
  return v128.words([word, word, word, word]);
};
/** Eight bytes in 16 bits: of a vector, or from memory. */
const widened = (bytes: V128, which: number, signed: boolean): V128 => {
  if (which === 0) return signed ? i16x8.extendLowI8x16S(bytes) : i16x8.extendLowI8x16U(bytes);
  return signed ? i16x8.extendHighI8x16S(bytes) : i16x8.extendHighI8x16U(bytes);
};
const halfAt = (at: Local<'i32'>, which: number, signed: boolean): V128 =>
  (signed ? v128.load8x8S : v128.load8x8U)(at, 8 * which);
