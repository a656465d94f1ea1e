/**
 * Settings that do well: trials over a grid, drawn at random, or with budgets that grow for the better ones. Owns which
 * trial comes next; where they run is ../workers/trials.ts, what settings there are space.ts.
 */
import { type AbortSignalLike, checkChoices, checkOptions, excerpt, ValueError } from '@nn/core';
import type { Ranks } from '../ranks.ts';
import { type JobResult, openPool, type Pool, runAll, type Trial, type Workers } from '../workers/trials.ts';
import { drawSettings, gridOf, type SettingsOf, type Space, trialSeed } from './space.ts';

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

interface Candidate<Settings> {
  readonly trial: number;
  readonly settings: Settings;
  readonly seed: number;
  scores: number[];
  budget: number;
  seconds: number;
  state: unknown;
  error: string | null;
  /** What the trial threw. */
  thrown: Error | null;
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

/** least, least * factor, ... up to most, which is the last. */
function budgetsOf({ least, most, factor = 3 }: Budget): number[] {
  if (!(least > 0 && most >= least && factor > 1)) {
    throw new ValueError(
      'search',
      `budget is from ${least} to ${most} by ${factor}: least is above 0, most is at least as much, factor above 1.`,
      { least, most, factor },
    );
  }
  // whole epochs or steps stay whole; shares of the data are what they are
  const isWhole = Number.isInteger(least) && Number.isInteger(most);
  const budgets: number[] = [];
  for (let rung = 0; least * factor ** rung < most * (1 - 1e-9); rung++) {
    const budget = least * factor ** rung;
    budgets.push(isWhole ? Math.round(budget) : budget);
  }
  return [...new Set([...budgets, most])];
}

const rowOf = <Settings>({ state: _, thrown: __, ...candidate }: Candidate<Settings>): TrialRow<Settings> => ({
  ...candidate,
  score: candidate.error === null ? (candidate.scores.at(-1) ?? Number.NaN) : Number.NaN,
});

interface WorkOptions<Settings> {
  readonly signal?: AbortSignalLike;
  readonly onTrial?: (row: TrialRow<Settings>) => void;
}

/** Runs candidates in the pool and notes what came of it. */
class Work<Settings> {
  readonly size: number;
  readonly #pool: Pool<Settings, TrialResult>;
  readonly #options: WorkOptions<Settings>;

  constructor(pool: Pool<Settings, TrialResult>, options: WorkOptions<Settings>) {
    [this.#pool, this.#options, this.size] = [pool, options, pool.size];
  }

  /** All of them, with one budget. */
  async round(candidates: readonly Candidate<Settings>[], budget: number): Promise<void> {
    await runAll(
      this.#pool,
      candidates.map((candidate) => jobOf(candidate, budget)),
      {
        signal: this.#options.signal,
        onResult: (at, result) => this.#note(candidates[at]!, budget, result),
      },
    );
  }

  async one(candidate: Candidate<Settings>, budget: number): Promise<void> {
    this.#pool.check(this.#options.signal);
    this.#note(candidate, budget, await this.#pool.run(jobOf(candidate, budget)));
  }

  #note(candidate: Candidate<Settings>, budget: number, result: JobResult<TrialResult>): void {
    candidate.seconds += result.seconds;
    candidate.budget = budget;
    if ('error' in result) {
      candidate.error = result.error.message;
      candidate.thrown = result.error;
    } else {
      const { score, state = null } =
        typeof result.result === 'number' ? { score: result.result } : Object(result.result);
      if (typeof score !== 'number')
        candidate.error = `the trial returned ${String(result.result)}: return the score, a number.`;
      else if (Number.isNaN(score)) candidate.error = 'the score is NaN';
      else candidate.scores.push(score);
      candidate.state = state;
    }
    this.#options.onTrial?.(rowOf(candidate));
  }
}

const jobOf = <Settings>({ settings, seed, state }: Candidate<Settings>, budget: number) => ({
  input: settings,
  context: { seed, budget, state },
});

type Strategy = <Settings>(
  work: Work<Settings>,
  candidates: readonly Candidate<Settings>[],
  budgets: readonly number[],
  factor: number,
  sign: 1 | -1,
) => Promise<void>;

/** The best of those that did not fail. Of equal ones those with the lower number. */
function best<Settings>(
  candidates: readonly Candidate<Settings>[],
  rung: number,
  count: number,
  sign: 1 | -1,
): Candidate<Settings>[] {
  return candidates
    .filter(({ error, scores }) => error === null && scores.length > rung)
    .sort((a, b) => sign * (a.scores[rung]! - b.scores[rung]!) || a.trial - b.trial)
    .slice(0, count);
}

const halving: Strategy = async (work, candidates, budgets, factor, sign) => {
  let left = candidates;
  for (const [rung, budget] of budgets.entries()) {
    await work.round(left, budget);
    left = best(left, rung, Math.max(1, Math.floor(left.length / factor)), sign);
  }
};

/**
 * Whoever is among the best third of a rung so far goes on, the highest rung first; else the next one begins, and in
 * the end the best one gets all.
 */
const asha: Strategy = async (work, candidates, budgets, factor, sign) => {
  const waiting = [...candidates];
  const promoted = budgets.map(() => new Set<unknown>());
  const busy = new Set<unknown>();
  const next = (): [(typeof waiting)[number], number] | null => {
    for (let rung = budgets.length - 2; rung >= 0; rung--) {
      const there = candidates.filter(({ scores }) => scores.length > rung).length;
      const found = best(candidates, rung, Math.floor(there / factor), sign).find(
        (candidate) => !promoted[rung]!.has(candidate) && !busy.has(candidate),
      );
      if (found === undefined) continue;
      promoted[rung]!.add(found);
      return [found, rung + 1];
    }
    const fresh = waiting.shift();
    if (fresh !== undefined) return [fresh, 0];
    // too few are left for a third of them: as in halving, the best one goes on to the end
    const top = Math.max(...candidates.map(({ scores }) => scores.length)) - 1;
    const [first] = busy.size === 0 && top >= 0 && top < budgets.length - 1 ? best(candidates, top, 1, sign) : [];
    return first === undefined ? null : [first, top + 1];
  };
  const lane = async (): Promise<void> => {
    for (let job = next(); job !== null; job = next()) {
      const [candidate, rung] = job;
      busy.add(candidate);
      await work.one(candidate, budgets[rung]!);
      busy.delete(candidate);
    }
  };
  await Promise.all(Array.from({ length: work.size }, lane));
};

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
