/** Samples with fixed seeds: their distribution functions (Kolmogorov and Smirnov), moments, and gradients through them. */
import { cpu } from '@nn/backend-cpu';
import {
  compile,
  gradients,
  RandomGenerator,
  setDefaultBackend,
  setSeed,
  stack,
  type Tensor,
  tensor,
  vmap,
  withRandom,
} from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import golden from '../fixtures/distributions.json' with { type: 'json' };
import { slopeOfLogGamma } from './draws.ts';
import {
  Bernoulli,
  Beta,
  Categorical,
  Dirichlet,
  Exponential,
  Gamma,
  Laplace,
  Multinomial,
  MultivariateNormal,
  Normal,
  Poisson,
  Uniform,
} from './index.ts';

beforeAll(() => setDefaultBackend(cpu({ threads: 1 })));

const count = 20_000;
/** The largest distance of distribution functions that one sample in a thousand has. */
const most = 1.95 / Math.sqrt(count);

const families = { Normal, Uniform, Laplace, Gamma, Beta, Exponential } as const;

describe('samples have the distribution function of SciPy', () => {
  test.each(golden.quantiles.map((one) => [one.name, one.parameters.join(', '), one] as const))(
    '%s(%s)',
    async (name, _, one) => {
      setSeed(11);
      const distribution = new families[name as 'Normal'](...(one.parameters as [number, number]));
      const values = (await distribution.sample([count]).data('float32')).sort();
      one.values.forEach((quantile, k) => {
        // binary search would be no shorter
        const below = values.findIndex((value) => value > quantile);
        expect(Math.abs((below < 0 ? count : below) / count - (golden.levels[k] as number))).toBeLessThan(most);
      });
    },
  );

  test.each(golden.masses.map((one) => [one.name, one.parameters.join(), one] as const))(
    '%s(%s)',
    async (_, __, one) => {
      setSeed(12);
      const values = await new Poisson(one.parameters[0] as number).sample([count]).data('float32');
      expect(values.every((value) => Number.isInteger(value) && value >= 0)).toBe(true);
      one.cumulative.forEach((right, k) => {
        const below = values.filter((value) => value <= one.from + k).length;
        expect(Math.abs(below / count - right), `up to ${one.from + k}`).toBeLessThan(most);
      });
    },
  );

  test('classes come out as often as they should', async () => {
    setSeed(13);
    const probabilities = [0.1, 0.2, 0.7];
    const drawn = await new Categorical({ probabilities }).sample([count]).data('int32');
    const coins = await new Bernoulli({ probabilities }).sample([count]).mean(0).array(1);
    const counts = await new Multinomial(20, { probabilities })
      .sample([count / 20])
      .mean(0)
      .array(1);
    probabilities.forEach((right, k) => {
      expect(Math.abs(drawn.filter((value) => value === k).length / count - right)).toBeLessThan(most);
      expect(Math.abs((coins[k] as number) - right)).toBeLessThan(most);
      expect(Math.abs((counts[k] as number) / 20 - right)).toBeLessThan(most);
    });
  });
});

/** The largest distance from zero, in standard errors of a mean of `count`. */
const errors = async (found: Tensor, right: Tensor, deviation: Tensor | number): Promise<number> =>
  found.sub(right).abs().div(deviation).mul(Math.sqrt(count)).max().item();

test('moments are those of the distribution', async () => {
  setSeed(14);
  const covariance = tensor([
    [2, 0.6],
    [0.6, 1],
  ]);
  for (const distribution of [
    new Dirichlet([0.2, 1, 3]),
    new MultivariateNormal([1, -1], { covariance }),
    new Gamma([0.05, 200], 1),
    new Poisson([25, 3]),
  ]) {
    const samples = distribution.sample([count]);
    const { mean, variance } = distribution;
    expect(await errors(samples.mean(0), mean, variance.sqrt()), distribution.name).toBeLessThan(4);
    const spread = samples.sub(mean).square().mean(0).div(variance);
    // heavy tails have large fourth moments
    expect(await spread.sub(1).abs().max().item(), distribution.name).toBeLessThan(0.15);
  }
  const pair = new MultivariateNormal([1, -1], { covariance }).sample([count]).sub(tensor([1, -1]));
  const found = pair.transpose().matmul(pair).div(count);
  expect(await found.sub(covariance).abs().max().item()).toBeLessThan(0.05);
});

