import { cpu } from '@nn/backend-cpu';
import { hostNormal, parameter, setDefaultBackend, setSeed, type Tensor, tensor } from '@nn/core';
import { type Batch, type DataArray, DataLoader, Dataset, dataPipeline, dense, moons } from '@nn/data';
import { BatchNorm1d, crossEntropy, Dropout, Linear, relu, Sequential } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { Adam, cosineDecay, SGD } from '@nn/optim';
import { beforeAll, describe, expect, test } from 'vitest';
import { earlyStopping } from '../callbacks/early-stopping.ts';
import type { Callback } from '../events.ts';
import { Training } from '../training.ts';
import { ActivationStatistics, ActivationWatch, activationStatistics, judgeActivations } from './activations.ts';
import { GradientStatistics, gradientStatistics, judgeGradients } from './gradients.ts';
import { LossWatch } from './loss-watch.ts';
import { checkStart, startChecks } from './start.ts';
import { Throughput, throughput } from './throughput.ts';

beforeAll(() => setDefaultBackend(cpu()));

type Sample = Batch<{ readonly inputs: DataArray; readonly targets: DataArray }>;

/** Two moons, a network, and what warned of what. */
function setUp(step?: (model: Sequential, batch: Sample) => Tensor) {
  setSeed(1);
  const model = new Sequential(new Linear(2, 8), relu, new Linear(8, 2));
  const data = new DataLoader(moons(80, { seed: 1 }), { batchSize: 20 });
  const lossOf = (batch: Sample): Tensor =>
    step?.(model, batch) ?? crossEntropy(model.forward(batch.inputs), batch.targets);
  return { model, data, lossOf };
}

const kinds = (findings: readonly { readonly what: string; readonly place: string }[]): string[] =>
  findings.map(({ what, place }) => `${what} ${place}`);

describe('GradientStatistics', () => {
  test('knows the gradient and the step of each parameter, compiled or not', async () => {
    const model = { weight: parameter([3, 4]), unused: parameter([1]) };
    const optimizer = new SGD(model, { learningRate: 0.5 });
    const statistics = new GradientStatistics(optimizer);
    expect(await statistics.read()).toEqual([]);
    await optimizer.step(model.weight.mul(tensor([2, 0])).sum());
    // the gradient is [2, 0]: root of the mean of squares sqrt(2); the step is [1, 0], the weight was 5 long
    const [weight, ...others] = await statistics.read();
    expect(weight).toMatchObject({ name: 'weight', zeros: 0.5 });
    expect(weight!.gradient).toBeCloseTo(Math.SQRT2, 6);
    expect(weight!.update).toBeCloseTo(0.2, 6);
    expect(others).toEqual([]);
  });

  test('says what is wrong, with number, place and advice', () => {
    const reading = { gradient: 1, zeros: 0, update: 0.001 };
    expect(judgeGradients([{ ...reading, name: 'a' }])).toEqual([]);
    const findings = judgeGradients([
      { ...reading, name: 'a' },
      { ...reading, name: 'b', gradient: 1e-9 },
      { ...reading, name: 'c', gradient: 2000 },
      { ...reading, name: 'd', gradient: 0, zeros: 1 },
      { ...reading, name: 'e', update: 0.5 },
      { ...reading, name: 'f', gradient: Number.NaN },
    ]);
    expect(kinds(findings)).toEqual([
      ...['vanishing-gradient b', 'exploding-gradient c', 'no-gradient d', 'large-update e', 'gradient-not-finite f'],
    ]);
    expect(findings[0]!.message).toBe(
      'the gradient of b is 1.00e-9, that of others 2000: it hardly learns; normalise between layers, add residual connections, or take relu in place of saturating activations.',
    );
    expect(findings[3]!.message).toContain('a step moved e by 50 % of its size: the learning rate is too high');
  });

  test('warns once as a callback, at the read', async () => {
    const { model, data, lossOf } = setUp();
    const optimizer = new SGD(model, { learningRate: 50 });
    const warned: string[] = [];
    await new Training({
      model,
      optimizer,
      data,
      step: lossOf,
      epochs: 2,
      readEvery: 1,
      compile: true,
      callbacks: [
        gradientStatistics(optimizer),
        (event) => void (event.type === 'warning' && warned.push(`${event.what} ${event.message}`)),
      ],
    }).run();
    expect(warned[0]).toMatch(/^large-update step 1: a step moved (layers\.)?0\.weight by [\d.e+]+ % of its size/);
  });
});

