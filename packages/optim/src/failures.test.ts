/** What an optimizer counts on the host moves only with success: a step that fails, wherever it does, was not taken. */
import { recording, reference } from '@nn/conformance';
import { BackendError, compile, parameter, prepare, setDefaultBackend, type Tensor } from '@nn/core';
import { beforeEach, expect, test } from 'vitest';
import { Adam, SGD } from './index.ts';

let backend = recording(reference());
beforeEach(() => {
  backend = recording(reference());
  setDefaultBackend(backend);
});

/** Adam's first step is the learning rate, whatever the gradient: a count that is one too high shows. */
const firstStep = async (x: Tensor): Promise<void> => {
  for (const value of await x.data()) expect(value).toBeCloseTo(-0.1, 6);
};

test('a compiled function that throws after its step has taken none', async () => {
  const w = parameter([0, 0]);
  const optimizer = new Adam([w], { learningRate: 0.1 });
  let calls = 0;
  const step = compile(() => {
    void optimizer.step(w.mul(2).sum());
    if (calls++ === 0) throw new Error('no');
  });
  await expect(step()).rejects.toThrow('no');
  expect(optimizer.stepCount).toBe(0);
  await step();
  expect(optimizer.stepCount).toBe(1);
  await firstStep(w);
});

test('a step that the function itself catches is not repeated in its replays', async () => {
  const w = parameter([0, 0]);
  const optimizer = new SGD([w], { learningRate: 1 });
  const stranger = parameter([1]);
  const step = compile(() => {
    try {
      void optimizer.minimize(w.sum(), [stranger]);
    } catch {
      // another parameter: nothing to do
    }
    void optimizer.step(w.sum());
  });
  for (let call = 1; call <= 4; call++) {
    await step();
    expect(optimizer.stepCount).toBe(call);
  }
});

test('a prepared step was not taken', async () => {
  const w = parameter([0, 0]);
  const optimizer = new Adam([w], { learningRate: 0.1 });
  await prepare(() => {
    const loss = w.mul(2).sum();
    void optimizer.step(loss);
    return loss;
  });
  expect(optimizer.stepCount).toBe(0);
  await optimizer.step(w.mul(2).sum());
  await firstStep(w);
});

test.each([
  ['plain', false],
  ['compiled', true],
])('a %s step that fails on the device keeps the accumulated gradients and the count', async (_, isCompiled) => {
  const w = parameter([1, 2]);
  const optimizer = new SGD([w], { learningRate: 1 });
  const apply = isCompiled ? compile(() => void optimizer.step(null)) : () => optimizer.step(null);
  for (let round = 0; round < 4; round++) {
    const before = await w.array();
    await optimizer.accumulate(w.mul(0.5).sum());
    backend.fail('run');
    await expect(apply()).rejects.toThrow(BackendError);
    expect([optimizer.stepCount, await w.array()]).toEqual([round, before]);
    await apply();
    expect(optimizer.stepCount).toBe(round + 1);
    expect(await w.array()).toEqual((before as number[]).map((x) => x - 0.5));
  }
});

test.each([
  ['plain', false],
  ['compiled', true],
])('a %s accumulation that fails leaves nothing to apply', async (_, isCompiled) => {
  const w = parameter([1, 2]);
  const optimizer = new SGD([w], { learningRate: 1 });
  const add = () => optimizer.accumulate(w.sum());
  const accumulate = isCompiled ? compile(() => void add()) : add;
  backend.fail('run');
  await expect(accumulate()).rejects.toThrow(BackendError);
  expect(() => optimizer.step(null)).toThrow('nothing was accumulated');
  expect(() => optimizer.hostState()).not.toThrow();
});
