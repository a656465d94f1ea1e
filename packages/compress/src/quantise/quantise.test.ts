/** Quantised models beside the ones that they were, the ways there, and what they refuse. */
import { cpu } from '@nn/backend-cpu';
import {
  explain,
  namedParameters,
  noGradient,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
} from '@nn/core';
import {
  Conv1d,
  Conv2d,
  crossEntropy,
  Embedding,
  Flatten,
  Linear,
  MaxPool2d,
  ReLU,
  relu,
  Sequential,
} from '@nn/layers';
import { Adam } from '@nn/optim';
import { encodeModel, loadModel } from '@nn/serialize';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  EntropyObserver,
  fakeQuantise,
  MinMaxObserver,
  MovingAverageObserver,
  PercentileObserver,
  type QuantiseOptions,
  quantise,
  quantiseInTraining,
} from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

function convolutional(): Sequential {
  setSeed(3);
  return new Sequential(
    new Conv2d(2, 8, 3, { padding: 'same' }),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(8, 12, [3, 2], { stride: [2, 1], padding: [1, 0], dilation: [1, 2] }),
    new ReLU(),
    new Flatten(),
    new Linear(12 * 4 * 6, 10),
  );
}

/** The largest difference, as a share of the largest magnitude. */
async function distance(found: Tensor, expected: Float32Array): Promise<number> {
  const values = (await found.data()) as Float32Array;
  const most = expected.reduce((sum, value) => Math.max(sum, Math.abs(value)), 0);
  return values.reduce((sum, value, i) => Math.max(sum, Math.abs(value - expected[i]!)), 0) / most;
}

