import { cpu } from '@nn/backend-cpu';
import {
  compile,
  evaluate,
  freeze,
  gradients,
  markPadded,
  namedParameters,
  ones,
  parameters,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from '@nn/core';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type AttentionMasks,
  attention,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  crossEntropy,
  Dropout,
  dropout,
  Embedding,
  Flatten,
  GRU,
  GroupNorm,
  LayerNorm,
  LearnedPositionalEncoding,
  Linear,
  LSTM,
  MaxPool2d,
  MultiheadAttention,
  meanSquaredError,
  ReLU,
  RNN,
  Sequential,
  SinusoidalPositionalEncoding,
  sequenceMask,
  TransformerEncoderLayer,
  tanh,
} from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));
beforeEach(() => setSeed(1));

async function numbers(x: Tensor): Promise<number[]> {
  return [...(await x.data())];
}

describe('errors name the layer, both facts and the fix', () => {
  const cases: [string, () => unknown, string][] = [
    [
      'Linear',
      () => new Linear(4, 3).forward(zeros([2, 5])),
      'Linear(4, 3): the last axis must have 4 values, the input [2, 5] has 5.',
    ],
    [
      'Linear of a scalar',
      () => new Linear(4, 3).forward(tensor(1)),
      'Linear(4, 3): the input is no tensor with axes: the last one must have 4 values.',
    ],
    [
      'Linear with no outputs',
      () => new Linear(4, 0),
      'Linear(4, 0): outputs is 0: it must be a whole number of at least 1.',
    ],
    [
      'Conv2d channels',
      () => new Conv2d(3, 8, 3).forward(zeros([2, 1, 28, 28])),
      'Conv2d(3, 8, 3x3): takes [N, 3, height, width], got [2, 1, 28, 28] with 1 channels.',
    ],
    [
      'Conv2d without batch',
      () => new Conv2d(1, 8, 3).forward(zeros([1, 28, 28])),
      'Conv2d(1, 8, 3x3): takes [N, 1, height, width], got [1, 28, 28] of rank 3: for a single sample add the axis of the batch: x.unsqueeze(0).',
    ],
    [
      'Conv1d kernel',
      () => new Conv1d(1, 1, [3, 3]),
      'Conv1d(1, 1): kernelSize has 2 numbers, the layer has 1 axis of space: give one number, or 1.',
    ],
    [
      'Conv2d groups',
      () => new Conv2d(3, 4, 3, { groups: 2 }),
      'Conv2d(3, 4): 3 input and 4 output channels do not divide into 2 groups: both must be multiples of groups.',
    ],
    [
      'ConvTranspose2d',
      () => new ConvTranspose2d(3, 8, 2).forward(zeros([2, 1, 4, 4])),
      'ConvTranspose2d(3, 8, 2x2): takes [N, 3, height, width], got [2, 1, 4, 4] with 1 channels.',
    ],
    [
      'MaxPool2d',
      () => new MaxPool2d(2).forward(zeros([4, 4])),
      'MaxPool2d(2x2): takes [N, channels, height, width], got [4, 4] of rank 2.',
    ],
    ['Dropout', () => new Dropout(1.5), 'Dropout: the rate is 1.5: it is the share of values to drop, from 0 to 1.'],
    [
      'BatchNorm1d',
      () => new BatchNorm1d(3).forward(zeros([2, 4])),
      'BatchNorm1d(3): takes [N, 3], got [2, 4] with 4 channels.',
    ],
    [
      'BatchNorm1d of one sample',
      () => new BatchNorm1d(3).forward(zeros([1, 3])),
      'BatchNorm1d(3): the batch [1, 3] has one value per channel, which has no variance: train on more than one sample.',
    ],
    [
      'BatchNorm2d',
      () => new BatchNorm2d(3).forward(zeros([2, 3])),
      'BatchNorm2d(3): takes [N, 3, height, width], got [2, 3] of rank 2.',
    ],
    [
      'LayerNorm',
      () => new LayerNorm([3, 4]).forward(zeros([2, 4, 3])),
      'LayerNorm(3, 4): the input must end in [3, 4], got [2, 4, 3].',
    ],
    [
      'GroupNorm',
      () => new GroupNorm(2, 3),
      'GroupNorm(2, 3): 3 channels do not divide into 2 groups: channels must be a multiple of groups.',
    ],
    [
      'Embedding',
      () => new Embedding(3, 2, { paddingIndex: 3 }),
      'Embedding(3, 2): paddingIndex is 3: it must be from -3 to 2.',
    ],
    ['RNN', () => new RNN(3, 4).forward(zeros([5, 2, 2])), 'RNN(3, 4): takes [length, N, 3], got [5, 2, 2].'],
    [
      'LSTM state',
      () => new LSTM(3, 4, { batchFirst: true }).forward(zeros([2, 5, 3]), { hidden: zeros([1, 5, 4]) }),
      'LSTM(3, 4): a state must be [layers, N, hidden] = [1, 2, 4], got [1, 5, 4].',
    ],
    [
      'Linear of a size that no tensor holds',
      () => new Linear(40_000, 40_000),
      "Linear(40000, 40000): [40000, 40000] has 1600000000 elements (6.4 GB): 'cpu' holds at most 1073741824 in one tensor.",
    ],
    [
      'Embedding of a size that no tensor holds',
      () => new Embedding(2 ** 31, 4),
      'Embedding(2147483648, 4): [2147483648, 4] has 8589934592 elements (34.4 GB)',
    ],
    [
      'Sequential inside of Sequential',
      () => new Sequential(new ReLU(), new Sequential(new Linear(4, 1))).forward(zeros([2, 5])),
      'Linear(4, 1): the last axis must have 4 values, the input [2, 5] has 5. (item 0 of Sequential) (item 1 of Sequential)',
    ],
    [
      'MultiheadAttention heads',
      () => new MultiheadAttention(5, 2),
      'MultiheadAttention(5, 2): the dimension 5 does not divide into 2 heads: it must be a multiple of heads.',
    ],
    [
      'MultiheadAttention query',
      () => new MultiheadAttention(4, 2).forward(zeros([3, 2, 5])),
      'MultiheadAttention(4, 2): query must be [length, N, 4], got [3, 2, 5].',
    ],
    [
      'MultiheadAttention mask',
      () =>
        new MultiheadAttention(4, 2, { batchFirst: true }).forward(zeros([1, 3, 4]), undefined, undefined, {
          bias: zeros([2, 2]),
        }),
      'MultiheadAttention(4, 2): bias [2, 2] fits neither [3, 3] nor [2, 3, 3] nor [1, 2, 3, 3].',
    ],
    [
      'LearnedPositionalEncoding',
      () => new LearnedPositionalEncoding(4, 2, { batchFirst: true }).forward(zeros([1, 3, 2]), 2),
      'LearnedPositionalEncoding(4, 2): positions 2 to 4 do not fit: it has 4. Make it longer, or cut the input.',
    ],
  ];
  for (const [name, run, message] of cases) test(name, () => expect(run).toThrow(message));
});

