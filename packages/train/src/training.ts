/**
 * The loop: steps, reads, epochs, validations, and an event for each. It is made of parts that any loop can use: metrics,
 * `validate`, callbacks; and owns only their order. What a step does is step.ts, what events are events.ts.
 */
import {
  type AbortSignalLike,
  FormatError,
  isStateful,
  type Model,
  type Stateful,
  type Tensor,
  ValueError,
} from '@nn/core';
import { read } from '@nn/metrics';
import { type Batches, checkCount, grouped, lengthOf } from './batches.ts';
import type {
  Callback,
  Controls,
  Ending,
  Metrics,
  Place,
  ReadEvent,
  StepsOptimizer,
  TrainingEvent,
  Validated,
  ValuesOf,
} from './events.ts';
import { LossLog } from './loss-log.ts';
import { optimizerSteps, ownSteps, type Stepper } from './step.ts';
import { validate } from './validate.ts';

/** How often values are read from the device. */
export interface ReadEvery {
  /** Default 50. */
  readonly steps?: number;
  /** Reads sooner where steps are slow. Then windows depend on the clock; losses and epochs do not. */
  readonly milliseconds?: number;
}

/** What a training is validated on. */
export interface Validation<B> {
  readonly data: Batches<B>;
  /** From a batch to the loss, updating the metrics; that of the training where not given. */
  readonly step?: (batch: B) => Tensor;
  /** Steps between two validations; at the end of each epoch where not given. */
  readonly every?: number;
}

/** With everything filled in; `every` is null at the end of each epoch. */
interface CheckedValidation<B> {
  readonly data: Batches<B>;
  readonly step: (batch: B) => Tensor;
  readonly every: number | null;
}

interface CommonOptions<B, M extends Metrics> {
  readonly model: Model;
  /** Walked once in each epoch. A `DataLoader` goes on in mid-epoch where a run was left. */
  readonly data: Batches<B>;
  /** By name; the step updates them. */
  readonly metrics?: M;
  /** The training ends after so many epochs, or so many steps: what comes first. One must be given. */
  readonly epochs?: number;
  readonly steps?: number;
  /** A number of steps, default 50. */
  readonly readEvery?: number | ReadEvery;
  readonly callbacks?: readonly (Callback<ValuesOf<M>> | Callback<ValuesOf<M>>['handle'])[];
  /** Once it is aborted the training ends after the step that is under way; `run` can go on later. */
  readonly signal?: AbortSignalLike;
}

/** The step makes the loss; the optimizer does the rest. */
export interface TrainingOptions<B, M extends Metrics> extends CommonOptions<B, M> {
  readonly optimizer: StepsOptimizer & object;
  /** From a batch to the loss, a scalar. Updates the metrics. */
  readonly step: (batch: B) => Tensor;
  readonly validation?: Validation<B>;
  /** Batches in one step of the optimizer, default 1: the gradient is that of their samples together. */
  readonly accumulate?: number;
  /** Compiles the step: faster for small models. It sees the tensors of a batch only. */
  readonly compile?: boolean;
}

/** The step does all: several optimizers, penalties on gradients. It returns the loss to record, which was computed. */
export interface OwnStepOptions<B, M extends Metrics> extends CommonOptions<B, M> {
  readonly optimizer?: never;
  readonly step: (batch: B) => Tensor | Promise<Tensor>;
  /** Its `step` must be given, for that of the training learns. */
  readonly validation?: Validation<B> & { readonly step: (batch: B) => Tensor };
  readonly accumulate?: never;
  readonly compile?: never;
  /** What a checkpoint must hold besides model, data and metrics: the optimizers. */
  readonly parts?: Readonly<Record<string, object>>;
}

/** The values of an epoch, and of the validation at its end. */
export interface EpochRow<V> extends Place {
  readonly values: V & Partial<Validated<V>>;
}

/** How a training ended. */
export interface Outcome<V> extends Place {
  readonly why: Ending;
  readonly history: readonly EpochRow<V>[];
}

const optionNames = [
  ...['model', 'data', 'metrics', 'epochs', 'steps', 'readEvery', 'callbacks', 'signal', 'optimizer', 'step'],
  ...['validation', 'accumulate', 'compile', 'parts'],
];

/** What changes while it runs, and what a checkpoint holds of it. */
interface State<V> {
  /** Finished epochs. */
  epochs: number;
  step: number;
  /** Steps of the epoch that is under way. */
  epochSteps: number;
  /** Whether its data is through, and only its end is left to be done; and whether its event was sent. */
  isThrough: boolean;
  isTold: boolean;
  history: EpochRow<V>[];
}