describe('quantise', () => {
  const images = (): Tensor => uniform([6, 2, 16, 16], { low: -1, high: 1 });
  const ways: readonly (readonly [name: string, most: number, options: (x: Tensor) => QuantiseOptions])[] = [
    ['weights of 8 bits', 0.005, () => ({ mode: 'weights' })],
    ['weights of 4 bits', 0.12, () => ({ mode: 'weights', bits: 4 })],
    ['the range of each sample', 0.03, () => ({ mode: 'dynamic' })],
    ['bounds', 0.03, (x) => ({ mode: 'static', calibration: [x] })],
    ['bounds, by ONNX', 0.03, (x) => ({ mode: 'static', calibration: [x], symmetry: 'onnx' })],
    [
      'bounds, eight bits with a sign',
      0.02,
      (x) => ({ mode: 'static', calibration: [x], levels: { low: -128, high: 127 } }),
    ],
    ['bounds, six bits', 0.06, (x) => ({ mode: 'static', calibration: [x], levels: { low: 0, high: 63 } })],
    ['moving bounds', 0.03, (x) => ({ mode: 'static', calibration: [x, x], observer: 'movingAverage' })],
    ['a percentile', 0.05, (x) => ({ mode: 'static', calibration: [x], observer: 'percentile' })],
    ['a histogram', 0.05, (x) => ({ mode: 'static', calibration: [x], observer: 'histogram' })],
    ['entropy', 0.25, (x) => ({ mode: 'static', calibration: [x], observer: 'entropy' })],
  ];
  for (const [name, most, options] of ways) {
    it(`is close to the model before, by ${name}`, async () => {
      const model = convolutional();
      const x = images();
      const before = (await model.forward(x).data()) as Float32Array;
      const report = await quantise(model, options(x));
      expect(report.bytesAfter).toBeLessThan(0.45 * report.bytesBefore);
      expect(await distance(model.forward(x), before)).toBeLessThan(most);
    });
  }

  it('makes products of bytes of Linear and Conv, and names what it made', async () => {
    const model = convolutional();
    const x = images();
    const { layers } = await quantise(model, { mode: 'static', calibration: [x] });
    expect(layers.map(({ path, to }) => `${path} ${to}`)).toEqual([
      '0 QuantisedConv(2, 8, 3x3, relu, largest of 2x2)',
      '3 QuantisedConv(8, 12, 3x2, relu)',
      '6 QuantisedLinear(288, 10)',
    ]);
    const steps = explain(noGradient(() => model.forward(x)));
    expect(steps.match(/step \d+: bytes /g)).toHaveLength(3);
  });

  it('lets convolutions do what follows them, with the same results', async () => {
    const x = uniform([2, 1, 9, 11], { low: -1, high: 1 });
    const make = (...after: (MaxPool2d | ReLU | ((x: Tensor) => Tensor))[]): Sequential => {
      setSeed(9);
      return new Sequential(new Conv2d(1, 3, 2), ...after);
    };
    // a plain function around is not known, and stays where it is
    const apart = make((y) => new MaxPool2d(2).forward(y.relu()));
    await quantise(apart, { mode: 'static', calibration: [x] });
    const expected = await apart.forward(x).array();
    for (const after of [
      [new ReLU(), new MaxPool2d(2)],
      [new MaxPool2d(2), relu],
    ]) {
      const model = make(...after);
      const { layers } = await quantise(model, { mode: 'static', calibration: [x] });
      expect(layers[0]?.to).toBe('QuantisedConv(1, 3, 2x2, relu, largest of 2x2)');
      expect(await model.forward(x).array()).toEqual(expected);
    }
    const overlapping = make(new MaxPool2d(3, { stride: 2 }));
    const { layers } = await quantise(overlapping, { mode: 'static', calibration: [x] });
    expect(layers[0]?.to).toBe('QuantisedConv(1, 3, 2x2)');
  });

  it('says which layers float32 computes faster, and leaves them as they are where speed is what counts', async () => {
    const make = (): Sequential => {
      setSeed(5);
      return new Sequential(
        ...[new Conv2d(8, 8, 3, { padding: 1 }), new ReLU(), new Conv2d(8, 8, 3, { stride: 2 }), new ReLU()],
        ...[new Conv2d(8, 8, 5), new ReLU(), new Conv2d(8, 4, 3), new Flatten(), new Linear(16, 3)],
      );
    };
    const x = uniform([3, 8, 17, 17]);
    const exact = (await make().forward(x).data()) as Float32Array;
    for (const options of [{ mode: 'static', calibration: [x] }, { mode: 'dynamic' }] as const) {
      const [small, fast] = [make(), make()];
      const all = await quantise(small, options);
      expect(all.layers.map(({ path }) => path)).toEqual(['0', '2', '4', '6', '8']);
      expect(all.fasterInFloat).toEqual(['0']);
      const some = await quantise(fast, { ...options, prefer: 'speed' });
      expect(some.layers.map(({ path }) => path)).toEqual(['2', '4', '6', '8']);
      expect(some.fasterInFloat).toEqual(['0']);
      expect(String(fast.at(0))).toBe(String(make().at(0)));
      expect(await distance(fast.forward(x), exact)).toBeLessThan(0.1);
    }
    // products of thin groups, of depthwise convolutions above all, are too small for bytes
    const separable = new Sequential(
      ...[new Conv2d(8, 8, 3, { groups: 8, padding: 1 }), new Conv2d(8, 64, 1), new Conv2d(64, 64, 5, { groups: 2 })],
      ...[new Conv2d(64, 4, 1), new Flatten(2), new Conv1d(4, 4, 5, { groups: 2 })],
    );
    const parts = await quantise(separable, { mode: 'dynamic', prefer: 'speed' });
    expect([parts.layers.map(({ path }) => path), parts.fasterInFloat]).toEqual([
      ['1', '2', '3'],
      ['0', '5'],
    ]);
    // where all of them are faster in float32, nothing changes
    const alone = new Sequential(new Conv2d(8, 8, 3));
    expect((await quantise(alone, { mode: 'dynamic', prefer: 'speed' })).layers).toEqual([]);
    await expect(quantise(alone, { mode: 'dynamic', prefer: 'size' } as never)).rejects.toThrow(
      'quantise: prefer is size: it is memory or speed.',
    );
    // trained layers are chosen before the training
    const trained = new Sequential(new Conv2d(8, 8, 3));
    quantiseInTraining(trained);
    await trained.forward(x).sum().item();
    expect((await quantise(trained, { mode: 'trained' })).fasterInFloat).toEqual(['0']);
  });

  it('gives a sample the same result in every batch, by its own range', async () => {
    const model = new Sequential(new Linear(20, 8), new ReLU(), new Linear(8, 3));
    await quantise(model, { mode: 'dynamic' });
    const x = uniform([5, 20]);
    const all = (await model.forward(x.mul(tensor([[1], [10], [0.1], [3], [0]]))).array()) as number[][];
    const one = await model.forward(x.slice([1], [2]).mul(10)).array();
    expect(one).toEqual([all[1]]);
  });

  it('covers sequences, rows of tables and any number of leading axes', async () => {
    const model = new Sequential(new Embedding(30, 16), new Linear(16, 8));
    const tokens = tensor([[3, 29, 0, 7]], { dtype: 'int32' });
    const before = (await model.forward(tokens).data()) as Float32Array;
    await quantise(model, { mode: 'dynamic' });
    expect(await distance(model.forward(tokens), before)).toBeLessThan(0.03);
    const line = new Sequential(new Conv1d(3, 6, 5, { stride: 2 }));
    const signal = uniform([2, 3, 40]);
    const wave = (await line.forward(signal).data()) as Float32Array;
    await quantise(line, { mode: 'dynamic' });
    expect(await distance(line.forward(signal), wave)).toBeLessThan(0.03);
  });

  it('keeps groups that do not divide the inputs', async () => {
    const model = new Sequential(new Linear(45, 6));
    const x = uniform([4, 3, 45]);
    const before = (await model.forward(x).data()) as Float32Array;
    await quantise(model, { mode: 'weights', bits: 4, groupSize: 16 });
    expect(model.forward(x).shape).toEqual([4, 3, 6]);
    expect(await distance(model.forward(x), before)).toBeLessThan(0.15);
  });

  it('writes bytes to files, and reads them back', async () => {
    const model = convolutional();
    const x = images();
    await quantise(model, { mode: 'static', calibration: [x] });
    const saved = await encodeModel(model);
    expect(saved.byteLength).toBeLessThan(8000);
    const other = convolutional();
    await quantise(other, { mode: 'static', calibration: [x.mul(5)] });
    await loadModel(saved, other);
    expect(await other.forward(x).array()).toEqual(await model.forward(x).array());
    expect(namedParameters(model).get('0.weight')?.dtype).toBe('int8');
  });

  it('refuses what it cannot do, and leaves the model as it was', async () => {
    const model = convolutional();
    const x = images();
    const before = await model.forward(x).array();
    await expect(quantise(model, { mode: 'static', calibration: [] })).rejects.toThrow(
      'quantise: the calibration has no batches: give some inputs as the model will see them.',
    );
    await expect(quantise(model, { mode: 'dynamic', layers: 'nowhere' })).rejects.toThrow(
      'quantise: the model has no layer that fits nowhere among Linear, Conv, MultiheadAttention, RNN, LSTM, GRU and Embedding.',
    );
    await expect(quantise(new Linear(2, 2), { mode: 'dynamic' })).rejects.toThrow(
      'quantise: the model itself is the layer, and cannot be replaced where you hold it: put it into new Sequential(layer).',
    );
    await expect(quantise(model, { mode: 'weights', groupSize: 3 })).rejects.toThrow(
      'quantise: groupSize is 3: it must be an even whole number of at least 2.',
    );
    await expect(quantise(model, { mode: 'static', calibration: [tensor([[1]])] })).rejects.toThrow(
      'Conv2d(2, 8, 3x3)',
    );
    await expect(quantise(model, { mode: 'later' } as unknown as QuantiseOptions)).rejects.toThrow(
      'quantise: mode is later: it is weights, dynamic, static or trained.',
    );
    expect(await model.forward(x).array()).toEqual(before);
  });
});

