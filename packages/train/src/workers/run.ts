/**
 * A training in a worker: the worker serves it, the page or process that started the worker watches and steers it. Owns the
 * messages between the two; the training itself knows nothing of it.
 */
import { type AbortSignalLike, checkOptions, ValueError } from '@nn/core';
import type { TrainingEvent } from '../events.ts';
import type { EpochRow } from '../state.ts';
import type { Outcome } from '../training.ts';
import {
  type Channel,
  channelTo,
  ownChannel,
  receivedError,
  type SentError,
  sentError,
  type WorkerLike,
} from './channel.ts';
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

type ToWorker =
  | { readonly nn: 'train'; readonly type: 'run'; readonly settings: unknown; readonly every: number }
  | { readonly nn: 'train'; readonly type: 'pause' | 'resume' | 'abort' }
  | { readonly nn: 'train'; readonly type: 'weights'; readonly id: number };

type FromWorker<V> =
  | { readonly nn: 'train'; readonly type: 'ready' }
  | { readonly nn: 'train'; readonly type: 'event'; readonly event: TrainingEvent<V> }
  | { readonly nn: 'train'; readonly type: 'weights'; readonly id: number; readonly weights: Weights }
  | { readonly nn: 'train'; readonly type: 'done'; readonly outcome: Outcome<V>; readonly weights: Weights }
  | { readonly nn: 'train'; readonly type: 'failed'; readonly error: SentError };

const isOurs = (data: unknown): boolean => (Object(data) as { nn?: unknown }).nn === 'train';

/**
 * In a worker's module: makes the training that `trainInWorker` asks for, with the settings it sends (anything that
 * `postMessage` carries). Events, outcome and weights go back by themselves. Throws ValueError outside of a worker.
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
  let training: Servable<V> | null = null;
  let wantsAbort = false;
  const send = (message: FromWorker<V>, transfer?: ArrayBuffer[]): void => channel.send(message, transfer);
  channel.listen(
    (data) => {
      if (!isOurs(data)) return;
      const message = data as ToWorker;
      if (message.type === 'run') {
        void serve(
          async () => {
            // the cast: what trainInWorker sends has the type that it was given
            training = await make(message.settings as Settings);
            if (wantsAbort) training.stop('aborted');
            return training;
          },
          message.every,
          () => wantsAbort,
          send,
        );
      } else if (message.type === 'weights') {
        const { id } = message;
        takeWeights(training?.model ?? {}).then(
          (weights) => send({ nn: 'train', type: 'weights', id, weights }, buffersOf(weights)),
          (error) => send({ nn: 'train', type: 'failed', error: sentError(error) }),
        );
      } else if (message.type === 'abort') {
        wantsAbort = true;
        training?.stop('aborted');
      } else training?.[message.type]();
    },
    () => undefined,
  );
  send({ nn: 'train', type: 'ready' });
  return {};
}

async function serve<V>(
  make: () => Promise<Servable<V>>,
  every: number,
  isAborted: () => boolean,
  send: (message: FromWorker<V>, transfer?: ArrayBuffer[]) => void,
): Promise<void> {
  try {
    const training = await make();
    let toldAt = Number.NEGATIVE_INFINITY;
    let why: Outcome<V>['why'] = 'done';
    for await (const event of training) {
      // stop() begins to hold with the run: what was asked for before it is asked for again
      if (event.type === 'start' && isAborted()) training.stop('aborted');
      if (event.type === 'stopped') why = event.why;
      if (event.type === 'step') {
        if (performance.now() - toldAt < every) continue;
        toldAt = performance.now();
      }
      send({ nn: 'train', type: 'event', event });
    }
    const weights = await takeWeights(training.model);
    const { epochs: epoch, stepCount: step, history } = training;
    const outcome = { why, epoch, step, history };
    send({ nn: 'train', type: 'done', outcome, weights }, buffersOf(weights));
  } catch (error) {
    send({ nn: 'train', type: 'failed', error: sentError(error) });
  }
}

export interface TrainInWorkerOptions<V> {
  /** Once it is aborted the training ends after the step that is under way. */
  readonly signal?: AbortSignalLike;
  /** Called for each event; a `for await` loop gets the same ones. */
  readonly onEvent?: (event: TrainingEvent<V>) => void;
  /** Milliseconds between two 'step' events that are sent; all others are sent at once. Default 50. */
  readonly every?: number;
}