/**
 * Trains a model: walks the data, makes steps, reads the loss and metrics every so often in one download, validates, and
 * tells callbacks, or a `for await` loop, what happens. The step is the one that you would write in a loop of your own.
 *
 * It can be left at any time (the signal, `break`, `stop()`) and `run` goes on from there; `parts` is what a checkpoint of
 * it holds. Throws ValueError for options that do not fit; `run` throws one that names the first step whose loss is not
 * finite.
 *
 * @example
 * import { setSeed } from '@nn/core';
 * import { DataLoader, moons } from '@nn/data';
 * import { crossEntropy, Linear, relu, Sequential } from '@nn/layers';
 * import { Accuracy } from '@nn/metrics';
 * import { AdamW } from '@nn/optim';
 * import { Training } from '@nn/train';
 * setSeed(1);
 * const model = new Sequential(new Linear(2, 16), relu, new Linear(16, 2));
 * const accuracy = new Accuracy();
 * const training = new Training({
 *   model,
 *   optimizer: new AdamW(model, { learningRate: 0.02 }),
 *   data: new DataLoader(moons(400, { seed: 1 }), { batchSize: 50, shuffle: true, seed: 1 }),
 *   metrics: { accuracy },
 *   step: ({ inputs, targets }) => {
 *     const logits = model.forward(inputs);
 *     accuracy.update(logits, targets);
 *     return crossEntropy(logits, targets);
 *   },
 *   epochs: 20,
 * });
 * const { why, step, history } = await training.run();
 * console.log(why, step, (history.at(-1)?.values.accuracy ?? 0) > 0.95); // => done 160 true
 */