describe('quantiseInTraining', () => {
  it('learns with rounded weights and inputs, and becomes whole numbers that answer alike', async () => {
    setSeed(5);
    const model = new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 2));
    expect(quantiseInTraining(model)).toEqual(['0', '2']);
    expect([...namedParameters(model).keys()]).toEqual([
      '0.weight',
      '0.bias',
      '0.input_range',
      '2.weight',
      '2.bias',
      '2.input_range',
    ]);
    const optimizer = new Adam(model, { learningRate: 0.02 });
    const x = uniform([128, 2], { low: -1, high: 1 });
    const labels = x
      .slice([0, 0], [128, 1])
      .mul(x.slice([0, 1], [128, 2]))
      .less(0)
      .cast('int32')
      .reshape([128]);
    for (let step = 0; step < 150; step++) await optimizer.step(crossEntropy(model.forward(x), labels));
    const answers = async (): Promise<number[]> => Array.from(await model.forward(x).argMax(1).data());
    const wanted = Array.from(await labels.data());
    const share = (found: readonly number[], as: readonly number[]): number =>
      found.filter((answer, i) => answer === as[i]).length / found.length;
    const trained = await answers();
    expect(share(trained, wanted)).toBeGreaterThan(0.9);
    const { layers } = await quantise(model, { mode: 'trained' });
    expect(layers.map(({ to }) => to)).toEqual(['QuantisedLinear(2, 16)', 'QuantisedLinear(16, 2)']);
    expect(share(await answers(), trained)).toBeGreaterThan(0.98);
  });

  it('trains convolutions, whose own weight stays a parameter', async () => {
    const model = new Sequential(new Conv2d(1, 2, 3), new Flatten(), new Linear(8, 1));
    const weight = (model.at(0) as Conv2d).weight;
    quantiseInTraining(model);
    const optimizer = new Adam(model, { learningRate: 0.01 });
    const x = uniform([4, 1, 4, 4]);
    const first = await model.forward(x).square().mean().item();
    for (let step = 0; step < 20; step++) await optimizer.step(model.forward(x).square().mean());
    expect(await model.forward(x).square().mean().item()).toBeLessThan(first);
    expect(namedParameters(model).get('0.weight')).toBe(weight);
    await expect(quantise(new Sequential(convolutional()), { mode: 'trained' })).rejects.toThrow(
      'quantise: the model has no layer among those of quantiseInTraining.',
    );
  });

  it('says where no batch was seen', async () => {
    const model = new Sequential(new Linear(2, 2));
    quantiseInTraining(model);
    await expect(quantise(model, { mode: 'trained' })).rejects.toThrow(
      'quantise: the layer 0 has seen no batch in training: train first, or use static.',
    );
  });
});