/** How a training in a worker ended, and what it has learned. */
export interface WorkerOutcome<V> extends Outcome<V> {
  /** For `giveWeights(model, weights)`. */
  readonly weights: Weights;
}

/** A training that runs in a worker. */
export interface WorkerRun<V> extends AsyncIterable<TrainingEvent<V>> {
  /** Rejects with what the training threw. The worker is still there: terminate it, or start the next one in it. */
  readonly outcome: Promise<WorkerOutcome<V>>;
  pause(): void;
  resume(): void;
  /** Ends it after the step that is under way. */
  abort(): void;
  /** The weights as they are between two steps: to look at the model while it trains. */
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
  checkOptions('trainInWorker', options, ['signal', 'onEvent', 'every']);
  return new RemoteRun<ServedValues<S>>(channelTo(worker), settings, options);
}

type SettingsOf<S> = S extends Served<infer Settings, unknown> ? Settings : never;
type ServedValues<S> = S extends Served<unknown, infer V> ? V : never;

class RemoteRun<V> implements WorkerRun<V> {
  readonly outcome: Promise<WorkerOutcome<V>>;
  readonly #channel: Channel;
  readonly #listeners = new Set<(event: TrainingEvent<V> | null) => void>();
  readonly #asked = new Map<number, { resolve(weights: Weights): void; reject(error: Error): void }>();
  #asks = 0;
  #isOver = false;

  constructor(channel: Channel, settings: unknown, { signal, onEvent, every = 50 }: TrainInWorkerOptions<V>) {
    this.#channel = channel;
    if (onEvent !== undefined) this.#listeners.add((event) => void (event !== null && onEvent(event)));
    this.outcome = new Promise((resolve, reject) => {
      const end = (finish: () => void, error: Error): void => {
        if (this.#isOver) return;
        this.#isOver = true;
        stop();
        signal?.removeEventListener('abort', abort);
        for (const { reject: refuse } of this.#asked.values()) refuse(error);
        for (const listener of this.#listeners) listener(null);
        finish();
      };
      const fail = (error: Error): void => end(() => reject(error), error);
      const abort = (): void => this.abort();
      const stop = channel.listen((data) => {
        if (!isOurs(data)) return;
        // the cast: the other end is serveTraining
        const message = data as FromWorker<V>;
        if (message.type === 'event') for (const listener of this.#listeners) listener(message.event);
        if (message.type === 'weights') {
          this.#asked.get(message.id)?.resolve(message.weights);
          this.#asked.delete(message.id);
        }
        if (message.type === 'failed') fail(receivedError(message.error));
        if (message.type === 'done') {
          const { outcome, weights } = message;
          end(() => resolve({ ...outcome, weights }), overError());
        }
      }, fail);
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
    // whoever only walks over the events need not look at it
    this.outcome.catch(() => undefined);
    this.#send({ nn: 'train', type: 'run', settings, every });
  }

  pause(): void {
    this.#send({ nn: 'train', type: 'pause' });
  }

  resume(): void {
    this.#send({ nn: 'train', type: 'resume' });
  }

  abort(): void {
    this.#send({ nn: 'train', type: 'abort' });
  }

  weights(): Promise<Weights> {
    if (this.#isOver) return Promise.reject(overError());
    const id = this.#asks++;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#send({ nn: 'train', type: 'weights', id });
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

  #send(message: ToWorker): void {
    if (!this.#isOver) this.#channel.send(message);
  }
}

function overError(): Error {
  return new ValueError('WorkerRun', 'the training is over: its weights are in the outcome.');
}
