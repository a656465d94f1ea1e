/** Layers made by their first input, captured activations, weights that are normalised, statistics computed anew. */
import { cpu } from '@nn/backend-cpu';
import {
  compile,
  evaluate,
  freeze,
  gradients,
  isTraining,
  namedParameters,
  parameters,
  setDefaultBackend,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from '@nn/core';
import { SGD, WeightAverage } from '@nn/optim';
import { beforeAll, describe, expect, test } from 'vitest';
import * as nn from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const read = async (x: Tensor | null | undefined): Promise<number[]> => Array.from((await x?.data()) ?? []);

describe('a lazy layer', () => {
  test('has the names, shapes and sizes of the layer that its first input asks for', async () => {
    const model = new nn.Sequential(
      new nn.LazyConv2d(4, 3),
      new nn.LazyBatchNorm2d(),
      new nn.Flatten(),
      new nn.LazyLinear(2),
    );
    expect(parameters(model)).toEqual([]);
    expect(nn.summary(model, [1, 3, 5, 5]).parameters).toBe(4 * 27 + 4 + 8 + 2 * 36 + 2);
    expect([...namedParameters(model)].map(([name, { shape }]) => `${name} [${shape}]`)).toEqual([
      '0.weight [4,3,3,3]',
      '0.bias [4]',
      '1.weight [4]',
      '1.bias [4]',
      '1.running_mean [4]',
      '1.running_var [4]',
      '1.num_batches_tracked []',
      '3.weight [2,36]',
      '3.bias [2]',
    ]);
    const optimizer = new SGD(model, { learningRate: 0.1 });
    const x = uniform([6, 3, 5, 5]);
    const loss = (): Tensor => model.forward(x).square().mean();
    const first = await loss().item();
    for (let i = 0; i < 5; i++) await optimizer.step(loss());
    expect(await loss().item()).toBeLessThan(first);
  });

  test('refuses other inputs afterwards, as the layer does, and passes masks on', async () => {
    const layer = new nn.LazyLinear(2);
    layer.forward(zeros([1, 3]));
    expect(() => layer.forward(zeros([1, 4]))).toThrow(
      'Linear(3, 2): the last axis must have 3 values, the input [1, 4] has 4.',
    );
    expect(() => new nn.LazyConv1d(2, 3).forward(zeros([3]))).toThrow(
      'LazyConv1d: its input says the size by axis 1, got [3].',
    );
    const norm = new nn.LazyBatchNorm1d({ momentum: 1 });
    const x = tensor([[1], [3], [100]]);
    await norm.forward(x, { mask: tensor([true, true, false]) }).data();
    expect(await read(norm.layer?.runningMean)).toEqual([2]);
  });
});

describe('capture', () => {
  const model = {
    body: new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU()),
    lstm: new nn.LSTM(3, 2, { batchFirst: true }),
    forward(x: Tensor): Tensor {
      const features = this.body.forward(x);
      return this.lstm.forward(this.body.at(1) ? features : x).output;
    },
  };

  test('gives what inner layers gave, by path, and leaves the model as it was', async () => {
    const x = uniform([1, 4, 2]);
    const keys = Object.keys(model.body);
    const { output, activations } = nn.capture(model, x);
    expect([...activations.keys()]).toEqual(['body.0', 'body.1', 'body', 'lstm.output', 'lstm.hidden', 'lstm.cell']);
    expect(activations.get('lstm.output')).toBe(output);
    expect(await read(activations.get('body.1'))).toEqual(await read(model.body.forward(x)));
    expect(Object.keys(model.body)).toEqual(keys);
    expect(Object.hasOwn(model.body, 'forward')).toBe(false);
  });

  test('chooses layers by path, expression or test, and numbers calls of one layer', () => {
    const x = zeros([1, 4, 2]);
    const paths = (which: nn.CaptureOptions['which'] & {}): string[] => [
      ...nn.capture(model, x, { which }).activations.keys(),
    ];
    expect(paths('body')).toEqual(['body.0', 'body.1', 'body']);
    expect(paths(/\.1$/)).toEqual(['body.1']);
    expect(paths((path) => path === 'body')).toEqual(['body']);
    const twice = { inner: new nn.Linear(2, 2) };
    const { activations, output } = nn.capture(twice, () => twice.inner.forward(twice.inner.forward(zeros([1, 2]))));
    expect([...activations.keys()]).toEqual(['inner', 'inner#2']);
    expect(activations.get('inner#2')).toBe(output);
    expect(() => paths('head')).toThrow('capture: no layer fits head: there are body, body.0, body.1, lstm.');
    expect(() => nn.capture(new nn.Linear(2, 2), zeros([1, 2]))).toThrow(
      'capture: no layer fits anything: the model has none inside.',
    );
  });

  test('gives tensors that gradients go to and through', async () => {
    const layers = new nn.Sequential(new nn.Linear(2, 2, { bias: false }), new nn.Linear(2, 1, { bias: false }));
    const { output, activations } = nn.capture(layers, tensor([[1, 2]]));
    const [slope] = gradients(output.sum(), [activations.get('0') ?? output]);
    expect(await read(slope)).toEqual(await read(namedParameters(layers).get('1.weight')));
  });

  test('takes its hands off where the model throws', () => {
    expect(() => nn.capture(model, zeros([1, 4, 3]))).toThrow('Linear(2, 3)');
    expect(Object.hasOwn(model.body, 'forward')).toBe(false);
  });
});

