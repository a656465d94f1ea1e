/**
 * A training in a worker: the worker serves it, the page or process that started the worker watches and steers it. Owns the
 * messages between the two; the training itself knows nothing of it.
 */
import { type AbortSignalLike, checkOptions, type SentError, sentError, ValueError } from '@nn/core';
import type { TrainingEvent } from '../events.ts';
import { Pause } from '../pause.ts';
import type { EpochRow } from '../state.ts';
import type { Outcome } from '../training.ts';
import { type Channel, channelTo, errorFrom, ownChannel, type WorkerLike } from './channel.ts';
import { checkPatience, countDown, emptyEnd, silence } from './first-word.ts';
import { buffersOf, takeWeights, type Weights } from './weights.ts';

/** What a worker serves: a `Training` has it. */
export interface Servable<V> extends AsyncIterable<TrainingEvent<V>> {
  readonly model: object;
  readonly epochs: number;
  readonly stepCount: number;
  readonly history: readonly EpochRow<V>[];
  pause(): void;
  resume(): void;
  stop(why: 'aborted'): void;
}

/** The type of what a worker serves, for `trainInWorker<typeof served>`: carries no value. */
export interface Served<Settings, V> {
  readonly types?: readonly [Settings, V];
}

/** What every message of one training carries: a worker may be asked for another one before the first is over. */
interface OfRun {
  readonly nn: 'train';
  readonly run: number;
}

type ToWorker = OfRun &
  (
    | { readonly type: 'run'; readonly settings: unknown; readonly every: number }
    | { readonly type: 'pause' | 'resume' | 'abort' }
    | { readonly type: 'weights'; readonly id: number }
  );

type FromWorker<V> =
  | (OfRun &
      (
        | { readonly type: 'taken' }
        | { readonly type: 'event'; readonly event: TrainingEvent<V> }
        | { readonly type: 'weights'; readonly id: number; readonly weights: Weights }
        | { readonly type: 'refused'; readonly id: number; readonly error: SentError }
        | { readonly type: 'done'; readonly outcome: Outcome<V>; readonly weights: Weights }
        | { readonly type: 'failed'; readonly error: SentError }
      ))
  // a Web Worker drops what it is sent while its module waits at its top level: it says when it listens
  | { readonly nn: 'train'; readonly type: 'ready' };

const isOurs = (data: unknown): boolean => (Object(data) as { nn?: unknown }).nn === 'train';

/**
 * In a worker's module: makes the training that `trainInWorker` asks for, with the settings it sends (anything that
 * `postMessage` carries). Events, outcome and weights go back by themselves. One training at a time, any number after one
 * another; the module may wait before it calls this (`await fetch(...)`), as long as `patience` says. Throws ValueError
 * outside of a worker.
 *
 * @example
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { serveTraining, Training } from '@nn/train';
 * import { tensor } from '@nn/core';
 * const serve = () =>
 *   serveTraining(({ learningRate }: { learningRate: number }) => {
 *     const model = new Linear(1, 1);
 *     const optimizer = new SGD(model, { learningRate });
 *     return new Training({ model, optimizer, data: [tensor([[1]])], step: (x) => model.forward(x).square().mean(), epochs: 1 });
 *   });
 * console.log(typeof serve); // => function
 */
export function serveTraining<Settings, V>(
  make: (settings: Settings) => Servable<V> | Promise<Servable<V>>,
): Served<Settings, V> {
  const channel = ownChannel('serveTraining');
  const known = new Set<number>();
  let current: ServedRun<V> | null = null;
  const send: Send<V> = (message, transfer) => channel.send(message, transfer);
  channel.listen(
    (data) => {
      if (!isOurs(data)) return;
      const message = data as ToWorker;
      const { run } = message;
      if (message.type !== 'run') {
        if (current?.run === run) current.take(message);
        return;
      }
      if (known.has(run)) return; // sent again, because it could not be told whether it was heard
      known.add(run);
      send({ nn: 'train', run, type: 'taken' });
      if (current !== null) {
        send({ nn: 'train', run, type: 'failed', error: sentError(busyError()) });
        return;
      }
      // the cast: what trainInWorker sends has the type that it was given
      const own = new ServedRun(run, async () => await make(message.settings as Settings), send);
      current = own;
      void own.serve(message.every).then((end) => {
        current = null;
        send(end, 'weights' in end ? buffersOf(end.weights) : []);
      });
    },
    () => undefined,
  );
  send({ nn: 'train', type: 'ready' });
  return {};
}

function busyError(): Error {
  return new ValueError(
    'trainInWorker',
    'this worker trains already: wait for the outcome of that training, or start a worker for each.',
  );
}

type Send<V> = (message: FromWorker<V>, transfer?: ArrayBuffer[]) => void;

