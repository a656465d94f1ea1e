/**
 * The packed matrix product: the functions that copy blocks of the operands into panels, and the one that multiplies
 * panels (K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; F. Van Zee, BLIS).
 * A panel of A holds 6 or 4 rows, one of B 8 columns, both with k outermost and zeros where the matrix ends.
 * They are functions of the library module, compiled once for all programs; loops over blocks are in `contraction.ts`.
 */
import {
  type F32,
  type FunctionBuilder,
  type I32,
  type Local,
  type ModuleBuilder,
  type Statement,
  type V128,
  words,
} from '../code/assembler.ts';
import { doWhile, f32, f32x4, forLoop, i32, select, v128, when, whileLoop } from '../code/instructions.ts';
import type { Target, TileRows } from '../code/module-context.ts';

export const panelColumns = 8;
/** Blocks: 384 x 8 of B stays in the first-level cache, 144 x 384 of A in the second; whole panels of 4 and of 6 rows. */
export const blockRows = 144;
export const blockColumns = 512;
export const blockInner = 384;
/** Scratch for tiles that do not exist whole: the largest are 6 rows of two panels. */
export const edgeBytes: number = 4 * 6 * 2 * panelColumns;

type Width = 4 | 6 | 8;
const advance = (local: Local<'i32'>, by: I32): Statement => local.set(i32.add(local, by));
const countDown = (local: Local<'i32'>, by: number): Statement => local.set(i32.sub(local, i32.const(by)));

/**
 * The rows that go into panels of 6; the others go into panels of 4. Where the rest would fill neither, 6 are taken back
 * (6 + 1 = 4 + 3, 6 + 2 = 4 + 4), so the panels never have more rows than panels of 4 alone would.
 */
function rowsInSixes(rows: Local<'i32'>, rest: Local<'i32'>, sixes: Local<'i32'>): Statement[] {
  const taken = i32.add(rest, select(i32.const(6), i32.const(0), i32.ltU(rest, i32.const(3))));
  const full = i32.or(i32.eqz(rest), i32.eq(rest, i32.const(5)));
  return [
    rest.set(i32.remU(rows, i32.const(6))),
    sixes.set(i32.sub(rows, select(i32.const(0), taken, full))),
    sixes.set(select(sixes, i32.const(0), i32.gtS(sixes, i32.const(0)))),
  ];
}

/**
 * `packRows` and `packColumns`: (source, target, bytes between neighbours across the panel, bytes between neighbours
 * along k, rows or columns, k). Contiguous vectors are copied, or transposed; any other strides go one by one.
 */
export function addPack(module: ModuleBuilder, tileRows: TileRows): void {
  module.function('packColumns', words(6), [], (builder) => packColumns(builder, floats));
  module.function('packRows', words(6), [], (builder) => packRows(builder, tileRows, floats));
}

/** The elements of an operand: how many bytes one has, and how they become float32 numbers; `body`: what must come before. */
export interface Elements {
  readonly bytes: number;
  readonly one: (address: I32) => F32;
  readonly four: (body: Statement[], address: I32, offset?: number) => V128;
}
export const floats: Elements = {
  bytes: 4,
  one: (address) => f32.load(address),
  four: (_, address, offset) => v128.load(address, offset),
};

export function packColumns(builder: FunctionBuilder, elements: Elements): void {
  const walk = walkOf(builder, elements);
  builder.emit(packPanels(builder, 8, walk, walk.count));
}

export function packRows(builder: FunctionBuilder, tileRows: TileRows, elements: Elements): void {
  const walk = walkOf(builder, elements);
  const { count } = walk;
  if (tileRows === 6) {
    const sixes = builder.local('i32');
    const rest = builder.local('i32');
    builder.emit(
      ...rowsInSixes(count, rest, sixes),
      rest.set(i32.sub(count, sixes)),
      packPanels(builder, 6, walk, sixes),
      count.set(rest),
    );
  }
  builder.emit(packPanels(builder, 4, walk, count));
}

