/** Scores that are NaN decide nothing: what counts by them is NaN, and not the count of a class that came of it by chance. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { beforeEach, expect, test } from 'vitest';
import {
  Accuracy,
  accuracy,
  BalancedAccuracy,
  BrierScore,
  CohenKappa,
  ConfusionMatrix,
  ExactMatch,
  F1Score,
  f1Score,
  HammingLoss,
  LogLoss,
  MatthewsCorrelation,
  OutcomeCounts,
  type Reading,
  TopKAccuracy,
  topKAccuracy,
} from '../index.ts';

beforeEach(() => setDefaultBackend(cpu()));

const { NaN: none } = Number;
const rows = [
  [none, none, none],
  [1, none, 2],
  [1, 2, 3],
];
const targets = [0, 1, 2];

interface Counting {
  update(scores: Tensor, targets: Tensor, weighting?: { readonly mask?: Tensor; readonly weights?: Tensor }): void;
  read(): Promise<Reading<unknown>>;
  reset(): void;
}

const perClass: [string, () => Counting][] = [
  ['Accuracy', () => new Accuracy()],
  ['TopKAccuracy', () => new TopKAccuracy({ k: 2 })],
  ['F1Score', () => new F1Score()],
  ['F1Score of probabilities', () => new F1Score({ from: 'logits', soft: true })],
  ['BalancedAccuracy', () => new BalancedAccuracy()],
  ['CohenKappa', () => new CohenKappa()],
  ['MatthewsCorrelation', () => new MatthewsCorrelation()],
  ['LogLoss', () => new LogLoss({ from: 'logits' })],
];

const perSample: [string, () => Counting][] = [
  ['Accuracy', () => new Accuracy({ from: 'logits' })],
  ['HammingLoss', () => new HammingLoss({ from: 'probabilities' })],
  ['F1Score', () => new F1Score({ from: 'probabilities' })],
];

/** The values of all rows, and of those that a mask or weights leave. */
async function valuesOf(metric: Counting, scores: Tensor): Promise<unknown[]> {
  const values: unknown[] = [];
  const kept = targets.map((_, row) => row === 2);
  for (const weighting of [undefined, { mask: tensor(kept) }, { weights: tensor(kept.map(Number)) }]) {
    metric.reset();
    metric.update(scores, tensor(targets.map((target) => (scores.rank > 1 ? target : target % 2))), weighting);
    values.push((await metric.read()).epoch);
  }
  return values;
}

test.each(perClass)('%s of scores of classes is NaN, unless they count nothing', async (_, make) => {
  const [all, masked, weighted] = await valuesOf(make(), tensor(rows));
  expect([all, Number.isFinite(masked)]).toEqual([none, true]);
  expect(weighted).toEqual(masked);
});

test.each(perSample)('%s of one score is NaN, unless it counts nothing', async (_, make) => {
  const [all, masked, weighted] = await valuesOf(make(), tensor([none, 0.2, 0.8]));
  expect([all, Number.isFinite(masked)]).toEqual([none, true]);
  expect(weighted).toEqual(masked);
});

test('matrices and counts are NaN where such a score would count', async () => {
  const matrix = new ConfusionMatrix();
  expect(await valuesOf(matrix, tensor(rows))).toEqual([
    [
      [none, 0, 0],
      [0, none, 0],
      [0, 0, 1],
    ],
    ...Array(2).fill([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 1],
    ]),
  ]);
  const outcomes = new OutcomeCounts();
  const [all] = (await valuesOf(outcomes, tensor(rows))) as { truePositives: number[] }[];
  expect(all?.truePositives).toEqual([none, none, none]);
  const f1 = new F1Score({ average: 'none' });
  const [scores] = await valuesOf(f1, tensor(rows));
  expect(scores).toEqual([none, none, none]);
});

test('functions of tensors are NaN; several labels are matched where none is', async () => {
  const [scores, classes] = [tensor(rows), tensor(targets)];
  const values = [accuracy, f1Score].map((score) => score(scores, classes));
  values.push(topKAccuracy(scores, classes, { k: 1 }));
  expect(await Promise.all(values.map((value) => value.item()))).toEqual([none, none, none]);
  const match = new ExactMatch({ from: 'probabilities' });
  match.update(tensor([[0.9, none]]), tensor([[1, 0]]));
  match.update(tensor([[0.9, 0.2]]), tensor([[1, 0]]), { mask: tensor([true]) });
  expect((await match.read()).epoch).toBe(none);
});

test('a loss beyond float32 is Infinity, not a label that is no class', async () => {
  const metric = new LogLoss({ from: 'logits' });
  metric.update(tensor([[3e38, -3e38]]), tensor([1]));
  expect((await metric.read()).epoch).toBe(Number.POSITIVE_INFINITY);
});

test('scores that are infinite decide', async () => {
  const metric = new Accuracy();
  metric.update(
    tensor([
      [-Infinity, -Infinity],
      [0, Infinity],
    ]),
    tensor([0, 1]),
  );
  expect((await metric.read()).epoch).toBe(1);
});

test('scores that are said to be probabilities and are none are an error of the read', async () => {
  const from = 'probabilities';
  const metrics = {
    accuracy: new Accuracy({ from }),
    f1: new F1Score({ from }),
    loss: new LogLoss({ from }),
    brier: new BrierScore({ from }),
  };
  for (const metric of Object.values(metrics)) {
    metric.update(tensor([2.5, -1]), tensor([1, 0]));
    await expect(metric.read()).rejects.toThrow('or probabilities from 0 to 1: check classes');
  }
  const classes = new LogLoss({ from });
  classes.update(tensor([[3, -1]]), tensor([0]));
  await expect(classes.read()).rejects.toThrow('or probabilities from 0 to 1');
  // a softmax that was rounded
  const rounded = new Accuracy({ from });
  rounded.update(tensor([1.0000002, -1e-7]), tensor([1, 0]));
  expect((await rounded.read()).epoch).toBe(1);
});
