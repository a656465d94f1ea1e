import { DataLoader, moons } from '@nn/data';
import { describe, expect, it, test } from 'vitest';
import { PoissonLoader } from '../loader.ts';
import { PrivacyAccountant } from './accountant.ts';
import { type AccountingMethod, epsilonOf, noiseFor } from './epsilon.ts';
import { logErfc } from './normal-distribution.ts';
import { renyiDivergence } from './rdp.ts';

describe('epsilon by Rényi divergences', () => {
  // by quadrature of the definition in another language; the first row is Opacus' own
  test.each([
    [0.04, 1.5, 2250, 1e-5, 7.3291111715],
    [0.01, 1.0, 1000, 1e-5, 2.1013652716],
    [0.001, 1.1, 10000, 1e-6, 0.7856438504],
    [0.1, 4.0, 500, 1e-5, 2.5488368682],
    [0.02, 0.7, 200, 1e-5, 5.6194275707],
  ])('rate %f, noise %f, %i steps, delta %f: %f', (sampleRate, noiseMultiplier, steps, delta, expected) => {
    expect(epsilonOf({ sampleRate, noiseMultiplier, steps, delta })).toBeCloseTo(expected, 9);
  });

  test.each([
    [2, 1.718134221e-4],
    [8, 8.936439076e-4],
    [32, 11.246275937],
  ])('one step at the order %i: %f', (order, expected) => {
    const found = renyiDivergence({ sampleRate: 0.01, noiseMultiplier: 1 }, order);
    expect(found / expected).toBeCloseTo(1, 9);
  });

  it('is the same by the sum of whole orders and by the integral of all', () => {
    for (const [sampleRate, noiseMultiplier] of [
      [0.01, 1],
      [0.2, 0.6],
      [1e-4, 3],
    ] as const) {
      const at = (order: number) => renyiDivergence({ sampleRate, noiseMultiplier }, order);
      for (const order of [2, 5, 17]) expect((at(order + 1e-9) / at(order) - 1) * 1e6).toBeCloseTo(0, 1);
    }
  });

  it('has no limit without noise', () => {
    expect(epsilonOf({ sampleRate: 0.1, noiseMultiplier: 0, steps: 1, delta: 1e-5 })).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('epsilon by privacy loss distributions', () => {
  // independent transforms give the true ones
  test.each([
    [1.5, 0.001, 1000, 0.0898],
    [1.5, 0.05, 100, 1.94374],
    [2, 0.2, 100, 5.66179],
  ])('noise %f, rate %f, %i steps: from the true %f to 0.02 above', (noiseMultiplier, sampleRate, steps, truth) => {
    const found = epsilonOf({ sampleRate, noiseMultiplier, steps, delta: 1e-6, method: 'prv' });
    expect(found).toBeGreaterThanOrEqual(truth);
    expect(found).toBeLessThanOrEqual(truth + 0.02);
  });

  // the Gaussian mechanism itself has a closed form (Balle and Wang 2018)
  test.each([
    [1, 1, 1e-5, 4.377178095681],
    [5, 50, 1e-6, 7.286080966419],
  ])('noise %f, all samples, %i steps: the closed form', (noiseMultiplier, steps, delta, truth) => {
    const options = { sampleRate: 1, noiseMultiplier, steps, delta };
    const found = epsilonOf({ ...options, method: 'prv' });
    expect(found).toBeGreaterThanOrEqual(truth);
    expect(found).toBeLessThanOrEqual(truth + 0.02);
    expect(epsilonOf({ ...options, method: 'gdp' })).toBeCloseTo(truth, 8);
    expect(epsilonOf(options)).toBeGreaterThan(truth);
  });
});

describe('noise for a wanted epsilon', () => {
  // Opacus' own, found to an epsilon of 0.01
  test.each<[AccountingMethod, number, number]>([
    ['rdp', 2250, 1.416],
    ['gdp', 2250, 1.3232421875],
    ['rdp', 2000, 1.3562],
  ])('%s, %i steps: %f', (method, steps, expected) => {
    const plan = { delta: 1e-5, sampleRate: 0.04, method };
    const noiseMultiplier = noiseFor({ ...plan, epsilon: 8, steps });
    expect(Math.abs(noiseMultiplier - expected)).toBeLessThan(0.003);
    const epsilon = epsilonOf({ ...plan, noiseMultiplier, steps });
    expect(epsilon).toBeLessThanOrEqual(8);
    expect(epsilon).toBeGreaterThan(7.97);
  });

  test.each([
    [2250, 1.34765625],
    [2000, 1.2915],
  ])('prv is right for the noise that Opacus finds for %i steps', (steps, noiseMultiplier) => {
    const epsilon = epsilonOf({ delta: 1e-5, sampleRate: 0.04, steps, noiseMultiplier, method: 'prv' });
    expect(Math.abs(epsilon - 8)).toBeLessThan(0.02);
  });

  it('is found by prv, too', () => {
    const plan = { delta: 1e-6, sampleRate: 0.2, steps: 20, method: 'prv' } as const;
    const epsilon = epsilonOf({ ...plan, noiseMultiplier: 2 });
    expect(Math.abs(noiseFor({ ...plan, epsilon }) - 2)).toBeLessThan(0.005);
  });

  it('names what cannot be', () => {
    const plan = { epsilon: 1, delta: 1e-5, sampleRate: 0.01 };
    expect(() => noiseFor(plan)).toThrow('noiseFor: give either steps or epochs.');
    expect(() => noiseFor({ ...plan, epsilon: 1e-7, steps: 1e6 })).toThrow(
      'noiseFor: no noise gives epsilon 1e-7 at delta 0.00001 after 1000000 steps: take fewer steps or a lower sampleRate.',
    );
    expect(() => noiseFor({ ...plan, delta: 1, steps: 5 })).toThrow(
      'noiseFor: delta is 1: it must be between 0 and 1, and well below 1 / the number of samples.',
    );
  });
});

describe('the accountant', () => {
  const loader = new PoissonLoader(moons(1000), { batchSize: 10 });

  it('adds up steps that differ, and goes on from a checkpoint', () => {
    const [one, two] = [new PrivacyAccountant(), new PrivacyAccountant()];
    one.record(loader, 1, 400);
    one.record(loader, 1, 600);
    expect(one.history).toHaveLength(1);
    expect(one.epsilon(1e-5)).toBeCloseTo(2.1013652716, 9);
    one.record(loader, 2, 5);
    two.loadHostState(JSON.parse(JSON.stringify(one.hostState())));
    expect(two.epsilon(1e-5)).toBe(one.epsilon(1e-5));
    expect(two.steps).toBe(1005);
    expect(() => two.loadHostState({ history: [{}] })).toThrow('the saved state is not a history of private steps.');
  });

  it('takes the rate from a loader of Poisson batches, and from no other', () => {
    const plain = new DataLoader(moons(100), { shuffle: true });
    // in JavaScript any loader comes
    expect(() => new PrivacyAccountant().record(plain as never, 1)).toThrow(
      'record: the loader draws no Poisson batches, so no epsilon can be proved for it: new PoissonLoader(dataset, { batchSize }).',
    );
  });

  it('tells how many steps a budget has left', () => {
    const accountant = new PrivacyAccountant();
    accountant.record(loader, 1, 100);
    const more = accountant.stepsWithin({ epsilon: 2, delta: 1e-5 }, loader, 1);
    const at = (steps: number) => epsilonOf({ sampleRate: 0.01, noiseMultiplier: 1, delta: 1e-5, steps });
    expect(at(100 + more)).toBeLessThanOrEqual(2);
    expect(at(101 + more)).toBeGreaterThan(2);
  });
});

test('the error function keeps its digits in the tail', () => {
  // SciPy: log(erfc(x)), log_ndtr
  for (const [x, expected] of [
    [-1, 0.611232317678],
    [0.5, -0.735011129837],
    [1.99, -5.32085201514],
    [2.01, -5.40921526419],
    [10, -102.879889024845],
    [30, -903.974117110644],
  ] as const) {
    expect(logErfc(x)).toBeCloseTo(expected, 10);
  }
});
