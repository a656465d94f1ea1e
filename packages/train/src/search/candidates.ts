/** What a search knows of each trial while it runs, and how trials run in the pool. Which comes next is strategies.ts. */
import type { AbortSignalLike } from '@nn/core';
import { type JobResult, type Pool, runAll } from '../workers/trials.ts';
import type { TrialResult, TrialRow } from './search.ts';

/** A trial with what came of it so far. */
export interface Candidate<Settings> {
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

/** What a user is told of it. */
export const rowOf = <Settings>({ state: _, thrown: __, ...candidate }: Candidate<Settings>): TrialRow<Settings> => ({
  ...candidate,
  score: candidate.error === null ? (candidate.scores.at(-1) ?? Number.NaN) : Number.NaN,
});

interface WorkOptions<Settings> {
  readonly signal?: AbortSignalLike;
  readonly onTrial?: (row: TrialRow<Settings>) => void;
}

/** Runs candidates in the pool and notes what came of it. */
export class Work<Settings> {
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