describe('ActivationStatistics', () => {
  test('counts by unit, over space as well', async () => {
    const statistics = new ActivationStatistics();
    statistics.update(
      tensor([
        [
          [0, 1],
          [0, 0],
          [2, 3],
        ],
      ]),
    ); // one sample, three units, two places
    statistics.update(
      tensor([
        [
          [0, 0],
          [0, 0],
          [1, 1],
        ],
      ]),
    );
    const { epoch } = await statistics.read();
    expect(epoch).toMatchObject({ units: 3, count: 4, deadUnits: [1], saturated: 0 });
    expect(epoch.mean).toBeCloseTo(8 / 12, 6);
    expect(epoch.zeros).toBeCloseTo(7 / 12, 6);
    expect(epoch.deviation).toBeCloseTo(Math.sqrt(16 / 12 - (8 / 12) ** 2), 6);
    expect(() => statistics.update(tensor([1]))).toThrow('ActivationStatistics: outputs [1] have no axis 1 of units');
  });

  test('finds saturated and dead units', () => {
    const reading = { units: 10, count: 5, mean: 0, deviation: 1, zeros: 0, deadUnits: [], saturated: 0 };
    expect(judgeActivations('1', { ...reading, deadUnits: [0] })).toEqual([]);
    expect(judgeActivations('1', { ...reading, deadUnits: [2, 5] })[0]!.message).toBe(
      'layer 1: 2 of 10 units (2, 5) were 0 for all 5 values, and learn no more: lower the learning rate, or take leakyRelu or gelu.',
    );
    expect(kinds(judgeActivations('a', { ...reading, saturated: 0.75 }))).toEqual(['saturated-units a']);
    expect(kinds(judgeActivations('a', { ...reading, deviation: 5000 }))).toEqual(['large-activations a']);
  });

  test('watches layers and functions, and leaves the model as it was', async () => {
    const { model } = setUp();
    const functions = [...model.layers];
    const watch = new ActivationWatch({ model });
    expect([...watch.layers.keys()]).toEqual(['model', 'model.0', 'model.1', 'model.2']);
    model.forward(tensor([[1, 2]]));
    expect((await watch.layers.get('model.1')!.read()).epoch.units).toBe(8);
    watch.stop();
    expect(model.layers).toEqual(functions);
    expect(Object.hasOwn(model, 'forward')).toBe(false);
    expect(() => new ActivationWatch(model, { pattern: /nothing/ })).toThrow(
      'ActivationWatch: no layer matches /nothing/: update ActivationStatistics in your own forward.',
    );
  });

  test('warns of units that died in an epoch, and not of what validation sees', async () => {
    const { model, data, lossOf } = setUp();
    const first = model.layers[0] as Linear;
    first.bias?.assign(tensor([-100, -100, -100, 1, 1, 1, 1, 1]));
    const warned: string[] = [];
    await new Training({
      model,
      optimizer: new SGD(model, { learningRate: 0.01 }),
      data,
      validation: { data: new DataLoader(moons(20, { seed: 2 }), { batchSize: 20 }) },
      step: lossOf,
      epochs: 2,
      callbacks: [
        activationStatistics(model, { pattern: /1$/ }),
        (event) => void (event.type === 'warning' && warned.push(event.message)),
      ],
    }).run();
    expect(warned).toEqual([
      'epoch 1: layer 1: 3 of 8 units (0, 1, 2) were 0 for all 80 values, and learn no more: lower the learning rate, or take leakyRelu or gelu.',
    ]);
  });
});

describe('LossWatch', () => {
  const feed = (watch: LossWatch, losses: readonly number[]): string[] =>
    losses.flatMap((loss) => watch.update(loss)?.what ?? []);
  const noisy = (count: number, mean: (i: number) => number): number[] => {
    setSeed(4);
    return Array.from(hostNormal(count), (noise, i) => mean(i) + 0.1 * noise);
  };

  test('says nothing while the loss falls', () => {
    expect(
      feed(
        new LossWatch({ window: 50, patience: 2 }),
        noisy(1000, (i) => 5 - i / 300),
      ),
    ).toEqual([]);
  });

  test('tells a plateau once, and a rise', () => {
    expect(
      feed(
        new LossWatch({ window: 50, patience: 3 }),
        noisy(1000, () => 1),
      ),
    ).toEqual(['plateau']);
    expect(
      feed(
        new LossWatch({ window: 50 }),
        noisy(400, (i) => 1 + i / 100),
      ),
    ).toEqual(['learning-rate-too-high']);
  });

  test('goes on from its state', () => {
    const losses = noisy(1000, () => 1);
    const [a, b] = [new LossWatch({ window: 50, patience: 3 }), new LossWatch({ window: 50, patience: 3 })];
    feed(a, losses.slice(0, 130));
    b.loadHostState(JSON.parse(JSON.stringify(a.hostState())));
    expect(feed(b, losses.slice(130))).toEqual(feed(a, losses.slice(130)));
    expect(() => b.loadHostState({})).toThrow('LossWatch: the saved state has no losses and windows');
    expect(() => new LossWatch({ window: 1 })).toThrow('LossWatch: window is 1 and patience 5');
  });
});

