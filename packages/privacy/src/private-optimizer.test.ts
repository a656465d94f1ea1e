import { cpu } from '@nn/backend-cpu';
import { compile, evaluate, parameters, setDefaultBackend, setSeed, type Tensor, tensor } from '@nn/core';
import { DataLoader, Dataset, dense, moons, ragged } from '@nn/data';
import { crossEntropy, Linear, Sequential, Tanh } from '@nn/layers';
import { Adam, SGD } from '@nn/optim';
import { describe, expect, it, test } from 'vitest';
import { CryptographicNumbers } from './cryptographic.ts';
import { PoissonLoader } from './loader.ts';
import { PrivateOptimizer, type PrivateOptimizerOptions } from './private-optimizer.ts';

setDefaultBackend(cpu({ threads: 1 }));

const data = moons(400, { seed: 1 });
type Batch = { readonly inputs: Tensor; readonly targets: Tensor };

function start(options: Partial<PrivateOptimizerOptions> = {}, batchSize = 40) {
  setSeed(5);
  const model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 2));
  const loader = new PoissonLoader(data, { batchSize, seed: 2 });
  const optimizer = new PrivateOptimizer(new SGD(model, { learningRate: 1 }), model, {
    noiseMultiplier: 0,
    ...options,
  });
  const lossesOf = ({ inputs, targets }: Batch): Tensor =>
    crossEntropy(model.forward(inputs), targets, { reduction: 'none' });
  return { model, loader, optimizer, lossesOf };
}

/** How far the parameters moved, of all together. */
async function moved(model: Sequential, before: readonly Tensor[]): Promise<number> {
  const parts = parameters(model).map((after, k) => after.sub(before[k]!).square().sum().item());
  return Math.sqrt((await Promise.all(parts)).reduce((a, b) => a + b, 0));
}

/** Copies that later steps leave alone. */
const copyOf = (model: Sequential): Promise<Tensor[]> =>
  Promise.all(parameters(model).map(async (each) => tensor(await each.data(), { shape: each.shape })));

describe('a private step', () => {
  it('with no noise and a clip that clips nothing is the plain step, divided by the expected size', async () => {
    const { model, loader, optimizer, lossesOf } = start({ clip: 1e6 });
    const batch = loader.draw();
    const before = await copyOf(model);
    await optimizer.step(batch, lossesOf);
    const found = await copyOf(model);
    const twin = start().model;
    for (const [k, each] of parameters(twin).entries()) each.assign(before[k]!);
    const plain = new SGD(twin, { learningRate: 1 });
    const rows = batch.inputs.slice([0], [batch.count]);
    await plain.step(
      crossEntropy(twin.forward(rows), batch.targets.slice([0], [batch.count]), { reduction: 'sum' }).div(40),
    );
    expect(await moved(twin, found)).toBeLessThan(1e-5);
  });

  it.each([
    ['flat', 'flat'],
    ['per layer', 'perLayer'],
    ['adaptive', {}],
  ] as const)('moves the parameters by no more than the clip for each sample: %s', async (_, clipping) => {
    const { model, loader, optimizer, lossesOf } = start({ clip: 1e-3, clipping });
    const batch = loader.draw();
    const before = await copyOf(model);
    const { clipped } = await optimizer.step(batch, lossesOf);
    const far = await moved(model, before);
    expect(await clipped.item()).toBeGreaterThan(0.9);
    expect(far).toBeGreaterThan(0);
    expect(far).toBeLessThanOrEqual((1e-3 * batch.count) / 40);
  });

  it('is the same by ghosts and by vmap', async () => {
    const after = await Promise.all(
      (['ghost', 'vmap'] as const).map(async (method) => {
        const { model, loader, optimizer, lossesOf } = start({ clip: 0.2, method, noiseMultiplier: 0.5 });
        setSeed(9);
        await optimizer.step(loader.draw(), lossesOf);
        return copyOf(model);
      }),
    );
    for (const [k, each] of after[0]!.entries()) {
      expect(await each.sub(after[1]![k]!).abs().max().item()).toBeLessThan(1e-5);
    }
  });

  it.each(['seeded', 'cryptographic'] as const)('adds noise of the multiplier times the clip: %s', async (random) => {
    const model = new Linear(100, 100, { bias: false });
    const loader = new PoissonLoader(
      new Dataset({ inputs: dense(Array.from({ length: 8 }, () => new Array<number>(100).fill(0))) }),
      { batchSize: 4 },
    );
    const before = tensor(await model.weight.data(), { shape: [100, 100] });
    const optimizer = new PrivateOptimizer(new SGD(model, { learningRate: 1 }), model, {
      noiseMultiplier: 2,
      clip: 3,
      random,
    });
    await optimizer.step(loader.draw(), ({ inputs }) => model.forward(inputs).sum(1));
    const noise = model.weight.sub(before);
    expect((await noise.square().mean().item()) ** 0.5).toBeCloseTo((2 * 3) / 4, 1);
    expect(Math.abs(await noise.mean().item())).toBeLessThan(0.1);
  });

  it('trains', async () => {
    setSeed(1);
    const model = new Sequential(new Linear(2, 16), new Tanh(), new Linear(16, 2));
    const loader = new PoissonLoader(data, { batchSize: 80, seed: 3 });
    const optimizer = new PrivateOptimizer(new Adam(model, { learningRate: 0.05 }), model, { noiseMultiplier: 1 });
    for (let epoch = 0; epoch < 16; epoch++) {
      for (const batch of loader) {
        await optimizer.step(batch, ({ inputs, targets }) =>
          crossEntropy(model.forward(inputs), targets, { reduction: 'none' }),
        );
      }
    }
    const { inputs, targets } = data.fields;
    const logits = evaluate(() => model.forward(tensor(inputs.data, { shape: inputs.shape })));
    const guesses = await logits.argMax(1).data();
    const right = targets.data.filter((target, i) => target === guesses[i]).length;
    expect(right / 400).toBeGreaterThan(0.83);
  });
});

