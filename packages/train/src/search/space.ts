/**
 * What a search may choose from: lists and ranges by name, and the settings drawn from them or laid over them as a grid.
 * Owns no order of trials; every draw is a function of the search's seed and the number of the trial.
 */
import { checkChoices, checkOptions, excerpt, randomValue, ValueError } from '@nn/core';

/** One of some values. */
export interface Choice<T> {
  readonly kind: 'choice';
  readonly values: readonly T[];
}

/** A number between two. */
export interface Range {
  readonly kind: 'range';
  readonly low: number;
  readonly high: number;
  readonly scale: 'linear' | 'log';
  readonly integer: boolean;
  /** How many points a grid takes. */
  readonly points: number | null;
}

/** What each setting may be, by name. */
export type Space = Readonly<Record<string, Choice<unknown> | Range>>;

/** Settings of one trial. */
export type SettingsOf<S extends Space> = {
  readonly [Name in keyof S]: S[Name] extends Choice<infer T> ? T : number;
};

/**
 * One of these values; numbers, strings, anything that a worker can be sent.
 *
 * @example
 * import { choice } from '@nn/train';
 * console.log(choice(['sgd', 'adam']).values.length); // => 2
 */
export function choice<const T>(values: readonly T[]): Choice<T> {
  // of a text each letter would be a value
  if (!Array.isArray(values)) {
    throw new ValueError('choice', `takes a list, as ['sgd', 'adam'], got ${excerpt(String(values))}.`, { values });
  }
  if (values.length === 0) throw new ValueError('choice', 'there is nothing to choose from: give one value or more.');
  return { kind: 'choice', values };
}

export interface RangeOptions {
  /** 'log' draws evenly over orders of magnitude, for learning rates and decays. Default 'linear'. */
  readonly scale?: 'linear' | 'log';
  /** Whole numbers, both ends included. Default false. */
  readonly integer?: boolean;
  /** How many points a grid takes, both ends included: needed for a grid alone. */
  readonly points?: number;
}

/**
 * A number from `low` to `high`.
 *
 * @example
 * import { range } from '@nn/train';
 * console.log(range(1e-4, 1e-1, { scale: 'log' }).scale); // => log
 */
export function range(low: number, high: number, options: RangeOptions = {}): Range {
  checkOptions('range', options, ['scale', 'integer', 'points']);
  checkChoices('range', options, { scale: ['linear', 'log'] });
  const { scale = 'linear', integer = false, points = null } = options;
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high) || (scale === 'log' && low <= 0)) {
    throw new ValueError(
      'range',
      `${low} to ${high} is no range${scale === 'log' ? ' of a log scale, which begins above 0' : ''}: low is below high.`,
      {
        low,
        high,
      },
    );
  }
  if (integer && Math.ceil(low) > Math.floor(high)) {
    throw new ValueError('range', `there is no whole number from ${low} to ${high}.`, { low, high });
  }
  if (points !== null && (!Number.isInteger(points) || points < 2)) {
    throw new ValueError('range', `points is ${points}: a grid takes 2 or more of a range.`, { points });
  }
  return { kind: 'range', low, high, scale, integer, points };
}

/** Settings drawn for a trial: the same for the same seed and number, whatever else is drawn. */
export function drawSettings<S extends Space>(space: S, seed: number, number: number): SettingsOf<S> {
  const entries = Object.entries(space).map(([name, axis], at) => {
    const share = randomValue(seed | 0, number, at);
    return [
      name,
      axis.kind === 'choice' ? axis.values[Math.floor(share * axis.values.length)] : between(axis, share, true),
    ];
  });
  // the cast: a value for each name of the space
  return Object.fromEntries(entries) as SettingsOf<S>;
}

/** Every combination, the last name fastest. Throws ValueError for a range without points. */
export function gridOf<S extends Space>(space: S): SettingsOf<S>[] {
  let all: Record<string, unknown>[] = [{}];
  for (const [name, axis] of Object.entries(space)) {
    const values = axis.kind === 'choice' ? axis.values : pointsOf(name, axis);
    all = all.flatMap((settings) => values.map((value) => ({ ...settings, [name]: value })));
  }
  // the cast: a value for each name of the space
  return all as SettingsOf<S>[];
}

function pointsOf(name: string, axis: Range): number[] {
  const { points } = axis;
  if (points === null) {
    throw new ValueError(
      'search',
      `a grid needs the points of ${name}: range(low, high, { points: 5 }), or choice([...]).`,
      {
        name,
      },
    );
  }
  return [...new Set(Array.from({ length: points }, (_, at) => between(axis, at / (points - 1), false)))];
}

/** The number at a share of the way from 0 to 1; drawn whole numbers are equally likely. */
function between({ low, high, scale, integer }: Range, share: number, isDrawn: boolean): number {
  const [from, to] = integer && isDrawn ? [low, high + 1] : [low, high];
  const value = scale === 'log' ? from * (to / from) ** share : from + (to - from) * share;
  if (!integer) return Math.min(high, value);
  return Math.min(Math.floor(high), Math.max(Math.ceil(low), isDrawn ? Math.floor(value) : Math.round(value)));
}

/** A seed for a trial: a whole number of 31 bits. */
export function trialSeed(seed: number, number: number): number {
  return Math.floor(randomValue(seed | 0, number, -1) * 2 ** 31);
}
