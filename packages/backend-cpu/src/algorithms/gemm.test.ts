import { describe, expect, it } from 'vitest';
import { Region, Workspace } from '../host/region.ts';
import { placesOf } from './contraction.ts';
import { Gemm } from './gemm.ts';

/** Small whole numbers, so that sums are exact. */
const numbers = (length: number, salt: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => ((i * 7 + salt) % 9) - 4);

describe('Gemm', () => {
  // Around the tile of 2 by 4, the block of 64 columns and the depth of 256; past 1024 the blocks are added up apart, by 128 rows.
  const sizes = [1, 2, 3, 5, 63, 64, 65, 130];
  const cases = sizes.flatMap((m) => sizes.map((n) => ({ m, n, k: [1, 7, 255, 256, 257, 600, 1025][(m + n) % 7]! })));

  it('equals the sum of products at every size around its blocks, for both layouts of both operands', () => {
    for (const { m, n, k } of cases) {
      const left = numbers(m * k + 2, m);
      const right = numbers(k * n + 3, n);
      const transposed = (m + k) % 2 === 0;
      const places = {
        leftRows: placesOf([m], [transposed ? 1 : k]),
        leftInner: placesOf([k], [transposed ? m : 1]),
        rightColumns: placesOf([n], [transposed ? k : 1]),
        rightInner: placesOf([k], [transposed ? 1 : n]),
        outRows: placesOf([m], [n]),
        outColumns: placesOf([n], [1]),
      };
      const expected = new Float32Array(m * n + 1);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++) {
            const a = left[2 + (transposed ? p * m + i : i * k + p)]!;
            sum += a * right[3 + (transposed ? j * k + p : p * n + j)]!;
          }
          expected[1 + i * n + j] = sum;
        }
      }
      const gemm = new Gemm(places, new Workspace(new Region()));
      const out = new Float32Array(m * n + 1).fill(5);
      out[0] = 0;
      gemm.run(left, 2, right, 3, out, 1, false);
      expect(out, `${m} x ${k} x ${n}`).toEqual(expected);
      gemm.run(left, 2, right, 3, out, 1, true);
      expect(out, `${m} x ${k} x ${n}, added`).toEqual(expected.map((value) => 2 * value));
    }
  });

  it('computes a part of the rows', () => {
    const places = (count: number, stride: number): Int32Array => placesOf([count], [stride]);
    const gemm = new Gemm(
      {
        leftRows: places(5, 3),
        leftInner: places(3, 1),
        rightColumns: places(2, 1),
        rightInner: places(3, 2),
        outRows: places(5, 2),
        outColumns: places(2, 1),
      },
      new Workspace(new Region()),
    );
    const left = numbers(15, 1);
    const right = numbers(6, 2);
    const whole = new Float32Array(10);
    gemm.run(left, 0, right, 0, whole, 0, false);
    const part = new Float32Array(10);
    gemm.run(left, 0, right, 0, part, 0, false, 2, 5);
    expect(part).toEqual(whole.map((value, i) => (i < 4 ? 0 : value)));
  });
});