describe('weightNorm', () => {
  test('starts as the layer was, trains length and direction, and goes back', async () => {
    const layer = new nn.Linear(3, 2);
    const x = uniform([4, 3]);
    const before = await read(layer.forward(x));
    nn.weightNorm(layer);
    for (const [i, value] of (await read(layer.forward(x))).entries()) expect(value).toBeCloseTo(before[i] ?? 0, 5);
    const optimizer = new SGD(layer, { learningRate: 0.1 });
    await optimizer.step(layer.forward(x).square().mean());
    const trained = await read(layer.forward(x));
    expect(trained).not.toEqual(before);
    nn.removeWeightNorm(layer);
    expect([...namedParameters(layer).keys()].sort()).toEqual(['bias', 'weight']);
    for (const [i, value] of (await read(layer.forward(x))).entries()) expect(value).toBeCloseTo(trained[i] ?? 0, 5);
  });

  test('is refused where there is no such parameter', () => {
    expect(() => nn.weightNorm(new nn.ReLU())).toThrow(
      'weightNorm: ReLU() has no parameter in a field weight: give a layer that has, or another name.',
    );
    expect(() => nn.weightNorm(new nn.LSTM(2, 3))).toThrow('weightNorm: LSTM(2, 3) has no parameter in a field weight');
    expect(() => nn.weightNorm(new nn.Linear(2, 3), { axis: 2 })).toThrow('weightNorm: axis is 2: weight has 2 axes.');
    expect(() => nn.removeWeightNorm(new nn.Linear(2, 3))).toThrow(
      'removeWeightNorm: Linear(2, 3) has no weightNorm of weight.',
    );
  });
});

describe('spectralNorm', () => {
  test('makes the largest singular value 1, moves on in training only, and works compiled', async () => {
    const layer = nn.spectralNorm(new nn.Linear(3, 3, { bias: false }), { iterations: 4 });
    const original = namedParameters(layer).get('weight_orig');
    original?.assign(
      tensor([
        [3, 0, 0],
        [0, 2, 0],
        [0, 0, 1],
      ]),
    );
    const u = namedParameters(layer).get('weight_u');
    const x = tensor([[1, 0, 0]]);
    const step = compile((input: Tensor) => layer.forward(input));
    for (let i = 0; i < 8; i++) await (await step(x)).data();
    const direction = await read(u);
    const output = await read(evaluate(() => layer.forward(x)));
    expect(output[0]).toBeCloseTo(1, 4);
    expect(await read(u)).toEqual(direction);
    expect(() => nn.spectralNorm(new nn.LayerNorm(2))).toThrow(
      'spectralNorm: axis is 0: weight has 1 axes, and takes at least 2.',
    );
  });
});

describe('updateBatchNorm', () => {
  const model = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2), new nn.LazyBatchNorm1d());
  const batches = [uniform([8, 2]), uniform([8, 2], { low: 3, high: 5 })];

  test('gives the plain mean over batches for averaged weights, and leaves momentum and mode as they were', async () => {
    model.forward(uniform([4, 2]));
    const average = new WeightAverage(model, { average: 'equal' });
    await average.update();
    const norm = model.at(1) as nn.BatchNorm1d;
    const count = await average.during(() => nn.updateBatchNorm(model, batches));
    expect(count).toBe(2);
    expect([norm.momentum, isTraining()]).toEqual([0.1, true]);
    const first = model.at(0) as nn.Linear;
    const means = await Promise.all(batches.map((batch) => read(first.forward(batch).mean(0))));
    const found = await read(norm.runningMean);
    for (const c of [0, 1]) expect(found[c]).toBeCloseTo(((means[0]?.[c] ?? 0) + (means[1]?.[c] ?? 0)) / 2, 4);
    expect(await norm.numBatchesTracked?.item()).toBe(2);
  });

  test('takes batches that come one by one, and records by a function', async () => {
    async function* loader(): AsyncGenerator<{ x: Tensor }> {
      for (const x of batches) yield { x };
    }
    expect(await nn.updateBatchNorm(model, loader(), ({ x }) => model.forward(x))).toBe(2);
  });

  test('changes nothing where it fails, and nothing that is frozen', async () => {
    const norm = model.at(1) as nn.BatchNorm1d;
    const before = await read(norm.runningMean);
    await expect(nn.updateBatchNorm(model, [])).rejects.toThrow('updateBatchNorm: there were no batches');
    await expect(nn.updateBatchNorm(model, [batches[0] as Tensor, zeros([2, 3])])).rejects.toThrow('Linear(2, 2)');
    expect(await read(norm.runningMean)).toEqual(before);
    expect(norm.momentum).toBe(0.1);
    freeze(model, '1');
    expect(await nn.updateBatchNorm(model, batches)).toBe(1);
    expect(await read(norm.runningMean)).toEqual(before);
  });
});
