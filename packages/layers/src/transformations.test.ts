/** Layers as functions of one row, over many rows at once (`vmap`): what has a gradient of its own, or a loop, batches too. */
import { cpu } from '@nn/backend-cpu';
import { gradients, setDefaultBackend, type Tensor, uniform, vmap } from '@nn/core';
import { beforeAll, expect, test } from 'vitest';
import { attention, LSTM } from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

async function expectClose(found: Tensor, right: Tensor): Promise<void> {
  expect(found.shape).toEqual(right.shape);
  const [a, b] = await Promise.all([found.data(), right.data()]);
  for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i] ?? Number.NaN, 4);
}

test('attention in blocks, and its gradient', async () => {
  const x = uniform([3, 6, 4]);
  const blocks = (row: Tensor): Tensor => attention(row, row, row, { causal: true, blockSize: 2 }).output;
  const whole = attention(x, x, x, { causal: true }).output;
  await expectClose(vmap(blocks)(x), whole);
  const slope = (row: Tensor): Tensor => gradients(blocks(row).square().sum(), [row])[0];
  await expectClose(vmap(slope)(x), gradients(whole.square().sum(), [x])[0]);
});

test.each([6, 20])('an LSTM with a projection over %i steps', async (length) => {
  const x = uniform([3, length, 4]);
  const lstm = new LSTM(4, 3, { batchFirst: true, projection: 2 });
  await expectClose(vmap((row: Tensor) => lstm.forward(row.unsqueeze(0)).output.squeeze(0))(x), lstm.forward(x).output);
});
