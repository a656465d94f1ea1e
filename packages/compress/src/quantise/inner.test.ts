/** Quantised layers that have products inside: recurrent ones, attention, convolutions in groups; all ways there, files, and adapters beside. */
import { cpu } from '@nn/backend-cpu';
import {
  compile,
  evaluate,
  explain,
  namedParameters,
  noGradient,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
} from '@nn/core';
import { Conv1d, Conv2d, GRU, LSTM, LSTMCell, MultiheadAttention, RNN, RNNCell, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { encodeModel, loadModel } from '@nn/serialize';
import { BertForMaskedLM, GPT2, Llama } from '@nn/text';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addLora, pruneHeads, type QuantiseOptions, quantise, quantiseInTraining, useAdapters } from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));
beforeEach(() => setSeed(4));

const values = async (x: Tensor): Promise<Float32Array> => (await x.data()) as Float32Array;

/** The largest difference, as a share of the largest magnitude. */
function distance(found: Float32Array, expected: Float32Array): number {
  const most = expected.reduce((sum, value) => Math.max(sum, Math.abs(value)), 0);
  expect(found.length).toBe(expected.length);
  return found.reduce((sum, value, i) => Math.max(sum, Math.abs(value - expected[i]!)), 0) / most;
}

const dynamic = { mode: 'dynamic' } as const;

