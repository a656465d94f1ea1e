/**
 * What every loss must do with samples: padding reaches neither the loss nor a gradient, a weight counts as often as it says,
 * and the error of a weight that does not fit is told.
 */
import { cpu } from '@nn/backend-cpu';
import { gradients, setDefaultBackend, type Tensor, tensor, zeros } from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import * as nn from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

type Options = nn.LossOptions;
/** A loss of rows: the numbers of each of its inputs for one row, the first of which takes the gradient. */
interface Rows {
  readonly call: (inputs: readonly Tensor[], options: Options) => Tensor;
  readonly inputs: readonly (readonly (readonly number[])[])[];
  /** Inputs of one number a row are [N], not [N, 1]. */
  readonly flat?: readonly number[];
  /** Rows are seen by other rows. */
  readonly mixes?: boolean;
}

const vectors = [
  [0.5, -1, 2],
  [1, 0.25, -0.5],
  [-2, 1, 0.75],
];
const others = [
  [1, 0.5, -1],
  [0.25, -2, 1],
  [1, 1, -0.5],
];
const shares = [
  [0.25, 0.5, 0.75],
  [0.125, 0.5, 0.25],
  [0.5, 0.75, 0.125],
];
const truths = [
  [0, 1, 1],
  [1, 0, 0],
  [0, 0, 1],
];
const signs = truths.map((row) => row.map((value) => 2 * value - 1));
const indices = [[2], [0], [1]];
const counts = [50, 5, 1];

const pair = (call: (a: Tensor, b: Tensor, options: Options) => Tensor, a = vectors, b = others): Rows => ({
  call: ([x, y], options) => call(x!, y!, options),
  inputs: [a, b],
});
const classes = (call: (a: Tensor, b: Tensor, options: Options) => Tensor): Rows => ({
  ...pair(call, vectors, indices),
  flat: [1],
});
const triple = (call: (a: Tensor, b: Tensor, c: Tensor, options: Options) => Tensor, c: number[][]): Rows => ({
  call: ([x, y, z], options) => call(x!, y!, z!, options),
  inputs: [vectors, others, c],
});

const losses: Readonly<Record<string, Rows>> = {
  meanSquaredError: pair(nn.meanSquaredError),
  l1: pair(nn.l1),
  huber: pair(nn.huber),
  smoothL1: pair(nn.smoothL1),
  logCosh: pair(nn.logCosh),
  meanAbsolutePercentageError: pair(nn.meanAbsolutePercentageError),
  meanSquaredLogarithmicError: pair(nn.meanSquaredLogarithmicError, shares, truths),
  poissonNll: pair(nn.poissonNll, vectors, truths),
  'poissonNll of means': pair(
    (x, y, options) => nn.poissonNll(x, y, { ...options, logInput: false, full: true }),
    shares,
    truths,
  ),
  gaussianNll: triple(nn.gaussianNll, shares),
  klDivergence: pair(nn.klDivergence, vectors, shares),
  binaryCrossEntropy: pair(nn.binaryCrossEntropy, shares, truths),
  bceWithLogits: pair(nn.bceWithLogits, vectors, truths),
  binaryFocal: pair(nn.binaryFocal, vectors, truths),
  crossEntropy: classes(nn.crossEntropy),
  'crossEntropy of probabilities': pair(nn.crossEntropy, vectors, shares),
  nll: classes(nn.nll),
  focal: classes(nn.focal),
  generalizedCrossEntropy: classes(nn.generalizedCrossEntropy),
  logitAdjusted: classes((x, y, options) => nn.logitAdjusted(x, y, counts, options)),
  balancedSoftmax: classes((x, y, options) => nn.balancedSoftmax(x, y, counts, options)),
  ldam: classes((x, y, options) => nn.ldam(x, y, counts, options)),
  equalized: classes((x, y, options) => nn.equalized(x, y, counts, { ...options, rareShare: 0.05 })),
  seesaw: classes((x, y, options) => nn.seesaw(x, y, counts, options)),
  hinge: pair(nn.hinge, vectors, signs),
  squaredHinge: pair(nn.squaredHinge, vectors, signs),
  categoricalHinge: pair(nn.categoricalHinge, vectors, truths),
  softMargin: pair(nn.softMargin, vectors, signs),
  hingeEmbedding: pair(nn.hingeEmbedding, vectors, signs),
  marginRanking: triple(nn.marginRanking, signs),
  multiMargin: classes(nn.multiMargin),
  multiLabelMargin: pair(nn.multiLabelMargin, vectors, [
    [2, 0, -1],
    [1, -1, 0],
    [0, -1, -1],
  ]),
  multiLabelSoftMargin: pair(nn.multiLabelSoftMargin, vectors, truths),
  negativeCosineSimilarity: pair(nn.negativeCosineSimilarity),
  cosineEmbedding: { ...triple(nn.cosineEmbedding, [[1], [-1], [-1]]), flat: [2] },
  tripletMargin: triple(nn.tripletMargin, truths),
  tripletMarginWithDistance: triple(nn.tripletMarginWithDistance, truths),
  infoNce: { ...pair(nn.infoNce), mixes: true },
  'infoNce, symmetric': { ...pair((x, y, options) => nn.infoNce(x, y, { ...options, symmetric: true })), mixes: true },
  circle: {
    ...pair((x, y, options) => nn.circle(x, y, { ...options, gamma: 2 }), vectors, [[1], [1], [0]]),
    flat: [1],
    mixes: true,
  },
  dice: pair(nn.dice, shares, truths),
  tversky: pair(nn.tversky, shares, truths),
  ctc: {
    call: ([x, y], options) => nn.ctc(x!.reshape([-1, 3, 3]).permute([1, 0, 2]), y!, options),
    inputs: [vectors.map((row) => [...row, ...row, ...row]), [[1], [2], [1]]],
  },
};