test('small concentrations give neither NaN nor values outside', async () => {
  setSeed(15);
  const gamma = await new Gamma(0.001, 1).sample([2000]).data();
  expect(gamma.every((value) => value > 0 && Number.isFinite(value))).toBe(true);
  const parts = new Dirichlet([0.001, 0.001, 0.001]).sample([2000]);
  expect(await parts.sum(-1).sub(1).abs().max().item()).toBeLessThan(1e-6);
  const beta = await new Beta(0.001, 0.001).sample([2000]).data();
  expect(beta.every((value) => value >= 0 && value <= 1)).toBe(true);
});

test('the slope of gamma numbers is that of their quantiles', async () => {
  const column = (key: 'concentration' | 'logZ' | 'slope'): Float32Array =>
    Float32Array.from(golden.slopes, (row) => row[key]);
  const found = await slopeOfLogGamma(tensor(column('concentration')), tensor(column('logZ'))).data();
  golden.slopes.forEach(({ slope, concentration, logZ }, k) => {
    const label = `a = ${concentration}, log z = ${logZ}: ${found[k]}, ${slope} is right`;
    expect(Math.abs((found[k] as number) / slope - 1), label).toBeLessThan(2e-4);
  });
});

describe('gradients pass through samples', () => {
  test('of a mean they are those of the mean', async () => {
    setSeed(16);
    const [a, b] = [tensor([0.5, 2, 30]), tensor([1.5, 1, 12])];
    const expected: [string, Tensor, Tensor][] = [
      ['Gamma', new Gamma(a, b).rsample([count]).mean(0).sum(), a.div(b).sum()],
      ['Beta', new Beta(a, b).rsample([count]).mean(0).sum(), a.div(a.add(b)).sum()],
      ['Normal', new Normal(a, b).rsample([count]).square().mean(0).sum(), a.square().add(b.square()).sum()],
      ['Laplace', new Laplace(a, b).rsample([count]).square().mean(0).sum(), a.square().add(b.square().mul(2)).sum()],
      ['Uniform', new Uniform(a, a.add(b)).rsample([count]).mean(0).sum(), a.add(b.div(2)).sum()],
      [
        'Dirichlet',
        new Dirichlet(a)
          .rsample([count])
          .mul(tensor([1, 2, 4]))
          .mean(0)
          .sum(),
        a
          .mul(tensor([1, 2, 4]))
          .div(a.sum())
          .sum(),
      ],
    ];
    for (const [name, found, right] of expected) {
      const targets = name === 'Dirichlet' ? [a] : [a, b];
      const [slopes, exact] = [gradients(found, targets), gradients(right, targets)];
      for (const [k, slope] of slopes.entries()) {
        const distance = slope
          .sub(exact[k] as Tensor)
          .abs()
          .div((exact[k] as Tensor).abs().add(0.02));
        expect(await distance.max().item(), `${name}, ${k}`).toBeLessThan(0.06);
      }
    }
    const rate = tensor([0.5, 2]);
    const [slope] = gradients(new Exponential(rate).rsample([count]).mean(0).sum(), [rate]);
    expect(await slope.add(rate.square().reciprocal()).abs().mul(rate.square()).max().item()).toBeLessThan(0.04);
  });

  test('of the second order, too', async () => {
    setSeed(17);
    const a = tensor([2, 7]);
    // E z^2 = a^2 + a: the second derivative is 2
    const [slope] = gradients(new Gamma(a, 1).rsample([count]).square().mean(0).sum(), [a]);
    const [curvature] = gradients(slope.sum(), [a]);
    expect(await slope.sub(a.mul(2).add(1)).abs().max().item()).toBeLessThan(0.3);
    expect(await curvature.sub(2).abs().max().item()).toBeLessThan(0.3);
  });

  test('and not through sample', () => {
    const a = tensor([2]);
    expect(() => gradients(new Gamma(a, 1).sample([3]).sum(), [a])).toThrow('does not depend on tensor 0');
  });
});

test('the seed decides, whoever else draws; compiled functions and rows draw anew', async () => {
  const draw = (): Promise<number[]> => withRandom(new RandomGenerator(5), () => new Gamma(2, 1).sample([3])).array(1);
  const first = await draw();
  setSeed(99);
  expect(await draw()).toEqual(first);
  const compiled = compile((a: Tensor) => new Beta(a, a).sample([2]));
  const a = tensor(2);
  const draws = [await compiled(a), await compiled(a), await compiled(a), await compiled(a)];
  expect(new Set(Array.from(await stack(draws).data(), String)).size).toBeGreaterThan(1);
  const rows = vmap((rate: Tensor) => new Poisson(rate).sample([50]), { random: 'different' })(tensor([2, 2]));
  const [left, right] = await rows.array(2);
  expect(left).not.toEqual(right);
});