export class Training<B, const M extends Metrics = Readonly<Record<never, never>>> implements Stateful, Controls {
  readonly model: Model;
  readonly optimizer: (StepsOptimizer & object) | null;
  readonly metrics: M;
  readonly #options: CommonOptions<B, M>;
  readonly #validation: CheckedValidation<B> | null;
  readonly #batchesOfStep: number;
  readonly #read: { readonly steps: number; readonly milliseconds: number };
  readonly #callbacks: readonly Callback<ValuesOf<M>>[];
  readonly #otherParts: Readonly<Record<string, object>>;
  readonly #log: LossLog;
  readonly #advance: Stepper<B>;
  readonly #state: State<ValuesOf<M>> = {
    epochs: 0,
    step: 0,
    epochSteps: 0,
    isThrough: false,
    isTold: false,
    history: [],
  };
  #isRunning = false;
  #wantsStop = false;
  #wantsValidation = false;
  #warnings: { readonly what: string; readonly message: string }[] = [];
  #resume: { readonly promise: Promise<void>; readonly release: () => void } | null = null;

  constructor(options: TrainingOptions<B, M> | OwnStepOptions<B, M>) {
    const wrong = Object.keys(options).find((name) => !optionNames.includes(name));
    if (wrong !== undefined) throw new ValueError('Training', `no option ${wrong}: ${optionNames.join(', ')}.`);
    const { model, data, validation, epochs, steps, readEvery = 50 } = options;
    if (epochs === undefined && steps === undefined) {
      throw new ValueError('Training', 'neither epochs nor steps are given: it would never end.');
    }
    if (epochs !== undefined) checkCount('epochs', epochs);
    if (steps !== undefined) checkCount('steps', steps);
    this.#options = options;
    this.model = model;
    this.optimizer = options.optimizer ?? null;
    // the cast: no metrics are a record of none
    this.metrics = options.metrics ?? ({} as M);
    if ('loss' in this.metrics) {
      throw new ValueError(
        'Training',
        "a metric is called 'loss', which is the name of what the step returns: rename it.",
      );
    }
    const every = typeof readEvery === 'number' ? { steps: readEvery } : readEvery;
    this.#read = {
      steps: checkCount('readEvery', every.steps ?? 50),
      milliseconds: every.milliseconds ?? Number.POSITIVE_INFINITY,
    };
    this.#batchesOfStep = checkCount('accumulate', options.accumulate ?? 1);
    this.#callbacks = (options.callbacks ?? []).map((callback) =>
      typeof callback === 'function' ? { handle: callback } : callback,
    );
    this.#log = new LossLog(this.#read.steps * this.#batchesOfStep);
    if (options.optimizer === undefined) {
      this.#advance = ownSteps(options.step, this.#log);
      this.#otherParts = options.parts ?? {};
    } else {
      const { optimizer, step, compile = false } = options;
      this.#advance = optimizerSteps(step, optimizer, this.#log, compile);
      this.#otherParts = { optimizer };
    }
    this.#validation = validation ? this.#checkValidation(options) : null;
    const twice = ['model', 'data', 'metrics', 'callbacks', 'training'].find((name) => name in this.#otherParts);
    if (twice !== undefined) throw new ValueError('Training', `parts has '${twice}', which the training adds itself.`);
    if (validation?.data === data) {
      throw new ValueError(
        'Training',
        'the validation walks the same object as the training: give it a loader of its own.',
      );
    }
  }

  #checkValidation(options: TrainingOptions<B, M> | OwnStepOptions<B, M>): CheckedValidation<B> {
    const { data, step, every } = options.validation!;
    if (step === undefined && options.optimizer === undefined) {
      throw new ValueError('Training', 'the step makes updates itself: give validation.step, which makes none.');
    }
    // the cast: with an optimizer the step is not asynchronous, by the types of the options
    const own = step ?? (options.step as (batch: B) => Tensor);
    return { data, step: own, every: every === undefined ? null : checkCount('validation.every', every) };
  }

  /** Finished epochs. */
  get epochs(): number {
    return this.#state.epochs;
  }

  /** Steps that were made. */
  get stepCount(): number {
    return this.#state.step;
  }

  /** The finished epochs with their values. */
  get history(): readonly EpochRow<ValuesOf<M>>[] {
    return this.#state.history;
  }

  /**
   * What a checkpoint of the run holds: `saveCheckpoint(path, training.parts)`, at a 'rest' event or while it does not run.
   * Data without a state of its own, as an array, begins its epoch anew.
   */
  get parts(): Readonly<Record<string, object>> {
    const { data } = this.#options;
    return {
      model: this.model,
      ...this.#otherParts,
      ...(isStateful(data) && { data }),
      metrics: this.metrics,
      callbacks: [...this.#callbacks],
      training: this,
    };
  }

  /** Trains to the end, or from where it was left. Throws what a step throws, after all callbacks know. */
  async run(): Promise<Outcome<ValuesOf<M>>> {
    let why: Ending = 'done';
    for await (const event of this) if (event.type === 'stopped') why = event.why;
    const { epochs, step, history } = this.#state;
    return { why, epoch: epochs, step, history: [...history] };
  }

  /** The events one by one; leaving the loop stops the training after its step. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingEvent<ValuesOf<M>>, void> {
    if (this.#isRunning) throw new ValueError('Training', 'it runs already: wait for its end, or stop() it.');
    this.#isRunning = true;
    this.#wantsStop = false;
    let ended: { readonly why: Ending; readonly error?: unknown } | null = null;
    try {
      const { signal } = this.#options;
      yield* this.#send({ type: 'start', ...this.#place(), ...this.#length() });
      while (!this.#isDone && !this.#mustStop) yield* this.#epoch();
      ended = { why: this.#isDone ? 'done' : signal?.aborted ? 'aborted' : 'callback' };
    } catch (error) {
      ended = { why: error instanceof DivergedError ? 'diverged' : 'error', error };
      throw error;
    } finally {
      this.#isRunning = false;
      const event = { type: 'stopped', ...this.#place(), ...(ended ?? { why: 'aborted' }) } as const;
      await this.#tell(event);
      // who has left the loop, or gets the error, waits for no more events
      if (ended !== null && !('error' in ended)) yield event;
    }
  }

  /** The mean loss and metrics over other data; what the metrics had counted of the training stays. */
  evaluate(data: Batches<B>): Promise<ValuesOf<M>> {
    const { signal, step } = this.#options as CommonOptions<B, M> & TrainingOptions<B, M>;
    if (this.optimizer === null && this.#validation === null) {
      throw new ValueError(
        'Training.evaluate',
        'the step makes updates itself: give validation.step, or use validate(data, step).',
      );
    }
    return validate(data, this.#validation?.step ?? step, { metrics: this.metrics, signal });
  }

  stop(): void {
    this.#wantsStop = true;
  }

  validate(): void {
    if (this.#validation === null) throw new ValueError('Training.validate', 'no validation data: give validation.');
    this.#wantsValidation = true;
  }

  warn(what: string, message: string): void {
    this.#warnings.push({ what, message });
  }

  /** Waits after the step that is under way, until `resume`. */
  pause(): void {
    if (this.#resume !== null) return;
    let release = (): void => undefined;
    const promise = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#resume = { promise, release };
  }

  resume(): void {
    this.#resume?.release();
    this.#resume = null;
  }

  get isPaused(): boolean {
    return this.#resume !== null;
  }

  higherIsBetter(monitor: string): boolean | null {
    const name = monitor.replace(/^validation\./, '');
    if (name === 'loss') return false;
    const metrics: Metrics = this.metrics;
    const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
    if (metric === undefined || (monitor !== name && this.#validation === null)) {
      const names = ['loss', ...Object.keys(metrics)];
      const all = this.#validation === null ? names : [...names, ...names.map((known) => `validation.${known}`)];
      throw new ValueError('Training', `there is no value '${monitor}': ${all.join(', ')}.`, { monitor });
    }
    return metric.higherIsBetter;
  }

  hostState(): unknown {
    if (this.#log.waiting > 0) {
      throw new ValueError(
        'Training',
        "losses of the last steps were not read: save at a 'rest' event, or after the end.",
      );
    }
    return { ...this.#state, history: [...this.#state.history], losses: this.#log.hostState() };
  }

  loadHostState(state: unknown): void {
    const { epochs, step, epochSteps, isThrough, isTold, history, losses } = Object(state) as Partial<
      State<ValuesOf<M>> & { losses: unknown }
    >;
    const isState =
      [epochs, step, epochSteps].every(Number.isSafeInteger) &&
      [isThrough, isTold].every((flag) => typeof flag === 'boolean') &&
      Array.isArray(history);
    if (!isState) {
      throw new FormatError(
        'Training',
        'the saved state is not one of a training: it has no counts of steps and epochs.',
      );
    }
    this.#log.loadHostState(losses);
    Object.assign(this.#state, { epochs, step, epochSteps, isThrough, isTold, history: [...history] });
  }

  get #isDone(): boolean {
    const { epochs = Number.POSITIVE_INFINITY, steps = Number.POSITIVE_INFINITY } = this.#options;
    return this.#state.epochs >= epochs || this.#state.step >= steps;
  }

  get #mustStop(): boolean {
    return this.#wantsStop || this.#options.signal?.aborted === true;
  }

  #place(): Place {
    return { epoch: this.#state.epochs + 1, step: this.#state.step };
  }

  #length(): { epochs: number | null; stepsPerEpoch: number | null; steps: number | null } {
    const { data, epochs, steps } = this.#options;
    const batches = lengthOf(data);
    const stepsPerEpoch = batches === null ? null : Math.ceil(batches / this.#batchesOfStep);
    const ofEpochs = stepsPerEpoch === null || epochs === undefined ? null : stepsPerEpoch * epochs;
    const ends = [ofEpochs, steps].filter((end): end is number => typeof end === 'number');
    return { epochs: epochs ?? null, stepsPerEpoch, steps: ends.length > 0 ? Math.min(...ends) : null };
  }

  /** The rest of the epoch that is under way. */
  async *#epoch(): AsyncGenerator<TrainingEvent<ValuesOf<M>>, void> {
    const state = this.#state;
    if (!state.isThrough) {
      yield* this.#walk();
      if (!state.isThrough) return;
    }
    const values = await this.#valuesOfEpoch();
    const place = this.#place();
    if (!state.isTold) {
      state.isTold = true;
      yield* this.#send({ type: 'epoch', ...place, values, learningRates: this.#rates() });
    }
    let validated: Validated<ValuesOf<M>> | null = null;
    if (this.#validation?.every === null) {
      yield* this.#send({ type: 'validating', ...place });
      validated = await this.#validated();
      if (validated === null) return; // aborted in the middle: done anew when it goes on
      yield* this.#send({ type: 'validated', ...place, values: validated });
    }
    // the cast: values of the training, and of the validation where there was one
    state.history.push({ ...place, values: { ...values, ...validated } as EpochRow<ValuesOf<M>>['values'] });
    Object.assign(state, { epochs: state.epochs + 1, epochSteps: 0, isThrough: false, isTold: false });
    this.#log.reset();
    for (const metric of Object.values(this.metrics as Metrics)) metric.reset();
    yield* this.#send({ type: 'rest', epoch: place.epoch, step: place.step });
  }

  /** Steps to the end of the data, or to where the training must stop. */
  async *#walk(): AsyncGenerator<TrainingEvent<ValuesOf<M>>, void> {
    const state = this.#state;
    const { data, steps = Number.POSITIVE_INFINITY } = this.#options;
    const { every = null } = this.#validation ?? {};
    const { stepsPerEpoch } = this.#length();
    let readAt = performance.now();
    // a call, because the flag changes while the loop waits
    const mustStop = (): boolean => this.#mustStop;
    for await (const group of grouped(data, this.#batchesOfStep)) {
      if (state.step >= steps) return; // more data than its length said
      const count = await this.#advance(group);
      this.#log.endStep();
      state.step++;
      state.epochSteps++;
      yield* this.#send({ type: 'step', ...this.#place(), count });
      if (this.#resume !== null) await this.#pause();
      const isLast = state.step >= steps || mustStop();
      const validates = this.#wantsValidation || (every !== null && state.step % every === 0);
      const isSlow = performance.now() - readAt >= this.#read.milliseconds;
      if (state.step % this.#read.steps === 0 || isLast || validates || isSlow) {
        yield* this.#readValues();
        readAt = performance.now();
        if (validates || (isLast && every !== null && !mustStop())) {
          yield* this.#send({ type: 'validating', ...this.#place() });
          const values = await this.#validated();
          if (values !== null) yield* this.#send({ type: 'validated', ...this.#place(), values });
        }
        yield* this.#send({ type: 'rest', ...this.#place() });
      }
      // where the last step is the last of its epoch, that epoch is through like any other
      if (mustStop() || (isLast && state.epochSteps !== stepsPerEpoch)) return;
    }
    if (state.epochSteps === 0) {
      throw new ValueError(
        'Training',
        `the data gave no batch in epoch ${state.epochs + 1}: it is empty, or a generator, which ends once; give what can be walked again.`,
        { epoch: state.epochs + 1 },
      );
    }
    if (this.#log.waiting > 0) yield* this.#readValues();
    state.isThrough = true;
  }

  /** One download: losses and metrics since the last, told as an event. */
  async *#readValues(): AsyncGenerator<TrainingEvent<ValuesOf<M>>, void> {
    const { step } = this.#state;
    const { loss, ...readings } = await read<Metrics>({ ...this.metrics, loss: this.#log.metric });
    const { losses, ...mean } = this.#log.settle((loss?.window ?? []) as number[]);
    // the cast: a reading for each metric, and the loss
    const values = { ...readings, loss: mean } as unknown as ReadEvent<ValuesOf<M>>['values'];
    yield* this.#send({ type: 'read', ...this.#place(), losses, values, learningRates: this.#rates() });
    const wrong = losses.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) throw new DivergedError(step - losses.length + 1 + wrong, losses[wrong]!);
  }

  /** The values since the epoch began: all was read before. */
  async #valuesOfEpoch(): Promise<ValuesOf<M>> {
    const readings = await read<Metrics>(this.metrics);
    const values = Object.entries(readings).map(([name, { epoch }]) => [name, epoch] as const);
    // the cast: a value for each metric, and the loss
    return { ...Object.fromEntries(values), loss: this.#log.settle([]).epoch } as ValuesOf<M>;
  }

  /** The values of the validation; null where the signal ended it. */
  async #validated(): Promise<Validated<ValuesOf<M>> | null> {
    this.#wantsValidation = false;
    const { signal } = this.#options;
    const { data, step } = this.#validation!;
    try {
      const values = await validate(data, step, { metrics: this.metrics, signal });
      // the cast: the same names with a prefix
      return Object.fromEntries(
        Object.entries(values).map(([name, value]) => [`validation.${name}`, value]),
      ) as Validated<ValuesOf<M>>;
    } catch (error) {
      if (signal?.aborted) return null;
      throw error;
    }
  }

  #rates(): number[] {
    return [...(this.optimizer?.learningRates ?? [])];
  }

  async #pause(): Promise<void> {
    const { signal } = this.#options;
    const aborted = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
    while (this.#resume !== null && !this.#mustStop) await Promise.race([this.#resume.promise, aborted]);
  }

  async *#send(event: TrainingEvent<ValuesOf<M>>): AsyncGenerator<TrainingEvent<ValuesOf<M>>, void> {
    await this.#tell(event);
    yield event;
    for (let warning = this.#warnings.shift(); warning !== undefined; warning = this.#warnings.shift()) {
      const told = { type: 'warning', ...this.#place(), ...warning } as const;
      await this.#tell(told);
      yield told;
    }
  }

  async #tell(event: TrainingEvent<ValuesOf<M>>): Promise<void> {
    for (const callback of this.#callbacks) {
      const waiting = callback.handle(event, this);
      if (waiting !== undefined) await waiting;
    }
  }
}

/** A loss that is not finite. */
class DivergedError extends ValueError {
  constructor(step: number, loss: number) {
    super(
      'Training/diverged',
      `the loss of step ${step} is ${loss}, so the parameters are not usable from then on: go back to a checkpoint, ` +
        'and look at that batch, at the learning rate, or clip the gradients. debug({ eager: true }) names the operation.',
      { step, loss },
    );
    this.name = 'ValueError';
  }
}