describe('adaptive clipping', () => {
  it('finds the norm that so many gradients stay below', async () => {
    const { loader, optimizer, lossesOf } = start({ clip: 10, clipping: { quantile: 0.5, learningRate: 0.5 } });
    let share = 0;
    for (let epoch = 0; epoch < 4; epoch++) {
      for (const batch of loader) {
        const { clipped } = await optimizer.step(batch, lossesOf);
        share += epoch === 3 ? (await clipped.item()) / loader.length : 0;
      }
    }
    expect(await optimizer.clipper.norm.item()).toBeLessThan(3);
    expect(Math.abs(share - 0.5)).toBeLessThan(0.25);
  });

  it('takes the noise of its count out of that of the gradients', async () => {
    const { optimizer, loader, lossesOf } = start({ clipping: { countNoise: 0.4 }, noiseMultiplier: 1 });
    await expect(optimizer.step(loader.draw(), lossesOf)).rejects.toThrow(
      'step: countNoise is 0.4: with noiseMultiplier 1 it must be above 0.5, or the count of clipped samples tells more than all is to tell.',
    );
  });
});

describe('what cannot be accounted is refused', () => {
  test('batches of other loaders, and used ones', async () => {
    const { optimizer, loader, lossesOf } = start({ noiseMultiplier: 1 });
    const [other] = new DataLoader(data, { batchSize: 8 });
    await expect(optimizer.step(other!, lossesOf)).rejects.toThrow(
      'step: the batch was not drawn by a PoissonLoader, so no epsilon can be proved for it: loop over new PoissonLoader(dataset, { batchSize }) and pass its batches as they are.',
    );
    const batch = loader.draw();
    await optimizer.step(batch, lossesOf);
    await expect(optimizer.step(batch, lossesOf)).rejects.toThrow('step: the batch was used in a step before');
    expect(optimizer.accountant.steps).toBe(1);
  });

  test('steps past the budget, and nothing has changed then', async () => {
    const { optimizer, loader, lossesOf, model } = start({ noiseMultiplier: 2, budget: { epsilon: 2, delta: 1e-5 } });
    let steps = 0;
    while (optimizer.allows(loader)) {
      await optimizer.step(loader.draw(), lossesOf);
      steps++;
    }
    expect(steps).toBeGreaterThan(3);
    expect(optimizer.accountant.epsilon(1e-5)).toBeLessThanOrEqual(2);
    const before = await copyOf(model);
    await expect(optimizer.step(loader.draw(), lossesOf)).rejects.toThrow(`is spent after ${steps} steps`);
    expect(await moved(model, before)).toBe(0);
    expect(optimizer.accountant.steps).toBe(steps);
  });

  test('steps within compile', async () => {
    const { optimizer, loader, lossesOf } = start({ noiseMultiplier: 1 });
    const batch = loader.draw();
    const step = compile((x: Tensor) => {
      void optimizer.step(batch, lossesOf).catch(() => undefined);
      return x.add(1);
    });
    await (await step(tensor([1]))).data();
    await expect(async () => (await step(tensor([1]))).data()).rejects.toThrow();
    expect(optimizer.accountant.steps).toBe(1);
  });

  test('a step that fails is not counted', async () => {
    const { model, loader, lossesOf } = start();
    const broken = { parameters: parameters(model), apply: () => Promise.reject(new Error('lost')) };
    const optimizer = new PrivateOptimizer(broken, model, { noiseMultiplier: 1 });
    await expect(optimizer.step(loader.draw(), lossesOf)).rejects.toThrow('lost');
    expect(optimizer.accountant.steps).toBe(0);
  });
});

