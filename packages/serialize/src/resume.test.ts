import { cpu } from '@nn/backend-cpu';
import {
  autocast,
  castParameters,
  evaluate,
  namedParameters,
  setDefaultBackend,
  setSeed,
  tensor,
  uniform,
} from '@nn/core';
import { DataLoader, moons } from '@nn/data';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  crossEntropy,
  Dropout,
  Flatten,
  Linear,
  ReLU,
  Sequential,
  tanh,
} from '@nn/layers';
import { Adam, cosineDecay, GradScaler, SGD } from '@nn/optim';
import { beforeAll, describe, expect, it } from 'vitest';
import stateDict from '../fixtures/state-dict.json' with { type: 'json' };
import { encodeCheckpoint, loadCheckpoint } from './checkpoint.ts';
import { encodeModel, loadModel } from './model.ts';
import { decodeTensor, encodeSafetensors, parseSafetensors } from './safetensors.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
});

/** A run with all kinds of state: statistics, dropout's random numbers, moments, a schedule, a position in shuffled data. */
function build(seed: number, kind: 'adam' | 'sgd') {
  setSeed(seed);
  const model = new Sequential(new Linear(2, 6), new BatchNorm1d(6), tanh, new Dropout(0.3), new Linear(6, 2));
  const learningRate = cosineDecay(0.1, { steps: 40 });
  const optimizer =
    kind === 'adam'
      ? new Adam(model, { learningRate, weightDecay: 0.01 })
      : new SGD(model, { learningRate, momentum: 0.9, nesterov: true });
  const loader = new DataLoader(moons(50, { seed: 1 }), { batchSize: 16, shuffle: true, seed });
  return { model, optimizer, loader };
}

type Run = ReturnType<typeof build>;

/** Trains until so many steps were made in all; four batches are an epoch. */
async function trainTo(run: Run, steps: number): Promise<number[]> {
  const losses: number[] = [];
  while (run.optimizer.stepCount < steps) {
    for (const { inputs, targets } of run.loader) {
      const jitter = uniform(inputs.shape, { low: -0.01, high: 0.01 });
      const loss = crossEntropy(run.model.forward(inputs.add(jitter)), targets);
      await run.optimizer.step(loss);
      losses.push(await loss.item());
      if (run.optimizer.stepCount === steps) break;
    }
  }
  return losses;
}

