/** Spectra of overlapping frames, four at a time: equal to those of one frame after the other, in double precision. */
import { expect, it } from 'vitest';
import { frameCount, transformFrames } from './frames.ts';
import { halfOf } from './real.ts';

const noise = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + i * i * 0.37) * Math.cos(i * 1.7 + seed));

/** X_k = sum over t of w_t x_t exp(-2 pi i t k / n). */
function plain(
  x: Float32Array,
  window: Float32Array,
  size: number,
  hop: number,
  count: number,
  scale: number,
): number[] {
  const half = halfOf(size);
  const result = new Array<number>(2 * half * count).fill(0);
  for (let t = 0; t < count; t++) {
    for (let k = 0; k < half; k++) {
      let [re, im] = [0, 0];
      for (let i = 0; i < size; i++) {
        const value = x[t * hop + i]! * window[i]!;
        const angle = (-2 * Math.PI * ((i * k) % size)) / size;
        re += value * Math.cos(angle);
        im += value * Math.sin(angle);
      }
      result[k * count + t] = scale * re;
      result[(half + k) * count + t] = scale * im;
    }
  }
  return result;
}

// all radices, alone and together, odd and prime lengths; fewer than four frames, more than fit at once, frames apart
it.each([
  ...[4, 6, 8, 10, 12, 16, 18, 20, 30, 32, 50, 60, 64, 90, 100, 120, 7, 9, 14, 22].map((size) => [size, 3, 9] as const),
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((count) => [20, 7, count] as const),
  [400, 160, 11] as const,
  [12, 40, 5] as const,
])('frames of %i, %i apart, %i of them', (size, hop, count) => {
  const length = size + (count - 1) * hop + (hop > 1 ? 1 : 0);
  const rows = noise(2 * length, size);
  const windows = noise(2 * size, 5);
  const shape = { size, hop, scale: 0.75 };
  expect(frameCount(length, shape)).toBe(count);
  const result = new Float32Array(2 * 2 * halfOf(size) * count);
  transformFrames(rows, windows, result, length, shape);
  const expected = [0, 1].flatMap((row) => {
    const [x, window] = [
      rows.subarray(row * length, (row + 1) * length),
      windows.subarray(row * size, (row + 1) * size),
    ];
    return plain(x, window, size, hop, count, 0.75);
  });
  const most = Math.max(...expected.map(Math.abs));
  expect(Math.max(...result.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-6 * most);
});

it('frames that do not fit into the memory at once, and NaN only where it is', () => {
  const [size, hop] = [256, 2];
  const shape = { size, hop, scale: 1 };
  const rows = noise(4096, 1);
  const count = frameCount(rows.length, shape);
  const window = noise(size, 2);
  const whole = new Float32Array(2 * halfOf(size) * count);
  transformFrames(rows, window, whole, rows.length, shape);
  for (const t of [0, 507, 508, 1000, count - 1]) {
    const alone = new Float32Array(2 * halfOf(size));
    transformFrames(rows.slice(t * hop, t * hop + size), window, alone, size, shape);
    expect(alone.map((_, line) => whole[line * count + t]!)).toEqual(alone);
  }
  rows[3000] = Number.NaN;
  transformFrames(rows, window, whole, rows.length, shape);
  const reached = Array.from({ length: count }, (_, t) => Number.isNaN(whole[t]!));
  expect(reached).toEqual(reached.map((_, t) => t * hop <= 3000 && t * hop + size > 3000));
});