describe('recurrent layers', () => {
  const sequence = (length: number): Tensor => uniform([length, 3, 10], { low: -1, high: 1 });
  const networks = {
    RNN: () => new RNN(10, 12, { nonlinearity: 'relu', layers: 2 }),
    LSTM: () => new LSTM(10, 12, { layers: 2, bidirectional: true }),
    'LSTM with a projection': () => new LSTM(10, 12, { projection: 7 }),
    GRU: () => new GRU(10, 12, { bias: false }),
  };
  const ways: readonly (readonly [most: number, options: (x: Tensor) => QuantiseOptions])[] = [
    [0.04, () => dynamic],
    [0.04, (x) => ({ mode: 'static', calibration: [x] })],
    [0.01, () => ({ mode: 'weights', groupSize: 4 })],
    [0.2, () => ({ mode: 'weights', bits: 4, groupSize: 4 })],
  ];
  for (const [name, make] of Object.entries(networks)) {
    it(`are close to what they were, short and as a loop: ${name}`, async () => {
      for (const [most, options] of ways) {
        const model = { layer: make(), forward: (x: Tensor): Tensor => model.layer.forward(x).output };
        const [short, long] = [sequence(5), sequence(20)];
        const lengths = [20, 7, 16];
        const run = (): Tensor[] => [
          ...Object.values<Tensor>({ ...model.layer.forward(short) }),
          model.layer.forward(long, { lengths }).output,
        ];
        const before = await Promise.all(run().map(values));
        const { layers, bytesAfter, bytesBefore } = await quantise(model, options(short));
        expect(layers.map(({ to }) => to)).toEqual([`Quantised${String(make())}`]);
        expect(bytesAfter).toBeLessThan(0.65 * bytesBefore);
        const after = await Promise.all(run().map(values));
        for (const [k, expected] of before.entries()) expect(distance(after[k]!, expected)).toBeLessThan(most);
      }
    });
  }

  it('multiply bytes, step by step and in a loop', async () => {
    const model = { layer: new LSTM(64, 64) };
    await quantise(model, dynamic);
    const text = explain(noGradient(() => model.layer.forward(uniform([3, 2, 64])).output));
    expect(text.match(/step \d+: bytes /g)!.length).toBeGreaterThanOrEqual(3);
  });

  it('have the names of PyTorch, come from files, and count their products', async () => {
    const make = (): { layer: LSTM } => ({ layer: new LSTM(4, 3, { batchFirst: true }) });
    const model = make();
    await quantise(model, dynamic);
    expect([...namedParameters(model)].map(([name, { dtype, shape }]) => `${name} ${dtype} ${shape}`)).toEqual([
      'layer.weight_ih_l0 int8 12,4',
      'layer.weight_ih_scale_l0 float32 12',
      'layer.weight_ih_sum_l0 int32 12',
      'layer.bias_ih_l0 float32 12',
      'layer.weight_hh_l0 int8 12,3',
      'layer.weight_hh_scale_l0 float32 12',
      'layer.weight_hh_sum_l0 int32 12',
      'layer.bias_hh_l0 float32 12',
    ]);
    expect(model.layer.multiplyAdds([[2, 5, 4]])).toBe(make().layer.multiplyAdds([[2, 5, 4]]));
    const other = make();
    await quantise(other, dynamic);
    const x = uniform([2, 5, 4]);
    await loadModel(await encodeModel(model), other);
    expect(await values(other.layer.forward(x).output)).toEqual(await values(model.layer.forward(x).output));
  });

  it('are the same compiled, and their cells alone', async () => {
    const model = { layer: new LSTM(10, 12), cell: new LSTMCell(10, 12), plain: new RNNCell(10, 4) };
    for (const [name, weight] of namedParameters(model.layer)) {
      namedParameters(model.cell).get(name.replace('_l0', ''))!.assign(weight.stopGradient());
    }
    await quantise(model, dynamic);
    const x = sequence(3);
    const all = await values(model.layer.forward(x).output);
    const compiled = compile((input: Tensor) => noGradient(() => model.layer.forward(input).output));
    expect(distance(await values(await compiled(x)), all)).toBeLessThan(1e-6);
    let state = model.cell.forward(x.at(0));
    for (const t of [1, 2]) state = model.cell.forward(x.at(t), state);
    expect(distance(await values(state.hidden), all.slice(-36))).toBeLessThan(1e-6);
    expect(() => model.plain.forward(uniform([2, 9]))).toThrow('QuantisedRNNCell(10, 4): takes [N, 10], got [2, 9].');
  });

  it('learn with rounded weights, and become whole numbers that answer alike', async () => {
    class Sums {
      lstm = new LSTM(2, 8);
      gru = new GRU(8, 1, { bias: false });
      forward(x: Tensor): Tensor {
        return this.gru.forward(this.lstm.forward(x).output).hidden;
      }
    }
    const model = new Sums();
    const weight = model.lstm.cells[0]!.weightIh;
    expect(quantiseInTraining(model)).toEqual(['lstm', 'gru']);
    expect(namedParameters(model).get('lstm.weight_ih_l0')).toBe(weight);
    expect(String(model.lstm)).toBe('QuantisedInTrainingLSTM(2, 8)');
    const optimizer = new Adam(model, { learningRate: 0.03 });
    const x = uniform([6, 16, 2], { low: -1, high: 1 });
    const wanted = x.mean([0, 2]).reshape([1, 16, 1]);
    const loss = (): Tensor => model.forward(x).sub(wanted).square().mean();
    const start = await loss().item();
    for (let step = 0; step < 25; step++) await optimizer.step(loss());
    expect(await loss().item()).toBeLessThan(0.5 * start);
    const trained = await values(evaluate(() => model.forward(x)));
    const { layers } = await quantise(model, { mode: 'trained' });
    expect(layers.map(({ to }) => to)).toEqual(['QuantisedLSTM(2, 8)', 'QuantisedGRU(8, 1)']);
    // a state halfway between two levels may go to either
    expect(distance(await values(model.forward(x)), trained)).toBeLessThan(0.02);
    expect(namedParameters(model).get('lstm.weight_ih_l0')!.dtype).toBe('int8');
  });
});