test('default start values lie evenly within the bounds of PyTorch', async () => {
  const layers: [{ weight: Tensor; bias: Tensor | null }, number][] = [
    [new Linear(64, 100), 64],
    [new Conv2d(8, 64, 3), 72],
    [new ConvTranspose2d(64, 8, 3), 72],
  ];
  for (const [{ weight, bias }, fan] of layers) {
    const bound = 1 / Math.sqrt(fan);
    for (const values of [await numbers(weight), bias === null ? [] : await numbers(bias)]) {
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
    }
    const values = await numbers(weight);
    const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
    expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
  }
  const table = await numbers(new Embedding(100, 50, { paddingIndex: -1 }).weight);
  expect(table.slice(-50).every((value) => value === 0)).toBe(true);
  expect(table.reduce((sum, value) => sum + value ** 2, 0) / 4950).toBeCloseTo(1, 1);
});

test("attention starts from Xavier's bounds, with biases of zero inside and after it, as PyTorch does", async () => {
  for (const options of [{}, { keyDimension: 6, valueDimension: 10 }]) {
    for (const [name, value] of namedParameters(new MultiheadAttention(8, 2, options))) {
      const largest = Math.max(...(await numbers(value)).map(Math.abs));
      if (name.endsWith('bias')) expect(largest, name).toBe(0);
      else {
        // out_proj.weight is a Linear's; the others are uniform within sqrt(6 / (rows + columns))
        const [rows = 0, columns = 0] = value.shape;
        const bound = Math.sqrt(name === 'out_proj.weight' ? 1 / columns : 6 / (rows + columns));
        expect(largest, name).toBeLessThanOrEqual(bound);
        expect(largest, name).toBeGreaterThan(0.8 * bound);
      }
    }
  }
});

