/** Sizes past what devices count to, and random tensors that the host draws. */
import { reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import { BackendError, ones, setDefaultBackend, uniform } from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

test('a sum over more elements than 32 bits count is refused, not wrong', async () => {
  const read = ones([2 ** 32])
    .sum()
    .item();
  await expect(read).rejects.toThrow(
    'A kernel over [4294967296] visits 4294967296 elements, and devices count to 2147483647: take the tensor in pieces.',
  );
  await expect(
    ones([2 ** 16, 2 ** 16])
      .sum()
      .item(),
  ).rejects.toThrow(BackendError);
});

test('a bare random tensor is read where the host draws', async () => {
  setDefaultBackend(reference({ limits: { exactInt32: false } }));
  const drawn = uniform([5]);
  const values = await drawn.data();
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  expect(await drawn.mul(2).data()).toEqual(values.map((value) => value * 2));
});
