/** Scores of predictions that are nearly right: their digits, where the parts of a formula cancel. */
import { cpu } from '@nn/backend-cpu';
import { grad, setDefaultBackend, tensor } from '@nn/core';
import { beforeEach, expect, test } from 'vitest';
import {
  ConcordanceCorrelation,
  PearsonCorrelation,
  pearsonCorrelation,
  TweedieDeviance,
  tweedieDeviance,
} from '../index.ts';

beforeEach(() => setDefaultBackend(cpu()));

/** 2 p^q ((1 + u)^q - 1 - q u) / (q (q - 1)) by fifty terms of its binomial series, in double precision. */
function deviance(p: number, t: number, power: number): number {
  const [u, q] = [(t - p) / p, 2 - power];
  let [term, sum] = [p ** q * u * u, 0];
  for (let k = 2; k < 52; k++) {
    sum += term;
    term *= ((q - k) / (k + 1)) * u;
  }
  return sum;
}

test.each([-1, 1, 1.5, 1.9, 2, 3])('a deviance of power %s keeps its digits near the target', async (power) => {
  for (const error of [1e-6, 1e-4, 1e-2, 0.1, -0.2, 0.24]) {
    for (const p of [0.01, 1, 1234].map(Math.fround)) {
      const t = Math.fround(p * (1 + error));
      const metric = new TweedieDeviance({ power });
      metric.update(tensor([p]), tensor([t]));
      const { epoch } = await metric.read();
      expect(Math.abs(epoch / deviance(p, t, power) - 1)).toBeLessThan(1e-6);
    }
  }
});

test('a deviance of what is equal is 0 with a flat slope, and of a count below 0 none', async () => {
  const slope = grad((p) => tweedieDeviance(p, tensor([3, 0]), { power: 1 }));
  expect(await slope(tensor([3, 0.5])).array()).toEqual([0, 1]); // of 0 the deviance is 2 p, halved by the mean
  const value = (t: number): Promise<number> => tweedieDeviance(tensor([2]), tensor([t]), { power: 1 }).item();
  expect([await value(2), await value(-1)]).toEqual([0, Number.NaN]);
});

test('correlations are from -1 to 1', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const target = Float32Array.from({ length: 20 }, (_, k) => 100 + 7 * Math.sin(k * 3 + seed));
    const [t, p] = [tensor(target), tensor(target.map((value, k) => value * (1 + 1e-5 * Math.cos(k))))];
    for (const sign of [1, -1]) {
      for (const metric of [new PearsonCorrelation(), new ConcordanceCorrelation()]) {
        metric.update(p.mul(sign), t);
        expect(Math.abs((await metric.read()).epoch)).toBeLessThanOrEqual(1);
      }
      expect(Math.abs(await pearsonCorrelation(p.mul(sign), t).item())).toBeLessThanOrEqual(1);
    }
  }
});
