import { describe, expect, it } from 'vitest';
import { features } from '../code/features.ts';
import type { TileRows } from '../code/module-context.ts';
import { host, type Target } from '../code/module-context.ts';
import { edgeBytes } from './gemm.ts';
import { libraryBytes } from './library.ts';

type Words = (...words: number[]) => void;

/** The library with one page of memory for each matrix, in the order: A, B, C, panels of A, panels of B, scratch. */
class Library {
  readonly floats: Float32Array;
  readonly #functions: Record<'packRows' | 'packColumns' | 'multiply', Words>;
  constructor({ fused, tileRows, wide }: { fused: boolean; tileRows: TileRows; wide: boolean }) {
    const type = { minimum: 6, maximum: 6, shared: false };
    const memory = new WebAssembly.Memory({ initial: 6, maximum: 6 });
    const target: Target = { fused, tileRows, wide, memory: type, threads: 1 };
    const imports = { memory: { memory }, host };
    const module = new WebAssembly.Module(libraryBytes(target));
    this.#functions = new WebAssembly.Instance(module, imports).exports as Record<
      'packRows' | 'packColumns' | 'multiply',
      Words
    >;
    this.floats = new Float32Array(memory.buffer);
  }

  /** C (+)= A B, where the numbers of a row of A are `left` apart along k and those of B `right`. */
  multiply(m: number, n: number, k: number, strides: readonly number[], adds: boolean): Float32Array {
    const [a, b, c, rows, columns, edge] = [0, 1, 2, 3, 4, 5].map((page) => page * 65536) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const [leftAcross, leftAlong, rightAcross, rightAlong] = strides.map((step) => 4 * step);
    this.floats.fill(7, edge / 4 + edgeBytes / 4);
    this.#functions.packRows(a, rows, leftAcross as number, leftAlong as number, m, k);
    this.#functions.packColumns(b, columns, rightAcross as number, rightAlong as number, n, k);
    this.#functions.multiply(rows, columns, c, m, n, k, 4 * n, Number(adds), edge);
    expect(this.floats.subarray(edge / 4 + edgeBytes / 4).every((number) => number === 7)).toBe(true);
    return this.floats.slice(c / 4, c / 4 + m * n + 1);
  }
}

const variants = [false, true].flatMap((fused) =>
  ([4, 6] as const).flatMap((tileRows) =>
    [false, true].map((wide) => ({
      fused,
      tileRows,
      wide,
      name: `${tileRows} x ${wide ? 16 : 8}, ${fused ? 'fused' : 'rounded apart'}`,
    })),
  ),
);
const usable = variants.filter(({ fused }) => !fused || features().relaxed);

describe.each(usable)('products of panels, $name', ({ fused, tileRows, wide }) => {
  const library = new Library({ fused, tileRows, wide });
  const sizes = Array.from({ length: 17 }, (_, at) => at + 1);
  const { floats } = library;

  it('equal the sum of products at every size to 17, in both layouts of both operands', () => {
    for (const m of [...sizes, 31, 32, 50]) {
      for (const n of [...sizes, 24, 33, 75]) {
        const k = 1 + ((3 * m + 5 * n) % 13);
        for (const layout of m > 17 && n > 17 ? [0, 1, 2, 3] : [(m + n) % 5, (m + 2 * n) % 5]) {
          const far = layout === 4 ? 2 : 1;
          const strides = [
            ...(layout & 1 ? [far, m * far] : [k * far, far]),
            ...(layout & 2 ? [k * far, far] : [far, n * far]),
          ] as [number, number, number, number];
          // Small whole numbers: sums are exact.
          for (let at = 0; at < 4000; at++) {
            floats[at] = ((at * 7 + m) % 9) - 4;
            floats[16384 + at] = ((at * 5 + n) % 11) - 5;
          }
          const [i1, k1, j2, k2] = strides;
          const expected = Array.from({ length: m * n }, (_, at) => {
            let sum = 0;
            for (let p = 0; p < k; p++) {
              sum += floats[Math.floor(at / n) * i1 + p * k1]! * floats[16384 + (at % n) * j2 + p * k2]!;
            }
            return sum;
          });
          floats.fill(3, 32768, 32768 + m * n + 1);
          const name = `${m} x ${k} x ${n}, layout ${layout}`;
          expect([...library.multiply(m, n, k, strides, false)], name).toEqual([...expected, 3]);
          const twice = expected.map((value) => 2 * value);
          expect([...library.multiply(m, n, k, strides, true)], `${name}, added`).toEqual([...twice, 3]);
        }
      }
    }
  });

  it('have the same bits whatever the tile', () => {
    const other = new Library({ fused, tileRows: tileRows === 4 ? 6 : 4, wide: !wide });
    for (const m of [1, 5, 8, 13, 50]) {
      for (const each of [library, other]) {
        for (let at = 0; at < 32768; at++) each.floats[at] = Math.fround(Math.sin(at + m));
      }
      const results = [library, other].map((each) => each.multiply(m, 19, 100, [100, 1, 1, 19], false));
      expect(results[0]!.slice(0, m * 19)).toEqual(results[1]!.slice(0, m * 19));
    }
  });
});
