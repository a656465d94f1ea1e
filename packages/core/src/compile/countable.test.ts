/** Sizes past what devices count to, and random tensors that the host draws. */
import { recording, reference } from '@nn/conformance';
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

test('what the host drew for a program that could not run is given back', async () => {
  const backend = recording(reference({ limits: { exactInt32: false } }));
  setDefaultBackend(backend);
  const read = uniform([5]).add(1);
  // twice: what is refused for lack of room is tried once more
  for (let attempt = 0; attempt < 2; attempt++) backend.fail('run', new BackendError('', 'no room'), attempt);
  await expect(read.data()).rejects.toThrow('no room');
  expect(backend.live.count).toBe(0);
});