/** The parameters of a packing function, and where it is. */
interface Walk {
  readonly source: Local<'i32'>;
  readonly target: Local<'i32'>;
  readonly across: Local<'i32'>;
  readonly along: Local<'i32'>;
  readonly count: Local<'i32'>;
  readonly inner: Local<'i32'>;
  readonly from: Local<'i32'>;
  readonly left: Local<'i32'>;
  readonly elements: Elements;
}
function walkOf(builder: FunctionBuilder, elements: Elements): Walk {
  const [source, target, across, along, count, inner] = builder.words(6);
  const [from, left] = [builder.local('i32'), builder.local('i32')];
  return { source, target, across, along, count, inner, from, left, elements };
}

/** `count` rows in panels of `width`. */
function packPanels(builder: FunctionBuilder, width: Width, walk: Walk, count: Local<'i32'>): Statement {
  const { source, across, along, inner, from, left, elements } = walk;
  const neighbours = i32.const(elements.bytes);
  const panel = [
    from.set(source),
    left.set(inner),
    when(
      i32.geS(count, i32.const(width)),
      [when(i32.eq(along, neighbours), [packTransposed(builder, width, walk)]), packSingly(builder, width, null, walk)],
      [packSingly(builder, width, count, walk)],
    ),
    advance(source, i32.mul(across, i32.const(width))),
    countDown(count, width),
  ];
  return [
    when(i32.eq(across, neighbours), [packStrips(builder, width, walk, count)]),
    whileLoop(i32.gtS(count, i32.const(0)), panel),
  ];
}

/**
 * The numbers of one k are neighbours: copies of vectors, for up to four panels at a time. So each k reads some cache
 * lines in a row, which the processor fetches ahead; one panel alone would read a part of a line of every row.
 */
function packStrips(builder: FunctionBuilder, width: Width, walk: Walk, count: Local<'i32'>): Statement {
  const { source, target, along, inner, from, left, elements } = walk;
  const { bytes } = elements;
  const [strip, to, end] = [builder.local('i32'), builder.local('i32'), builder.local('i32')];
  const most = 4 * width;
  const whole = i32.sub(count, i32.remU(count, i32.const(width)));
  // In a panel of 6 the two vectors overlap.
  const copies: Statement[] = [];
  for (const at of width === 4 ? [0] : [0, width - 4]) {
    const numbers = elements.four(copies, from, at * bytes);
    copies.push(v128.store(to, numbers, at * 4));
  }
  return whileLoop(i32.geS(count, i32.const(width)), [
    strip.set(select(i32.const(most), whole, i32.gtS(count, i32.const(most)))),
    left.set(inner),
    whileLoop(left, [
      from.set(source),
      to.set(target),
      end.set(i32.add(from, i32.mul(strip, i32.const(bytes)))),
      doWhile(
        [...copies, advance(to, i32.mul(inner, i32.const(4 * width))), advance(from, i32.const(bytes * width))],
        i32.ltU(from, end),
      ),
      advance(source, along),
      advance(target, i32.const(4 * width)),
      countDown(left, 1),
    ]),
    // Back to the first k, and on to the next strip; the first of these panels is behind us.
    source.set(i32.sub(end, i32.mul(along, i32.sub(inner, i32.const(1))))),
    advance(target, i32.mul(inner, i32.shl(i32.sub(strip, i32.const(width)), i32.const(2)))),
    count.set(i32.sub(count, strip)),
  ]);
}

/** The numbers of one row are neighbours along k: four of each row are transposed at a time, what is left of k is not. */
function packTransposed(builder: FunctionBuilder, width: Width, walk: Walk): Statement {
  const { from, target, left, across, elements } = walk;
  const row = builder.local('i32');
  const rows = Array.from({ length: width }, () => builder.local('v128'));
  const body: Statement[] = [row.set(from)];
  for (const loaded of rows) {
    const numbers = elements.four(body, row);
    body.push(loaded.set(numbers), advance(row, across));
  }
  transpose(builder, rows, body).forEach((vector, at) => {
    body.push(v128.store(target, vector, at * 16));
  });
  body.push(advance(from, i32.const(4 * elements.bytes)), advance(target, i32.const(width * 16)), countDown(left, 4));
  return whileLoop(i32.geS(left, i32.const(4)), body);
}

