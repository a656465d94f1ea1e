/**
 * Jobs that are tried side by side: in this thread one after the other, or in workers. A job's random numbers come from its
 * own seed, so its result does not depend on where and when it ran. Owns the pool; what is tried is the search's.
 */
import {
  type AbortSignalLike,
  randomState,
  type SentError,
  sentError,
  setRandomState,
  setSeed,
  untilAborted,
  ValueError,
} from '@nn/core';
import type { Ranks } from '../ranks.ts';
import { channelTo, errorFrom, ownChannel, type WorkerLike } from './channel.ts';
import { checkPatience, checkTime, countDown, emptyEnd, silence } from './first-word.ts';
import { RanksPool } from './ranks-pool.ts';

/** What a trial is told besides its settings. */
export interface TrialContext {
  /** Its own; core's random numbers were seeded with it before the call. */
  readonly seed: number;
  /** How much it may cost in all: epochs, steps, as the search counts. 0 where there is no such limit. */
  readonly budget: number;
  /** What the same trial returned for a smaller budget, to go on from; null at first. */
  readonly state: unknown;
}

/** A function of settings, for a search, or of a fold, for a cross-validation. */
export type Trial<Input, Result> = (input: Input, context: TrialContext) => Promise<Result> | Result;

/** Workers whose modules call `serveTrials`. */
export interface Workers {
  /** Starts one: `() => new Worker(new URL('./trial.js', import.meta.url), { type: 'module' })`. */
  readonly start: () => WorkerLike;
  readonly count: number;
  /** Milliseconds in which a worker's module must call `serveTrials`. Default 30,000. */
  readonly patience?: number;
  /** Milliseconds that a trial may take. One that takes longer is a row with the error, and its worker is ended. No limit where not given. */
  readonly timeout?: number;
}

export interface Job<Input> {
  readonly input: Input;
  readonly context: TrialContext;
}

/** What a job gave, or the error that it threw; and how long it took. */
export type JobResult<Result> = { readonly seconds: number } & (
  | { readonly result: Result }
  | { readonly error: Error }
);

type Message =
  // a Web Worker drops what it is sent while its module waits at its top level: it says when it listens
  | { readonly nn: 'trial'; readonly type: 'ready' }
  | { readonly nn: 'trial'; readonly type: 'run'; readonly id: number; readonly job: Job<unknown> }
  | { readonly nn: 'trial'; readonly type: 'taken'; readonly id: number }
  | { readonly nn: 'trial'; readonly type: 'result'; readonly id: number; readonly result: unknown }
  | { readonly nn: 'trial'; readonly type: 'failed'; readonly id: number; readonly error: SentError };

const isOurs = (data: unknown): data is Message => (Object(data) as { nn?: unknown }).nn === 'trial';

/**
 * In a worker's module: runs the trials that `search` or `crossValidate` send. The module may wait before it calls this
 * (`await fetch(...)`), as long as `workers.patience` says. Throws ValueError outside of a worker.
 *
 * @example
 * import { serveTrials } from '@nn/train';
 * const serve = () => serveTrials(async ({ x }: { x: number }) => (x - 3) ** 2);
 * console.log(typeof serve); // => function
 */
export function serveTrials<Input, Result>(trial: Trial<Input, Result>): void {
  const channel = ownChannel('serveTrials');
  const known = new Set<number>();
  const send = (message: Message): void => channel.send(message);
  channel.listen(
    (data) => {
      // a job that is known was sent again, because it could not be told whether it was heard
      if (!isOurs(data) || data.type !== 'run' || known.has(data.id)) return;
      const { id, job } = data;
      known.add(id);
      send({ nn: 'trial', type: 'taken', id });
      const finish = async (): Promise<Message> => {
        try {
          // the cast: what is sent has the type that search and crossValidate were given
          return { nn: 'trial', type: 'result', id, result: await seeded(trial, job as Job<Input>) };
        } catch (error) {
          return { nn: 'trial', type: 'failed', id, error: sentError(error) };
        }
      };
      void finish().then(send);
    },
    () => undefined,
  );
  send({ nn: 'trial', type: 'ready' });
}

function seeded<Input, Result>(trial: Trial<Input, Result>, { input, context }: Job<Input>): Promise<Result> | Result {
  setSeed(context.seed);
  return trial(input, context);
}

/** Runs jobs one at a time in this thread, or several in workers. `close` ends the workers. */
export interface Pool<Input, Result> {
  /** Jobs that run at once. */
  readonly size: number;
  /** Jobs that it takes at once. */
  readonly most: number;
  /** Throws the signal's reason once it is aborted, before a job is taken. */
  check(signal: AbortSignalLike | undefined): void;
  run(job: Job<Input>): Promise<JobResult<Result>>;
  close(): Promise<void>;
}

/** Where jobs run. */
interface PoolOptions<Input, Result> {
  readonly trial?: Trial<Input, Result> | undefined;
  readonly workers?: Workers | undefined;
  readonly group?: Ranks | undefined;
}

/** A pool of this thread, of workers or of the ranks of a group: one of `trial` and `workers` is given. */
export function openPool<Input, Result>(
  operation: string,
  { trial, workers, group }: PoolOptions<Input, Result>,
): Pool<Input, Result> {
  if ((trial === undefined) === (workers === undefined)) {
    throw new ValueError(
      operation,
      'give a trial, which runs in this thread, or workers that serve trials: one of both.',
    );
  }
  if (workers === undefined) {
    const own = ownThread(trial!);
    return group === undefined || group.size === 1 ? own : new RanksPool(group, own);
  }
  if (group !== undefined) {
    throw new ValueError(operation, 'the trials of a group run in its ranks: give a trial, and no workers.');
  }
  if (!Number.isInteger(workers.count) || workers.count < 1) {
    throw new ValueError(operation, `workers.count is ${workers.count}: it is a whole number, 1 or more.`);
  }
  return new WorkerPool<Input, Result>(operation, workers);
}

