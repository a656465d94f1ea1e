/**
 * The packed matrix product: the functions that copy blocks of the operands into panels, and the one that multiplies
 * panels (K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; F. Van Zee, BLIS).
 * A panel of A holds 4 rows, one of B 8 columns, both with k outermost and zeros where the matrix ends.
 * They are functions of the library module, compiled once for all programs; loops over blocks are in `contraction.ts`.
 */
import type { FunctionBuilder, I32, Local, ModuleBuilder, Statement, V128, ValueType } from '../wasm/assembler.ts';
import { doWhile, f32, f32x4, forLoop, i32, v128, when, whileLoop } from '../wasm/instructions.ts';

/** Rows of a panel of A and columns of a panel of B: 4 x 8 keeps 8 sums, and V8 has 15 registers. */
export const panelRows = 4;
export const panelColumns = 8;
/** Blocks: 384 x 8 of B stays in the first-level cache, 96 x 384 of A in the second. */
export const blockRows = 96;
export const blockColumns = 512;
export const blockInner = 384;

export const packParameters: readonly ValueType[] = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'];
export const multiplyParameters: readonly ValueType[] = Array.from({ length: 9 }, () => 'i32' as const);

/**
 * `pack4` and `pack8`: (source, target, bytes between neighbours across the panel, bytes between neighbours along k,
 * rows or columns, k). Contiguous vectors are copied, or transposed four by four; any other strides go one by one.
 */
export function addPack(module: ModuleBuilder, width: 4 | 8): void {
  module.function(`pack${width}`, packParameters, [], (builder) => {
    const [source, target, across, along, count, inner] = [0, 1, 2, 3, 4, 5].map((at) =>
      builder.parameter(at, 'i32'),
    ) as [Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>];
    const from = builder.local('i32');
    const left = builder.local('i32');
    const step = (bytes: number): Statement => target.set(i32.add(target, i32.const(bytes)));
    builder.emit(
      whileLoop(i32.gtS(count, i32.const(0)), [
        from.set(source),
        left.set(inner),
        when(
          i32.geS(count, i32.const(width)),
          [
            when(
              i32.eq(across, i32.const(4)),
              [packRows(builder, width, { from, target, along, left })],
              [
                when(i32.eq(along, i32.const(4)), [packTransposed(builder, width, { from, target, across, left })]),
                packSingly(builder, width, null, { from, target, across, along, left }),
              ],
            ),
          ],
          [packSingly(builder, width, count, { from, target, across, along, left })],
        ),
        source.set(i32.add(source, i32.mul(across, i32.const(width)))),
        count.set(i32.sub(count, i32.const(width))),
      ]),
    );
    void step;
  });
}

interface Walk {
  readonly from: Local<'i32'>;
  readonly target: Local<'i32'>;
  readonly left: Local<'i32'>;
}
const advance = (local: Local<'i32'>, by: I32): Statement => local.set(i32.add(local, by));
const countDown = (local: Local<'i32'>, by: number): Statement => local.set(i32.sub(local, i32.const(by)));

/** The panel's numbers of one k are neighbours: copies of vectors. */
function packRows(builder: FunctionBuilder, width: 4 | 8, walk: Walk & { along: Local<'i32'> }): Statement {
  const { from, target, left, along } = walk;
  void builder;
  const copies: Statement[] = [];
  for (let at = 0; at < width; at += 4) copies.push(v128.store(target, v128.load(from, at * 4), at * 4));
  return whileLoop(left, [...copies, advance(from, along), advance(target, i32.const(width * 4)), countDown(left, 1)]);
}

/** The numbers of one row are neighbours along k: blocks of 4 x 4 are transposed, what is left of k is not. */
function packTransposed(builder: FunctionBuilder, width: 4 | 8, walk: Walk & { across: Local<'i32'> }): Statement {
  const { from, target, left, across } = walk;
  const row = builder.local('i32');
  const rows = [0, 1, 2, 3].map(() => builder.local('v128'));
  const body: Statement[] = [row.set(from)];
  for (let at = 0; at < width; at += 4) {
    for (const loaded of rows) body.push(loaded.set(v128.load(row)), advance(row, across));
    const columns = transpose(builder, rows, body);
    columns.forEach((column, k) => {
      body.push(v128.store(target, column, (k * width + at) * 4));
    });
  }
  body.push(advance(from, i32.const(16)), advance(target, i32.const(width * 16)), countDown(left, 4));
  return whileLoop(i32.geS(left, i32.const(4)), body);
}

/** Four rows of four as four columns. */
export function transpose(builder: FunctionBuilder, rows: readonly V128[], body: Statement[]): V128[] {
  const [a, b, c, d] = rows as readonly [V128, V128, V128, V128];
  const keep = (value: V128): V128 => {
    const local = builder.local('v128');
    body.push(local.set(value));
    return local;
  };
  const ab = keep(v128.shuffleWords(a, b, [0, 4, 1, 5]));
  const cd = keep(v128.shuffleWords(c, d, [0, 4, 1, 5]));
  const ab2 = keep(v128.shuffleWords(a, b, [2, 6, 3, 7]));
  const cd2 = keep(v128.shuffleWords(c, d, [2, 6, 3, 7]));
  return [
    v128.shuffleWords(ab, cd, [0, 1, 4, 5]),
    v128.shuffleWords(ab, cd, [2, 3, 6, 7]),
    v128.shuffleWords(ab2, cd2, [0, 1, 4, 5]),
    v128.shuffleWords(ab2, cd2, [2, 3, 6, 7]),
  ];
}

