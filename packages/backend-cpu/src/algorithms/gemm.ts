/**
 * The one matrix product: out[rows[i] + columns[j]] = sum over k of left[...] * right[...], with tables of places for
 * every row, column and inner index, so that transposes, permuted axes and windows cost nothing but their packing.
 * Blocks of both operands are packed as float64 (no conversions in the inner loop, sums in double precision) and
 * multiplied in tiles of 2 rows by 4 columns, whose 8 sums are what fits in registers.
 */
import type { Temporary, Workspace } from '../host/region.ts';

export interface GemmTables {
  readonly leftRows: Int32Array;
  readonly leftInner: Int32Array;
  readonly rightColumns: Int32Array;
  readonly rightInner: Int32Array;
  readonly outRows: Int32Array;
  readonly outColumns: Int32Array;
}

const tileRows = 2;
const tileColumns = 4;
/** A block of packed columns is 128 KB: its panels of 8 KB pass through the first-level cache, the block stays in the second. */
const maxInner = 256;
const maxColumns = 64;
/** With more inner indices the sums of blocks stay in double precision, for so many rows at once, and are rounded at the end. */
const longInner = 4 * maxInner;
const maxRows = 128;
const ownColumns = /* @__PURE__ */ Int32Array.from({ length: maxColumns }, (_, column) => column);

export class Gemm {
  readonly #tables: GemmTables;
  readonly #inner: number;
  readonly #left: Temporary<Float64Array>;
  readonly #right: Temporary<Float64Array>;
  readonly #sums: Temporary<Float64Array> | null;

  constructor(tables: GemmTables, workspace: Workspace) {
    this.#tables = tables;
    this.#inner = Math.min(tables.leftInner.length, maxInner);
    const columns = Math.ceil(Math.min(tables.outColumns.length, maxColumns) / tileColumns) * tileColumns;
    this.#left = workspace.float64(this.#inner * tileRows);
    this.#right = workspace.float64(this.#inner * columns);
    this.#sums = tables.leftInner.length > longInner ? workspace.float64(maxRows * maxColumns) : null;
  }