test('normalisation starts as the identity', async () => {
  for (const layer of [new LayerNorm(5), new GroupNorm(2, 6), new BatchNorm1d(3), new BatchNorm2d(3)]) {
    const start = new Map(namedParameters(layer));
    expect(new Set(await numbers(start.get('weight') as Tensor)), String(layer)).toEqual(new Set([1]));
    expect(new Set(await numbers(start.get('bias') as Tensor)), String(layer)).toEqual(new Set([0]));
  }
});

test('the same seed gives the same layer', async () => {
  setSeed(7);
  const first = await numbers(new Linear(3, 2).weight);
  setSeed(7);
  expect(await numbers(new Linear(3, 2).weight)).toEqual(first);
});

describe('dropout', () => {
  test('drops the share that it is told, and scales up the rest', async () => {
    const values = await numbers(dropout(ones([10_000]), 0.25));
    const kept = values.filter((value) => value !== 0);
    expect(kept.length / values.length).toBeCloseTo(0.75, 1);
    expect(new Set(kept)).toEqual(new Set([Math.fround(4 / 3)]));
  });

  test('that drops everything gives zeros, with gradients of zero', async () => {
    const x = tensor([1, -2, 3]);
    const y = dropout(x, 1);
    expect((await numbers(y)).map(Math.abs)).toEqual([0, 0, 0]);
    const [slope] = gradients(y.sum(), [x]);
    expect(await numbers(slope as Tensor)).toEqual([0, 0, 0]);
  });

  test('drops different values at each call, and the same after the same seed', async () => {
    const draw = async (): Promise<number[]> => numbers(dropout(ones([64]), 0.5));
    const [first, second] = [await draw(), await draw()];
    expect(first).not.toEqual(second);
    setSeed(1);
    expect(await draw()).toEqual(first);
  });

  test('sends gradients only through what it kept', async () => {
    const x = ones([64]);
    const y = dropout(x, 0.5);
    const [gradient] = gradients(y.sum(), [x]);
    expect(await numbers(gradient ?? x)).toEqual(await numbers(y));
  });

  test('changes nothing in evaluation, and drops everything at rate 1', async () => {
    const x = ones([4]);
    expect(evaluate(() => dropout(x, 0.5))).toBe(x);
    expect(await numbers(dropout(x, 1))).toEqual([0, 0, 0, 0]);
  });
});

test('BatchNorm keeps running statistics over several batches, and leaves them alone in evaluation', async () => {
  const layer = new BatchNorm1d(1);
  for (const batch of [
    [[1], [3]],
    [[5], [9]],
  ])
    await layer.forward(tensor(batch)).data();
  // means 2 and 7, unbiased variances 2 and 8, momentum 0.1
  const [mean, variance] = [0.9 * 0.2 + 0.7, 0.9 * (0.9 + 0.2) + 0.8];
  const check = async (): Promise<void> => {
    expect((await numbers(layer.runningMean ?? zeros([1])))[0]).toBeCloseTo(mean, 5);
    expect((await numbers(layer.runningVar ?? zeros([1])))[0]).toBeCloseTo(variance, 5);
    expect(await layer.numBatchesTracked?.item()).toBe(2);
  };
  await check();
  const y = evaluate(() => layer.forward(tensor([[mean]])));
  expect((await numbers(y))[0]).toBeCloseTo(0, 5);
  await check();
  expect(parameters(layer)).toEqual([layer.weight, layer.bias]);
});

test('BatchNorm leaves its statistics alone where there is no sample, as a process of several may have none', async () => {
  const layer = new BatchNorm2d(3);
  const y = layer.forward(zeros([0, 3, 4, 4]));
  expect([y.shape, await y.data()]).toEqual([[0, 3, 4, 4], new Float32Array(0)]);
  expect([await layer.runningMean!.array(), await layer.runningVar!.array()]).toEqual([
    [0, 0, 0],
    [1, 1, 1],
  ]);
  expect(await layer.numBatchesTracked!.item()).toBe(0);
});

test('an embedding looks rows up by indices of any dtype, and does not train the padding row', async () => {
  const layer = new Embedding(4, 2, { paddingIndex: 0 });
  layer.weight.assign(
    tensor([
      [0, 0],
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
  );
  const y = layer.forward(
    tensor([
      [2, 0],
      [1, 2],
    ]),
  );
  const [gradient] = gradients(y.sum(), [layer.weight]);
  expect(await y.array()).toEqual([
    [
      [3, 4],
      [0, 0],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ]);
  expect(await gradient?.array()).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
    [0, 0],
  ]);
});

test('learned positions start as normal numbers with a deviation of 0.02', async () => {
  const values = await numbers(new LearnedPositionalEncoding(64, 32).weight);
  expect(Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length)).toBeCloseTo(0.02, 2.5);
});

