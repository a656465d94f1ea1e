/**
 * What makes a series easier to predict, and what a prediction must beat: differences and the way back, waves of a season as
 * inputs, and the season before as a forecast.
 */
import { checkOptions, ValueError } from '@nn/core';
import { checkWhole } from '../check-whole.ts';
import type { DataArray } from '../samples/dataset.ts';

export interface DifferenceOptions {
  /** How far back: 1 takes a trend away, 12 the season of months. 1 where not given. */
  readonly lag?: number;
  /** How often; 1 where not given. */
  readonly order?: number;
}

/**
 * Differences, and the first values at each order, from which the series comes back. JSON makes no list of a typed array: to store
 * them, take `{ ...differences, values: [...differences.values] }`.
 */
export interface Differences {
  readonly values: Float64Array;
  readonly lag: number;
  readonly heads: readonly (readonly number[])[];
}

export interface SeasonOptions {
  /** The length of the season in the unit of the times: 12 for months, 365.25 for days; several for several seasons. */
  readonly period: number | readonly number[];
  /** Waves for each season: 1, 2, ... times a season. 1 where not given. */
  readonly harmonics?: number;
}

/**
 * y(t) = x(t) - x(t - lag), `order` times. Throws a `ValueError` where nothing would be left.
 *
 * @example
 * import { difference, undifference } from '@nn/data';
 * const differences = difference([1, 4, 9, 16]);
 * // A forecast of differences is a forecast of the series:
 * console.log(differences.values, undifference({ ...differences, values: [...differences.values, 9] }));
 * // => Float64Array(3) [ 3, 5, 7 ] Float64Array(5) [ 1, 4, 9, 16, 25 ]
 */
export function difference(series: ArrayLike<number>, options: DifferenceOptions = {}): Differences {
  checkOptions('difference', options, ['lag', 'order']);
  const { lag = 1, order = 1 } = options;
  checkWhole('difference', { lag, order });
  checkList('difference', 'the series', series);
  if (series.length <= lag * order) {
    throw new ValueError(
      'difference',
      `order ${order} with lag ${lag} needs more than ${lag * order} values, the series has ${series.length}.`,
      { lag, order, length: series.length },
    );
  }
  let values = Float64Array.from(series);
  const heads: number[][] = [];
  for (let i = 0; i < order; i++) {
    heads.push([...values.subarray(0, lag)]);
    const before = values;
    values = Float64Array.from({ length: before.length - lag }, (_, t) => before[t + lag]! - before[t]!);
  }
  return { values, lag, heads };
}

/**
 * The series of which these are the differences: the inverse of `difference`. Differences that are appended, as a forecast,
 * make the series longer. Throws a `ValueError` for what is none: values that are no list, or heads that are not `lag` numbers each.
 *
 * @example
 * import { difference, undifference } from '@nn/data';
 * console.log(undifference(difference([3, 1, 4, 1, 5], { lag: 2 }))); // => Float64Array(5) [ 3, 1, 4, 1, 5 ]
 */
export function undifference(differences: {
  readonly values: ArrayLike<number>;
  readonly lag: number;
  readonly heads: readonly (readonly number[])[];
}): Float64Array {
  checkDifferences(differences);
  const { lag, heads } = differences;
  let values = Float64Array.from(differences.values);
  for (const head of [...heads].reverse()) {
    const series = new Float64Array(lag + values.length);
    series.set(head);
    for (let t = 0; t < values.length; t++) series[t + lag] = series[t]! + values[t]!;
    values = series;
  }
  return values;
}

/** JSON makes an object of a typed array, which would be a series without differences. */
function checkDifferences({ values, lag, heads }: Partial<Parameters<typeof undifference>[0]>): void {
  const isList = (list: unknown): list is ArrayLike<unknown> => Array.isArray(list) || ArrayBuffer.isView(list);
  const isNumbers = (list: unknown): boolean => isList(list) && Array.from(list).every((x) => typeof x === 'number');
  let wrong: string | undefined;
  if (!isNumbers(values)) wrong = 'values is no list of numbers: JSON keeps [...differences.values], not a typed array';
  else if (!isList(heads) || heads.length === 0 || !heads.every((head) => isNumbers(head) && head.length === lag))
    wrong = `heads must be a list of ${lag} numbers for each order of differences`;
  if (wrong !== undefined) throw new ValueError('undifference', `${wrong}; pass what difference gave.`, { lag });
}

/**
 * Waves of seasons as inputs: for each season and harmonic k the pair sin(2 pi k t / period), cos(2 pi k t / period), so that
 * the end of a season lies beside its beginning: float64 [times, 2 * harmonics * seasons]. Throws a `ValueError` for a time that is no
 * number: of a date take one in the unit of the period, as `date.getTime() / 86_400_000` for days. Source: Hyndman and Athanasopoulos,
 * Forecasting, section 7.4.
 *
 * @example
 * import { seasonalFeatures } from '@nn/data';
 * const months = seasonalFeatures([0, 3, 6], { period: 12 });
 * console.log(months.shape, Array.from(months.data, (x) => Math.round(x) + 0)); // => [ 3, 2 ] [ 0, 1, 1, 0, 0, -1 ]
 */
