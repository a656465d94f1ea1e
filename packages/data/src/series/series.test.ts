import { describe, expect, it } from 'vitest';
import { dense } from '../samples/dataset.ts';
import { RandomSequence } from '../samples/random.ts';
import { difference, scaledError, seasonalFeatures, seasonalNaive, undifference } from './seasons.ts';
import { slidingWindows } from './windows.ts';

describe('slidingWindows', () => {
  const series = dense(Array.from({ length: 20 }, (_, t) => [t, 100 + t, 200 + t]));

  it.each([
    { length: 4 },
    { length: 3, horizon: 2 },
    { length: 5, horizon: 3, gap: 2, stride: 4 },
    { length: 17, horizon: 3 },
  ])('puts together what follows each other: %o', (options) => {
    const { length, horizon = 1, gap = 0, stride = 1 } = options;
    const { fields, size } = slidingWindows(series, { ...options, targets: [2, 0] });
    expect(fields.inputs.shape).toEqual([size, length, 3]);
    expect(fields.targets.shape).toEqual([size, horizon, 2]);
    for (let window = 0; window < size; window++) {
      const start = window * stride;
      expect(fields.starts.data[window]).toBe(start);
      for (let t = 0; t < length; t++) {
        const at = (window * length + t) * 3;
        expect([...fields.inputs.data.subarray(at, at + 3)]).toEqual([start + t, 100 + start + t, 200 + start + t]);
      }
      for (let step = 0; step < horizon; step++) {
        const at = (window * horizon + step) * 2;
        const moment = start + length + gap + step;
        expect([...fields.targets.data.subarray(at, at + 2)]).toEqual([200 + moment, moment]);
      }
    }
    // One more window would not fit.
    expect(size * stride + length + gap + horizon).toBeGreaterThan(20);
    expect((size - 1) * stride + length + gap + horizon).toBeLessThanOrEqual(20);
  });

  it('keeps the kind of numbers, and axes of a series of numbers', () => {
    const { inputs, targets } = slidingWindows(dense([1, 2, 3, 4], 'float32'), { length: 2 }).fields;
    expect([inputs.data, inputs.shape, targets.data, targets.shape]).toEqual([
      Float32Array.of(1, 2, 2, 3),
      [2, 2],
      Float32Array.of(3, 4),
      [2, 1],
    ]);
  });

  it('refuses, leaves out or keeps windows that miss a value', () => {
    const gaps = dense([
      [0, 0],
      [1, 1],
      [2, NaN],
      [3, 3],
      [4, 4],
      [5, 5],
      [6, 6],
      [NaN, 7],
    ]);
    const starts = (options: object) => [...slidingWindows(gaps, { length: 2, ...options }).fields.starts.data];
    expect(() => starts({})).toThrow(
      "slidingWindows: moment 2 misses a value (NaN); fill it, or leave out such windows by missing: 'skip'.",
    );
    expect(starts({ missing: 'skip' })).toEqual([3, 4]);
    expect(starts({ missing: 'keep' })).toEqual([0, 1, 2, 3, 4, 5]);
    // Only what is predicted must be there among the targets, and nothing in a gap.
    expect(starts({ missing: 'skip', targets: [0] })).toEqual([0, 3, 4]);
    expect(starts({ missing: 'skip', targets: [1], gap: 1 })).toEqual([0, 3, 4]);
    expect(() => starts({ targets: [0] })).toThrow('moment 2 misses a value');
    const end = { data: gaps.data.subarray(6), shape: [5, 2] };
    expect(() => slidingWindows(end, { length: 2, gap: 1, targets: [0] })).toThrow('moment 4 misses a value');
    expect(() => starts({ length: 7, missing: 'skip' })).toThrow('a value is missing in each of 1 windows');
    expect(() => starts({ missing: 'drop' })).toThrow("missing is 'drop': choose error or skip or keep.");
  });

  it('says what does not fit', () => {
    expect(() => slidingWindows(series, { length: 2, targets: [] })).toThrow('slidingWindows: targets is empty');
    expect(() => slidingWindows(series, { length: 18, horizon: 2, gap: 1 })).toThrow(
      'slidingWindows: the series has 20 moments, one window of 18, a gap of 1 and a horizon of 2 need 21.',
    );
    expect(() => slidingWindows(series, { length: 2, targets: [3] })).toThrow(
      'targets names element 3; a moment has 3, from 0.',
    );
    expect(() => slidingWindows(dense([1, 2, 3]), { length: 1, targets: [0] })).toThrow(
      'which a series [moments] has not.',
    );
    expect(() => slidingWindows(series, { length: 0 })).toThrow(
      'slidingWindows: length 0 is not a whole number, 1 or more.',
    );
  });
});

