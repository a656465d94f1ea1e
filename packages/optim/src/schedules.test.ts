import { describe, expect, test } from 'vitest';
import annealing from '../fixtures/cosine-annealing.json';
import {
  constantFactor,
  cosineAnnealing,
  cosineDecay,
  cosineWarmRestarts,
  cyclic,
  exponentialDecay,
  inverseTimeDecay,
  linearRamp,
  multiplicativeDecay,
  multiStepDecay,
  noam,
  oneCycle,
  piecewiseConstant,
  polynomialDecay,
  product,
  sequence,
  stepDecay,
  warmUp,
} from './index.ts';

test('cosineDecay stays at the minimum after its end', () => {
  const rate = cosineDecay(1, { steps: 10, minimum: 0.1 });
  expect([rate(10), rate(11), rate(1000)]).toEqual([0.1, 0.1, 0.1]);
});

test('warmUp rises to where the schedule starts, which then runs from its own start', () => {
  const rate = warmUp(exponentialDecay(2, { factor: 0.5 }), { steps: 4, from: 0.5 });
  expect([0, 1, 2, 3, 4, 5, 6].map(rate)).toEqual([1, 1.25, 1.5, 1.75, 2, 1, 0.5]);
});

test('warmUp takes a plain number', () => {
  const rate = warmUp(0.5, { steps: 2 });
  expect([0, 1, 2, 100].map(rate)).toEqual([0, 0.25, 0.5, 0.5]);
});

test('sequence changes at the milestones', () => {
  const rate = sequence([() => 1, (step) => step, () => 7], [2, 4]);
  expect([0, 1, 2, 3, 4, 5].map(rate)).toEqual([1, 1, 0, 1, 7, 7]);
});

test('product multiplies', () => {
  const rate = product(stepDecay(1, { every: 2, factor: 0.5 }), linearRamp(1, { steps: 4 }));
  expect([0, 1, 2, 3, 4].map(rate)).toEqual([0, 0.25, 0.25, 0.375, 0.25]);
});

test('oneCycle rises to the maximum and stays at the end', () => {
  const rate = oneCycle(1, { steps: 11, rise: 6 / 11 });
  expect([rate(5), rate(10), rate(50)]).toEqual([1, 1 / 25e4, 1 / 25e4]);
});

describe('schedules refuse what cannot be', () => {
  const cases: [string, () => unknown, string][] = [
    ['no steps', () => cosineDecay(1, { steps: 0 }), 'cosineDecay: steps is 0: it must be above 0.'],
    [
      'too few milestones',
      () => sequence([() => 1, () => 2], []),
      'sequence: 2 schedules need 1 milestones between them, got 0.',
    ],
    [
      'falling milestones',
      () => sequence([() => 1, () => 2, () => 3], [5, 4]),
      'sequence: the milestones [5, 4] must rise and be above 0.',
    ],
  ];
  for (const [name, run, message] of cases) test(name, () => expect(run).toThrow(message));
});

test("cosineAnnealing rises again beyond its end, as PyTorch's CosineAnnealingLR; cosineDecay does not", () => {
  const { steps, minimum, rates } = annealing;
  const rate = cosineAnnealing(1, { steps, minimum });
  for (const [step, right] of rates.entries()) expect(rate(step)).toBeCloseTo(right, 12);
  expect(rate(20)).toBeCloseTo(1, 12);
  expect(cosineDecay(1, { steps, minimum })(20)).toBe(minimum);
});

test('a milestone belongs to what comes after it', () => {
  expect([9, 10, 29, 30].map(multiStepDecay(1, { milestones: [10, 30], factor: 0.5 }))).toEqual([1, 0.5, 0.5, 0.25]);
});

test('one cycle in three phases is back at the first rate as many steps after the peak as before it', () => {
  const rate = oneCycle(1, { steps: 100, threePhase: true });
  expect([0, 29, 58, 99].map((step) => Number(rate(step).toFixed(6)))).toEqual([0.04, 1, 0.04, 0.000004]);
});

test('milestones of a sequence must rise, and the first lie above 0', () => {
  const [a, b, c] = [() => 1, () => 2, () => 3];
  expect(() => sequence([a, b], [0])).toThrow('sequence: the milestones [0] must rise and be above 0.');
  expect(() => sequence([a, b, c], [5, 5])).toThrow('sequence: the milestones [5, 5] must rise and be above 0.');
});

