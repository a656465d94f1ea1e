/**
 * Winograd's minimal filtering F(4x4, 3x3): the transforms of patches, filters, cotangents and results as functions of the
 * library module, generated from their matrices (S. Winograd, "Arithmetic Complexity of Computations", 1980; A. Lavin and
 * S. Gray, arXiv:1509.09308). A 4x4 tile of the output takes 36 products for each channel and filter instead of 144.
 * Four tiles or four channels are the lanes of a vector; the loops and products around them are in `winograd.ts`.
 */
import type { FunctionBuilder, I32, Local, ModuleBuilder, Statement, V128 } from '../wasm/assembler.ts';
import { f32, f32x4, i32, select, v128, whileLoop } from '../wasm/instructions.ts';
import { transpose } from './gemm.ts';

/** Outputs of a tile along one axis, and places of its patch: each stands for one frequency. */
export const tile = 4;
export const taps = 3;
export const reach: number = tile + taps - 1;

/** Polynomials are evaluated here and at infinity. These points lose the fewest bits: see docs/decisions/0010. */
const points: readonly number[] = [0, 0.75, -0.75, 1.5, -1.5];

type Matrix = readonly (readonly number[])[];
const transposed = (matrix: Matrix): number[][] =>
  (matrix[0] as readonly number[]).map((_, column) => matrix.map((row) => row[column] as number));
const powers = (x: number, count: number): number[] => Array.from({ length: count }, (_, power) => x ** power);
const atInfinity = (count: number): number[] => powers(0, count).reverse();
/** Coefficients of the product of (x - root), padded to `reach`. */
const polynomial = (roots: readonly number[]): number[] =>
  roots.reduce(
    (product, root) => product.map((value, power) => (product[power - 1] ?? 0) - root * value),
    powers(0, reach),
  );
const others = (point: number): number[] => points.filter((other) => other !== point);

/** out = A^T ((G g) * (B^T d)), a filter g and a patch d, the product element by element (Cook and Toom). */
const outputs: Matrix = [...points.map((x) => powers(x, tile)), atInfinity(tile)];
const filters: Matrix = [
  ...points.map((x) => {
    const norm = others(x).reduce((product, other) => product * (x - other), 1);
    return powers(x, taps).map((power) => power / norm);
  }),
  atInfinity(taps),
];
const patches: Matrix = [...points.map((x) => polynomial(others(x))), polynomial(points)];