  /**
   * Computes rows `firstRow` to `endRow` (excluded). The bases are added to the places of the tables. With `add`, what is
   * in `out` is added to. `rowBase` is subtracted from the rows' places in `out`.
   */
  run(
    left: Float32Array,
    leftBase: number,
    right: Float32Array,
    rightBase: number,
    out: Float32Array,
    outBase: number,
    add: boolean,
    firstRow = 0,
    endRow: number = this.#tables.outRows.length,
  ): void {
    const { leftRows, leftInner, rightColumns, rightInner, outRows, outColumns } = this.#tables;
    const packedLeft = this.#left.get();
    const packedRight = this.#right.get();
    const sums = this.#sums?.get();
    const inner = leftInner.length;
    const block = sums ? maxRows : endRow - firstRow;
    for (let column = 0; column < outColumns.length; column += maxColumns) {
      const count = Math.min(maxColumns, outColumns.length - column);
      for (let start = firstRow; start < endRow; start += block) {
        const end = Math.min(endRow, start + block);
        for (let k = 0; k < inner; k += this.#inner) {
          const depth = Math.min(this.#inner, inner - k);
          packRight(packedRight, right, rightBase, rightColumns, column, count, rightInner, k, depth);
          for (let row = start; row < end; row += 2) {
            const second = row + 1 < end;
            const place = leftBase + leftRows[row]!;
            packLeft(packedLeft, left, place, second ? leftBase + leftRows[row + 1]! : place, leftInner, k, depth);
            if (sums) {
              const to = (row - start) * maxColumns;
              const next = second ? to + maxColumns : -1;
              tiles(packedLeft, packedRight, depth, sums, to, next, ownColumns, 0, count, k > 0);
            } else {
              const to = outBase + outRows[row]!;
              const next = second ? outBase + outRows[row + 1]! : -1;
              tiles(packedLeft, packedRight, depth, out, to, next, outColumns, column, count, add || k > 0);
            }
          }
        }
        if (sums === undefined) continue;
        for (let row = start; row < end; row++) {
          for (let j = 0; j < count; j++) {
            const place = outBase + outRows[row]! + outColumns[column + j]!;
            const sum = sums[(row - start) * maxColumns + j]!;
            out[place] = add ? out[place]! + sum : sum;
          }
        }
      }
    }
  }
}

/** Panels of four columns, each `depth` deep: the four elements of one inner index lie together. */
function packRight(
  packed: Float64Array,
  right: Float32Array,
  base: number,
  columns: Int32Array,
  first: number,
  count: number,
  inner: Int32Array,
  k: number,
  depth: number,
): void {
  let at = 0;
  for (let column = 0; column < count; column += tileColumns) {
    if (column + tileColumns <= count) {
      const c0 = base + columns[first + column]!;
      const c1 = base + columns[first + column + 1]!;
      const c2 = base + columns[first + column + 2]!;
      const c3 = base + columns[first + column + 3]!;
      for (let i = 0; i < depth; i++) {
        const place = inner[k + i]!;
        packed[at] = right[c0 + place]!;
        packed[at + 1] = right[c1 + place]!;
        packed[at + 2] = right[c2 + place]!;
        packed[at + 3] = right[c3 + place]!;
        at += 4;
      }
    } else {
      for (let i = 0; i < depth; i++) {
        const place = base + inner[k + i]!;
        for (let offset = 0; offset < tileColumns; offset++) {
          packed[at++] = column + offset < count ? right[place + columns[first + column + offset]!]! : 0;
        }
      }
    }
  }
}

/** Two rows, interleaved. */
function packLeft(
  packed: Float64Array,
  left: Float32Array,
  row: number,
  next: number,
  inner: Int32Array,
  k: number,
  depth: number,
): void {
  let at = 0;
  for (let i = 0; i < depth; i++) {
    const place = inner[k + i]!;
    packed[at] = left[row + place]!;
    packed[at + 1] = left[next + place]!;
    at += 2;
  }
}

/** Two packed rows times all packed panels. A negative `next` means that there is no second row. */
function tiles(
  packedLeft: Float64Array,
  packedRight: Float64Array,
  depth: number,
  out: Float32Array | Float64Array,
  row: number,
  next: number,
  columns: Int32Array,
  first: number,
  count: number,
  add: boolean,
): void {
  let b = 0;
  const end = depth * tileRows;
  for (let column = 0; column < count; column += tileColumns) {
    let s00 = 0;
    let s01 = 0;
    let s02 = 0;
    let s03 = 0;
    let s10 = 0;
    let s11 = 0;
    let s12 = 0;
    let s13 = 0;
    for (let a = 0; a < end; a += tileRows) {
      const x = packedLeft[a]!;
      const y = packedLeft[a + 1]!;
      const b0 = packedRight[b]!;
      const b1 = packedRight[b + 1]!;
      const b2 = packedRight[b + 2]!;
      const b3 = packedRight[b + 3]!;
      s00 += x * b0;
      s01 += x * b1;
      s02 += x * b2;
      s03 += x * b3;
      s10 += y * b0;
      s11 += y * b1;
      s12 += y * b2;
      s13 += y * b3;
      b += tileColumns;
    }
    const left = count - column;
    save(out, row, columns, first + column, left, s00, s01, s02, s03, add);
    if (next >= 0) save(out, next, columns, first + column, left, s10, s11, s12, s13, add);
  }
}

/** Up to four neighbours of a row. */
function save(
  out: Float32Array | Float64Array,
  row: number,
  columns: Int32Array,
  column: number,
  count: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  add: boolean,
): void {
  const p0 = row + columns[column]!;
  out[p0] = add ? out[p0]! + s0 : s0;
  if (count < 2) return;
  const p1 = row + columns[column + 1]!;
  out[p1] = add ? out[p1]! + s1 : s1;
  if (count < 3) return;
  const p2 = row + columns[column + 2]!;
  out[p2] = add ? out[p2]! + s2 : s2;
  if (count < 4) return;
  const p3 = row + columns[column + 3]!;
  out[p3] = add ? out[p3]! + s3 : s3;
}