describe('recurrent layers', () => {
  test('drop values between layers, and none of their input', async () => {
    const layer = new GRU(2, 3, { layers: 2, dropout: 1 });
    const x = ones([4, 1, 2]);
    const [lower, upper] = layer.forward(x).hidden.split(2, 0) as [Tensor, Tensor];
    const [kept] = evaluate(() => layer.forward(x)).hidden.split(2, 0) as [Tensor];
    expect(await numbers(lower)).toEqual(await numbers(kept));
    const other = layer.forward(x.mul(5)).hidden.at(1);
    expect(await numbers(other)).toEqual(await numbers(upper.squeeze(0)));
  });

  test('continue from the state that they gave back', async () => {
    for (const layer of [new RNN(2, 3), new GRU(2, 3, { layers: 2 })]) {
      const x = tensor(
        Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)),
        { shape: [4, 2, 2] },
      );
      const whole = layer.forward(x);
      const first = layer.forward(x.at([0, 2]));
      const second = layer.forward(x.at([2, 4]), first);
      const [expected, actual] = [await numbers(whole.output.at([2, 4])), await numbers(second.output)];
      for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5);
    }
  });

  test('bear the names of PyTorch, also stacked and in both directions', () => {
    const names = [...namedParameters(new LSTM(2, 3, { layers: 2, bidirectional: true })).entries()];
    expect(names.map(([name, { shape }]) => `${name} ${shape.join('x')}`)).toEqual([
      'weight_ih_l0 12x2',
      'weight_hh_l0 12x3',
      'bias_ih_l0 12',
      'bias_hh_l0 12',
      'weight_ih_l0_reverse 12x2',
      'weight_hh_l0_reverse 12x3',
      'bias_ih_l0_reverse 12',
      'bias_hh_l0_reverse 12',
      'weight_ih_l1 12x6',
      'weight_hh_l1 12x3',
      'bias_ih_l1 12',
      'bias_hh_l1 12',
      'weight_ih_l1_reverse 12x6',
      'weight_hh_l1_reverse 12x3',
      'bias_ih_l1_reverse 12',
      'bias_hh_l1_reverse 12',
    ]);
  });
});