describe('batches by Poisson sampling', () => {
  it('draws each sample on its own with one chance', () => {
    const loader = new PoissonLoader(data, { batchSize: 20, seed: 4 });
    const [times, sizes] = [new Float64Array(400), [] as number[]];
    for (let draw = 0; draw < 2000; draw++) {
      const { indices } = loader.draw();
      sizes.push(indices.length);
      for (const index of indices) times[index]!++;
    }
    // 2000 draws with chance 1/20: 100 times, deviation 9.75
    expect(Math.max(...times)).toBeLessThan(100 + 5 * 9.75);
    expect(Math.min(...times)).toBeGreaterThan(100 - 5 * 9.75);
    const mean = sizes.reduce((a, b) => a + b, 0) / 2000;
    const variance = sizes.reduce((a, b) => a + (b - mean) ** 2, 0) / 2000;
    expect(mean).toBeCloseTo(20, 0);
    expect(Math.abs(variance - 19)).toBeLessThan(2);
  });

  it('pads to its capacity, grows by steps of rows where it must, and goes on from a checkpoint', () => {
    const loader = new PoissonLoader(data, { batchSize: 20, capacity: 18, seed: 4 });
    const drawn = Array.from({ length: 6 }, () => loader.draw());
    for (const { inputs, mask, count, indices } of drawn) {
      expect([18, 26, 34]).toContain(inputs.shape[0]);
      expect(mask.shape).toEqual([inputs.shape[0]]);
      expect(count).toBe(indices.length);
    }
    expect(new Set(drawn.map(({ inputs }) => inputs.shape[0])).size).toBeGreaterThan(1);
    // a batch of 32 has on average a fifth more rows than samples, where four deviations would be three quarters more
    const usual = new PoissonLoader(data, { batchSize: 32, seed: 4 });
    const rows = Array.from({ length: 100 }, () => usual.draw().inputs.shape[0]!);
    expect(rows.reduce((a, b) => a + b, 0) / 100).toBeLessThan(1.35 * 32);
    expect(new Set(rows).size).toBeLessThanOrEqual(4);
    const again = new PoissonLoader(data, { batchSize: 20, seed: 4 });
    again.loadHostState({ drawn: 5 });
    expect([...again.draw().indices]).toEqual([...drawn[5]!.indices]);
  });

  it('takes numbers that nobody can foresee on request', () => {
    const draw = () =>
      String(new PoissonLoader(data, { batchSize: 200, random: 'cryptographic', seed: 1 }).draw().indices);
    expect(draw()).not.toBe(draw());
    const numbers = new CryptographicNumbers();
    const sample = Array.from({ length: 20_000 }, () => numbers.normal());
    const moment = (power: number) => sample.reduce((sum, x) => sum + x ** power, 0) / sample.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.04);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.06);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.5);
  });

  it('names what does not fit', () => {
    expect(() => new PoissonLoader(data, { batchSize: 500 })).toThrow(
      'PoissonLoader: batchSize is 500: it must be above 0 and at most 400, the samples.',
    );
    const words = new Dataset({ words: ragged([[1], [2, 3]]) });
    expect(() => new PoissonLoader(words, { batchSize: 1 })).toThrow(
      "PoissonLoader: 'words' holds sequences, whose longest would tell who is in a batch: give the length that all are padded to.",
    );
    expect(new PoissonLoader(words, { batchSize: 1, length: 4 }).draw().words.shape[1]).toBe(4);
  });
});