const matrix = (rows: readonly (readonly number[])[], isFlat: boolean): Tensor =>
  isFlat ? tensor(rows.map((row) => row[0]!)) : tensor(rows.map((row) => [...row]));

/** The inputs of a loss, of the rows that `pick` names; NaN stands for a row of padding. */
function inputsOf({ inputs, flat = [] }: Rows, pick: readonly number[]): Tensor[] {
  return inputs.map((rows, i) =>
    matrix(
      pick.map((row) => (Number.isNaN(row) ? rows[0]!.map(() => Number.NaN) : rows[row]!)),
      flat.includes(i),
    ),
  );
}

async function near(actual: Tensor, expected: Tensor): Promise<void> {
  const [values, wanted] = [await actual.data(), await expected.data()];
  expect(values.length).toBe(wanted.length);
  for (const [i, value] of values.entries()) {
    const number = wanted[i]!;
    expect(Math.abs(value - number), `${value}, expected ${number}`).toBeLessThanOrEqual(
      1e-5 * Math.max(1, Math.abs(number)),
    );
  }
}

const reductions = ['mean', 'sum'] as const;

test('the table has every loss', () => {
  const known = new Set(Object.keys(losses).map((name) => name.split(/[ ,]/)[0]));
  const functions = Object.entries(nn).flatMap(([name, value]) => (typeof value === 'function' ? [name, value] : []));
  const taking = functions.filter((item) => typeof item === 'string' && known.has(item));
  expect(new Set(taking)).toEqual(known);
});

describe.each(Object.keys(losses))('%s', (name) => {
  const loss = losses[name]!;

  test.each(reductions)('is the same without the rows of padding, whatever stands in them: %s', async (reduction) => {
    const padded = inputsOf(loss, [0, 1, Number.NaN, 2]);
    const plain = inputsOf(loss, [0, 1, 2]);
    const mask = tensor([true, true, false, true]);
    const sampleWeight = tensor([1, 2, Number.NaN, 3]);
    const value = loss.call(padded, { reduction, mask, sampleWeight });
    const wanted = loss.call(plain, { reduction, sampleWeight: [1, 2, 3] });
    await near(value, wanted);
    const [gradient] = gradients(value, [padded[0]!]);
    const [without] = gradients(wanted, [plain[0]!]);
    const values = [...(await gradient.data())];
    const width = values.length / 4;
    expect(values.slice(2 * width, 3 * width).every((slope) => slope === 0)).toBe(true);
    values.splice(2 * width, width);
    await near(tensor(values), without.flatten());
  });

  test('a weight of 2 counts twice, one of 0 not at all', async () => {
    const inputs = inputsOf(loss, [0, 1, 2]);
    const weighed = loss.call(inputs, { reduction: 'sum', sampleWeight: [2, 0, 1] });
    if (loss.mixes === true) {
      const each = loss.call(inputs, { reduction: 'none' });
      await near(weighed, each.mul(tensor([2, 0, 1])).sum());
    } else {
      await near(weighed, loss.call(inputsOf(loss, [0, 0, 2]), { reduction: 'sum' }));
    }
  });

  test('tells a weight that does not fit', () => {
    const inputs = inputsOf(loss, [0, 1, 2]);
    expect(() => loss.call(inputs, { sampleWeight: [1, 2] })).toThrow(
      /: sampleWeight \[2\] does not fit the losses \[3/,
    );
  });
});

test('the mean divides by how many samples count, not by the sum of their weights', async () => {
  const loss = nn.meanSquaredError(tensor([[3], [1]]), zeros([2, 1]), { sampleWeight: [4, 2] });
  expect(await loss.item()).toBe((4 * 9 + 2) / 2);
});

test('masks over the elements of areas leave those elements out', async () => {
  const [guess, truth] = [tensor([[0.5, 0.25, 1]]), tensor([[1, 0, 1]])];
  const mask = tensor([[true, true, false]]);
  await near(nn.dice(guess, truth, { mask }), nn.dice(tensor([[0.5, 0.25]]), tensor([[1, 0]])));
});
