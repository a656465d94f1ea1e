/** Rule 5 of life: what lies on a device without an owner is bounded, whatever is read or awaited. */
import { type RecordingBackend, recording, reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { evaluate, parameter, setDefaultBackend, type Tensor, tensor } from '../index.ts';
import { descend, Momentum, prepare } from '../testing.ts';

prepare(reference());

function small(count: number, bytes = 2 ** 20): RecordingBackend {
  const backend = recording(reference({ limits: { maxResident: { count, bytes } } }));
  setDefaultBackend(backend);
  return backend;
}

describe('rule 5: live buffers are constant over 10,000 steps', () => {
  const batch = (step: number): Tensor =>
    tensor([
      [step % 7, 1],
      [2, step % 3],
    ]);

  test.each([
    ['losses never read, every step awaited', 1, 0],
    ['losses never read, every tenth step awaited', 10, 0],
    ['every loss read', 1, 1],
    ['every tenth loss read', 1, 10],
  ])('%s', async (_, awaited, read) => {
    const backend = small(16);
    const weight = parameter([[0.5], [0.25]]);
    const seen = new Set<number>();
    for (let step = 1; step <= 10_000; step++) {
      const loss = batch(step).matmul(weight).tanh().square().mean();
      const done = descend(loss, [weight], 0.001);
      if (step % awaited === 0) await done;
      if (read > 0 && step % read === 0) await loss.item();
      if (step > 1000 && step % 500 === 0) seen.add(backend.live.count);
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(16 + 2);
    expect(seen.size).toBe(1);
    expect(backend.peak.count).toBeLessThanOrEqual(16 + 16 + 2 * awaited);
  });
});

test('rule 5: results past the budget move to the host and stay readable', async () => {
  const backend = small(4);
  const x = tensor(new Float32Array(5000).fill(2));
  const results: Tensor[] = [];
  for (let k = 0; k < 12; k++) {
    const result = x.mul(k);
    await result.data();
    results.push(result);
  }
  expect(backend.live.count).toBeLessThanOrEqual(4);
  for (const [k, result] of results.entries()) expect((await result.data())[4999]).toBe(2 * k);
  expect(await results[3]?.sum().item()).toBe(30_000);
});

test('rule 5: the budget counts bytes too', async () => {
  const backend = small(1000, 100_000);
  const x = tensor(new Float32Array(5000));
  for (let k = 0; k < 20; k++) await x.add(k).data();
  expect(backend.live.bytes).toBeLessThanOrEqual(100_000 + 20_000);
});

test('rule 5: an upload is dropped and comes back when it is needed', async () => {
  const backend = small(2);
  const x = tensor([1, 2]);
  await x.exp().data();
  for (let k = 0; k < 5; k++) await tensor([k]).exp().data();
  expect(backend.live.count).toBeLessThanOrEqual(2);
  const uploads = backend.counts.upload;
  expect(await x.mul(2).array()).toEqual([2, 4]);
  expect(backend.counts.upload).toBe(uploads + 1);
});

test('rule 5: batches that are used once go long before the budget is full, and one that comes back stays', async () => {
  const backend = small(512);
  const x = tensor([1, 2]);
  const use = async (): Promise<number> => {
    await x.exp().data();
    for (let k = 0; k < 20; k++) await tensor([k, 1]).exp().data();
    return backend.counts.upload;
  };
  expect(await use()).toBe(21);
  expect(backend.live.count).toBe(4);
  expect(await use()).toBe(42);
  expect(backend.live.count).toBe(5);
  expect(await use()).toBe(62);
});

test('rule 5: a batch that several programs use in a row is still one that may never come back', async () => {
  const backend = small(512);
  const x = tensor([1, 2]);
  await x.exp().data();
  await x.mul(3).data();
  await x.sum().item();
  expect([backend.counts.upload, backend.live.count]).toEqual([1, 1]);
  for (let k = 0; k < 20; k++) await tensor([k, 1]).exp().data();
  expect(backend.live.count).toBe(4);
  await x.mul(2).data();
  expect(backend.counts.upload).toBe(22);
});

test('rule 5: a small result that was read leaves the device at once', async () => {
  const backend = small(1000);
  const x = tensor([1, 2]);
  for (let k = 0; k < 50; k++) await x.mul(k).sum().item();
  expect(backend.live.count).toBe(1);
});

test('rule 5: large results that were read leave long before the budget is full', async () => {
  const backend = small(640, 32 * 200_000);
  const x = tensor(new Float32Array(5000).fill(1));
  let last: Tensor = x;
  const seen: number[] = [];
  for (let look = 1; look <= 1000; look++) {
    last = x.mul(look);
    await last.data();
    if (look % 100 === 0) seen.push(backend.live.bytes);
  }
  // ten looks of 20 kB fit into 1/32 of the budget, and the batch
  expect(seen).toEqual(Array.from({ length: 10 }, () => 11 * 20_000));
  expect((await last.data())[4999]).toBe(1000);
  expect(await last.sum().item()).toBe(5_000_000);
});

test('rule 5: a state that is carried along and read in every step is never uploaded again', async () => {
  const backend = small(640, 100_000); // the state is larger than the part of the budget that it may have
  let state = tensor(new Float32Array(20_000));
  for (let step = 1; step <= 20; step++) {
    state = state.add(1);
    expect((await state.data())[0]).toBe(step);
  }
  expect(backend.counts.upload).toBe(1);
  expect(backend.live.bytes).toBeLessThanOrEqual(2 * 80_000);
});

test('parameters are not part of the budget', async () => {
  const backend = small(1);
  const targets = Array.from({ length: 6 }, () => parameter([1, 2]));
  const optimizer = new Momentum(targets);
  for (let step = 0; step < 5; step++)
    await optimizer.step(targets.map((target) => target.square().sum()).reduce((a, b) => a.add(b)));
  expect(backend.live.count).toBeGreaterThanOrEqual(18);
  const uploads = backend.counts.upload;
  await evaluate(() => targets[0] as Tensor).data();
  await optimizer.step(
    (targets[0] as Tensor)
      .sum()
      .add((targets[5] as Tensor).sum())
      .add(optimizer.targets.slice(1, 5).reduce((a: Tensor, b) => a.add(b.sum()), tensor(0))),
  );
  expect(backend.counts.upload).toBeLessThanOrEqual(uploads + 1);
});