export function seasonalFeatures(times: ArrayLike<number>, options: SeasonOptions): DataArray<Float64Array> {
  checkOptions('seasonalFeatures', options, ['period', 'harmonics']);
  const { period, harmonics = 1 } = options;
  checkWhole('seasonalFeatures', { harmonics });
  checkList('seasonalFeatures', 'times', times);
  const periods = typeof period === 'number' ? [period] : period;
  if (!Array.isArray(periods) || periods.length === 0) {
    throw new ValueError(
      'seasonalFeatures',
      'period is missing: the length of a season in the unit of the times, as 12 for months.',
    );
  }
  for (const each of periods) {
    if (each > 0 && each < Number.POSITIVE_INFINITY && harmonics <= each / 2) continue;
    throw new ValueError(
      'seasonalFeatures',
      each > 0
        ? `${harmonics} harmonics of a period of ${each} are waves shorter than two steps; take ${Math.floor(each / 2)} at most.`
        : `period ${each} is not above 0.`,
      { period: each, harmonics },
    );
  }
  const width = 2 * harmonics * periods.length;
  const data = new Float64Array(times.length * width);
  let at = 0;
  for (let t = 0; t < times.length; t++) {
    const time: unknown = times[t];
    if (typeof time !== 'number' || !Number.isFinite(time)) {
      throw new ValueError(
        'seasonalFeatures',
        `time ${t} is ${String(time)}, which is no number in the unit of the period.`,
        { time: t },
      );
    }
    for (const each of periods) {
      for (let k = 1; k <= harmonics; k++) {
        // The turn within the season first: large times keep their digits.
        const angle = (2 * Math.PI * ((k * time) % each)) / each;
        data[at++] = Math.sin(angle);
        data[at++] = Math.cos(angle);
      }
    }
  }
  return { data, shape: [times.length, width] };
}

/**
 * The forecast that others must beat: each moment is as it was one season before; with a period of 1, as the last one.
 *
 * @example
 * import { seasonalNaive } from '@nn/data';
 * console.log(seasonalNaive([1, 2, 3, 4], { period: 3, horizon: 4 })); // => Float64Array(4) [ 2, 3, 4, 2 ]
 */
export function seasonalNaive(
  series: ArrayLike<number>,
  options: { readonly period: number; readonly horizon: number },
): Float64Array {
  checkOptions('seasonalNaive', options, ['period', 'horizon']);
  const { period, horizon } = options;
  checkWhole('seasonalNaive', { period, horizon });
  checkList('seasonalNaive', 'the series', series);
  if (series.length < period) {
    throw new ValueError(
      'seasonalNaive',
      `the series has ${series.length} values, less than one period of ${period}.`,
      {
        period,
        length: series.length,
      },
    );
  }
  return Float64Array.from({ length: horizon }, (_, t) => series[series.length - period + (t % period)]!);
}

/**
 * The mean absolute scaled error: that of the forecast, over the one that the seasonal naive forecast makes one season ahead within
 * the training part. Under 1 is better than that. Throws a `ValueError` where the training part only repeats
 * itself. Source: Hyndman and Koehler (2006).
 *
 * @example
 * import { scaledError } from '@nn/data';
 * console.log(scaledError([10, 12], [11, 12], { history: [1, 3, 5, 7], period: 1 })); // => 0.25
 */
export function scaledError(
  forecast: ArrayLike<number>,
  actual: ArrayLike<number>,
  options: { readonly history: ArrayLike<number>; readonly period: number },
): number {
  checkOptions('scaledError', options, ['history', 'period']);
  const { history, period } = options;
  checkWhole('scaledError', { period });
  for (const [what, values] of Object.entries({ forecast, actual, history })) {
    checkList('scaledError', what, values);
    for (let t = 0; t < values.length; t++) {
      if (Number.isFinite(values[t])) continue;
      throw new ValueError(
        'scaledError',
        `${what}[${t}] is ${String(values[t])}, from which no error can be taken; fill it, or leave that moment out.`,
        { moment: t },
      );
    }
  }
  if (history.length <= period) {
    throw new ValueError(
      'scaledError',
      `the history has ${history.length} values; for one change over a period of ${period} there must be ${period + 1}.`,
      { period, length: history.length },
    );
  }
  if (forecast.length !== actual.length || forecast.length === 0) {
    throw new ValueError(
      'scaledError',
      `the forecast has ${forecast.length} values, what came has ${actual.length}; they must be equal, and not 0.`,
      { forecast: forecast.length, actual: actual.length },
    );
  }
  const scale = meanDistance(history, period, history, history.length - period);
  if (!(scale > 0)) {
    throw new ValueError(
      'scaledError',
      `the history of ${history.length} values does not change over a period of ${period}, so there is no scale.`,
      { period, length: history.length },
    );
  }
  return meanDistance(forecast, 0, actual, forecast.length) / scale;
}

/** Between `count` values of a, from `start` on, and the first of b. */
function meanDistance(a: ArrayLike<number>, start: number, b: ArrayLike<number>, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.abs(a[start + i]! - b[i]!);
  return sum / count;
}

/** A series of this file is a list of numbers: `{ data, shape }` has no length, and nothing would come of it silently. */
function checkList(operation: string, what: string, values: unknown): void {
  if (Array.isArray(values) || (ArrayBuffer.isView(values) && 'length' in values)) return;
  throw new ValueError(operation, `${what} must be a list of numbers or a typed array; of { data, shape } pass data.`);
}