test('multiplicativeDecay multiplies step by step, asked in any order', () => {
  const rate = multiplicativeDecay(1, (step) => step / 2);
  expect([3, 1, 0, 2, 3].map(rate)).toEqual([0.75, 0.5, 1, 0.5, 0.75]);
});

test.each([
  [() => cosineWarmRestarts(1, { steps: 3, multiply: 0 }), 'cosineWarmRestarts: multiply is 0: it must be at least 1.'],
  [
    () => piecewiseConstant([3, 2], [1, 2, 3]),
    'piecewiseConstant: 2 boundaries, which must rise, need 3 values, got [3, 2] and 3.',
  ],
  [() => noam(1, { size: 0, warmUpSteps: 1 }), 'noam: size is 0: it must be above 0.'],
])('%s is refused', (run, message) => expect(run).toThrow(message));

test('every schedule refuses a base that is no rate, options that it does not know, and numbers that are none', () => {
  const steps = { steps: 10 };
  const all: Readonly<Record<string, readonly [make: (base: never, options: never) => unknown, options: object]>> = {
    stepDecay: [stepDecay, { every: 3 }],
    multiStepDecay: [multiStepDecay, { milestones: [3] }],
    exponentialDecay: [exponentialDecay, { factor: 0.5 }],
    cosineDecay: [cosineDecay, steps],
    cosineAnnealing: [cosineAnnealing, steps],
    linearRamp: [linearRamp, steps],
    warmUp: [warmUp, steps],
    oneCycle: [oneCycle, steps],
    polynomialDecay: [polynomialDecay, steps],
    inverseTimeDecay: [inverseTimeDecay, { steps: 10, factor: 1 }],
    constantFactor: [constantFactor, {}],
    noam: [noam, { size: 4, warmUpSteps: 4 }],
    cosineWarmRestarts: [cosineWarmRestarts, steps],
    cyclic: [cyclic, { maximum: 1 }],
  };
  for (const [name, [make, options]] of Object.entries(all)) {
    const made = (base: unknown, given: unknown) => () => make(base as never, given as never);
    expect(made(0.1, options)).not.toThrow();
    for (const [base, shown] of [
      [{ base: 0.1, ...options }, 'an object'],
      [Number.NaN, 'NaN'],
      [undefined, 'undefined'],
    ]) {
      expect(made(base, options)).toThrow(
        `${name}: the base is ${shown}: it is the rate to start from, ${name}(0.1, { ... }).`,
      );
    }
    expect(made(0.1, { ...options, minimun: 0.01 })).toThrow(`${name}: no option minimun: `);
    // the first number of those that it takes
    const [option = 'steps'] = Object.keys(options).filter((key) => key !== 'milestones');
    if (name === 'multiStepDecay') continue;
    expect(made(0.1, { ...options, [option]: Number.NaN })).toThrow(`${name}: ${option} is NaN: it must be a finite`);
  }
});

test('what schedules need and were not given is named', () => {
  const given = (options: object) => options as never;
  expect(() => exponentialDecay(1, given({}))).toThrow('exponentialDecay: factor is undefined: it must be a finite');
  expect(() => inverseTimeDecay(1, given({ steps: 2 }))).toThrow('inverseTimeDecay: factor is undefined');
  expect(() => cyclic(0, given({}))).toThrow('cyclic: maximum is undefined: it must be a finite number.');
  expect(() => cosineDecay(1, given({}))).toThrow('cosineDecay: steps is undefined: it must be above 0.');
  expect(() => multiStepDecay(1, given({}))).toThrow('multiStepDecay: milestones are a list of steps: [30, 60].');
  expect(() => cyclic(0, given({ maximum: 1, mode: 'triangle' }))).toThrow("cyclic: mode is 'triangle': choose");
  expect(() => oneCycle(1, given({ steps: 5, anneal: 'cos' }))).toThrow("oneCycle: anneal is 'cos': choose");
  expect(() => product(given({}), () => 1)).toThrow('product: schedule 0 is an object: give functions of the step');
  expect(() => sequence([() => 1, given({})], [3])).toThrow('sequence: schedule 1 is an object');
});