describe('observers', () => {
  it('refuse NaN, and a range of nothing', () => {
    expect(() => new MinMaxObserver().observe([1, Number.NaN])).toThrow(
      'observe: value 1 is NaN: only finite numbers have a range.',
    );
    expect(() => new MinMaxObserver().range()).toThrow('range: nothing was observed: call observe(values) first.');
    expect(() => new PercentileObserver({ percentile: 0 })).toThrow(
      'percentile is 0: it must be above 0 and at most 100.',
    );
    expect(() => new MovingAverageObserver({ rate: 2 })).toThrow('rate is 2: it must be above 0 and at most 1.');
  });

  it('cut off what is rare: the share that percentile says, and what entropy can spare', () => {
    const values = Float32Array.from({ length: 20000 }, (_, i) => Math.sin(i * 1.7) + Math.sin(i * 0.3));
    values[0] = 50;
    const percentile = new PercentileObserver({ percentile: 99.9 });
    const entropy = new EntropyObserver();
    for (const observer of [percentile, entropy]) observer.observe(values);
    expect(percentile.range().max).toBeLessThan(2.1);
    expect(entropy.range().max).toBeLessThan(10);
    const { min, max } = percentile.range();
    const inside = values.filter((value) => value >= min && value <= max).length;
    expect(inside / values.length).toBeGreaterThan(0.998);
  });

  it('keep all counts while their histogram grows', () => {
    const observer = new PercentileObserver({ percentile: 100 });
    observer.observe([0, 1]);
    observer.observe([-3, 7]);
    observer.observe([100]);
    expect(observer.histogram.counts.reduce((sum, count) => sum + count, 0)).toBeCloseTo(5, 9);
    const { min, max } = observer.range();
    expect([min, max >= 100, max < 101]).toEqual([-3, true, true]);
  });
});

it('fakeQuantise wants a scale for each index of its axis', () => {
  expect(() => fakeQuantise(uniform([3, 4]), { scale: [1, 2], low: 0, high: 1, axis: 0 })).toThrow(
    'fakeQuantise: scale and zeroPoint have 2 values, axis 0 of [3, 4] has 3: give one for each index.',
  );
});