describe('checkStart', () => {
  test('takes the data, and the model where there is a loss', async () => {
    const words = 'checkStart: takes the model and the data of the training: { model, data, lossOf }.';
    const wrong = [{}, { data: [], lossOf: () => tensor(1) }] as unknown as Parameters<typeof checkStart>[0][];
    for (const options of wrong) await expect(checkStart(options)).rejects.toThrow(words);
  });

  test('finds nothing where all is well, and leaves everything as it was', async () => {
    setSeed(1);
    const model = new Sequential(new Linear(2, 8), new BatchNorm1d(8), new Dropout(0.5), new Linear(8, 2));
    const accuracy = new Accuracy();
    const data = new DataLoader(moons(80, { seed: 1 }), { batchSize: 20, shuffle: true, seed: 3 });
    const step = ({ inputs, targets }: Sample): Tensor => {
      const logits = model.forward(inputs);
      accuracy.update(logits, targets);
      return crossEntropy(logits, targets);
    };
    const train = async (withChecks: boolean): Promise<number | undefined> => {
      setSeed(2);
      const training = new Training({
        model,
        optimizer: new Adam(model, { learningRate: 0 }),
        data,
        metrics: { accuracy },
        step,
        steps: 3,
        callbacks: withChecks ? [startChecks(), failOnWarning] : [],
      });
      const losses: number[] = [];
      for await (const event of training) if (event.type === 'read') losses.push(...event.losses);
      data.rewind(0);
      return losses.reduce((sum, loss) => sum + loss, 0);
    };
    const failOnWarning = ({ type }: { readonly type: string }): void => expect(type).not.toBe('warning');
    expect(await train(true)).toBe(await train(false));
  });

  test('counts ids of any size, and many of them', async () => {
    const found = async (ids: Int32Array) => {
      const data = new Dataset({
        inputs: dense([...ids].map((_, i) => [i % 2])),
        ids: { data: ids, shape: [ids.length] },
      });
      const findings = await checkStart({ model: {}, data: new DataLoader(data, { batchSize: 20 }) });
      return findings.map(({ message }) => message);
    };
    expect(await found(Int32Array.of(2_000_000_000, 0, 1, 1))).toEqual([
      'ids go to 2000000000, but none is 2, 3, 4, 5, 6, ... (1999999998 classes): number classes from 0 without gaps.',
    ]);
    expect(await found(Int32Array.from({ length: 200_000 }, (_, i) => i))).toEqual([]);
  });

  test('finds what is wrong with data', async () => {
    const inputs = new Float32Array(40).map((_, i) => 100 + i);
    const targets = Int32Array.from({ length: 20 }, (_, i) => (i === 0 ? 2 : 0));
    const train = new Dataset({ inputs: { data: inputs, shape: [20, 2] }, targets: { data: targets, shape: [20] } });
    const held = new Dataset({
      inputs: dense([
        [102, 103],
        [1, 2],
      ]),
      targets: dense([0, 0], 'int32'),
    });
    const findings = await checkStart({
      model: {},
      data: new DataLoader(train, { batchSize: 20 }),
      validationData: new DataLoader(held, { batchSize: 2 }),
    });
    expect(kinds(findings)).toEqual([
      'missing-class targets',
      'rare-class targets',
      'scale inputs',
      'duplicates inputs',
    ]);
    expect(findings[0]!.message).toBe('targets go to 2, but none is 1: number classes from 0 without gaps.');
    expect(findings[1]!.message).toContain('class 2 of targets has 1 samples, class 0 has 19');
    expect(findings[2]!.message).toContain('batch.inputs has the mean 119.5 and the deviation 11.54');
    expect(findings[3]!.message).toContain(
      "1 of 2 rows of the validation's inputs are in the training too (the first is row 0)",
    );
    const wrong = [{ inputs: tensor([[1], [Number.NaN]]), targets: tensor([1], { dtype: 'int32' }) }];
    expect(kinds(await checkStart({ model: {}, data: wrong }))).toEqual([
      'one-class targets',
      'not-finite inputs',
      'lengths targets',
    ]);
  });

  test('finds what is not finite in any row, of the training and of the validation', async () => {
    const holed = (row: number): DataLoader<{ readonly inputs: DataArray<Float32Array> }> => {
      const inputs = new Float32Array(200).map((_, i) => Math.sin(i));
      inputs.fill(Number.NaN, 2 * row, 2 * row + 2);
      inputs[199] = Number.NEGATIVE_INFINITY;
      return new DataLoader(new Dataset({ inputs: { data: inputs, shape: [100, 2] } }), { batchSize: 20 });
    };
    const findings = await checkStart({ model: {}, data: holed(60), validationData: holed(5) });
    expect(findings.map(({ message }) => message)).toEqual([
      'inputs has NaN in row 60 (rows that are not finite: 2 of 100): fill in or drop what is missing before training.',
      "the validation's inputs has NaN in row 5 (rows that are not finite: 2 of 100): fill in or drop what is missing before training.",
      expect.stringContaining("99 of 100 rows of the validation's inputs are in the training too"),
    ]);
  });

  test('finds what is too small to be seen, and one column that is far larger than others', async () => {
    const scaled = async (factor: (column: number) => number): Promise<string[]> => {
      const inputs = tensor(
        Array.from({ length: 30 }, (_, row) => [0, 1, 2].map((k) => factor(k) * Math.sin(3 * row + k))),
      );
      return (await checkStart({ model: {}, data: [{ inputs }] })).map(({ message }) => message);
    };
    expect(await scaled(() => 1)).toEqual([]);
    expect(await scaled(() => 1e-4)).toEqual([expect.stringContaining('the largest of batch.inputs is 1.00e-4')]);
    expect(await scaled((column) => (column === 1 ? 20 : 0.5))).toEqual([
      expect.stringMatching(
        /^column 1 of batch\.inputs has the mean \S+ and the deviation 1\d\.\d+, unlike others \(1 of 3 columns\)/,
      ),
    ]);
  });

  test('looks at the first batch of a pipeline', async () => {
    const { model, lossOf } = setUp();
    const data = dataPipeline(moons(80, { seed: 1 })).batch(20, { dtypes: { targets: 'int32' } });
    const other = { model, unused: new Linear(2, 2) };
    expect(kinds(await checkStart({ model: other, data, lossOf }))).toEqual(['no-gradient unused']);
    expect(data.position).toBe(0);
  });

  test('finds losses that are too high and layers without gradient', async () => {
    const { model, data, lossOf } = setUp((own, { inputs, targets }) =>
      crossEntropy(own.forward(inputs).mul(500), targets),
    );
    const other = { model, unused: new Linear(2, 2) };
    const findings = await checkStart({ model: other, data, lossOf });
    expect(kinds(findings)).toEqual(['first-loss loss', 'no-gradient unused']);
    expect(findings[0]!.message).toMatch(
      /the first loss is \d+(\.\d+)?; a guess among 2 classes has a cross entropy of 0\.6931/,
    );
    expect(await checkStart({ model: other, data: (function* () {})(), lossOf })).toEqual([]);
  });
});

