/** Long products, sums at computed places and matrix products keep their digits on every engine. */
import { type Backend, tensor } from '@nn/core';
import { describe, expect, test } from 'vitest';
import { cpu } from './index.ts';

const filled = (value: number, shape: readonly number[], backend: Backend) =>
  tensor(new Float32Array(shape.reduce((size, extent) => size * extent, 1)).fill(value), { shape, backend });

const off = (data: ArrayLike<number>, right: number): number =>
  Math.max(...Array.from(data, (value) => Math.abs(value / right - 1)));

describe.each(['wasm', 'javascript', 'interpreter'] as const)('on %s', (engine) => {
  const backend = cpu({ engine });
  const count = engine === 'interpreter' ? 30_000 : 300_000;

  // equal factors: all roundings go the same way
  test.each<[string, readonly number[], number | undefined]>([
    ['a row', [count + 3], undefined],
    ['rows', [3, count / 5], 1],
    ['columns', [count / 5, 5], 0],
    ['wide columns', [count / 25, 16], 0],
  ])('the product of %s', async (_, shape, axis) => {
    const factor = Math.fround(1 + 3e-6);
    const data = await filled(factor, shape, backend).prod(axis).data();
    const factors = shape.reduce((size, extent) => size * extent, 1) / data.length;
    expect(off(data, factor ** factors)).toBeLessThan(3e-7);
  });

  test('a product overflows where it must, and only there', async () => {
    const wide = Float32Array.from({ length: 64 }, (_, k) => (k < 32 ? 1e3 : 1e-3));
    expect(off(await tensor(wide, { backend }).prod().data(), 1)).toBeLessThan(1e-5);
    expect(await filled(1e3, [64], backend).prod().item()).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([[[]], [[3]]])('sums at a few places, slices of %j', async (slice) => {
    const places = tensor(
      Int32Array.from({ length: count }, (_, k) => k % 2),
      { backend },
    );
    const size = slice.reduce((product: number, extent) => product * extent, 1);
    const base = filled(1, [3, ...slice], backend);
    const sums = await base.scatterAdd(places, filled(0.1, [count, ...slice], backend)).data();
    expect(off(sums.subarray(0, 2 * size), 1 + (Math.fround(0.1) * count) / 2)).toBeLessThan(2e-7);
    expect(off(sums.subarray(2 * size), 1)).toBe(0);
  });

  test.each<[string, number, number]>([
    ['a dot product', 1, 1],
    ['a matrix product', 9, 6],
  ])('%s of long rows', async (_, rows, columns) => {
    const product = filled(0.1, [rows, count / 10], backend).matmul(filled(0.1, [count / 10, columns], backend));
    // WebAssembly adds up blocks in float32, as other libraries do
    expect(off(await product.data(), (Math.fround(0.1) ** 2 * count) / 10)).toBeLessThan(
      engine === 'wasm' ? 5e-6 : 2e-7,
    );
  });
});
