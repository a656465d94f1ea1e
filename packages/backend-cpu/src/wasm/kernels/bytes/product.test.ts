import { einsum, explain, halfBytes, lowBits, type Tensor, tensor, unfold } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { features } from '../../code/features.ts';
import { WasmEngine } from '../../engine.ts';

const variants = [
  { name: 'plain SIMD', relaxedDots: false },
  { name: 'relaxed SIMD', relaxedDots: true },
].filter(({ relaxedDots }) => !relaxedDots || features().relaxed);

const bytes = (length: number, low: number, seed: number): number[] =>
  Array.from({ length }, (_, at) => low + ((at * 149 + at * at * 7 + seed) % 256));

describe.each(variants)('products of bytes, $name', ({ relaxedDots }) => {
  const backend = new WasmEngine({ fused: false, relaxedDots });
  const stored = (values: number[], shape: number[], dtype: 'int8' | 'uint8'): Tensor =>
    tensor(values, { shape, dtype, backend });
  const sums = (x: number[], w: number[], m: number, n: number, k: number): number[] =>
    Array.from({ length: m * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = 0;
      for (let p = 0; p < k; p++) sum += x[i * k + p]! * w[j * k + p]!;
      return sum;
    });
  const stepsOf = (y: Tensor): string[] => [...explain(y).matchAll(/step \d+: (.*)/g)].map(([, path]) => path!);

  it('give the whole sums of int8, of 7 bits and of uint8, at every size around steps, tiles and blocks', async () => {
    const sizes = [
      [1, 100, 64],
      [2, 33, 200],
      [3, 50, 77],
      [4, 65, 31],
      [65, 12, 785],
      [129, 3, 33],
      [300, 1, 40],
      [40, 17, 25],
      [27, 8, 128],
      [24, 15, 131],
    ] as const;
    for (const [m, n, k] of sizes) {
      const w = bytes(n * k, -128, 3);
      for (const kind of ['int8', 'low bits', 'six bits', 'uint8'] as const) {
        const x = bytes(m * k, kind === 'int8' ? -128 : 0, 11);
        const left = stored(x, [m, k], kind === 'int8' ? 'int8' : 'uint8');
        const right = stored(w, [n, k], 'int8').cast('int32').transpose();
        const bits = kind === 'low bits' ? 7 : 6;
        const isLow = kind === 'low bits' || kind === 'six bits';
        const meant = isLow ? lowBits(left, bits) : left.cast('int32');
        const y = meant.matmul(right);
        const expected = sums(isLow ? x.map((value) => value & (2 ** bits - 1)) : x, w, m, n, k);
        expect(await y.data(), `${kind} [${m}, ${k}] with [${n}, ${k}]`).toEqual(Int32Array.from(expected));
        const isDirect = isLow && relaxedDots;
        const direct = m >= 24 && n > 1 ? /^bytes .* \(7 bits\), panels$/ : /^bytes .* \(7 bits\)$/;
        expect(stepsOf(meant.matmul(right))).toEqual([expect.stringMatching(isDirect ? direct : /^bytes [x\d]+$/)]);
      }
    }
  });

  it('finish a block of rows before the next one, and store bytes', async () => {
    const [m, n, k] = [90, 24, 300];
    const [x, w] = [bytes(m * k, 0, 5), bytes(n * k, -128, 9)];
    const y = lowBits(stored(x, [m, k], 'uint8'), 7)
      .matmul(stored(w, [n, k], 'int8').cast('int32').transpose())
      .cast('float32')
      .mul(1 / 4096)
      .add(
        tensor(
          Array.from({ length: n }, (_, j) => j),
          { dtype: 'float32', backend },
        ),
      )
      .round()
      .cast('int8');
    expect(stepsOf(y)).toHaveLength(1);
    const low = x.map((value) => value & 127);
    const rounded = (value: number): number => {
      const near = Math.round(value);
      return near - Number(Math.abs(value % 1) === 0.5 && near % 2 !== 0);
    };
    const expected = sums(low, w, m, n, k).map((sum, at) => rounded(sum / 4096 + (at % n)));
    expect(await y.data()).toEqual(Int8Array.from(expected.map((value) => Math.max(-128, Math.min(127, value)))));
  });

  it('gather the windows of images, whose channels lie side by side', async () => {
    const [size, channels, filters] = [10, 8, 12];
    const x = bytes(2 * size * size * channels, 0, 1);
    const w = bytes(filters * 9 * channels, -128, 2);
    const image = stored(x, [2, size, size, channels], 'uint8').permute([0, 3, 1, 2]);
    const out = size - 2;
    const windows = unfold(image, { size: [3, 3] })
      .reshape([2, channels, 3, 3, out, out])
      .permute([0, 4, 5, 2, 3, 1]);
    const taps = stored(w, [filters, 3, 3, channels], 'int8').cast('int32');
    const y = einsum('nyxklc,oklc->nyxo', lowBits(windows, 7), taps);
    expect(stepsOf(y)[0]).toMatch(/^bytes 128x12x72/);
    const expected = new Int32Array(2 * out * out * filters);
    expected.forEach((_, at) => {
      const o = at % filters;
      const [column, row, image] = [1, out, out * out].map((step, axis) => {
        const position = Math.floor(at / filters / step);
        return axis === 2 ? position : position % out;
      }) as [number, number, number];
      for (let tap = 0; tap < 9 * channels; tap++) {
        const [dy, dx, c] = [Math.floor(tap / channels / 3), Math.floor(tap / channels) % 3, tap % channels];
        const place = ((image * size + row + dy) * size + column + dx) * channels + c;
        expected[at] = expected[at]! + (x[place]! & 127) * w[o * 9 * channels + tap]!;
      }
    });
    expect(await y.data()).toEqual(expected);
  });

  it('read bytes, and halves of bytes, as numbers in groups that share a scale', async () => {
    for (const [vectors, rows, groups, length] of [
      [1, 50, 4, 32],
      [3, 13, 5, 32],
      [2, 100, 1, 48],
    ] as const) {
      const size = groups * length;
      const x = Array.from({ length: vectors * size }, (_, i) => ((i * 37) % 64) / 32 - 1);
      const scales = Array.from({ length: rows * groups }, (_, i) => ((i * 11) % 16) / 64 + 1 / 64);
      const vector = tensor(x, { shape: [vectors, groups, 1, length], backend });
      const scale = tensor(scales, { shape: [rows, groups, 1, 1], backend });
      const expected = (level: (row: number, group: number, at: number) => number): number[] =>
        Array.from({ length: vectors * rows }, (_, place) => {
          const [n, o] = [Math.floor(place / rows), place % rows];
          let sum = 0;
          for (let g = 0; g < groups; g++) {
            for (let at = 0; at < length; at++) {
              sum += x[n * size + g * length + at]! * level(o, g, at) * scales[o * groups + g]!;
            }
          }
          return Math.max(0, sum + 1);
        });
      const close = async (y: Tensor, values: number[]): Promise<void> => {
        expect(stepsOf(y)).toEqual([expect.stringMatching(/bytes as numbers/)]);
        const found = await y.data();
        for (const [i, value] of values.entries()) expect(found[i]).toBeCloseTo(value, 4);
      };
      const whole = bytes(rows * size, -128, 7);
      const numbers = stored(whole, [rows, groups, 1, length], 'int8').cast('float32').mul(scale);
      await close(
        einsum('nghj,oghj->no', vector, numbers).add(1).relu(),
        expected((o, g, at) => whole[o * size + g * length + at]!),
      );
      if (length % 32 !== 0) continue;
      const half = length / 2;
      const packed = bytes((rows * size) / 2, 0, 4);
      const levels = halfBytes(stored(packed, [rows, groups, half], 'uint8'))
        .cast('float32')
        .sub(8);
      await close(
        einsum('nghj,oghj->no', vector.reshape([vectors, groups, 2, half]), levels.mul(scale))
          .add(1)
          .relu(),
        expected((o, g, at) => {
          const byte = packed[(o * groups + g) * half + (at % half)]!;
          return (at < half ? byte & 15 : byte >> 4) - 8;
        }),
      );
    }
  });
});
