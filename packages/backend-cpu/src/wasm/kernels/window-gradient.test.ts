import { reference } from '@nn/conformance';
import { averagePool, type Backend, gradients, maxPool, parameter, tensor } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { watched } from '../testing.ts';

async function gradient(
  backend: Backend,
  pool: typeof maxPool,
  extent: number,
  size: number,
  stride: number,
  padding: number,
): Promise<readonly number[]> {
  const data = Float32Array.from({ length: 6 * extent * extent }, (_, at) => ((at * 7919) % 23) / 8 - 1);
  const x = parameter(tensor(data, { shape: [2, 3, extent, extent], backend }));
  const [cotangent] = gradients(
    pool(x, { size: [size, size], stride, padding })
      .square()
      .sum(),
    [x],
  );
  return [...(await cotangent!.data())];
}

describe('the gradient of pooling', () => {
  it.each([
    [2, 2, 0, 8],
    [2, 2, 0, 9],
    [3, 2, 1, 9],
    [3, 2, 1, 8],
    [3, 3, 1, 10],
    [2, 3, 0, 11],
  ])(
    'visits each pair of window and element once: size %i, stride %i, padding %i, extent %i',
    async (size, stride, padding, extent) => {
      for (const pool of [maxPool, averagePool] as const) {
        const { backend, paths } = watched();
        const found = await gradient(backend, pool, extent, size, stride, padding);
        const exact = await gradient(reference(), pool, extent, size, stride, padding);
        found.forEach((value, at) => {
          expect(value).toBeCloseTo(exact[at] as number, 4);
        });
        expect(paths).toContain('window gradient');
      }
    },
  );
});