describe('Throughput', () => {
  test('measures from read to read, without what lies between', () => {
    let clock = 0;
    const meter = new Throughput({ now: () => clock, operationsPerSample: 1e6, watts: 36 });
    clock = 1000; // loading
    meter.start();
    for (let step = 0; step < 4; step++) {
      clock += 250;
      meter.count(10);
    }
    expect(meter.read()).toEqual({
      ...{ steps: 4, samples: 40, seconds: 1, samplesPerSecond: 40, millisecondsPerStep: 250 },
      operationsPerSecond: 4e7,
      wattHours: 0.02,
    });
  });

  test('as a callback has a reading for each read, and tells the time that is left until there is none', async () => {
    const { model, data, lossOf } = setUp();
    const speed = throughput();
    const told: string[] = [];
    const callbacks = [speed, ({ type }: { readonly type: string }) => void (type === 'read' && told.push(speed.last))];
    const optimizer = new SGD(model, { learningRate: 0.1 });
    await new Training({ model, optimizer, data, step: lossOf, epochs: 1, readEvery: 2, callbacks }).run();
    expect(speed.readings.map(({ steps, samples }) => [steps, samples])).toEqual([
      [2, 40],
      [2, 40],
    ]);
    expect(told).toEqual([
      expect.stringMatching(/^[\d.]+M? samples\/s, [\d.e-]+ ms a step, 1 s left$/),
      expect.stringMatching(/^[\d.]+M? samples\/s, [\d.e-]+ ms a step$/),
    ]);

    // in words where they are millions: 40 samples in 16 microseconds
    let clock = 0;
    const quick = throughput({ now: () => (clock += 2 ** -6) });
    await new Training({ model, optimizer, data, step: lossOf, epochs: 1, readEvery: 2, callbacks: [quick] }).run();
    expect(quick.last).toBe('2.56M samples/s, 0.007813 ms a step');

    // stopped before its end, it has nothing left
    const cut = throughput();
    const stop: Callback = { handle: ({ type }, controls) => void (type === 'read' && controls.stop()) };
    const options = { model, optimizer, data, step: lossOf, epochs: 9, readEvery: 2 };
    const ended = new Training({ ...options, callbacks: [cut, stop] });
    expect((await ended.run()).why).toBe('callback');
    expect(cut.last).toMatch(/ ms a step$/);
  });
});