/** Sums of vectors with constant coefficients. */
class Lines {
  readonly builder: FunctionBuilder;
  readonly fused: boolean;
  readonly #constants = new Map<number, Local<'v128'>>();
  readonly #pool: Local<'v128'>[] = [];
  #taken = 0;
  constructor(builder: FunctionBuilder, fused: boolean) {
    this.builder = builder;
    this.fused = fused;
  }
  /** Ends the use of all locals so far. */
  free(): void {
    this.#taken = 0;
  }
  keep(body: Statement[], value: V128): Local<'v128'> {
    const local = this.#pool[this.#taken] ?? this.builder.local('v128');
    this.#pool[this.#taken] = local;
    this.#taken += 1;
    body.push(local.set(value));
    return local;
  }
  /** Constants are set once, before all loops. */
  #constant(value: number): Local<'v128'> {
    const known = this.#constants.get(value);
    if (known) return known;
    const local = this.builder.local('v128');
    this.builder.emit(local.set(f32x4.splat(f32.const(value))));
    this.#constants.set(value, local);
    return local;
  }
  #sum(terms: readonly (readonly [factor: number, x: V128])[]): V128 {
    const [first, ...rest] = [...terms].sort(([a], [b]) => Number(b === 1) - Number(a === 1));
    const [factor, x] = first as readonly [number, V128];
    return rest.reduce<V128>(
      (sum, [by, y]) => {
        if (by === 1) return f32x4.add(sum, y);
        if (by === -1) return f32x4.sub(sum, y);
        return this.fused
          ? f32x4.relaxedMadd(this.#constant(by), y, sum)
          : f32x4.add(sum, f32x4.mul(this.#constant(by), y));
      },
      factor === 1 ? x : f32x4.mul(this.#constant(factor), x),
    );
  }
  /**
   * The product of a matrix with a vector of vectors. Points come as x and -x, so pairs of columns or rows differ in signs
   * only: they share what is equal and what is opposite.
   */
  product(body: Statement[], matrix: Matrix, vectors: readonly V128[]): V128[] {
    const rows = matrix.map((): [number, V128][] => []);
    const columns = transposed(matrix);
    const done = new Set<number>();
    columns.forEach((column, at) => {
      if (done.has(at)) return;
      const x = vectors[at] as V128;
      const mate = mateOf(columns, at);
      if (mate < 0) {
        column.forEach((factor, row) => {
          if (factor !== 0) rows[row]?.push([factor, x]);
        });
        return;
      }
      done.add(mate);
      const y = vectors[mate] as V128;
      const equal = this.keep(body, f32x4.add(x, y));
      const opposite = this.keep(body, f32x4.sub(x, y));
      column.forEach((factor, row) => {
        rows[row]?.push([factor, factor === columns[mate]?.[row] ? equal : opposite]);
      });
    });
    const results: V128[] = [];
    rows.forEach((terms, at) => {
      if (results[at]) return;
      const mate = mateOf(matrix, at);
      if (mate < 0) {
        results[at] = this.#sum(terms);
        return;
      }
      const agrees = terms.map(([factor], term) => factor === rows[mate]?.[term]?.[0]);
      const equal = this.keep(body, this.#sum(terms.filter((_, term) => agrees[term])));
      const opposite = this.keep(body, this.#sum(terms.filter((_, term) => !agrees[term])));
      results[at] = f32x4.add(equal, opposite);
      results[mate] = f32x4.sub(equal, opposite);
    });
    return results;
  }
}

/** The later line that differs in some signs only, or -1. */
function mateOf(lines: Matrix, at: number): number {
  const line = lines[at] as readonly number[];
  return lines.findIndex(
    (other, place) =>
      place > at &&
      line.every((value, k) => Math.abs(value) === Math.abs(other[k] as number)) &&
      line.some((value, k) => value !== other[k]) &&
      line.some((value, k) => value !== 0 && value === other[k]),
  );
}

const advance = (local: Local<'i32'>, by: I32): Statement => local.set(i32.add(local, by));
const lanes = [0, 1, 2, 3] as const;
export const panelParameters: readonly 'i32'[] = Array.from({ length: 9 }, () => 'i32' as const);
export const resultParameters: readonly 'i32'[] = Array.from({ length: 10 }, () => 'i32' as const);

/**
 * (source, target, temporary, inner table, inner count, lane table, lane count, bytes of a row, bytes of a frequency):
 * for each frequency, panels of `width` lanes with the inner index outermost. The numbers of a lane and an inner index are
 * a small image at the sum of both offsets; `turned`: a filter, back to front. Tables are as in `im2col.ts`.
 */
function addPanels(
  module: ModuleBuilder,
  name: string,
  matrix: Matrix,
  options: { readonly width: 4 | 8; readonly fused: boolean; readonly turned?: boolean },
): void {
  const side = (matrix[0] as readonly number[]).length;
  module.function(name, panelParameters, [], (builder) => {
    const [source, target, temporary, inner, innerCount, lane, laneCount, rowBytes, frequencyBytes] =
      panelParameters.map((_, at) => builder.parameter(at, 'i32')) as [
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
    const lines = new Lines(builder, options.fused);
    const bases = lanes.map(() => builder.local('i32'));
    const places = lanes.map(() => builder.local('i32'));
    const at = builder.local('i32');
    const end = builder.local('i32');
    const to = builder.local('i32');
    const frequency = builder.local('i32');
    const half = builder.local('i32');
    const place = (index: number): Local<'i32'> => places[index] as Local<'i32'>;
    const body: Statement[] = places.map((local, index) =>
      local.set(i32.add(bases[index] as Local<'i32'>, i32.load(at))),
    );
    /** One number of each lane. */
    const gather = (offset: number): V128 =>
      [1, 2, 3].reduce<V128>(
        (vector, index) => v128.load32Lane(place(index), vector, index, offset),
        v128.load32Zero(place(0), offset),
      );
    const load = (row: number): V128[] => {
      if (side === taps) {
        const first = row * taps;
        return powers(0, taps).map((_, column) => {
          const position = options.turned ? taps * taps - 1 - first - column : first + column;
          return lines.keep(body, gather(4 * position));
        });
      }
      const four = lanes.map((index) => lines.keep(body, v128.load(place(index))));
      const loaded: V128[] = transpose(builder, four, body).map((column) => lines.keep(body, column));
      if (side > 4) {
        const pairs = lanes.map((index) => v128.load64Zero(place(index), 16)) as [V128, V128, V128, V128];
        const low = lines.keep(body, v128.shuffleWords(pairs[0], pairs[1], [0, 4, 1, 5]));
        const high = lines.keep(body, v128.shuffleWords(pairs[2], pairs[3], [0, 4, 1, 5]));
        loaded.push(
          lines.keep(body, v128.shuffleWords(low, high, [0, 1, 4, 5])),
          lines.keep(body, v128.shuffleWords(low, high, [2, 3, 6, 7])),
        );
      }
      body.push(...places.map((local) => advance(local, rowBytes)));
      return loaded;
    };
    // X M^T row by row, then M times that column by column.
    for (let row = 0; row < side; row++) {
      lines.product(body, matrix, load(row)).forEach((value, column) => {
        body.push(v128.store(temporary, value, 16 * (column * side + row)));
      });
      lines.free();
    }
    body.push(frequency.set(to));
    for (let column = 0; column < reach; column++) {
      const vectors = Array.from({ length: side }, (_, row) =>
        lines.keep(body, v128.load(temporary, 16 * (column * side + row))),
      );
      for (const value of lines.product(body, matrix, vectors)) {
        body.push(v128.store(frequency, value), advance(frequency, frequencyBytes));
      }
      lines.free();
    }
    body.push(advance(to, i32.const(4 * options.width)), advance(at, i32.const(4)));
    // A panel of 8 is written in two passes.
    const panelBytes = i32.mul(innerCount, i32.const(4 * options.width));
    const next =
      options.width === 4
        ? [advance(target, panelBytes)]
        : [
            advance(target, select(i32.sub(panelBytes, i32.const(16)), i32.const(16), half)),
            half.set(i32.xor(half, i32.const(1))),
          ];
    builder.emit(
      end.set(i32.add(inner, i32.shl(innerCount, i32.const(2)))),
      half.set(i32.const(0)),
      whileLoop(i32.gtS(laneCount, i32.const(0)), [
        ...bases.map((local, index) => local.set(i32.add(source, i32.load(lane, 4 * index)))),
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

/**
 * (source, target, temporary, lane table, lane count, outer count, bytes of an outer one in the source, and in the target,
 * bytes of a row of the target, bytes of a frequency): the way back, from vectors of lanes to a small image for each.
 */
function addResults(module: ModuleBuilder, name: string, matrix: Matrix, fused: boolean): void {
  const side = matrix.length;
  module.function(name, resultParameters, [], (builder) => {
    const [source, target, temporary, table, count, outer, sourceBytes, targetBytes, rowBytes, frequencyBytes] =
      resultParameters.map((_, at) => builder.parameter(at, 'i32')) as [
        Local<'i32'>,
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
    const lines = new Lines(builder, fused);
    const places = lanes.map(() => builder.local('i32'));
    const from = builder.local('i32');
    const frequency = builder.local('i32');
    const lane = builder.local('i32');
    const end = builder.local('i32');
    const body: Statement[] = [frequency.set(from)];
    for (let column = 0; column < reach; column++) {
      const vectors = Array.from({ length: reach }, () => {
        const local = lines.keep(body, v128.load(frequency));
        body.push(advance(frequency, frequencyBytes));
        return local;
      });
      lines.product(body, matrix, vectors).forEach((value, row) => {
        body.push(v128.store(temporary, value, 16 * (row * reach + column)));
      });
      lines.free();
    }
    body.push(...places.map((local, index) => local.set(i32.add(target, i32.load(lane, 4 * index)))));
    for (let row = 0; row < side; row++) {
      const vectors = Array.from({ length: reach }, (_, column) =>
        lines.keep(body, v128.load(temporary, 16 * (row * reach + column))),
      );
      const values = lines.product(body, matrix, vectors).map((value) => lines.keep(body, value));
      if (side === 4) {
        transpose(builder, values, body).forEach((value, index) => {
          body.push(v128.store(places[index] as Local<'i32'>, value));
        });
      } else {
        values.forEach((value, column) => {
          for (const index of lanes) {
            body.push(v128.store32Lane(places[index] as Local<'i32'>, value, index, 4 * column));
          }
        });
      }
      body.push(...places.map((local) => advance(local, rowBytes)));
      lines.free();
    }
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

export function addWinograd(module: ModuleBuilder, fused: boolean): void {
  addPanels(module, 'patchPanels', patches, { width: 8, fused });
  addPanels(module, 'filterPanels', filters, { width: 4, fused });
  addPanels(module, 'turnedPanels', filters, { width: 4, fused, turned: true });
  addPanels(module, 'cotangentPanels', outputs, { width: 4, fused });
  addResults(module, 'tileResults', transposed(outputs), fused);
  addResults(module, 'filterResults', transposed(filters), fused);
}
