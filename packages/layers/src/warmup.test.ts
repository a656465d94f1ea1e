import { recording, reference } from '@nn/conformance';
import { randomState, setDefaultBackend, zeros } from '@nn/core';
import { afterEach, expect, it } from 'vitest';
import { BatchNorm1d, Dropout, Linear, Sequential, warmup } from './index.ts';

afterEach(() => setDefaultBackend(reference()));

it('compiles the programs of evaluation and training, runs none, and changes nothing', async () => {
  const device = recording(reference());
  setDefaultBackend(device);
  const norm = new BatchNorm1d(3);
  const model = new Sequential(new Linear(2, 3), norm, new Dropout(0.5));
  const numbers = randomState();
  const progress: number[] = [];
  await warmup(model, [4, 2], { onProgress: (done) => progress.push(done) });
  expect(progress).toEqual([0.5, 1]);
  expect(device.counts.compile).toBe(2);
  expect(device.counts.run).toBe(0);
  expect(randomState()).toEqual(numbers);
  expect(await norm.runningMean?.array()).toEqual([0, 0, 0]);
});

it('spares the first use the compilation', async () => {
  const device = recording(reference());
  setDefaultBackend(device);
  const model = new Linear(2, 3);
  await warmup(model, [4, 2], { training: false });
  expect(device.counts.compile).toBe(1);
  await model.forward(zeros([4, 2])).data();
  expect(device.counts.compile).toBe(1);
});

it('ends when its signal says so, between programs too', async () => {
  const device = recording(reference());
  setDefaultBackend(device);
  const stopped = new Error('stopped');
  const ending = new AbortController();
  const onProgress = (): void => ending.abort(stopped);
  const model = new Linear(2, 3);
  await expect(warmup(model, [4, 2], { signal: ending.signal, onProgress })).rejects.toBe(stopped);
  expect(device.counts.compile).toBe(1);
  await expect(warmup(model, [4, 2], { signal: ending.signal })).rejects.toBe(stopped);
  expect(device.counts.compile).toBe(1);
});