describe('attention', () => {
  class Model {
    attention = new MultiheadAttention(16, 4, { batchFirst: true });
    cross = new MultiheadAttention(16, 2, { batchFirst: true });
    wide = new MultiheadAttention(16, 2, { batchFirst: true, keyDimension: 6, valueDimension: 10 });
    forward(x: Tensor, memory: Tensor = x.slice([0, 0, 0], [2, 3, 16])): Tensor {
      const y = this.cross.forward(this.attention.forward(x, x, x, { causal: true }), memory);
      const key = memory.slice([0, 0, 0], [2, 3, 6]);
      return this.wide.forward(y, key, memory.slice([0, 0, 0], [2, 3, 10]));
    }
  }
  const input = (): Tensor => uniform([2, 5, 16], { low: -1, high: 1 });
  const paths = [
    ...['attention.in_proj', 'attention.out_proj', 'cross.in_proj', 'cross.out_proj'],
    ...['wide.in_proj.q', 'wide.in_proj.k', 'wide.in_proj.v', 'wide.out_proj'],
  ];
  const ways: Readonly<Record<string, readonly [most: number, to: string, options: (x: Tensor) => QuantiseOptions]>> = {
    dynamic: [0.04, 'QuantisedLinear(16, 48)', () => dynamic],
    static: [0.04, 'QuantisedLinear(16, 48)', (x) => ({ mode: 'static', calibration: [x] })],
    '8 bits': [0.01, 'GroupedLinear(16, 48, 8 bits in groups of 4)', () => ({ mode: 'weights', groupSize: 4 })],
    '4 bits': [
      0.15,
      'GroupedLinear(16, 48, 4 bits in groups of 4)',
      () => ({ mode: 'weights', bits: 4, groupSize: 4 }),
    ],
  };
  for (const [name, [most, to, options]] of Object.entries(ways)) {
    it(`has projections of few bits, packed and apart: ${name}`, async () => {
      const model = new Model();
      const x = input();
      const before = await values(model.forward(x));
      const { layers } = await quantise(model, options(x));
      expect(layers.map(({ path }) => path).sort()).toEqual([...paths].sort());
      expect(layers.find(({ path }) => path === 'attention.in_proj')!.to).toBe(to);
      expect(model.attention.inProjWeight).toBeNull();
      const after = model.forward(x);
      expect(after.shape).toEqual([2, 5, 16]);
      expect(distance(await values(after), before)).toBeLessThan(most);
      // other queries, keys and values take their part of the packed product
      const own = model.cross.forward(x, x, x);
      const apart = model.cross.forward(x, x.add(0), x.mul(1));
      expect(distance(await values(apart), await values(own))).toBeLessThan(1e-5);
    });
  }

  it('is left alone where other layers are meant, and where something goes wrong', async () => {
    const model = new Model();
    const { inProjWeight, inProjBias } = model.attention;
    await quantise(model, { ...dynamic, layers: 'cross' });
    expect([model.attention.inProjWeight, model.attention.inProjBias, model.attention.inProj]).toEqual([
      inProjWeight,
      inProjBias,
      null,
    ]);
    expect(model.cross.inProj).not.toBeNull();
    await expect(quantise(model, { mode: 'static', calibration: [] })).rejects.toThrow('has no batches');
    await expect(quantise(model, { mode: 'weights', groupSize: 3 })).rejects.toThrow('groupSize is 3');
    expect(model.attention.inProjWeight).toBe(inProjWeight);
    expect(model.wide.inProj).toBeNull();
    await expect(pruneHeads(model.cross, [0])).rejects.toThrow(
      'pruneHeads: MultiheadAttention(16, 2) is quantised: prune it first, and quantise afterwards.',
    );
    addLora(model, { rank: 1, targets: 'attention' });
    await expect(quantise(model, dynamic)).rejects.toThrow(
      'quantise: attention has adapters, which a layer of few bits in its place would not have: mergeAdapters(model, { forget: true }) first, or add them afterwards.',
    );
  });

  it('learns with rounded projections', async () => {
    const model = new Model();
    const x = input();
    expect(quantiseInTraining(model).sort()).toEqual([...paths].sort());
    const optimizer = new Adam(model, { learningRate: 0.01 });
    const loss = (): Tensor => model.forward(x).sub(x).square().mean();
    const start = await loss().item();
    for (let step = 0; step < 8; step++) await optimizer.step(loss());
    expect(await loss().item()).toBeLessThan(0.9 * start);
    const trained = await values(evaluate(() => model.forward(x)));
    await quantise(model, { mode: 'trained' });
    expect(distance(await values(model.forward(x)), trained)).toBeLessThan(0.02);
  });

  it('has adapters beside quantised projections (QLoRA), packed ones too', async () => {
    const model = new Model();
    await quantise(model, { mode: 'weights', bits: 4, groupSize: 4 });
    const x = input();
    const memory = uniform([2, 3, 16]);
    const run = (): Promise<Float32Array> => values(model.forward(x, memory));
    const before = await run();
    const { paths: found, parameters: learned } = addLora(model, { rank: 2, targets: /in_proj$/ });
    expect(found).toEqual(['attention.in_proj', 'cross.in_proj']);
    expect(distance(await run(), before)).toBeLessThan(1e-4);
    for (const member of learned) member.assign(uniform(member.shape));
    expect(distance(await run(), before)).toBeGreaterThan(0.01);
    useAdapters(model, []);
    expect(distance(await run(), before)).toBeLessThan(1e-4);
  });
});