describe('differences', () => {
  const random = new RandomSequence(3);
  const series = Float64Array.from({ length: 40 }, () => Math.round(random.normal(0, 100)));

  it.each([
    [1, 1],
    [1, 3],
    [12, 1],
    [7, 2],
  ])('lag %i, order %i come back exactly for whole numbers', (lag, order) => {
    const differences = difference(series, { lag, order });
    expect(differences.values.length).toBe(40 - lag * order);
    expect(undifference(JSON.parse(JSON.stringify({ ...differences, values: [...differences.values] })))).toEqual(
      series,
    );
  });

  it('come back only whole: JSON makes no list of a typed array', () => {
    const differences = difference([1, 4, 9, 16], { order: 2 });
    expect(() => undifference(JSON.parse(JSON.stringify(differences)))).toThrow(
      'undifference: values is no list of numbers: JSON keeps [...differences.values], not a typed array',
    );
    for (const wrong of [{ heads: [[1]], lag: 3 }, { heads: [] }, { heads: undefined }]) {
      expect(() => undifference({ ...differences, ...wrong } as never)).toThrow(
        'undifference: heads must be a list of',
      );
    }
  });

  it('take trend and season away', () => {
    const months = Float64Array.from({ length: 48 }, (_, t) => 3 * t + [5, 1, 8][t % 3]!);
    expect(difference(months, { lag: 3 }).values).toEqual(new Float64Array(45).fill(9));
    expect(() => difference([1, 2], { order: 2 })).toThrow(
      'difference: order 2 with lag 1 needs more than 2 values, the series has 2.',
    );
  });
});

describe('seasons', () => {
  it('are waves that repeat, of any number of periods and harmonics', () => {
    const { data, shape } = seasonalFeatures([5, 17, 1e9 + 5], { period: [12, 7], harmonics: 2 });
    expect(shape).toEqual([3, 8]);
    const expected = [12, 7].flatMap((period) =>
      [1, 2].flatMap((k) => [Math.sin((2 * Math.PI * k * 5) / period), Math.cos((2 * Math.PI * k * 5) / period)]),
    );
    [...data.subarray(0, 8)].forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 12);
    });
    expect([...data.subarray(8, 12)].map((value) => value.toFixed(12))).toEqual(
      [...data.subarray(0, 4)].map((value) => value.toFixed(12)),
    );
    expect(() => seasonalFeatures([1], { period: 4, harmonics: 3 })).toThrow('take 2 at most');
    for (const period of [undefined, []]) {
      expect(() => seasonalFeatures([1], { period } as never)).toThrow('seasonalFeatures: period is missing');
    }
    for (const time of [Number.NaN, '4', new Date(0)]) {
      expect(() => seasonalFeatures([0, time] as number[], { period: 12 })).toThrow('seasonalFeatures: time 1 is');
    }
    expect(() => seasonalFeatures([1], { period: -4 })).toThrow('seasonalFeatures: period -4 is not above 0.');
  });

  it('repeat themselves in the naive forecast, whose error is the scale', () => {
    expect(() => seasonalNaive([1, 2], { period: 3, horizon: 1 })).toThrow('has 2 values, less than one period of 3');
    // Within the history: |4-1|, |1-2|, |5-4|, |9-1| over a period of 2 have the mean 13/4.
    const history = [1, 2, 4, 1, 5, 9];
    expect(scaledError([6, 9], [5, 11], { history, period: 2 })).toBeCloseTo(1.5 / (13 / 4), 14);
    expect(() => scaledError([1], [1], { history: [2, 2, 2], period: 1 })).toThrow(
      'does not change over a period of 1',
    );
    expect(() => scaledError([1], [1, 2], { history, period: 1 })).toThrow(
      'the forecast has 1 values, what came has 2',
    );
    expect(() => scaledError([1], [1], { history: [1, 2], period: 2 })).toThrow(
      'the history has 2 values; for one change over a period of 2 there must be 3.',
    );
    expect(() => scaledError([1], [1], { history: [1, Number.NaN, 2], period: 1 })).toThrow(
      'scaledError: history[1] is NaN, from which no error can be taken',
    );
    expect(() => scaledError([Number.NaN], [1], { history, period: 1 })).toThrow('forecast[0] is NaN');
  });

  it('take lists, and say so where a series has a shape: its length would be unknown, and nothing come of it', () => {
    const series = dense([1, 2, 4]) as unknown as number[];
    const history = [1, 2, 4];
    for (const give of [
      () => difference(series),
      () => seasonalFeatures(series, { period: 12 }),
      () => seasonalNaive(series, { period: 2, horizon: 1 }),
      () => scaledError(series, series, { history, period: 1 }),
    ]) {
      expect(give).toThrow('must be a list of numbers or a typed array; of { data, shape } pass data.');
    }
  });
});
