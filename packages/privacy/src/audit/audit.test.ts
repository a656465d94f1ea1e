import { RandomSequence } from '@nn/data';
import { expect, it, test } from 'vitest';
import { canaryExposure, epsilonLowerBound, likelihoodRatios, lossAttack, membershipReport } from './membership.ts';

const random = new RandomSequence(4);
const normals = (count: number, mean: number): number[] => Array.from({ length: count }, () => random.normal(mean));

it('tells what scores are worth: the area of two normal distributions is known', () => {
  const { auc, advantage, truePositiveRates } = membershipReport(normals(4000, 1), normals(4000, 0));
  expect(auc).toBeCloseTo(0.7602, 1); // Phi(1 / sqrt 2)
  expect(Math.abs(advantage - 0.3829)).toBeLessThan(0.03); // 2 Phi(1/2) - 1
  expect(Math.abs(truePositiveRates.at1 - 0.389)).toBeLessThan(0.05); // Phi(1 - 1.2816)
  expect(truePositiveRates.at001).toBeLessThan(truePositiveRates.at01);
  expect(lossAttack([1, 1], [1, 1])).toMatchObject({ auc: 0.5, advantage: 0 });
  expect(lossAttack([0.1, 0.2], [1, 2]).auc).toBe(1);
  expect(() => membershipReport([], [1])).toThrow('membershipReport: members has no scores.');
  expect(() => membershipReport([1], [Number.NaN])).toThrow('membershipReport: others has scores that are NaN.');
});

it('ratios of likelihoods beat one threshold for all where samples differ', () => {
  const count = 400;
  const easy = normals(count, 0).map((value) => value * 2); // how hard a sample is
  const loss = (logit: number) => Math.log1p(Math.exp(-logit));
  const draw = (i: number, isIn: boolean) => loss(easy[i]! + (isIn ? 1 : 0) + 0.5 * random.normal());
  const lists = (isIn: boolean) => easy.map((_, i) => Array.from({ length: 8 }, () => draw(i, isIn)));
  const isIn = easy.map((_, i) => i % 2 === 0);
  const target = easy.map((_, i) => draw(i, isIn[i]!));
  const scores = likelihoodRatios(target, lists(true), lists(false));
  const split = (values: readonly number[]) =>
    membershipReport(
      values.filter((_, i) => isIn[i]),
      values.filter((_, i) => !isIn[i]),
    );
  const threshold = split(target.map((value) => -value));
  expect(split(scores).auc).toBeGreaterThan(0.85);
  expect(threshold.auc).toBeLessThan(0.75);
  expect(() => likelihoodRatios([1], [], [])).toThrow('likelihoodRatios: there are 1 losses, 0 lists');
});

test('an epsilon is disproved by what an attack reaches', () => {
  // SciPy: beta.ppf(0.025, 500, 501), beta.ppf(0.975, 11, 990)
  const found = { truePositives: 500, members: 1000, falsePositives: 10, others: 1000, delta: 1e-5 };
  expect(epsilonLowerBound(found)).toBeCloseTo(Math.log((0.4685492 - 1e-5) / 0.0183142), 3);
  expect(epsilonLowerBound({ ...found, truePositives: 10 })).toBe(0);
  expect(epsilonLowerBound({ ...found, truePositives: 0, falsePositives: 1000 })).toBe(0);
});

test('a planted secret is exposed by its rank', () => {
  const others = Array.from({ length: 1023 }, (_, i) => i + 1);
  expect(canaryExposure(0, others)).toBe(10);
  expect(canaryExposure(512, others)).toBeCloseTo(1, 2);
  expect(canaryExposure(2000, others)).toBe(0);
});