/** A training in its worker, from before it is made: what is asked of it meanwhile holds once it is there. */
class ServedRun<V> {
  readonly run: number;
  readonly #made: Promise<Servable<V>>;
  readonly #send: Send<V>;
  #isAborted = false;
  #isPaused = false;
  /** Closed while a pause was asked for and the step that is under way has not ended. */
  readonly #untilStanding = new Pause();

  constructor(run: number, make: () => Promise<Servable<V>>, send: Send<V>) {
    [this.run, this.#made, this.#send] = [run, make(), send];
    this.#made.catch(() => undefined); // told by serve
  }

  take(message: Exclude<ToWorker, { readonly type: 'run' }>): void {
    if (message.type === 'weights') {
      void this.#sendWeights(message.id);
      return;
    }
    if (message.type === 'abort') this.#isAborted = true;
    const act = (training: Servable<V>): void => {
      if (message.type === 'abort') training.stop('aborted');
      else training[message.type]();
      const pauses = message.type === 'pause';
      if (!pauses) this.#untilStanding.open();
      else if (!this.#isPaused) this.#untilStanding.close();
      this.#isPaused = pauses;
    };
    this.#made.then(act, () => undefined);
  }

  async #sendWeights(id: number): Promise<void> {
    const of = { nn: 'train', run: this.run, id } as const;
    try {
      const { model } = await this.#made;
      await this.#untilStanding.pass(undefined);
      const weights = await takeWeights(model);
      this.#send({ ...of, type: 'weights', weights }, buffersOf(weights));
    } catch (error) {
      this.#send({ ...of, type: 'refused', error: sentError(error) });
    }
  }

  /** Trains, and answers what is to be told last. */
  async serve(every: number): Promise<FromWorker<V>> {
    const of = { nn: 'train', run: this.run } as const;
    try {
      const training = await this.#made;
      let toldAt = Number.NEGATIVE_INFINITY;
      let why: Outcome<V>['why'] = 'done';
      for await (const event of training) {
        // stop() begins to hold with the run: what was asked for before it is asked for again
        if (event.type === 'start' && this.#isAborted) training.stop('aborted');
        if (event.type === 'stopped') why = event.why;
        if (event.type === 'step' || event.type === 'stopped') this.#untilStanding.open();
        if (event.type === 'step') {
          if (performance.now() - toldAt < every) continue;
          toldAt = performance.now();
        }
        this.#send({ ...of, type: 'event', event });
      }
      const weights = await takeWeights(training.model);
      const { epochs: epoch, stepCount: step, history } = training;
      return { ...of, type: 'done', outcome: { why, epoch, step, history }, weights };
    } catch (error) {
      return { ...of, type: 'failed', error: sentError(error) };
    }
  }
}

export interface TrainInWorkerOptions<V> {
  /** Once it is aborted the training ends after the step that is under way. */
  readonly signal?: AbortSignalLike;
  /** Called for each event; a `for await` loop gets the same ones. What it throws ends the training, and is the outcome. */
  readonly onEvent?: (event: TrainingEvent<V>) => void;
  /** Milliseconds between two 'step' events that are sent; all others are sent at once. Default 50. */
  readonly every?: number;
  /** Milliseconds in which the worker's module must call `serveTraining`, or be told of its end. Default 30,000. */
  readonly patience?: number;
}

/** How a training in a worker ended, and what it has learned. */
export interface WorkerOutcome<V> extends Outcome<V> {
  /** For `giveWeights(model, weights)`. */
  readonly weights: Weights;
}

/** A training that runs in a worker. Leaving a `for await` loop over its events does not end it: `abort` does. */
export interface WorkerRun<V> extends AsyncIterable<TrainingEvent<V>> {
  /**
   * Rejects with what the training threw, with its class where that is one of nn or of the language, and its stack. The
   * worker is still there: terminate it, or start the next one in it. Abort before you terminate: pages are not told of
   * the end of a worker, and would wait for ever.
   */
  readonly outcome: Promise<WorkerOutcome<V>>;
  pause(): void;
  resume(): void;
  /** Ends it after the step that is under way. */
  abort(): void;
  /** The weights as they are between two steps: to look at the model while it trains. After `pause` those at which it stands. */
  weights(): Promise<Weights>;
}

/**
 * Runs a training in a worker, whose module calls `serveTraining`: the page stays free. `S` is the type of what is served:
 * `import type { served } from './worker.ts'`. Weights come back without a copy.
 *
 * @example
 * import type { Served, WorkerRun } from '@nn/train';
 * import { trainInWorker } from '@nn/train';
 * type Task = Served<{ learningRate: number }, { loss: number }>;
 * const start = (worker: Worker): WorkerRun<{ loss: number }> => trainInWorker<Task>(worker, { learningRate: 0.1 });
 * console.log(start.length); // => 1
 */
export function trainInWorker<S extends Served<unknown, unknown>>(
  worker: WorkerLike,
  settings: SettingsOf<S>,
  options: TrainInWorkerOptions<ServedValues<S>> = {},
): WorkerRun<ServedValues<S>> {
  checkOptions('trainInWorker', options, ['signal', 'onEvent', 'every', 'patience']);
  return new RemoteRun<ServedValues<S>>(channelTo(worker), settings, options);
}

type SettingsOf<S> = S extends Served<infer Settings, unknown> ? Settings : never;
type ServedValues<S> = S extends Served<unknown, infer V> ? V : never;

class RemoteRun<V> implements WorkerRun<V> {
  readonly outcome: Promise<WorkerOutcome<V>>;
  readonly #channel: Channel;
  readonly #listeners = new Set<(event: TrainingEvent<V> | null) => void>();
  readonly #asked = new Map<number, { resolve(weights: Weights): void; reject(error: Error): void }>();
  readonly #run = ++runs;
  /** What was sent before the worker was heard of. */
  #unheard: ToWorker[] | null = [];
  #asks = 0;
  #isOver = false;

  constructor(
    channel: Channel,
    settings: unknown,
    { signal, onEvent, every = 50, patience = 30_000 }: TrainInWorkerOptions<V>,
  ) {
    this.#channel = channel;
    checkPatience('trainInWorker', patience);
    this.outcome = new Promise((resolve, reject) => {
      const end = (finish: () => void, error: Error): void => {
        if (this.#isOver) return;
        this.#isOver = true;
        stop();
        heard();
        signal?.removeEventListener('abort', abort);
        for (const { reject: refuse } of this.#asked.values()) refuse(error);
        for (const listener of this.#listeners) listener(null);
        finish();
      };
      const fail = (error: Error): void => end(() => reject(error), error);
      const abort = (): void => this.abort();
      const tell = (event: TrainingEvent<V>): void => {
        for (const listener of this.#listeners) listener(event);
        try {
          onEvent?.(event);
        } catch (error) {
          this.abort();
          fail(error as Error);
        }
      };
      const stop = channel.listen(
        (data) => {
          if (!isOurs(data)) return;
          // the cast: the other end is serveTraining
          const message = data as FromWorker<V>;
          const unheard = this.#unheard;
          if (message.type === 'ready') {
            heard();
            this.#unheard = null;
            for (const lost of unheard ?? []) channel.send(lost);
            return;
          }
          if (message.run !== this.#run) return;
          heard();
          this.#unheard = null;
          if (message.type === 'event') tell(message.event);
          if (message.type === 'weights' || message.type === 'refused') {
            const asked = this.#asked.get(message.id);
            if (message.type === 'weights') asked?.resolve(message.weights);
            else asked?.reject(errorFrom(message.error));
            this.#asked.delete(message.id);
          }
          if (message.type === 'failed') fail(errorFrom(message.error));
          if (message.type === 'done') {
            const { outcome, weights } = message;
            end(() => resolve({ ...outcome, weights }), overError());
          }
        },
        (error, exitCode) => {
          const empty = this.#unheard === null ? null : emptyEnd('trainInWorker', exitCode, 'serveTraining(...)');
          fail(empty ?? error);
        },
      );
      const heard = countDown(patience, () => {
        this.abort(); // should it wake up yet
        fail(silence('trainInWorker', patience, 'serveTraining(...)'));
      });
      try {
        this.#send({ type: 'run', settings, every });
      } catch (error) {
        fail(error as Error); // settings that no message can carry
      }
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
    // whoever only walks over the events need not look at it
    this.outcome.catch(() => undefined);
  }

  pause(): void {
    this.#send({ type: 'pause' });
  }

  resume(): void {
    this.#send({ type: 'resume' });
  }

  abort(): void {
    this.#send({ type: 'abort' });
  }

  weights(): Promise<Weights> {
    if (this.#isOver) return Promise.reject(overError());
    const id = this.#asks++;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#send({ type: 'weights', id });
    });
  }

  /** Events from now on; throws what the training threw. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingEvent<V>, void> {
    const waiting: (TrainingEvent<V> | null)[] = this.#isOver ? [null] : [];
    let wake = (): void => undefined;
    const listener = (event: TrainingEvent<V> | null): void => {
      waiting.push(event);
      wake();
    };
    this.#listeners.add(listener);
    try {
      for (;;) {
        const event = waiting.shift();
        if (event === null) break;
        if (event !== undefined) yield event;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.#listeners.delete(listener);
    }
    await this.outcome;
  }

  #send(words: Words<ToWorker>): void {
    if (this.#isOver) return;
    const message: ToWorker = { nn: 'train', run: this.#run, ...words };
    this.#unheard?.push(message);
    this.#channel.send(message);
  }
}

/** Messages without what all of them carry. */
type Words<M> = M extends OfRun ? Omit<M, keyof OfRun> : never;

/** Trainings that were started from here. */
let runs = 0;

function overError(): Error {
  return new ValueError('WorkerRun', 'the training is over: its weights are in the outcome.');
}
