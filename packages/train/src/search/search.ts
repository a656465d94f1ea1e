/**
 * Settings that do well: trials over a grid, drawn at random, or with budgets that grow for the better ones. Owns the options and the
 * table; which trial comes next is strategies.ts, where they run ../workers/trials.ts, what settings there are space.ts.
 */
import { type AbortSignalLike, checkChoices, checkOptions, excerpt, ValueError } from '@nn/core';
import type { Ranks } from '../ranks.ts';
import { openPool, type Trial, type Workers } from '../workers/trials.ts';
import { type Candidate, rowOf, Work } from './candidates.ts';
import { drawSettings, gridOf, type SettingsOf, type Space, trialSeed } from './space.ts';
import { asha, budgetsOf, halving } from './strategies.ts';

/** What a trial returns: a score, and for growing budgets what it needs to go on (the bytes of a checkpoint). */
export type TrialResult = number | { readonly score: number; readonly state?: unknown };

/** Budgets of halving. */
export interface Budget {
  /** Of every trial at first, and the most that one gets: epochs, steps, shares of the data, as the trial understands `budget`. */
  readonly least: number;
  readonly most: number;
  /** One of so many goes on, with so many times the budget. Default 3. */
  readonly factor?: number;
}

interface CommonOptions<S extends Space> {
  /** What may be chosen: `choice([...])` and `range(low, high)` by name. */
  readonly space: S;
  /** Trains with the settings and returns the score. Random numbers are seeded for each trial. */
  readonly trial?: Trial<SettingsOf<S>, TrialResult>;
  /** Instead of `trial`: workers whose modules call `serveTrials(trial)`. */
  readonly workers?: Workers;
  /**
   * A `Group` of `@nn/distributed`: its ranks, which all make the same search, share the trials of `trial` and know all results;
   * one waits for the others as long as its `timeout` says, so it must be longer than a round of trials.
   */
  readonly group?: Ranks;
  /** Whether a high score is a good one, as accuracy; a low one, as loss, where not given. */
  readonly higherIsBetter?: boolean;
  /** Of settings and trials. Default 0. */
  readonly seed?: number;
  /** Ends the search: at once where trials run in workers, in this thread after the trial, which may look at the signal itself. */
  readonly signal?: AbortSignalLike;
  /** Called as results come; on every rank of a group. */
  readonly onTrial?: (row: TrialRow<SettingsOf<S>>) => void;
}

/** 'grid': all combinations. 'random': so many drawn ones. */
export interface PlainSearchOptions<S extends Space> extends CommonOptions<S> {
  readonly strategy: 'grid' | 'random';
  /** How many are drawn; a grid has as many as it has. */
  readonly trials?: number;
}

/**
 * 'halving': all trials with the least budget, the best third of them with three times that, and so on: the same table with
 * any number of workers. 'asha': the same without waiting for a round to end, so that no worker idles; who goes on depends on
 * who is done first. (Jamieson and Talwalkar 2016; Li et al. 2020.)
 */
export interface HalvingSearchOptions<S extends Space> extends CommonOptions<S> {
  readonly strategy: 'halving' | 'asha';
  readonly trials: number;
  readonly budget: Budget;
}

/** One trial. */
export interface TrialRow<Settings> {
  /** From 0: its settings and seed follow from this and the search's seed. */
  readonly trial: number;
  readonly settings: Settings;
  readonly seed: number;
  /** Of its largest budget; NaN where it failed. */
  readonly score: number;
  /** The budget that it got; 0 without budgets. */
  readonly budget: number;
  /** The score at each budget, the smallest first. */
  readonly scores: readonly number[];
  readonly seconds: number;
  /** What it threw, where it did. */
  readonly error: string | null;
}

export interface SearchResult<Settings> {
  readonly best: TrialRow<Settings>;
  /** The best first, by budget and then by score; failed ones last. */
  readonly rows: readonly TrialRow<Settings>[];
}

const searchOptions = [
  ...['space', 'trial', 'workers', 'group', 'higherIsBetter', 'seed', 'signal', 'onTrial'],
  ...['strategy', 'trials', 'budget'],
];

/**
 * Tries settings and tells which did best, with a table of all. Settings and random numbers of a trial follow from the
 * search's seed and the trial's number, so a row can be repeated by itself. A trial that throws is a row without score.
 * Throws ValueError for options that do not fit and where all trials fail.
 *
 * @example
 * import { choice, range, search } from '@nn/train';
 * const { best, rows } = await search({
 *   space: { x: range(-2, 2, { points: 5 }), y: choice([0, 1]) },
 *   strategy: 'grid',
 *   trial: ({ x, y }) => (x - 1) ** 2 + y,
 * });
 * console.log(best.settings, rows.length); // => { x: 1, y: 0 } 10
 */
