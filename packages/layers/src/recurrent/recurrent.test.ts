/** Cells against their networks, steps that are passed over, and the errors of both. Values against PyTorch: networks.test.ts. */
import { cpu } from '@nn/backend-cpu';
import {
  compile,
  concat,
  gradients,
  namedParameters,
  parameters,
  setDefaultBackend,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from '@nn/core';
import { describe, expect, test } from 'vitest';
import {
  ConvLSTM2d,
  GRU,
  GRUCell,
  LayerNormLSTM,
  LSTM,
  LSTMCell,
  type LSTMResult,
  type LSTMStart,
  RNN,
  RNNCell,
  summary,
} from '../index.ts';

setDefaultBackend(cpu());

const read = async (x: Tensor): Promise<number[]> => Array.from(await x.data());

describe('cells', () => {
  test('along time by hand give what their networks give, bit for bit', async () => {
    const lstm = new LSTM(2, 3);
    const [cell] = lstm.cells;
    const x = uniform([4, 2, 2]);
    let state = cell?.forward(x.at(0));
    for (let t = 1; t < 4; t++) state = cell?.forward(x.at(t), state);
    const { hidden, cell: last } = lstm.forward(x);
    expect(await read(hidden)).toEqual(await read(state?.hidden ?? x));
    expect(await read(last)).toEqual(await read(state?.cell ?? x));
  });

  test('have the names of PyTorch', () => {
    expect([...namedParameters(new GRUCell(2, 3)).keys()]).toEqual(['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']);
    expect([...namedParameters(new LSTMCell(2, 3, { projection: 2 })).keys()].at(-1)).toBe('weight_hr');
    expect([...namedParameters(new LSTM(2, 3, { projection: 2 })).keys()].at(-1)).toBe('weight_hr_l0');
    expect(parameters(new RNNCell(2, 3, { bias: false })).length).toBe(2);
  });

  test('work in a compiled loop', async () => {
    const cell = new RNNCell(2, 3);
    const step = compile((x: Tensor, hidden: Tensor) => cell.forward(x, hidden));
    const x = uniform([4, 2]);
    const byHand = cell.forward(x, cell.forward(x, zeros([4, 3])));
    const compiled = await step(x, await step(x, zeros([4, 3])));
    const expected = await read(byHand);
    for (const [i, value] of (await read(compiled)).entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5);
  });
});

describe('long sequences', () => {
  const length = 20; // a loop of the program
  const piece = 10; // each step apart
  const networks = {
    rnn: () => new RNN(2, 3),
    lstm: () => new LSTM(2, 3, { layers: 2, projection: 2 }),
    gru: () => new GRU(2, 3),
  };

  test.each(Object.entries(networks))('are what their pieces are, with gradients: %s', async (_, make) => {
    const network = make();
    const x = uniform([length, 2, 2]);
    const all = network.forward(x);
    const first = network.forward(x.at([0, piece]));
    const second = network.forward(x.at([piece, null]), first);
    const weights = [x, ...parameters(network)];
    const lossOf = (outputs: Tensor, hidden: Tensor): Tensor => outputs.square().sum().add(hidden.sum());
    const found = gradients(lossOf(all.output, all.hidden), weights);
    const right = gradients(lossOf(concat([first.output, second.output]), second.hidden), weights);
    for (const [k, gradient] of [...right, second.hidden].entries()) {
      const values = await read([...found, all.hidden][k] ?? x);
      for (const [i, value] of (await read(gradient)).entries()) expect(values[i]).toBeCloseTo(value, 4);
    }
  });

  test('end where their rows do, in both directions', async () => {
    const lstm = new LSTM(2, 3, { bidirectional: true });
    const x = uniform([length, 2, 2]);
    const { output, hidden, cell } = lstm.forward(x, { lengths: [piece, length] });
    const short = lstm.forward(x.at([0, piece]).gather(tensor(Int32Array.of(0)), 1));
    const row = (y: Tensor): Tensor => y.gather(tensor(Int32Array.of(0)), 1);
    for (const [found, right] of [
      [row(output.at([0, piece])), short.output],
      [row(hidden), short.hidden],
      [row(cell), short.cell],
    ] as const) {
      const values = await read(found);
      for (const [i, value] of (await read(right)).entries()) expect(values[i]).toBeCloseTo(value, 5);
    }
    expect(
      await row(output.at([piece, null]))
        .abs()
        .sum()
        .item(),
    ).toBe(0);
  });
});

describe('long sequences, which are loops of the device,', () => {
  const options = { layers: 2, batchFirst: true } as const;
  const flat = [2, 20, 2];
  const cases: readonly (readonly [
    string,
    { forward(x: Tensor, start?: LSTMStart): LSTMResult },
    readonly number[],
  ])[] = [
    ['LSTM', new LSTM(2, 3, options), flat],
    ['LSTM with a projection', new LSTM(2, 3, { ...options, projection: 2 }), flat],
    ['LayerNormLSTM', new LayerNormLSTM(2, 3, options), flat],
    ['ConvLSTM2d', new ConvLSTM2d(1, 2, [1, 3], options), [2, 20, 1, 2, 3]],
  ];
  test.each(cases)('give what two short halves of them give: %s', async (_, layer, shape) => {
    const x = uniform(shape, { low: -1, high: 1 });
    const whole = layer.forward(x);
    const first = layer.forward(x.at([], [0, 10]));
    const second = layer.forward(x.at([], [10, 20]), first);
    const pairs = [
      [whole.output, concat([first.output, second.output], 1)],
      [whole.hidden, second.hidden],
      [whole.cell, second.cell],
    ] as const;
    const slopes = pairs.map((pair) => pair.map((y) => gradients(y.square().sum(), [x])[0]));
    for (const [found, right] of [...pairs, ...slopes]) {
      const [a, b] = await Promise.all([found?.data(), right?.data()]);
      for (const [i, value] of [...(a ?? [Number.NaN])].entries()) expect(value).toBeCloseTo(b?.[i] ?? Number.NaN, 4);
    }
  });
});

describe('steps that do not count', () => {
  test('are passed over wherever they are', async () => {
    const lstm = new LSTM(2, 3, { batchFirst: true, bidirectional: true });
    const x = uniform([1, 3, 2]);
    const gap = tensor([[true, false, true]]);
    const found = lstm.forward(x, { mask: gap });
    const short = lstm.forward(x.gather(tensor(Int32Array.of(0, 2)), 1));
    expect(await read(found.hidden)).toEqual(await read(short.hidden));
    expect(await read(found.output.at(0, 1))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await read(found.output.at(0, 2))).toEqual(await read(short.output.at(0, 1)));
  });

  test('by a mask are those by lengths, and both together hide what either does', async () => {
    const gru = new GRU(2, 3, { batchFirst: true });
    const x = uniform([2, 3, 2]);
    const lengths = [1, 3];
    const byLength = await read(gru.forward(x, { lengths }).output);
    const mask = tensor([
      [true, false, false],
      [true, true, true],
    ]);
    expect(await read(gru.forward(x, { mask }).output)).toEqual(byLength);
    const both = await read(gru.forward(x, { mask, lengths: [3, 2] }).output);
    expect(both.slice(0, 9)).toEqual(byLength.slice(0, 9));
    expect(both.slice(15)).toEqual([0, 0, 0]);
  });
});

describe('errors name the layer, both facts and the fix', () => {
  test.each<readonly [string, () => unknown, string]>([
    ['cell input', () => new RNNCell(3, 2).forward(zeros([4, 2])), 'RNNCell(3, 2): takes [N, 3], got [4, 2].'],
    [
      'cell of one sample',
      () => new GRUCell(3, 2).forward(zeros([3])),
      'GRUCell(3, 2): takes [N, 3], got [3]: for a single sample add the axis of the batch: x.unsqueeze(0).',
    ],
    [
      'cell state',
      () => new LSTMCell(3, 2).forward(zeros([4, 3]), { cell: zeros([2, 4]) }),
      'LSTMCell(3, 2): cell must be [4, 2], got [2, 4].',
    ],
    [
      'projection',
      () => new LSTM(3, 2, { projection: 2 }),
      'LSTMCell(3, 2): a projection to 2 does not make the state of 2 narrower: it must be below hidden.',
    ],
    [
      'projected state',
      () => new LSTM(3, 4, { projection: 2 }).forward(zeros([5, 1, 3]), { hidden: zeros([1, 1, 4]) }),
      'LSTM(3, 4): a state must be [layers, N, hidden] = [1, 1, 2], got [1, 1, 4].',
    ],
    [
      'mask',
      () => new RNN(3, 4).forward(zeros([5, 2, 3]), { mask: zeros([5, 2]) }),
      'RNN(3, 4): mask must be [N, length] = [2, 5], got [5, 2].',
    ],
    [
      'space',
      () => new ConvLSTM2d(1, 2, 3).forward(zeros([5, 1, 1, 4])),
      'ConvLSTM2d(1, 2): takes [length, N, 1, height, width], got [5, 1, 1, 4].',
    ],
    [
      'state of space',
      () => new ConvLSTM2d(1, 2, 3).forward(zeros([5, 1, 1, 4, 4]), { hidden: zeros([1, 1, 2]) }),
      'ConvLSTM2d(1, 2): a state must be [layers, N, hidden, height, width] = [1, 1, 2, 4, 4], got [1, 1, 2].',
    ],
    [
      'unknown option',
      () => Reflect.construct(LayerNormLSTM, [2, 3, { bias: false }]),
      'LayerNormLSTM(2, 3): no option bias: layers, batchFirst, dropout, bidirectional, epsilon.',
    ],
    [
      'dropout',
      () => new GRU(2, 3, { dropout: 2 }),
      'GRU(2, 3): the rate is 2: it is the share of values to drop, from 0 to 1.',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

test('summary counts the products of convolutions along time', () => {
  const layer = new ConvLSTM2d(1, 2, 3);
  // 4 gates of 2 channels, kernels of 9 over 1 and 2 channels, at 20 places, of 5 steps and 3 rows
  expect(summary(layer, [5, 3, 1, 4, 5]).multiplyAdds).toBe(8 * (9 + 18) * 20 * 15);
});
