/** Ranges, scales, rounding and whole numbers against PyTorch (torch.ao); the fixture is made by scripts/golden/quantisation.py. */
import { cpu } from '@nn/backend-cpu';
import { gradients, isTensor, namedParameters, parameter, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { Conv2d, GRU, GRUCell, Linear, LSTM, LSTMCell, RNNCell, Sequential } from '@nn/layers';
import { beforeAll, describe, expect, it } from 'vitest';
import golden from '../../fixtures/quantisation.json';
import {
  affineQuantisation,
  fakeQuantise,
  HistogramObserver,
  MinMaxObserver,
  MovingAverageObserver,
  type Observer,
  QuantisedLinear,
  quantise,
  symmetricQuantisation,
} from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const observers: Readonly<Record<string, () => Observer>> = {
  minMax: () => new MinMaxObserver(),
  movingAverage: () => new MovingAverageObserver(),
  histogram: () => new HistogramObserver(),
};
const levels = { 'affine 0 to 255': [0, 255], 'affine 0 to 127': [0, 127], 'affine -128 to 127': [-128, 127] } as const;

describe('observers', () => {
  for (const { scheme, observer, scale, zeroPoint, ...rest } of golden.observed) {
    const data = 'data' in rest ? rest.data : 'three';
    it(`are PyTorch's: ${observer}, ${scheme}, ${data} batches`, () => {
      const seen = observers[observer]!();
      const batches = data === 'three' ? golden.batches : golden.outliers.slice(0, data === 'one' ? 1 : 2);
      for (const batch of batches) seen.observe(batch.data);
      const { min, max } = seen.range();
      const [low, high] = scheme === 'symmetric' ? [0, 0] : levels[scheme as keyof typeof levels];
      const found =
        scheme === 'symmetric' ? symmetricQuantisation(min, max) : affineQuantisation(min, max, { low, high });
      expect(found.scale / scale).toBeCloseTo(1, 6);
      expect(found.zeroPoint).toBe(zeroPoint);
      if ('min' in rest && observer !== 'histogram')
        expect([min, max]).toEqual([expect.closeTo(rest.min!, 6), expect.closeTo(rest.max!, 6)]);
    });
  }

  it('give each output of a weight its scale', async () => {
    const { weight, scale } = golden.channels;
    for (const [row, expected] of scale.data.entries()) {
      const values = weight.data.slice(row * 7, row * 7 + 7);
      const seen = new MinMaxObserver();
      seen.observe(values);
      const { min, max } = seen.range();
      expect(symmetricQuantisation(min, max).scale / expected).toBeCloseTo(1, 6);
      expect(symmetricQuantisation(min, max, { symmetry: 'onnx' }).scale / expected).toBeCloseTo(127.5 / 127, 6);
    }
  });
});

describe('rounding in training', () => {
  for (const { options, x, y, slope } of golden.fakes) {
    it(`is PyTorch's, with its gradient: ${options.low} to ${options.high}`, async () => {
      const input = parameter(x.data, { shape: x.shape });
      const found = fakeQuantise(input, options);
      const cotangent = tensor(
        y.data.map((_, i) => (((i * 7) % 11) - 5) / 8),
        { shape: y.shape },
      );
      const [gradient] = gradients(found.mul(cotangent).sum(), [input]);
      const values = await found.data();
      for (const [i, expected] of y.data.entries()) expect(values[i]).toBeCloseTo(expected, 6);
      expect(Array.from(await gradient!.data(), (value) => value + 0)).toEqual(slope.data);
    });
  }
});

it('A Linear layer on whole numbers has the levels, the scales and the result of PyTorch', async () => {
  const { weight, bias, x, y, levels: expected, scales } = golden.dynamic;
  const layer = new Linear(40, 6);
  layer.weight.assign(tensor(weight.data, { shape: weight.shape }));
  layer.bias!.assign(tensor(bias.data));
  const model = new Sequential(layer);
  await quantise(model, { mode: 'dynamic' });
  const made = model.at(0);
  if (!(made instanceof QuantisedLinear)) throw new Error(`not quantised: ${String(made)}`);
  expect([...(await made.weight.data())]).toEqual(expected.data);
  for (const [i, scale] of scales.data.entries()) expect((await made.weightScale.data())[i]! / scale).toBeCloseTo(1, 6);
  const found = await model.forward(tensor(x.data, { shape: x.shape })).data();
  for (const [i, value] of y.data.entries()) expect(found[i]).toBeCloseTo(value, 5);
});

describe('recurrent layers with a scale for each channel of each gate', () => {
  const kinds = { LSTM, GRU, LSTMCell, GRUCell, RNNCell } as const;
  /** The tensors of a result, in PyTorch's order. */
  const tensorsOf = (result: Tensor | object): Tensor[] => (isTensor(result) ? [result] : Object.values(result));
  for (const { kind, options, weights, x, results } of golden.recurrents) {
    it(`are torch.ao's: ${kind} ${JSON.stringify(options)}`, async () => {
      const bidirectional = 'bidirectional' in options;
      const layer = new kinds[kind as keyof typeof kinds](6, 5, bidirectional ? { bidirectional } : {});
      const own = namedParameters(layer);
      for (const [name, { data, shape }] of Object.entries(weights)) own.get(name)!.assign(tensor(data, { shape }));
      const model = { layer };
      await quantise(model, { mode: 'dynamic', levels: { low: 0, high: 255 } });
      expect(String(model.layer)).toBe(`Quantised${kind}(6, 5)`);
      const found = tensorsOf(model.layer.forward(tensor(x.data, { shape: x.shape })));
      expect(found.map(({ shape }) => shape)).toEqual(results.map(({ shape }) => shape));
      for (const [k, { data }] of results.entries()) {
        const values = await found[k]!.data();
        for (const [i, value] of data.entries()) expect(values[i]).toBeCloseTo(value, 4);
      }
    });
  }
});

describe('convolutions in groups on whole numbers', () => {
  for (const { groups, x, weight, bias, step, y } of golden.grouped) {
    it(`are torch.ao's: ${x.shape[1]} to ${weight.shape[0]} channels in ${groups}`, async () => {
      const layer = new Conv2d(x.shape[1]!, weight.shape[0]!, 3, { groups, stride: [2, 1], padding: 1 });
      layer.weight.assign(tensor(weight.data, { shape: weight.shape }));
      layer.bias!.assign(tensor(bias.data));
      const model = new Sequential(layer);
      const input = tensor(x.data, { shape: x.shape });
      await quantise(model, { mode: 'static', calibration: [input] });
      expect(String(model.at(0))).toContain(`${groups} groups`);
      const found = model.forward(input);
      expect(found.shape).toEqual(y.shape);
      const values = await found.data();
      // PyTorch rounds its results to steps, and cuts them at 8 bits
      const [low, high] = [-128 * step, 127 * step];
      for (const [i, value] of y.data.entries()) {
        expect(Math.abs(Math.max(low, Math.min(high, values[i]!)) - value)).toBeLessThan(0.5 * step + 1e-4);
      }
    });
  }
});