describe('padding', () => {
  const real = tensor([
    [1, 5],
    [3, -2],
    [2, 0],
  ]);
  const padded = tensor([
    [1, 5],
    [3, -2],
    [2, 0],
    [9, 9],
    [9, Number.NaN],
  ]);
  const mask = tensor([1, 1, 1, 0, 0]);

  test('counts nothing in the statistics of BatchNorm, also inside of Sequential', async () => {
    const state = async (model: object) =>
      Promise.all([...namedParameters(model).values()].map(async (p) => [...(await p.data())]));
    for (const make of [() => new BatchNorm1d(2), () => new BatchNorm1d(2, { momentum: null })]) {
      const [alone, expected] = [make(), make()];
      const y = new Sequential(new ReLU(), new Sequential(alone)).forward(padded, { mask });
      const z = new Sequential(new ReLU(), expected).forward(real);
      const [actual, wanted] = [await numbers(y.at([0, 3])), await numbers(z)];
      for (const [i, value] of wanted.entries()) expect(actual[i]).toBeCloseTo(value, 5);
      const [a, b] = [await state(alone), await state(expected)];
      for (const [i, list] of b.entries())
        for (const [k, value] of list.entries()) expect(a[i]?.[k]).toBeCloseTo(value, 5);
    }
  });

  test('counts nothing along the steps of sequences either', async () => {
    const x = uniform([2, 3, 4]);
    const steps = sequenceMask(tensor(Int32Array.of(4, 2)), 4);
    const layer = new BatchNorm1d(3, { affine: false, momentum: 1 });
    await numbers(layer.forward(x, { mask: steps }));
    const values = await numbers(x);
    const at = (n: number, c: number, l: number): number => values[(n * 3 + c) * 4 + l] ?? Number.NaN;
    for (let c = 0; c < 3; c++) {
      const counted = [0, 1, 2, 3].map((l) => at(0, c, l)).concat([0, 1].map((l) => at(1, c, l)));
      const mean = counted.reduce((a, b) => a + b) / 6;
      const variance = counted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 5;
      expect((await layer.runningMean?.data())?.[c]).toBeCloseTo(mean, 5);
      expect((await layer.runningVar?.data())?.[c]).toBeCloseTo(variance, 5);
    }
    expect(() => layer.forward(x, { mask: zeros([3]) })).toThrow(
      'BatchNorm1d(3): the mask [3] is not [2] nor [2, 4], of the input [2, 3, 4].',
    );
  });

  test('counts nothing in losses: mean, sum and each', async () => {
    const target = tensor([
      [0, 4],
      [3, 0],
      [2, 1],
      [0, 0],
      [0, 0],
    ]);
    const wanted = target.at([0, 3]);
    for (const reduction of ['mean', 'sum'] as const) {
      const loss = await meanSquaredError(padded, target, { reduction, mask }).item();
      expect(loss).toBeCloseTo(await meanSquaredError(real, wanted, { reduction }).item(), 5);
    }
    const classes = tensor(Int32Array.of(1, 0, 1, 0, 7));
    const weight = [1, 3];
    expect(await crossEntropy(padded, classes, { mask, weight }).item()).toBeCloseTo(
      await crossEntropy(real, classes.at([0, 3]), { weight }).item(),
      5,
    );
    const each = await numbers(crossEntropy(padded, classes, { mask, reduction: 'none' }));
    expect(each.slice(3)).toEqual([0, 0]);
    const [slope] = gradients(meanSquaredError(padded, target, { mask }), [padded]);
    expect((await numbers(slope)).slice(6)).toEqual([0, 0, 0, 0]);
    expect(() => meanSquaredError(padded, target, { mask: zeros([2]) })).toThrow(
      'meanSquaredError: the mask [2] does not fit the losses [5, 2]: it must have their first axes, [N] or more.',
    );
  });

  test('of recurrent layers: lengths that do not fit are refused', () => {
    const layer = new LSTM(2, 3, { batchFirst: true });
    const x = zeros([2, 4, 2]);
    expect(() => layer.forward(x, { lengths: [4, 5] })).toThrow(
      'LSTM(2, 3): row 1 has the length 5: it must be a whole number from 1 to 4, the steps of the input.',
    );
    expect(() => layer.forward(x, { lengths: [4] })).toThrow(
      'LSTM(2, 3): lengths must have a number for each of the 2 rows: [2], got [1].',
    );
  });

  test('of recurrent layers: padding without lengths is spoken of, once a layer, also when compiled', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    try {
      const embedding = new Embedding(9, 2);
      const tokens = (): Tensor => tensor(Int32Array.of(4, 2, 7, 0), { shape: [2, 2] });
      const [padded, whole] = [tokens(), tokens()];
      markPadded(padded);
      const layer = new GRU(2, 3, { batchFirst: true });
      layer.forward(embedding.forward(whole));
      layer.forward(embedding.forward(padded), { lengths: [2, 1] });
      expect(warn).not.toHaveBeenCalled();
      for (let k = 0; k < 2; k++) layer.forward(embedding.forward(padded));
      expect(warn.mock.calls).toEqual([
        [
          'nn: GRU(2, 3): rows of the input are padded, and without lengths their padding counts as steps: forward(x, { lengths }), as the batch of the loader has them.',
        ],
      ]);
      const other = new GRU(2, 3, { batchFirst: true });
      await compile((x: Tensor) => other.forward(embedding.forward(x)).output)(padded);
      expect(warn).toHaveBeenCalledTimes(2);
    } finally {
      warn.mockRestore();
    }
  });
});

test('BatchNorm that is frozen uses its running statistics in training, and does not move them', async () => {
  const layer = new BatchNorm1d(2);
  const x = tensor([
    [1, 5],
    [3, -2],
  ]);
  await numbers(layer.forward(x));
  const before = [await layer.runningMean?.array(), await layer.numBatchesTracked?.array()];
  freeze(layer);
  const inTraining = await numbers(layer.forward(x));
  expect([await layer.runningMean?.array(), await layer.numBatchesTracked?.array()]).toEqual(before);
  expect(inTraining).toEqual(await numbers(evaluate(() => layer.forward(x))));
});

