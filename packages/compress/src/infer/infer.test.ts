/** Networks made ready for inference, and weights of lower rank: the same results, or the best that a rank allows. */
import { cpu } from '@nn/backend-cpu';
import { evaluate, namedParameters, parameters, setDefaultBackend, setSeed, type Tensor, uniform } from '@nn/core';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Dropout,
  Flatten,
  Linear,
  ReLU,
  Sequential,
  weightNorm,
} from '@nn/layers';
import { Adam } from '@nn/optim';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectClose } from '../golden-tests.ts';
import { cost, factorize, foldBatchNorm, prune, readyForInference } from '../index.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
  setSeed(1);
});

const run = async (model: { forward: (x: Tensor) => Tensor }, x: Tensor): Promise<ArrayLike<number>> =>
  evaluate(() => model.forward(x)).data();

/** A few steps, so that statistics, scales and shifts are their own. */
async function train(model: { forward: (x: Tensor) => Tensor }, x: Tensor): Promise<void> {
  const optimizer = new Adam(model, { learningRate: 0.05 });
  for (let step = 0; step < 4; step++) await optimizer.step(model.forward(x).sub(0.3).square().mean());
}

describe('foldBatchNorm', () => {
  it('keeps the results of Conv, ConvTranspose and Linear, with and without bias', async () => {
    const model = new Sequential(
      new Conv2d(1, 4, 3, { bias: false }),
      new BatchNorm2d(4),
      new ReLU(),
      new ConvTranspose2d(4, 3, 2),
      new BatchNorm2d(3, { affine: false }),
      new Flatten(),
      new Linear(48, 6),
      new BatchNorm1d(6),
    );
    const x = uniform([8, 1, 5, 5]);
    await train(model, x);
    const before = await run(model, x);
    const { kernels } = await cost(model, [8, 1, 5, 5]);
    expect(await foldBatchNorm(model, [1, 1, 5, 5])).toEqual(['1', '4', '7']);
    expectClose(await run(model, x), before);
    expect((await cost(model, [8, 1, 5, 5])).kernels).toBeLessThanOrEqual(kernels);
    expect([...namedParameters(model).keys()].filter((name) => name.includes('running'))).toEqual([]);
  });

  it('leaves norms whose input others use, that are called twice, or that have no statistics', async () => {
    class Shared {
      conv = new Conv2d(1, 2, 1);
      norm = new BatchNorm2d(2);
      plain = new Conv2d(2, 2, 1);
      fresh = new BatchNorm2d(2, { trackRunningStatistics: false });
      twice = new Conv2d(2, 2, 1);
      same = new BatchNorm2d(2);
      forward(x: Tensor): Tensor {
        const y = this.conv.forward(x);
        const z = this.fresh.forward(this.plain.forward(y.add(this.norm.forward(y))));
        return this.same.forward(this.twice.forward(this.same.forward(this.twice.forward(z))));
      }
    }
    expect(await foldBatchNorm(new Shared(), [2, 1, 3, 3])).toEqual([]);
  });
});

it('readyForInference keeps the results, with fewer layers and nothing to train', async () => {
  const model = new Sequential(
    new Conv2d(1, 4, 3),
    new BatchNorm2d(4),
    new ReLU(),
    new Dropout(0.5),
    new Flatten(),
    weightNorm(new Linear(36, 8)),
    new ReLU(),
    new Linear(8, 3),
  );
  const x = uniform([4, 1, 5, 5]);
  await train(model, x);
  await prune(model, { amount: 0.5, which: /^(0|7)\.weight/ });
  const before = await run(model, x);
  expect(await readyForInference(model, [1, 1, 5, 5])).toEqual({
    mergedAdapters: [],
    bakedMasks: ['0.weight', '7.weight'],
    bakedNorms: ['5'],
    foldedNorms: ['1'],
    removed: ['3'],
  });
  expectClose(await run(model, x), before);
  expect(parameters(model)).toEqual([]);
  expect([...namedParameters(model).keys()].sort()).toEqual([
    '0.bias',
    '0.weight',
    '5.bias',
    '5.weight',
    '7.bias',
    '7.weight',
  ]);
});

describe('factorize', () => {
  it('is exact where the rank is there, for Linear and Conv', async () => {
    const model = new Sequential(
      new Conv2d(3, 16, 3, { stride: 2, padding: 1 }),
      new ReLU(),
      new Flatten(),
      new Linear(144, 24),
    );
    const [conv, linear] = [model.at(0) as Conv2d, model.at(3) as Linear];
    conv.weight.assign(
      uniform([16, 2])
        .matmul(uniform([2, 27]))
        .reshape([16, 3, 3, 3]),
    );
    linear.weight.assign(uniform([24, 3]).matmul(uniform([3, 144])));
    const x = uniform([2, 3, 5, 5]);
    const before = await run(model, x);
    const made = await factorize(model, { energy: 0.9999999 });
    expect(made.map(({ path, rank, fullRank, from, to }) => ({ path, rank, fullRank, from, to }))).toEqual([
      { path: '0', rank: 2, fullRank: 16, from: 432, to: 86 },
      { path: '3', rank: 3, fullRank: 24, from: 3456, to: 504 },
    ]);
    expectClose(await run(model, x), before, 3);
    expect((await cost(model, [1, 3, 5, 5])).parameters).toBe(86 + 16 + 504 + 24);
  });

  it('is the best of its rank: what is lost are the singular values left out', async () => {
    const model = new Sequential(new Linear(20, 12, { bias: false }));
    const weight = (model.at(0) as Linear).weight;
    const before = await weight.data();
    const [made] = await factorize(model, { rank: 4 });
    const pair = model.at(0) as Sequential;
    const product = await (pair.at(1) as Linear).weight.matmul((pair.at(0) as Linear).weight).data();
    let [lost, all] = [0, 0];
    before.forEach((value: number, i: number) => {
      lost += (value - product[i]!) ** 2;
      all += value ** 2;
    });
    expect(Math.sqrt(lost / all)).toBeCloseTo(made!.error, 5);
    expect(made!.error).toBeGreaterThan(0.1);
  });

  it('says where nothing becomes smaller', async () => {
    await expect(factorize(new Sequential(new Linear(4, 4)), { rank: 1.5 })).rejects.toThrow('factorize: rank is 1.5');
    await expect(factorize(new Sequential(new Linear(4, 4)), { rank: 4 })).rejects.toThrow(
      'no layer becomes smaller at this rank: there are 0 that could be factorized.',
    );
    await expect(factorize(new Sequential(new Linear(4, 4)), { rank: 2, energy: 0.5 })).rejects.toThrow(
      'give either rank or energy.',
    );
  });
});
