/** Distributions against PyTorch and SciPy: log-probabilities, entropies, divergences with their gradients. */
import { reference } from '@nn/conformance';
import { gradientsOrNull, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { describe, expect, test } from 'vitest';
import golden from '../fixtures/distributions.json' with { type: 'json' };
import * as all from './index.ts';

setDefaultBackend(reference());

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

const load = ({ shape, data }: Packed): Tensor => tensor(Float32Array.from(data, Number), { shape });

/** The distribution of a case, whose name may say by what it is given. */
function make(name: string, parameters: readonly Tensor[]): all.Distribution {
  const [family, by] = name.split('/') as [string, string?];
  const [first, second] = parameters as [Tensor, Tensor];
  if (family === 'Multinomial') return new all.Multinomial(5, { [by as 'logits']: first });
  if (family === 'MultivariateNormal') return new all.MultivariateNormal(first, { [by as 'covariance']: second });
  if (family === 'Bernoulli') return new all.Bernoulli({ [by as 'logits']: first });
  if (family === 'Categorical') return new all.Categorical({ [by as 'logits']: first });
  const classes = {
    Normal: all.Normal,
    Uniform: all.Uniform,
    Laplace: all.Laplace,
    Gamma: all.Gamma,
    Beta: all.Beta,
  };
  if (family === 'Exponential') return new all.Exponential(first);
  if (family === 'Dirichlet') return new all.Dirichlet(first);
  if (family === 'Poisson') return new all.Poisson(first);
  return new classes[family as keyof typeof classes](first, second);
}

async function close(found: Tensor, right: Packed, label: string, error = 4e-6): Promise<void> {
  expect(found.shape, label).toEqual(right.shape);
  const values = await found.data();
  right.data.forEach((value, k) => {
    const [a, b] = [values[k] as number, Number(value)];
    if (Number.isFinite(b))
      expect(Math.abs(a - b), `${label} [${k}]: ${a}, ${b} is right`).toBeLessThan(error * (1 + Math.abs(b)));
    else expect(a, `${label} [${k}]`).toBe(b);
  });
}

/** ((7 i) mod 11 - 5) / 8 for the i-th element, as in the fixtures. */
const weighted = (x: Tensor): Tensor => {
  const weights = Float32Array.from({ length: x.size }, (_, i) => (((7 * i) % 11) - 5) / 8);
  return x.mul(tensor(weights, { shape: x.shape })).sum();
};

async function closeWithGradients(
  found: Tensor,
  right: { readonly value: Packed; readonly gradients: readonly Packed[] },
  inputs: readonly Tensor[],
  label: string,
): Promise<void> {
  await close(found, right.value, label);
  const gradients = gradientsOrNull(weighted(found), inputs);
  for (const [k, gradient] of gradients.entries()) {
    await close(
      gradient ?? (inputs[k] as Tensor).mul(0),
      right.gradients[k] as Packed,
      `${label}, gradient ${k}`,
      2e-5,
    );
  }
}

describe.each(golden.cases.map((one) => [one.name, one] as const))('%s is as in PyTorch', (name, one) => {
  const parameters = one.parameters.map(load);
  const distribution = make(name, parameters);

  test('log-probability', async () => {
    const at = load(one.at);
    const isDiscrete = /^(Bernoulli|Categorical|Multinomial|Poisson)/.test(name);
    const inputs = isDiscrete ? parameters : [...parameters, at];
    await closeWithGradients(distribution.logProbability(at), one.logProbability, inputs, name);
  });

  test('entropy', async () => {
    if (name === 'Poisson') await close(distribution.entropy(), one.entropy.value, name);
    else await closeWithGradients(distribution.entropy(), one.entropy, parameters, name);
  });

  test.runIf(one.mean !== undefined)('mean and variance', async () => {
    await close(distribution.mean, one.mean as Packed, 'mean');
    await close(distribution.variance, one.variance as Packed, 'variance');
  });

  test.runIf(one.others !== undefined)('divergence', async () => {
    const others = (one.others as Packed[]).map(load);
    const found = all.klDivergence(distribution, make(name, others));
    await closeWithGradients(found, one.klDivergence as never, [...parameters, ...others], name);
  });

  test('samples have the shape of the batch and of the event', async () => {
    const sample = distribution.sample([4, 2]);
    expect(sample.shape).toEqual([4, 2, ...distribution.batchShape, ...distribution.eventShape]);
    const logs = await distribution.logProbability(sample).data();
    expect(logs.every(Number.isFinite)).toBe(true);
  });
});

test.each(golden.mixed.map((one) => [one.name, one.other, one] as const))(
  'divergence of %s from %s',
  async (name, other, one) => {
    const [parameters, others] = [one.parameters.map(load), one.others.map(load)];
    const found = all.klDivergence(make(name, parameters), make(other, others));
    await closeWithGradients(found, one.klDivergence, [...parameters, ...others], name);
  },
);

test.each(golden.poissonEntropy)('the entropy of Poisson numbers at the rate $rate', async ({ rate, entropy }) => {
  expect(Math.abs((await new all.Poisson(rate).entropy().item()) - entropy)).toBeLessThan(3e-6);
});

describe('what cannot occur, and what does not fit', () => {
  test('values outside have no probability', async () => {
    const never = Number.NEGATIVE_INFINITY;
    expect(await new all.Uniform(0, 1).logProbability([-1, 1]).array()).toEqual([never, never]);
    expect(await new all.Exponential(1).logProbability([-1, 0]).array()).toEqual([never, 0]);
    expect(await new all.Gamma(2, 1).logProbability([-1, 0]).array()).toEqual([never, never]);
    expect(await new all.Gamma(1, 1).logProbability(0).item()).toBe(0);
    expect(await new all.Beta(2, 2).logProbability([-0.5, 1.5]).array()).toEqual([never, never]);
    expect(await new all.Beta(1, 1).logProbability([0, 1]).array()).toEqual([0, 0]);
    expect(await new all.Bernoulli({ probabilities: 0.5 }).logProbability(2).item()).toBe(never);
    expect(await new all.Poisson(1).logProbability([-1, 0.5]).array()).toEqual([never, never]);
    expect(await new all.Categorical({ logits: [0, 0] }).logProbability(2).item()).toBeNaN();
    expect(await new all.Dirichlet([1, 1]).logProbability([-0.5, 1.5]).item()).toBe(never);
  });

  test('chances of 0 and 1 have entropies and divergences', async () => {
    const sure = new all.Bernoulli({ probabilities: [0, 1, 0.5] });
    expect((await sure.entropy().array(1)).map((x) => x.toFixed(4))).toEqual(['0.0000', '0.0000', '0.6931']);
    const half = new all.Bernoulli({ probabilities: 0.5 });
    expect((await sure.klDivergence(half).array(1)).map((x) => x.toFixed(4))).toEqual(['0.6931', '0.6931', '0.0000']);
    expect((await half.klDivergence(sure).array(1)).slice(0, 2)).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    const one = new all.Categorical({ probabilities: [0, 1] });
    expect(await one.entropy().item()).toBeCloseTo(0, 6);
    expect(await one.klDivergence(new all.Categorical({ probabilities: [1, 1] })).item()).toBeCloseTo(Math.log(2), 6);
    const wide = new all.Uniform(0, 2);
    expect(await wide.klDivergence(new all.Uniform(0, 1)).item()).toBe(Number.POSITIVE_INFINITY);
  });

  test.each<[string, () => unknown, string]>([
    ['scale', () => new all.Normal(0, -1), 'Normal: scale must be above 0, got -1.'],
    ['rate', () => new all.Poisson(0), 'Poisson: rate must be above 0, got 0.'],
    ['interval', () => new all.Uniform(1, 1), 'Uniform: low must be below high, got 1 and 1.'],
    ['shapes', () => new all.Normal([1, 2], [1, 2, 3]), 'Normal: [2] and [3] do not broadcast.'],
    ['neither', () => new all.Bernoulli({} as never), 'Bernoulli: needs either probabilities or logits, and not both.'],
    ['a number', () => new all.Dirichlet(1), 'Dirichlet: needs concentrations [..., K], got a number.'],
    [
      'classes',
      () => new all.Categorical({ logits: 1 }),
      'Categorical: needs one number a class, [..., K], got one alone.',
    ],
    [
      'count',
      () => new all.Multinomial(1.5, { logits: [0, 0] }),
      'Multinomial: totalCount must be a whole number from 0, got 1.5.',
    ],
    [
      'matrix',
      () => new all.MultivariateNormal([0, 0], { covariance: [[1]] }),
      'MultivariateNormal: a location [2] needs matrices [..., K, K] with its last size as K, got [1, 1].',
    ],
    [
      'pair',
      () => all.klDivergence(new all.Normal(0, 1), new all.Laplace(0, 1)),
      'klDivergence: there is no formula from Normal to Laplace.',
    ],
  ])('%s', (_, work, message) => {
    expect(work).toThrow(message);
  });
});