describe('attention', () => {
  test('that is causal does not see later positions', async () => {
    const layer = new MultiheadAttention(4, 2, { batchFirst: true });
    const x = tensor(
      Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)),
      { shape: [1, 3, 4] },
    );
    const changed = x.update([0, 2, 0], zeros([1, 1, 4]));
    const run = async (input: Tensor): Promise<number[]> =>
      numbers(layer.forward(input, undefined, undefined, { causal: true }).slice([0, 0, 0], [1, 2, 4]));
    expect(await run(x)).toEqual(await run(changed));
  });

  test('hides what either mask hides, whether they are truths or numbers', async () => {
    const layer = new MultiheadAttention(4, 2, { batchFirst: true });
    const x = tensor(
      Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
      { shape: [1, 3, 4] },
    );
    const hidden = tensor([[false, true, false]]).expand([3, 3]);
    const numeric = tensor([[0, -1e30, 0]]).expand([3, 3]);
    const keyPaddingMask = tensor([[false, false, true]]);
    for (const mask of [{ hidden }, { bias: numeric }]) {
      const { weights } = layer.withWeights(x, x, x, { ...mask, keyPaddingMask });
      const rows = await numbers(weights);
      rows.forEach((weight, at) => {
        expect(weight, `key ${at % 3}`).toBe(at % 3 === 0 ? 1 : 0);
      });
    }
  });

  test('with nothing to see is an even mean and not NaN', async () => {
    const x = tensor([
      [1, 2],
      [3, 6],
    ]);
    const hidden = tensor([
      [true, true],
      [false, false],
    ]);
    expect(await attention(x, x, x, { hidden }).output.at(0).array()).toEqual([2, 4]);
  });

  test('has a name for each meaning of a mask, and none for both', async () => {
    const x = tensor([
      [1, 2],
      [3, 6],
    ]);
    const lower = tensor([
      [true, false],
      [true, true],
    ]);
    const causal = await numbers(attention(x, x, x, { causal: true }).output);
    expect(await numbers(attention(x, x, x, { visible: lower }).output)).toEqual(causal);
    expect(await numbers(attention(x, x, x, { hidden: lower.logicalNot() }).output)).toEqual(causal);
    const options = (given: object) => () => Reflect.apply(attention, undefined, [x, x, x, given]);
    expect(options({ mask: lower })).toThrow(
      'attention: mask has two meanings, so there are two options: visible (true may be seen) and hidden (true must not); bias is added to the scores.',
    );
    expect(options({ visible: x })).toThrow(
      'attention: visible must be bool, got float32: compare it, mask.notEqual(0)',
    );
    expect(options({ bias: lower })).toThrow('attention: bias is added to the scores, got bool');
  });

  test('hides what lies behind the lengths of rows, as a mask of padding does', async () => {
    const layer = new MultiheadAttention(4, 2, { batchFirst: true });
    const x = uniform([2, 3, 4]);
    const lengths = tensor(Int32Array.of(2, 3));
    const keyPaddingMask = sequenceMask(lengths, 3).logicalNot();
    const run = (masks: AttentionMasks) => numbers(layer.forward(x, x, x, masks));
    expect(await run({ lengths })).toEqual(await run({ keyPaddingMask }));
  });

  test('bears the names of PyTorch inside a transformer layer', () => {
    const layer = new TransformerEncoderLayer(4, 2, { feedForward: 6 });
    expect([...namedParameters(layer).keys()].sort()).toEqual([
      'linear1.bias',
      'linear1.weight',
      'linear2.bias',
      'linear2.weight',
      'norm1.bias',
      'norm1.weight',
      'norm2.bias',
      'norm2.weight',
      'self_attn.in_proj_bias',
      'self_attn.in_proj_weight',
      'self_attn.out_proj.bias',
      'self_attn.out_proj.weight',
    ]);
  });
});

test('positional encodings continue at an offset', async () => {
  const layers = [
    new SinusoidalPositionalEncoding(4, { batchFirst: true }),
    new LearnedPositionalEncoding(100, 4, { batchFirst: true }),
  ];
  for (const layer of layers) {
    const whole = await numbers(layer.forward(zeros([1, 80, 4])));
    expect(await numbers(layer.forward(zeros([1, 10, 4]), 70))).toEqual(whole.slice(280));
  }
});

test('Sequential applies layers and functions in order, and names parameters by position', async () => {
  const model = new Sequential(
    new Linear(2, 3),
    tanh,
    new Sequential(new ReLU(), new Linear(3, 1)),
    new Flatten(0, -1),
  );
  expect([...namedParameters(model).keys()]).toEqual(['0.weight', '0.bias', '2.1.weight', '2.1.bias']);
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const [first, inner] = [model.at(0), model.at(2)];
  if (!(first instanceof Linear && inner instanceof Sequential))
    throw new Error('the items are not where they were put');
  expect(await numbers(model.forward(x))).toEqual(await numbers(inner.forward(first.forward(x).tanh())));
  expect(model.length).toBe(4);
  expect([...model]).toHaveLength(4);
});
