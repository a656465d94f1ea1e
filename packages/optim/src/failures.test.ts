/** What an optimizer counts on the host moves only with success: a step that fails, wherever it does, was not taken. */
import { recording, reference } from '@nn/conformance';
import {
  BackendError,
  backup,
  compile,
  parameter,
  prepare,
  RandomGenerator,
  recover,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
  withRandom,
} from '@nn/core';
import { beforeEach, expect, test } from 'vitest';
import { Adam, SGD, stepDecay } from './index.ts';

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

test.each([
  ['plain', false],
  ['compiled', true],
])(
  'after a lost device a %s run goes on from its backup as it did the first time, bit for bit',
  async (_, isCompiled) => {
    const random = new RandomGenerator(5);
    const model = { weight: parameter([1, 2]), random };
    const optimizer = new Adam(model, { learningRate: stepDecay(0.1, { every: 2, factor: 0.5 }) });
    const body = (x: Tensor): Tensor => {
      const noise = withRandom(random, () => uniform([2])).add(uniform([2]));
      const loss = model.weight.mul(x).add(noise).square().sum();
      optimizer.step(loss).catch(() => undefined); // the read below tells
      return loss;
    };
    const step = isCompiled ? compile(body) : body;
    const run = async (from: number, to: number): Promise<number[]> => {
      const numbers: number[] = [];
      for (let k = from; k < to; k++) numbers.push(await (await step(tensor([k, 1]))).item());
      return [...numbers, ...(await model.weight.data()), optimizer.stepCount, optimizer.learningRate];
    };
    setSeed(3);
    await run(0, 3);
    await backup(model, optimizer);
    const first = await run(3, 7);
    backend.fail('run', new BackendError('', 'the device is gone', { lost: true }));
    await expect((async () => (await step(tensor([7, 1]))).item())()).rejects.toThrow(/is gone|is lost/);
    const other = recording(reference());
    setDefaultBackend(other);
    await recover(model, optimizer, other);
    expect([optimizer.stepCount, optimizer.learningRate, random.counter]).toEqual([3, 0.05, 3]);
    expect(await run(3, 7)).toEqual(first);
  },
);

test('a backup without the optimizer does not bring back half of a run', async () => {
  const model = { weight: parameter([1, 2]) };
  const optimizer = new SGD(model, { learningRate: 0.1 });
  await optimizer.step(model.weight.sum());
  await backup(model);
  backend.fail('run', new BackendError('', 'the device is gone', { lost: true }));
  await expect(optimizer.step(model.weight.sum())).rejects.toThrow('the device is gone');
  await expect(recover(model, optimizer, reference())).rejects.toMatchObject({
    message: expect.stringContaining('recover: there is no backup of the state of SGD: load a checkpoint'),
    data: { missing: [], missingStates: ['SGD'] },
  });
});