export async function search<const S extends Space>(
  options: PlainSearchOptions<S> | HalvingSearchOptions<S>,
): Promise<SearchResult<SettingsOf<S>>> {
  checkOptions('search', options, searchOptions);
  const { space, strategy, trial, workers, group, seed = 0 } = options;
  if (Object.keys(Object(space)).length === 0) {
    throw new ValueError('search', 'space has nothing to choose: give choice([...]) and range(low, high) by name.');
  }
  for (const [name, axis] of Object.entries(space) as [string, unknown][]) {
    const { kind } = Object(axis) as { kind?: unknown };
    if (kind === 'choice' || kind === 'range') continue;
    throw new ValueError('search', `${name} in space must be choice([1, 2]) or range(0, 1).`, { name });
  }
  checkChoices('search', { strategy: String(strategy) }, { strategy: ['grid', 'random', 'halving', 'asha'] });
  if ('budget' in options !== (strategy === 'halving' || strategy === 'asha')) {
    const has = 'budget' in options ? 'takes no budget: take' : 'needs a budget, { least, most }: give one, or take';
    const other = 'budget' in options ? "'halving' or 'asha'" : "'random'";
    throw new ValueError('search', `strategy '${strategy}' ${has} ${other}.`, { strategy });
  }
  if (!Number.isSafeInteger(seed)) throw new ValueError('search', `seed is ${seed}: it is a whole number.`, { seed });
  const all = strategy === 'grid' ? gridOf(space) : drawn(space, seed, options.trials);
  if (strategy === 'grid' && options.trials !== undefined) {
    throw new ValueError('search', `a grid has ${all.length} trials: leave trials out, or take strategy 'random'.`);
  }
  const candidates = all.map((settings, number): Candidate<SettingsOf<S>> => {
    const own = { trial: number, settings, seed: trialSeed(seed, number) };
    return { ...own, scores: [], budget: 0, seconds: 0, state: null, error: null, thrown: null };
  });
  const sign = options.higherIsBetter === true ? -1 : 1;
  const pool = openPool<SettingsOf<S>, TrialResult>('search', { trial, workers, group });
  const work = new Work(pool, options);
  try {
    if (!('budget' in options)) await work.round(candidates, 0);
    else {
      const budgets = budgetsOf(options.budget);
      const factor = options.budget.factor ?? 3;
      await (options.strategy === 'halving' ? halving : asha)(work, candidates, budgets, factor, sign);
    }
  } finally {
    await pool.close();
  }
  const rows = candidates
    .filter(({ scores, error }) => scores.length > 0 || error !== null)
    .map(rowOf)
    .sort(
      (a, b) =>
        Number(b.error === null) - Number(a.error === null) ||
        b.budget - a.budget ||
        sign * (a.score - b.score) ||
        a.trial - b.trial,
    );
  const [best] = rows;
  if (best === undefined || best.error !== null) {
    const words = `all ${rows.length} trials failed, the first with: ${best?.error ?? 'nothing'}`;
    const cause = candidates.find(({ trial: number }) => number === best?.trial)?.thrown;
    throw Object.assign(new ValueError('search', words, { rows }), cause && { cause });
  }
  return { best, rows };
}

function drawn<S extends Space>(space: S, seed: number, trials: number | undefined): SettingsOf<S>[] {
  if (trials === undefined || !Number.isInteger(trials) || trials < 1) {
    throw new ValueError('search', `trials is ${trials}: it is a whole number, 1 or more.`, { trials });
  }
  return Array.from({ length: trials }, (_, number) => drawSettings(space, seed, number));
}

/**
 * The rows of a search as lines of text, the best first; behind those that failed stands the beginning of what was thrown.
 *
 * @example
 * import { choice, search, searchTable } from '@nn/train';
 * const { rows } = await search({ space: { x: choice([1, 2]) }, strategy: 'grid', trial: ({ x }) => x });
 * console.log(searchTable(rows)[0]?.trim()); // => trial  score  budget  seconds  x
 */
export function searchTable(rows: readonly TrialRow<object>[], most = 20): string[] {
  const names = Object.keys(rows[0]?.settings ?? {});
  const show = (value: unknown): string =>
    typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);
  const cells = [
    ['trial', 'score', 'budget', 'seconds', ...names],
    ...rows
      .slice(0, most)
      .map(({ trial, score, budget, seconds, settings, error }) => [
        ...[
          String(trial),
          error === null ? show(score) : 'failed',
          budget === 0 ? '-' : String(budget),
          seconds.toFixed(1),
        ],
        ...names.map((name) => show((settings as Record<string, unknown>)[name])),
      ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row, at) => {
    const error = at === 0 ? null : rows[at - 1]!.error;
    const line = row.map((cell, column) => cell.padStart(widths[column]!)).join('  ');
    return error === null ? line : `${line}  ${excerpt(error.replace(/\s+/g, ' '))}`;
  });
  return rows.length > most ? [...lines, `... ${rows.length - most} more`] : lines;
}