function ownThread<Input, Result>(trial: Trial<Input, Result>): Pool<Input, Result> {
  return {
    ...{ size: 1, most: 1 },
    check: (signal) => signal?.throwIfAborted(),
    close: () => Promise.resolve(),
    run: async (job) => {
      const before = randomState();
      const started = performance.now();
      const seconds = (): number => (performance.now() - started) / 1000;
      try {
        const result = await seeded(trial, job);
        return { result, seconds: seconds() };
      } catch (error) {
        return { error: error instanceof Error ? error : new Error(String(error)), seconds: seconds() };
      } finally {
        setRandomState(before);
      }
    },
  };
}

class WorkerPool<Input, Result> implements Pool<Input, Result> {
  readonly size: number;
  readonly most: number;
  readonly #operation: string;
  readonly #patience: number;
  readonly #timeout: number | undefined;
  readonly #start: () => WorkerLike;
  readonly #free = new Set<WorkerLike>();
  readonly #all = new Set<WorkerLike>();
  #ids = 0;
  #signal: AbortSignalLike | undefined;
  #isClosed = false;

  constructor(operation: string, { start, count, patience = 30_000, timeout }: Workers) {
    [this.#operation, this.#start, this.size, this.most] = [operation, start, count, count];
    this.#patience = checkPatience(`${operation}: workers`, patience);
    this.#timeout = timeout === undefined ? undefined : checkTime(`${operation}: workers`, timeout);
  }

  check(signal: AbortSignalLike | undefined): void {
    this.#signal = signal;
    signal?.throwIfAborted();
  }

  /**
   * Rejects where a worker serves nothing, as all others will, where the signal is aborted, and once the pool is closed; what
   * goes wrong otherwise is the job's result.
   */
  async run(job: Job<Input>): Promise<JobResult<Result>> {
    if (this.#isClosed) throw new ValueError(this.#operation, 'it is over: no trial is begun.');
    const [free] = this.#free;
    const worker = free ?? this.#begin();
    this.#free.delete(worker);
    const started = performance.now();
    const id = this.#ids++;
    const channel = channelTo(worker);
    let isSilent = false;
    let isHeard = free !== undefined;
    let isTaken = false;
    const waits: (() => void)[] = [];
    try {
      const answer = new Promise<Result>((resolve, reject) => {
        const message: Message = { nn: 'trial', type: 'run', id, job };
        const heard = countDown(this.#patience, () => {
          isSilent = true;
          reject(silence(this.#operation, this.#patience, 'serveTrials(trial)'));
        });
        const stop = channel.listen(
          (data) => {
            if (!isOurs(data)) return;
            isHeard = true;
            if (data.type === 'ready') channel.send(message);
            if (data.type === 'ready' || data.type === 'run' || data.id !== id) return;
            heard();
            if (data.type === 'taken') {
              isTaken = true;
              if (this.#timeout !== undefined) waits.push(countDown(this.#timeout, late));
              return;
            }
            this.#free.add(worker);
            // the cast: the worker serves the trial of this search
            if (data.type === 'result') resolve(data.result as Result);
            else reject(errorFrom(data.error));
          },
          (error, exitCode) => {
            const empty = isHeard ? null : emptyEnd(this.#operation, exitCode, 'serveTrials(trial)');
            isSilent = empty !== null;
            reject(empty ?? error);
          },
        );
        const late = (): void => {
          this.#end(worker);
          const words = `the trial took longer than ${this.#timeout} milliseconds: its worker was ended.`;
          reject(new ValueError(this.#operation, words, { timeout: this.#timeout }));
        };
        waits.push(heard, stop);
        channel.send(message);
      });
      const result = await untilAborted(answer, this.#signal);
      return { result, seconds: (performance.now() - started) / 1000 };
    } catch (error) {
      if (isSilent || this.#isClosed || this.#signal?.aborted === true) throw error;
      // it ended while it had nothing to do, which is no fault of this job
      if (free !== undefined && !isTaken && !this.#all.has(worker)) return this.run(job);
      return { error: error as Error, seconds: (performance.now() - started) / 1000 };
    } finally {
      for (const end of waits) end();
    }
  }

  /** A new one. It is listened to for as long as it lives: where it fails it gets no job again, also while it has none. */
  #begin(): WorkerLike {
    const worker = this.#start();
    this.#all.add(worker);
    channelTo(worker).listen(
      () => undefined,
      () => this.#end(worker),
    );
    return worker;
  }

  #end(worker: WorkerLike): void {
    this.#free.delete(worker);
    this.#all.delete(worker);
    void worker.terminate(); // in a page it is there yet
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
    this.#all.clear();
  }
}

/** Runs all jobs, as many at once as the pool takes; results in the order of the jobs. Throws the signal's reason. */
export async function runAll<Input, Result>(
  pool: Pool<Input, Result>,
  jobs: readonly Job<Input>[],
  options: {
    readonly signal?: AbortSignalLike | undefined;
    readonly onResult?: ((at: number, result: JobResult<Result>) => void) | undefined;
  } = {},
): Promise<JobResult<Result>[]> {
  const results: JobResult<Result>[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < jobs.length) {
      pool.check(options.signal);
      const at = next++;
      const result = await pool.run(jobs[at]!);
      results[at] = result;
      options.onResult?.(at, result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(pool.most, jobs.length) }, lane));
  return results;
}
