/** Limits on gradients on both sides, and where the norm is near nothing: there the 1e-6 of PyTorch's formula shows. */
import { reference } from '@nn/conformance';
import { setDefaultBackend, tensor } from '@nn/core';
import { beforeAll, expect, test } from 'vitest';
import { clipByGlobalNorm, clipByNorm, clipByValue } from './index.ts';

beforeAll(() => setDefaultBackend(reference()));

test.each([clipByNorm, clipByGlobalNorm])('%o scales by limit / (norm + 1e-6), as PyTorch does', async (clip) => {
  const [small] = clip([tensor([3e-6, 4e-6])], 3e-6);
  // 3e-6 / (5e-6 + 1e-6) = 1/2
  const [a, b] = await (small as NonNullable<typeof small>).data();
  expect(a).toBeCloseTo(1.5e-6, 12);
  expect(b).toBeCloseTo(2e-6, 12);
  const [nothing] = clip([tensor([0, 0])], 1);
  expect(await nothing?.array()).toEqual([0, 0]);
});

test('clipByValue cuts off on both sides of 0', async () => {
  expect(await clipByValue([tensor([3, -4, 0.5, -0.25])], 1)[0]?.array()).toEqual([1, -1, 0.5, -0.25]);
});