describe('what was given to the wrong place', () => {
  const train = (callbacks: readonly Callback<{ loss: number }>[], more: object = {}) => {
    const { model, data, lossOf } = setUp();
    const optimizer = new SGD(model, { learningRate: 0.1 });
    return new Training({ model, optimizer, data, step: lossOf, epochs: 2, readEvery: 2, callbacks, ...more });
  };

  test.each<[string, () => Callback<{ loss: number }>]>([
    ['gradientStatistics', () => gradientStatistics(new SGD(setUp().model, { learningRate: 1 }))],
    ['activationStatistics', () => activationStatistics(setUp().model)],
    ['earlyStopping', () => earlyStopping({ monitor: 'loss', restoreBest: setUp().model })],
  ])('%s of another model is an error', async (operation, make) => {
    const words = `${operation}: it was given parameters, and none is of the training's model`;
    await expect(train([make()]).run()).rejects.toThrow(words);
  });

  test('a monitor without a name is one where it is given', () => {
    const options: object = {};
    expect(() => earlyStopping(options as { monitor: string })).toThrow(
      "earlyStopping: monitor is undefined: name what is watched, 'validation.loss'.",
    );
  });

  test('metrics that nobody updates, and schedules that end long before the training, are warned of', async () => {
    const { model, data, lossOf } = setUp();
    const used = new Accuracy();
    const step = (batch: Sample): Tensor => {
      used.update(model.forward(batch.inputs), batch.targets);
      return lossOf(batch);
    };
    const found: string[] = [];
    const note: Callback = {
      handle: (event) => void (event.type === 'warning' && found.push(event.message)),
    };
    const run = async (steps: number): Promise<readonly string[]> => {
      found.length = 0;
      await new Training({
        model,
        optimizer: new SGD(model, { learningRate: cosineDecay(0.1, { steps }) }),
        data,
        metrics: { used, forgotten: new Accuracy() },
        step,
        epochs: 3,
        callbacks: [startChecks(), note],
      }).run();
      return [...found];
    };
    expect(await run(3)).toEqual([
      expect.stringMatching(/^the step does not update the metric 'forgotten', which has no value then/),
      'the learning rate is 0 from step 3 on, and the training has 12 steps: a schedule counts steps, epochs times the batches of one.',
    ]);
    expect(await run(12)).toHaveLength(1);
  });

  test('a step without an optimizer that moves nothing is told after the first epoch', async () => {
    const data = new DataLoader(moons(40, { seed: 3 }), { batchSize: 10 });
    const model = new Linear(2, 2);
    const optimizer = new SGD(model, { learningRate: 0.1 });
    const found: string[] = [];
    const note: Callback = { handle: (event) => void (event.type === 'warning' && found.push(event.what)) };
    const train = async (isForgotten: boolean): Promise<void> => {
      const step = async ({ inputs, targets }: ReturnType<typeof data.peek>): Promise<Tensor> => {
        const loss = crossEntropy(model.forward(inputs), targets);
        if (!isForgotten) await optimizer.step(loss);
        return loss;
      };
      await new Training({ model, data, step, epochs: 3, callbacks: [startChecks(), note] }).run();
    };
    await train(false);
    expect(found).toEqual([]);
    await train(true);
    expect(found).toEqual(['nothing-learned']);
  });
});