/** Any strides, and panels of fewer than `width` (`count` of them exist; null: all). */
function packSingly(
  builder: FunctionBuilder,
  width: 4 | 8,
  count: Local<'i32'> | null,
  walk: Walk & { across: Local<'i32'>; along: Local<'i32'> },
): Statement {
  const { from, target, left, across, along } = walk;
  const row = builder.local('i32');
  const body: Statement[] = [row.set(from)];
  for (let at = 0; at < width; at++) {
    const copy = [f32.store(target, f32.load(row), at * 4), advance(row, across)];
    if (count) body.push(when(i32.gtS(count, i32.const(at)), copy, [f32.store(target, f32.const(0), at * 4)]));
    else body.push(...copy);
  }
  body.push(advance(from, along), advance(target, i32.const(width * 4)), countDown(left, 1));
  return whileLoop(left, body);
}

/**
 * `multiply`: (A panels, B panels, C, rows, columns, k, bytes of a row of C, whether to add to C, 128 bytes of scratch).
 * All tiles are computed whole; at the edges they pass through scratch and only what exists is copied.
 */
export function addMultiply(module: ModuleBuilder, fused: boolean): void {
  module.function('multiply', multiplyParameters, [], (builder) => {
    const [left, right, target, rows, columns, inner, rowBytes, adds, scratch] = Array.from({ length: 9 }, (_, at) =>
      builder.parameter(at, 'i32'),
    ) as [
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
    ];
    const column = builder.local('i32');
    const row = builder.local('i32');
    const a = builder.local('i32');
    const b = builder.local('i32');
    const end = builder.local('i32');
    const c = builder.local('i32');
    const panel = builder.local('i32');
    const panelBytes = builder.local('i32');
    const sums = [0, 1, 2, 3].map(() => [builder.local('v128'), builder.local('v128')] as const);
    const splats = [0, 1, 2, 3].map(() => builder.local('v128'));
    const vector = builder.local('v128');
    const zero = v128.words([0, 0, 0, 0]);
    const multiplyAdd = (x: V128, y: V128, z: V128): V128 =>
      fused ? f32x4.relaxedMadd(x, y, z) : f32x4.add(f32x4.mul(x, y), z);

    const product: Statement[] = [];
    splats.forEach((splat, at) => {
      product.push(splat.set(v128.load32Splat(a, at * 4)));
    });
    for (const half of [0, 1] as const) {
      product.push(vector.set(v128.load(b, half * 16)));
      sums.forEach((pair, at) => {
        product.push(pair[half].set(multiplyAdd(splats[at] as V128, vector, pair[half])));
      });
    }
    product.push(advance(a, i32.const(16)), advance(b, i32.const(32)));

    const place = builder.local('i32');
    const whole = (stored: (pair: readonly [V128, V128], half: 0 | 1) => V128): Statement[] => [
      place.set(c),
      ...sums.flatMap((pair, at) => [
        v128.store(place, stored(pair, 0), 0),
        v128.store(place, stored(pair, 1), 16),
        ...(at < 3 ? [advance(place, rowBytes)] : []),
      ]),
    ];
    const x = builder.local('i32');
    const y = builder.local('i32');
    const value = builder.local('i32');
    const spilled = sums.flatMap((pair, at) => [
      v128.store(scratch, pair[0], at * 32),
      v128.store(scratch, pair[1], at * 32 + 16),
    ]);
    const rowsLeft = i32.sub(rows, row);
    const columnsLeft = i32.sub(columns, column);
    const from = i32.add(scratch, i32.add(i32.shl(y, i32.const(5)), i32.shl(x, i32.const(2))));
    const to = i32.add(i32.add(c, i32.mul(y, rowBytes)), i32.shl(x, i32.const(2)));
    const minimum = (p: I32, q: number): I32 => ({
      type: 'i32',
      code: [p.code, i32.const(q).code, i32.ltS(p, i32.const(q)).code, 0x1b],
    });
    const edge: Statement[] = [
      ...spilled,
      forLoop(y, i32.const(0), minimum(rowsLeft, 4), 1, [
        forLoop(x, i32.const(0), minimum(columnsLeft, 8), 1, [
          value.set(from),
          place.set(to),
          when(
            adds,
            [f32.store(place, f32.add(f32.load(place), f32.load(value)))],
            [f32.store(place, f32.load(value))],
          ),
        ]),
      ]),
    ];
    const inside = i32.and(i32.geS(rowsLeft, i32.const(4)), i32.geS(columnsLeft, i32.const(8)));
    const tile: Statement[] = [
      ...sums.flatMap((pair) => pair.map((sum) => sum.set(zero))),
      b.set(panel),
      doWhile(product, i32.ltU(b, end)),
      when(
        inside,
        [
          when(
            adds,
            whole((pair, half) => f32x4.add(v128.load(place, half * 16), pair[half])),
            whole((pair, half) => pair[half]),
          ),
        ],
        edge,
      ),
      advance(c, i32.shl(rowBytes, i32.const(2))),
    ];
    builder.emit(
      panel.set(right),
      panelBytes.set(i32.shl(inner, i32.const(5))),
      forLoop(column, i32.const(0), columns, panelColumns, [
        end.set(i32.add(panel, panelBytes)),
        a.set(left),
        c.set(i32.add(target, i32.shl(column, i32.const(2)))),
        forLoop(row, i32.const(0), rows, panelRows, tile),
        panel.set(end),
      ]),
    );
  });
}