/** Every bit of the model's parameters and statistics. */
async function bits({ model }: Run): Promise<Record<string, number[]>> {
  const values: Record<string, number[]> = {};
  for (const [name, parameter] of namedParameters(model)) {
    const data = await parameter.data();
    values[name] = [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
  }
  return values;
}

describe('a run that is interrupted and resumed', () => {
  const total = 13;
  for (const kind of ['adam', 'sgd'] as const) {
    it(`has the losses and parameters, bit for bit, of one that is not: ${kind}, stopped at every step`, async () => {
      const straight = build(1, kind);
      const losses = await trainTo(straight, total);
      const expected = await bits(straight);
      for (let stop = 0; stop < total; stop++) {
        const first = build(1, kind);
        const before = await trainTo(first, stop);
        const bytes = await encodeCheckpoint(first);
        // Another seed, and some steps: nothing of what is there may remain.
        const resumed = build(2, kind);
        await trainTo(resumed, 3);
        await loadCheckpoint(bytes, resumed);
        const after = await trainTo(resumed, total);
        expect([...before, ...after], `stopped after ${stop} steps`).toEqual(losses);
        expect(await bits(resumed), `stopped after ${stop} steps`).toEqual(expected);
      }
    });
  }

  it('does not notice that it was saved', async () => {
    const straight = build(3, 'adam');
    await trainTo(straight, total);
    const saved = build(3, 'adam');
    for (let steps = 1; steps <= total; steps++) {
      await trainTo(saved, steps);
      await encodeCheckpoint(saved);
    }
    expect(await bits(saved)).toEqual(await bits(straight));
  });
});

describe.each(['float16', 'bfloat16'] as const)('a run whose parameters are stored as %s', (dtype) => {
  const made = (seed: number) => {
    setSeed(seed);
    const model = new Sequential(new Linear(4, 6), new ReLU(), new Linear(6, 2));
    castParameters(model, dtype, /weight$/);
    const optimizer = new Adam(model, { learningRate: 0.01 });
    return {
      model,
      optimizer,
      scaler: new GradScaler({ initialScale: dtype === 'float16' ? 2 ** 17 : 2 ** 126, growthInterval: 2 }),
    };
  };
  const steps = async ({ model, optimizer, scaler }: ReturnType<typeof made>, count: number): Promise<number[]> => {
    const x = tensor([
      [1, -2, 3, 0.5],
      [0.1, 0.2, -0.3, 1],
    ]);
    const losses: number[] = [];
    for (let step = 0; step < count; step++) {
      const loss = autocast(dtype, () => model.forward(x).square().sum());
      await scaler.step(optimizer, loss);
      losses.push(await loss.item());
    }
    return losses;
  };

  it('goes on from a checkpoint with the bits that it would have had: half floats, master weights, moments, scale', async () => {
    const straight = made(1);
    const losses = await steps(straight, 9);
    expect(await straight.scaler.skippedSteps.item()).toBeGreaterThan(0);
    expect(straight.optimizer.stepCount).toBeGreaterThan(2);
    const first = made(1);
    const before = await steps(first, 5);
    const bytes = await encodeCheckpoint(first);
    const types = [...parseSafetensors(bytes).tensors].filter(
      ([, { type }]) => type === (dtype === 'float16' ? 'F16' : 'BF16'),
    );
    expect(types.map(([name]) => name)).toEqual(['model.0.weight', 'model.2.weight']);
    const resumed = made(2);
    await steps(resumed, 3);
    await loadCheckpoint(bytes, resumed);
    expect([...resumed.model].map((layer) => (layer instanceof Linear ? layer.weight.dtype : null))).toEqual([
      dtype,
      null,
      dtype,
    ]);
    expect([...before, ...(await steps(resumed, 4))]).toEqual(losses);
    for (const [name, member] of namedParameters(straight)) {
      expect(await namedParameters(resumed).get(name)?.data(), name).toEqual(await member.data());
    }
    expect(resumed.optimizer.stepCount).toBe(straight.optimizer.stepCount);
  });

  it('gives its weights to a model of float32, and takes those of one, rounded where that is asked for', async () => {
    const { model } = made(1);
    const wide = new Sequential(new Linear(4, 6), new ReLU(), new Linear(6, 2));
    await loadCheckpoint(await encodeCheckpoint({ model }), { model: wide });
    const [narrow, widened] = [model.at(0) as Linear, wide.at(0) as Linear];
    expect([widened.weight.dtype, await widened.weight.data()]).toEqual([
      'float32',
      await narrow.weight.cast('float32').data(),
    ]);
    widened.weight.assign(widened.weight.mul(1.0001).stopGradient());
    const bytes = await encodeModel(wide);
    await expect(loadModel(bytes, model)).rejects.toThrow(`'0.weight' is F32, which ${dtype} cannot keep exactly`);
    await loadModel(bytes, model, { narrow: true });
    expect([narrow.weight.dtype, await narrow.weight.cast('float32').data()]).toEqual([
      dtype,
      await widened.weight.cast(dtype).cast('float32').data(),
    ]);
  });
});

describe('the state of an optimizer in a checkpoint', () => {
  const pair = (): { p: Linear; q: Linear } => {
    setSeed(5);
    return { p: new Linear(2, 2), q: new Linear(2, 2) };
  };
  const loss = ({ p, q }: { p: Linear; q: Linear }) =>
    p
      .forward(tensor([[1, 2]]))
      .sub(q.forward(tensor([[3, 1]])).square())
      .sum();

  it('finds its parameters by name, though the model has its fields in another order', async () => {
    const one = pair();
    const first = new Adam(one);
    await first.step(loss(one));
    const bytes = await encodeCheckpoint({ model: one, optimizer: first });
    const { p, q } = pair();
    const other = { q, p };
    const second = new Adam(other);
    await loadCheckpoint(bytes, { model: other, optimizer: second });
    await first.step(loss(one));
    await second.step(loss(other));
    for (const [name, parameter] of namedParameters(one)) {
      expect(await namedParameters(other).get(name)?.array(), name).toEqual(await parameter.array());
    }
  });

  it('is refused as a whole where a number in it is not one of training', async () => {
    const model = pair();
    const optimizer = new Adam(model);
    await optimizer.step(loss(model));
    const loader = new DataLoader(moons(10), { shuffle: true, seed: 3 });
    const parts = { model, loader, optimizer };
    const file = parseSafetensors(await encodeCheckpoint(parts));
    const tensors = [...file.tensors].map(([name, stored]) => [name, decodeTensor(name, stored)] as const);
    const text = file.metadata.get('nn.checkpoint') ?? '';
    await optimizer.step(loss(model));
    const before = [optimizer.hostState(), loader.hostState(), await model.p.weight.array()];
    for (const [from, to] of [
      ['"stepCount":1', '"stepCount":-1'],
      ['"steps":[1,', '"steps":[{"$number":"NaN"},'],
      ['"learningRates":[0.001]', '"learningRates":[1e308]'],
      ['"seed":3', '"seed":8589934592'],
      ['"position":0', '"position":1e308'],
    ] as const) {
      expect(text).toContain(from);
      const tampered = encodeSafetensors(tensors, { 'nn.checkpoint': text.replace(from, to) });
      await expect(loadCheckpoint(tampered, parts), to).rejects.toMatchObject({
        code: 'format',
        message: expect.stringMatching(/refuses its state in the file, and nothing was changed/),
      });
      expect([optimizer.hostState(), loader.hostState(), await model.p.weight.array()]).toEqual(before);
    }
  });
});

describe('a model of PyTorch', () => {
  it('computes here what it computes there', async () => {
    const model = new Sequential(new Conv2d(1, 2, 3), new BatchNorm2d(2), new ReLU(), new Flatten(), new Linear(8, 3));
    const bytes = Uint8Array.from(atob(stateDict.file), (character) => character.charCodeAt(0));
    expect(await loadModel(bytes, model)).toEqual({ missing: [], unexpected: [], mismatched: [], skipped: [] });
    const inputs = tensor(new Float32Array(stateDict.inputs), { shape: [2, 1, 4, 4] });
    const outputs = await evaluate(() => model.forward(inputs)).data();
    stateDict.outputs.forEach((value, i) => {
      expect(Math.abs((outputs[i] as number) - value)).toBeLessThan(1e-6);
    });
  });
});
