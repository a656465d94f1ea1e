/** ReduceLROnPlateau against PyTorch's; the fixture is made by scripts/golden/optimizers.py. */
import { cpu } from '@nn/backend-cpu';
import { FormatError, parameter, setDefaultBackend } from '@nn/core';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { beforeAll, describe, expect, test } from 'vitest';
import fixtures from '../fixtures/plateau.json';
import { ReduceLROnPlateau, type ReduceLROnPlateauOptions, SGD, stepDecay } from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const build = (options: ReduceLROnPlateauOptions, learningRate = 0.5) => {
  const optimizer = new SGD([{ parameters: [parameter([1])] }, { parameters: [parameter([2])], learningRate: 0.25 }], {
    learningRate,
  });
  return { optimizer, plateau: new ReduceLROnPlateau(optimizer, options) };
};

describe('rates fall as those of PyTorch', () => {
  test.each(fixtures.cases)('$options', ({ options, values, rates }) => {
    const { optimizer, plateau } = build(options as ReduceLROnPlateauOptions);
    const found = values.map((value) => {
      const before = optimizer.learningRates;
      const hasFallen = plateau.step(Number(value));
      expect(hasFallen).toBe(optimizer.learningRates.some((rate, i) => rate < (before[i] ?? 0)));
      return optimizer.learningRates;
    });
    const right = rates.flat();
    expect(found.flat()).toHaveLength(right.length);
    for (const [i, rate] of found.flat().entries()) expect(Math.abs(rate / (right[i] ?? 0) - 1)).toBeLessThan(1e-8);
  });
});

test('negative numbers have to fall by the threshold too', () => {
  const { optimizer, plateau } = build({ patience: 0, threshold: 0.1 });
  expect([-1, -1.05, -1.2].map((value) => plateau.step(value))).toEqual([false, true, false]);
  expect([plateau.best, optimizer.learningRate]).toEqual([-1.2, 0.05]);
});

test('a checkpoint goes on from where it was', async () => {
  const run = build({ patience: 2, cooldown: 1, factor: 0.5 });
  for (const value of [1, 2, 2]) run.plateau.step(value);
  const other = build({ patience: 2, cooldown: 1, factor: 0.5 });
  await loadCheckpoint(await encodeCheckpoint(run), other);
  const rest = (each: typeof run) =>
    [2, 2, 2, 2, 2].map((value) => [each.plateau.step(value), each.optimizer.learningRates]);
  expect(rest(other)).toEqual(rest(run));
  expect(run.optimizer.learningRate).toBe(0.125);
});

describe('what cannot be is refused', () => {
  const cases: [string, ReduceLROnPlateauOptions, string][] = [
    ['factor', { factor: 1 }, 'ReduceLROnPlateau: factor is 1: it must be above 0 and below 1.'],
    ['patience', { patience: 0.5 }, 'ReduceLROnPlateau: patience is 0.5: it must be a whole number of at least 0.'],
    [
      'minimum',
      { minimum: [0] },
      'ReduceLROnPlateau: minimum is 0: it must be at least 0, for all or for each of the 2 groups.',
    ],
  ];
  for (const [name, options, message] of cases) test(name, () => expect(() => build(options)).toThrow(message));

  test('a schedule', () => {
    const optimizer = new SGD([parameter([1])], { learningRate: stepDecay(1, { every: 2 }) });
    expect(() => new ReduceLROnPlateau(optimizer)).toThrow(
      'ReduceLROnPlateau: the learning rate of group 0 is a schedule: give the optimizer a number, which this lowers.',
    );
    const { optimizer: other, plateau } = build({});
    other.learningRate = stepDecay(1, { every: 2 });
    expect(() => plateau.step(1)).toThrow('the learning rate of group 0 is a schedule');
  });

  test.each([null, {}, { best: 'x', bad: 0, cooldown: 0 }, { best: 1, bad: -1, cooldown: 0 }])(
    'a state of %j',
    (state) => {
      const { plateau } = build({});
      expect(() => plateau.loadHostState(state)).toThrow(FormatError);
      expect(plateau.hostState()).toEqual({ best: null, bad: 0, cooldown: 0 });
    },
  );
});