/** An even number of rows of four as four columns, one after the other. */
export function transpose(builder: FunctionBuilder, rows: readonly V128[], body: Statement[]): V128[] {
  const keep = (value: V128): V128 => {
    const local = builder.local('v128');
    body.push(local.set(value));
    return local;
  };
  const columns: V128[] = [];
  for (const words of [
    [0, 4, 1, 5],
    [2, 6, 3, 7],
  ] as const) {
    // Two rows: their numbers of one column in the low half, of the next column in the high one.
    const pairs: V128[] = [];
    for (let at = 0; at < rows.length; at += 2) {
      pairs.push(keep(v128.shuffleWords(rows[at]!, rows[at + 1]!, words)));
    }
    for (let at = 0; at < rows.length; at += 2) {
      const [low, high] = [at, at + 1].map((half) => pairs[half % pairs.length]) as [V128, V128];
      const [first, second] = [at, at + 1].map((half) => (half < pairs.length ? 0 : 2)) as [number, number];
      columns.push(v128.shuffleWords(low, high, [first, first + 1, second + 4, second + 5]));
    }
  }
  return columns;
}

/** Any strides, and panels of fewer than `width` (`count` of them exist; null: all). */
function packSingly(builder: FunctionBuilder, width: Width, count: Local<'i32'> | null, walk: Walk): Statement {
  const { from, target, left, across, along, elements } = walk;
  const row = builder.local('i32');
  const body: Statement[] = [row.set(from)];
  for (let at = 0; at < width; at++) {
    const copy = [f32.store(target, elements.one(row), at * 4), advance(row, across)];
    if (count) body.push(when(i32.gtS(count, i32.const(at)), copy, [f32.store(target, f32.const(0), at * 4)]));
    else body.push(...copy);
  }
  body.push(advance(from, along), advance(target, i32.const(width * 4)), countDown(left, 1));
  return whileLoop(left, body);
}

/**
 * `multiply`: (A panels, B panels, C, rows, columns, k, bytes of a row of C, whether to add to C, `edgeBytes` of scratch).
 * The panels of A are those of `packRows`; for `multiplyFours` all of them have 4 rows.
 * All tiles are computed whole; at the edges they pass through scratch and only what exists is copied.
 * `wide`: where two panels of B are left they are taken together. A tile of 6 x 16 is 24 sums, far more than there are
 * registers of 128 bits, and just what fits into those of 256, when the compiler joins neighbours (see `wide.ts`).
 */
export function addMultiply(
  module: ModuleBuilder,
  name: string,
  { fused, tileRows, wide }: Pick<Target, 'fused' | 'tileRows' | 'wide'>,
): void {
  module.function(name, words(9), [], (builder) => {
    const [left, right, target, rows, columns, inner, rowBytes, adds, scratch] = builder.words(9);
    const local = (): Local<'i32'> => builder.local('i32');
    const [column, row, a, c, panel, end, sixes] = [local(), local(), local(), local(), local(), local(), local()];
    const place: TilePlace = { a, c, panel, end, row, column, rows, columns, rowBytes, adds, scratch };
    /** All rows of one panel, or of two. */
    const strip = (panels: 1 | 2): Statement[] => [
      end.set(i32.add(panel, i32.shl(inner, i32.const(5)))),
      a.set(left),
      c.set(i32.add(target, i32.shl(column, i32.const(2)))),
      row.set(i32.const(0)),
      ...(tileRows === 6 ? [whileLoop(i32.ltS(row, sixes), tile(builder, { height: 6, panels, fused }, place))] : []),
      whileLoop(i32.ltS(row, rows), tile(builder, { height: 4, panels, fused }, place)),
      panel.set(panels === 1 ? end : i32.add(end, i32.shl(inner, i32.const(5)))),
    ];
    builder.emit(
      ...(tileRows === 6 ? rowsInSixes(rows, row, sixes) : []),
      panel.set(right),
      column.set(i32.const(0)),
      ...(wide
        ? [
            whileLoop(i32.gtS(i32.sub(columns, column), i32.const(panelColumns)), [
              ...strip(2),
              advance(column, i32.const(2 * panelColumns)),
            ]),
          ]
        : []),
      whileLoop(i32.ltS(column, columns), [...strip(1), advance(column, i32.const(panelColumns))]),
    );
  });
}

interface TileShape {
  readonly height: TileRows;
  /** Panels of B, side by side in C, one after the other in memory. */
  readonly panels: 1 | 2;
  readonly fused: boolean;
}

