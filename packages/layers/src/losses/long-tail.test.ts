/** Weights for unequal classes against the numbers of the papers' formulas, and what their losses refuse. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor, zeros } from '@nn/core';
import { beforeAll, expect, test } from 'vitest';
import {
  adjustLogits,
  balancedWeights,
  binaryFocal,
  classBalancedWeights,
  equalized,
  focal,
  ldam,
  logitAdjusted,
  multiMargin,
} from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const counts = [1000, 100, 10];

test('weights of classes', () => {
  expect(balancedWeights(counts)).toEqual([0.37, 3.7, 37]);
  const weights = classBalancedWeights(counts);
  [0.0421604, 0.2800001, 2.6778395].forEach((weight, i) => {
    expect(weights[i]).toBeCloseTo(weight, 7);
  });
  expect(classBalancedWeights(counts, { beta: 0 })).toEqual([1, 1, 1]);
  // towards 1 they are inverse frequencies, and keep their digits on the way
  const [common, rare] = [1 - 1e-12].flatMap((beta) => classBalancedWeights([100, 1], { beta }));
  expect(rare! / common!).toBeCloseTo(100, 6);
});

test('focal losses of one sample', async () => {
  const logit = (p: number) => Math.log(p / (1 - p));
  expect(await binaryFocal(tensor([logit(0.9)]), tensor([1])).item()).toBeCloseTo(2.634013e-4, 9);
  expect(await binaryFocal(tensor([logit(0.1)]), tensor([1])).item()).toBeCloseTo(0.4662734813, 6);
  expect(await focal(tensor([[logit(0.1), 0]]), tensor([0])).item()).toBeCloseTo(0.4662734813, 6);
});

test('margins and priors', async () => {
  // of equal logits, with scale 1: log(1 + 2 e^margin)
  const margins = [0.1581139, 0.2811707, 0.5];
  const losses = ldam(zeros([3, 3]), tensor([0, 1, 2]), counts, { scale: 1, reduction: 'none' });
  const values = await losses.data();
  margins.forEach((margin, i) => {
    expect(values[i]).toBeCloseTo(Math.log(1 + 2 * Math.exp(margin)), 5);
  });
  const adjusted = await adjustLogits(zeros([1, 3]), counts).data();
  [0.10436, 2.4069451, 4.7095302].forEach((move, i) => {
    expect(adjusted[i]).toBeCloseTo(move, 5);
  });
});

test('what cannot be meant is told', () => {
  const [logits, target] = [zeros([2, 3]), tensor([0, 1])];
  expect(() => balancedWeights([3, 0])).toThrow(
    'balancedWeights: the count of class 1 is 0: every class needs at least one sample.',
  );
  expect(() => logitAdjusted(logits, target, [1, 2])).toThrow(
    'logitAdjusted: counts must have one number for each of the 3 classes: [3], got [2].',
  );
  expect(() => ldam(logits, zeros([2, 3]), counts)).toThrow(
    'ldam: for logits [2, 3] the target must be class indices [2], got [2, 3].',
  );
  expect(() => equalized(logits, target, counts, { strength: 2 })).toThrow(
    'equalized: strength is 2: it must be from 0 to 1.',
  );
  expect(() => focal(logits, target, { gamma: -1 })).toThrow('focal: gamma is -1: it must be at least 0.');
  expect(() => multiMargin(logits, tensor([0, 1, 2]))).toThrow('multiMargin: for logits [2, 3] the target must be');
});
