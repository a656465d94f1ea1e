/**
 * The same training on every fold: what comes out, its mean and how far it scatters. Owns the seeds of the folds and the
 * arithmetic; the folds are those of `kFolds` and `timeSeriesFolds` of @nn/data, stratified and grouped as those make them.
 */
import { type AbortSignalLike, checkOptions, excerpt, ValueError } from '@nn/core';
import type { Ranks } from '../ranks.ts';
import { openPool, runAll, type Trial, type Workers } from '../workers/trials.ts';
import { trialSeed } from './space.ts';

export interface CrossValidateOptions<Fold, R extends Record<string, number>> {
  /** Trains on a fold and returns its values, those of the test part. Random numbers are seeded for each fold. */
  readonly trial?: Trial<Fold, R>;
  /** Instead of `trial`: workers whose modules call `serveTrials(trial)`. */
  readonly workers?: Workers;
  /** A `Group` of `@nn/distributed`, whose ranks share the folds and know all values. */
  readonly group?: Ranks;
  /** Default 0. */
  readonly seed?: number;
  /** Ends it: at once where folds are trained in workers, in this thread after the fold, whose training may look at the signal itself. */
  readonly signal?: AbortSignalLike;
}

export interface CrossValidation<R> {
  /** The values of each fold, in order. */
  readonly rows: readonly R[];
  readonly mean: R;
  /** The standard deviation over the folds, with n - 1; NaN of one fold, which tells nothing of others. */
  readonly deviation: R;
}

/**
 * Trains and tests once for each fold: each value's mean and standard deviation. Throws what a fold throws, with its number.
 *
 * @example
 * import { kFolds, moons, type Fold } from '@nn/data';
 * import { crossValidate } from '@nn/train';
 * const data = moons(100, { seed: 1 });
 * const folds = kFolds(data, { folds: 5, stratifyBy: 'targets', shuffle: true, seed: 1 });
 * const { rows, mean } = await crossValidate(folds, {
 *   trial: ({ train, test }: Fold) => ({ samples: data.take(train).size, share: data.take(test).size / data.size }),
 * });
 * console.log(rows.length, mean); // => 5 { samples: 80, share: 0.2 }
 */
export async function crossValidate<Fold, R extends Record<string, number>>(
  folds: readonly Fold[],
  options: CrossValidateOptions<Fold, R>,
): Promise<CrossValidation<R>> {
  checkOptions('crossValidate', options, ['trial', 'workers', 'group', 'seed', 'signal']);
  const { trial, workers, group, seed = 0, signal } = options;
  if (!Array.isArray(folds) || folds.length === 0) {
    throw new ValueError('crossValidate', 'there are no folds: kFolds(data, { folds: 5 }) makes a list of them.');
  }
  const pool = openPool<Fold, R>('crossValidate', { trial, workers, group });
  try {
    const jobs = folds.map((input, at) => ({
      input,
      context: { seed: trialSeed(seed, at), budget: 0, state: null },
    }));
    const results = await runAll(pool, jobs, { signal });
    const rows = results.map((result, at) => {
      if ('error' in result) {
        result.error.message = `fold ${at + 1} of ${folds.length}: ${result.error.message}`;
        throw result.error;
      }
      return result.result;
    });
    const names = Object.keys(Object(rows[0]));
    const wrong = rows.findIndex((row) => !hasFigures(row, names));
    if (wrong >= 0) {
      throw new ValueError(
        'crossValidate',
        `fold ${wrong + 1} of ${folds.length} gave ${excerpt(JSON.stringify(rows[wrong]) ?? 'undefined')}: return numbers by name, the same names for each fold, { loss: 0.5 }.`,
        { fold: wrong + 1 },
      );
    }
    const over = (value: (values: readonly number[]) => number): R =>
      // the cast: a value for each name
      Object.fromEntries(names.map((name) => [name, value(rows.map((row) => row[name]!))])) as R;
    return { rows, mean: over(meanOf), deviation: over(deviationOf) };
  } finally {
    await pool.close();
  }
}

function hasFigures(row: unknown, names: readonly string[]): boolean {
  const values = Object(row) as Readonly<Record<string, unknown>>;
  const own = Object.keys(values);
  return own.length > 0 && own.length === names.length && names.every((name) => typeof values[name] === 'number');
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