interface TilePlace {
  /** Where the panel of A starts; moves on to the next one. */
  readonly a: Local<'i32'>;
  /** Where the tile lies in C; moves on to the tile below. */
  readonly c: Local<'i32'>;
  /** The panel of B, and its end, where the next one starts. */
  readonly panel: Local<'i32'>;
  readonly end: Local<'i32'>;
  readonly row: Local<'i32'>;
  readonly column: Local<'i32'>;
  readonly rows: Local<'i32'>;
  readonly columns: Local<'i32'>;
  readonly rowBytes: Local<'i32'>;
  readonly adds: Local<'i32'>;
  readonly scratch: Local<'i32'>;
}

/** One tile of C: the panel of A times one panel of B, or two. */
function tile(builder: FunctionBuilder, { height, panels, fused }: TileShape, place: TilePlace): Statement[] {
  const { a, c, panel, end, row, column, rows, columns, rowBytes, adds, scratch } = place;
  const width = panels * panelColumns;
  const starts = Array.from({ length: panels }, () => builder.local('i32'));
  const b = starts[0]!;
  const vectors = Array.from({ length: width / 4 }, () => builder.local('v128'));
  const sums = Array.from({ length: height }, () => vectors.map(() => builder.local('v128')));
  const splat = builder.local('v128');
  const multiplyAdd = (x: V128, y: V128, z: V128): V128 =>
    fused ? f32x4.relaxedMadd(x, y, z) : f32x4.add(f32x4.mul(x, y), z);

  // Row by row: of A only one number is live.
  const product: Statement[] = vectors.map((vector, at) => vector.set(v128.load(starts[at >> 1]!, (at & 1) * 16)));
  sums.forEach((line, at) => {
    product.push(splat.set(v128.load32Splat(a, at * 4)));
    line.forEach((sum, part) => {
      product.push(sum.set(multiplyAdd(splat, vectors[part]!, sum)));
    });
  });
  product.push(advance(a, i32.const(height * 4)), ...starts.map((start) => advance(start, i32.const(32))));

  const at = builder.local('i32');
  /** A row is read whole before it is written: what lies between is what a compiler may join. */
  const whole = (added: boolean): Statement[] => [
    at.set(c),
    ...sums.flatMap((line, index) => [
      ...(added ? line.map((sum, part) => sum.set(f32x4.add(v128.load(at, part * 16), sum))) : []),
      ...line.map((sum, part) => v128.store(at, sum, part * 16)),
      ...(index < height - 1 ? [advance(at, rowBytes)] : []),
    ]),
  ];
  const x = builder.local('i32');
  const y = builder.local('i32');
  const rowsLeft = i32.sub(rows, row);
  const columnsLeft = i32.sub(columns, column);
  const from = i32.add(scratch, i32.add(i32.mul(y, i32.const(4 * width)), i32.shl(x, i32.const(2))));
  const to = i32.add(i32.add(c, i32.mul(y, rowBytes)), i32.shl(x, i32.const(2)));
  const bounded = (value: I32, most: number): I32 => select(value, i32.const(most), i32.ltS(value, i32.const(most)));
  const edge: Statement[] = [
    ...sums.flatMap((line, index) => line.map((sum, part) => v128.store(scratch, sum, index * 4 * width + part * 16))),
    forLoop(y, i32.const(0), bounded(rowsLeft, height), 1, [
      forLoop(x, i32.const(0), bounded(columnsLeft, width), 1, [
        at.set(to),
        f32.store(at, select(f32.add(f32.load(at), f32.load(from)), f32.load(from), adds)),
      ]),
    ]),
  ];
  const inside = i32.and(i32.geS(rowsLeft, i32.const(height)), i32.geS(columnsLeft, i32.const(width)));
  const zero = v128.words([0, 0, 0, 0]);
  return [
    ...sums.flatMap((line) => line.map((sum) => sum.set(zero))),
    b.set(panel),
    ...starts.slice(1).map((start) => start.set(end)),
    doWhile(product, i32.ltU(b, end)),
    when(inside, [when(adds, whole(true), whole(false))], edge),
    advance(c, i32.mul(rowBytes, i32.const(height))),
    advance(row, i32.const(height)),
  ];
}