describe('convolutions in groups', () => {
  const make = (): Sequential =>
    new Sequential(
      new Conv2d(6, 12, 3, { groups: 3, padding: 'same' }),
      new Conv2d(12, 12, 3, { groups: 12, stride: 2, padding: 1 }),
      new Conv2d(12, 5, 1),
    );
  it('are close to what they were, with the range of each sample and with one that was seen', async () => {
    const x = uniform([2, 6, 9, 8], { low: -1, high: 1 });
    for (const options of [dynamic, { mode: 'static', calibration: [x] } as const]) {
      const model = make();
      const before = await values(model.forward(x));
      const { layers } = await quantise(model, options);
      expect(layers.map(({ to }) => to)).toEqual([
        'QuantisedConv(6, 12, 3x3, 3 groups)',
        'QuantisedConv(12, 12, 3x3, 12 groups)',
        'QuantisedConv(12, 5, 1x1)',
      ]);
      expect(distance(await values(model.forward(x)), before)).toBeLessThan(0.04);
    }
  });

  it('learn with rounding, along lines too', async () => {
    const model = new Sequential(new Conv1d(4, 8, 3, { groups: 4 }), new Conv1d(8, 2, 1));
    const x = uniform([3, 4, 12]);
    quantiseInTraining(model);
    const optimizer = new Adam(model, { learningRate: 0.02 });
    const loss = (): Tensor => model.forward(x).sub(0.5).square().mean();
    const start = await loss().item();
    for (let step = 0; step < 10; step++) await optimizer.step(loss());
    expect(await loss().item()).toBeLessThan(0.8 * start);
    const trained = await values(evaluate(() => model.forward(x)));
    await quantise(model, { mode: 'trained' });
    expect(distance(await values(model.forward(x)), trained)).toBeLessThan(0.02);
  });
});

describe('language models whose input and output share a table', () => {
  it.each(['weights', 'dynamic'] as const)('answer as before, the table in bytes: %s', async (mode) => {
    const ids = tensor([[1, 2, 3, 4]], { dtype: 'int32' });
    const sizes = { vocabularySize: 40, contextLength: 8, dimension: 32, layers: 1, heads: 2, dropout: 0 };
    for (const model of [new GPT2(sizes), new Llama({ ...sizes, tied: true }), new BertForMaskedLM(sizes)]) {
      const before = await evaluate(() => model.forward(ids)).data();
      const { layers } = await quantise(model, { mode });
      expect(layers.some(({ to }) => to === 'QuantisedEmbedding(40, 32)')).toBe(true);
      const after = await evaluate(() => model.forward(ids)).data();
      const most = Math.max(...Array.from(before, Math.abs));
      for (const [i, value] of before.entries()) expect(Math.abs(after[i]! - value) / most).toBeLessThan(0.05);
    }
  });
});
