import { conv2d, gradients, parameter, tensor } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { features } from '../../code/features.ts';
import { watched } from '../../testing.ts';

type Shape = readonly [number, number, number, number];

/** Numbers in ±1 that repeat nowhere soon. */
function numbers(count: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}
const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The convolution of 3x3 taps and both gradients in double precision, straight from the definition. */
function exact(x: Float32Array, w: Float32Array, g: Float32Array, input: Shape, filters: number, padding: number) {
  const [batch, channels, height, width] = input;
  const [rows, columns] = [height + 2 * padding - 2, width + 2 * padding - 2];
  const y = new Float64Array(batch * filters * rows * columns);
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(w.length);
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < filters; o++) {
      for (let c = 0; c < channels; c++) {
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) {
            const to = ((n * filters + o) * rows + i) * columns + j;
            for (let tap = 0; tap < 9; tap++) {
              const row = i + Math.floor(tap / 3) - padding;
              const column = j + (tap % 3) - padding;
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              const from = ((n * channels + c) * height + row) * width + column;
              const at = (o * channels + c) * 9 + tap;
              y[to]! += x[from]! * w[at]!;
              dx[from]! += g[to]! * w[at]!;
              dw[at]! += g[to]! * x[from]!;
            }
          }
        }
      }
    }
  }
  return { y, dx, dw };
}

/** The largest error and the root mean square of all, both relative to the root mean square of what is right. */
function errorsOf(found: ArrayLike<number>, right: Float64Array): { readonly most: number; readonly usual: number } {
  const mean = (values: Float64Array): number =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  const errors = right.map((value, at) => Math.abs((found[at] as number) - value));
  return { most: errors.reduce((a, b) => Math.max(a, b)) / mean(right), usual: mean(errors) / mean(right) };
}

const variants = [{ fused: false }, ...(features().relaxed ? [{ fused: true }] : [])];

describe.each(variants)('convolutions of 3x3 taps by Winograd: %j', (options) => {
  it.each<[input: Shape, filters: number, padding: number]>([
    [[2, 8, 12, 12], 8, 0],
    [[1, 16, 13, 11], 12, 1],
    [[3, 9, 7, 18], 10, 2],
    [[7, 13, 7, 7], 8, 0],
    [[1, 11, 17, 31], 21, 1],
    [[4, 32, 26, 26], 64, 0],
    [[1, 8, 90, 33], 8, 1],
    [[3, 150, 8, 8], 140, 1],
  ])('come as near as float32 can, and so do both gradients: %j to %i, padding %i', async (input, filters, padding) => {
    const { backend, paths } = watched(options);
    const [batch, channels, height, width] = input;
    const weights = [filters, channels, 3, 3];
    const output = [batch, filters, height + 2 * padding - 2, width + 2 * padding - 2];
    const [x, w, g] = [numbers(product(input), 1), numbers(product(weights), 2), numbers(product(output), 3)];
    const right = exact(x, w, g, input, filters, padding);
    const image = parameter(tensor(x, { shape: input, backend }));
    const kernel = parameter(tensor(w, { shape: weights, backend }));
    const y = conv2d(image, kernel, { padding });
    const [dx, dw] = gradients(y.mul(tensor(g, { shape: output, backend })).sum(), [image, kernel]);
    const found = [
      [y, right.y],
      [dx, right.dx],
      [dw, right.dw],
    ] as const;
    for (const [values, expected] of found) {
      const { most, usual } = errorsOf(await values!.data(), expected);
      expect(usual).toBeLessThan(2e-6);
      expect(most).toBeLessThan(2e-5);
    }
    for (const form of ['forward', 'input', 'weight']) {
      expect(paths.some((path) => path.startsWith(`winograd ${form}`))).toBe(true);
    }
  });

  it('spread an infinity over the tiles whose patches hold it, and no further', async () => {
    const { backend } = watched(options);
    const [extent, at] = [24, 9];
    const x = numbers(8 * extent * extent, 1);
    const w = tensor(numbers(8 * 8 * 9, 2), { shape: [8, 8, 3, 3], backend });
    const clean = await conv2d(tensor(x, { shape: [1, 8, extent, extent], backend }), w).data();
    x[at * extent + at] = Number.POSITIVE_INFINITY;
    const found = await conv2d(tensor(x, { shape: [1, 8, extent, extent], backend }), w).data();
    const side = extent - 2;
    const patchHolds = (index: number): boolean => {
      const first = index - (index % 4);
      return at >= first && at < first + 6;
    };
    found.forEach((value, index) => {
      const [row, column] = [Math.floor(index / side) % side, index % side];
      const windowHolds = [row, column].every((place) => at >= place && at < place + 3);
      if (windowHolds) expect(Number.isFinite(value)).toBe(false);
      if (!patchHolds(row) || !patchHolds(column)) expect(value).toBe(clean[index]);
    });
  });
});
