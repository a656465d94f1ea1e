/**
 * The loop: steps, reads, epochs, validations, and an event for each. It is made of parts that any loop can use: metrics,
 * `validate`, callbacks; and owns only their order. What a step does is step.ts, what events are events.ts,
 * how values are read readings.ts, where it stands state.ts. Past 400 lines, because it is one class with its docstrings.
 */
import { isStateful, type Model, type Stateful, type Tensor, ValueError } from '@nn/core';
import { Announcer } from './announcer.ts';
import { type Batches, BatchWalk } from './batches.ts';
import { DivergedError } from './divergence.ts';
import type { Controls, Ending, Metrics, Place, StepsOptimizer, TrainingEvent, Validated, ValuesOf } from './events.ts';
import { LossLog } from './loss-log.ts';
import {
  type CommonOptions,
  checkTrainingOptions,
  lengthOfRun,
  type Numbers,
  type OwnStepOptions,
  type TrainingOptions,
  type Validation,
} from './options.ts';
import { Pause } from './pause.ts';
import { named, readWindow, validatedValues, valuesOfEpoch } from './readings.ts';
import { left, Relay } from './relay.ts';
import { type EpochRow, TrainingState } from './state.ts';
import { optimizerSteps, ownSteps, type Stepper } from './step.ts';
import { validate } from './validate.ts';
import { lossReducer } from './weights.ts';

/** How a training ended. */
export interface Outcome<V> extends Place {
  readonly why: Ending;
  readonly history: readonly EpochRow<V>[];
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
  static readonly name: string = 'Training';

  readonly model: Model;
  readonly optimizer: (StepsOptimizer & object) | null;
  readonly metrics: M;
  readonly lossOf: ((batch: B) => Tensor) | null;
  readonly #options: CommonOptions<B, M>;
  readonly #numbers: Numbers;
  readonly #validation: Validation<B> | null;
  /** Of data that it does not learn from; null where there is none. */
  readonly #validationStep: ((batch: B) => Tensor) | null;
  readonly #announcer: Announcer<ValuesOf<M>>;
  readonly #otherParts: Readonly<Record<string, object>>;
  readonly #log: LossLog;
  readonly #advance: Stepper<B>;
  readonly #state = new TrainingState<ValuesOf<M>>();
  readonly #pause = new Pause();
  #isRunning = false;
  #wantsStop: 'callback' | 'aborted' | null = null;
  #wantsValidation = false;
  /** The step of the last copy to roll back to. */
  #keptStep = Number.NEGATIVE_INFINITY;
  #diverged: DivergedError | null = null;

  constructor(options: TrainingOptions<B, M> | OwnStepOptions<B, M>) {
    this.#numbers = checkTrainingOptions(options);
    this.#options = options;
    this.model = options.model;
    this.optimizer = options.optimizer ?? null;
    // the cast: no metrics are a record of none
    this.metrics = options.metrics ?? ({} as M);
    this.#announcer = new Announcer(options.callbacks ?? []);
    this.#log = new LossLog(this.#numbers.read.steps * this.#numbers.batchesOfStep);
    this.#validation = options.validation ?? null;
    if (options.optimizer === undefined) {
      this.lossOf = null;
      this.#advance = ownSteps(options.step, this.#log);
      this.#otherParts = options.parts ?? {};
      this.#validationStep = options.validation?.step ?? null;
    } else {
      const { optimizer, step, validation, compile = false } = options;
      const learn = lossReducer<B>(options, 'training');
      const watch = lossReducer<B>(options, 'validation');
      const held = validation?.step ?? step;
      this.lossOf = (batch) => learn(step(batch), batch);
      this.#advance = optimizerSteps(this.lossOf, optimizer, this.#log, compile);
      this.#otherParts = { optimizer };
      this.#validationStep = (batch) => watch(held(batch), batch);
    }
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

  get data(): Batches<B> {
    return this.#options.data;
  }

  get validationData(): Batches<B> | null {
    return this.#validation?.data ?? null;
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
      callbacks: [...this.#announcer.callbacks],
      training: this,
    };
  }

  /** Trains to the end, or from where it was left. Throws what a step throws, after all callbacks know. */
  async run(): Promise<Outcome<ValuesOf<M>>> {
    const why = await this.#train();
    const { epochs, step, history } = this.#state;
    return { why, epoch: epochs, step, history: [...history] };
  }

  /** The events one by one; leaving the loop stops the training after its step. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingEvent<ValuesOf<M>>, void> {
    const relay = new Relay<TrainingEvent<ValuesOf<M>>>();
    const end = this.#train(relay).finally(() => relay.end());
    // told by the last line, or by nobody where the loop is left
    end.catch(() => undefined);
    try {
      for (let event = await relay.next(); event !== null; event = await relay.next()) yield event;
    } finally {
      relay.leave();
      await end.catch(() => undefined);
    }
    await end;
  }

  /** The whole of it; answers how it ended. `relay`: who walks over the events. */
  async #train(relay?: Relay<TrainingEvent<ValuesOf<M>>>): Promise<Ending> {
    if (this.#isRunning) throw new ValueError('Training', 'it runs already: wait for its end, or stop() it.');
    this.#isRunning = true;
    this.#wantsStop = null;
    const { signal, rollBack } = this.#options;
    const announcer = this.#announcer;
    announcer.follower = relay === undefined ? null : (event) => relay.give(event);
    let ended: { readonly why: Ending; readonly error?: unknown } = { why: 'aborted' };
    try {
      rollBack?.apply(this.parts);
      await this.#send({ type: 'start', ...this.#state.place, ...lengthOfRun(this.#options.data, this.#numbers) });
      await this.#keep();
      while (!this.#isDone && !this.#mustStop) await this.#epoch();
      ended = { why: this.#isDone ? 'done' : signal?.aborted ? 'aborted' : (this.#wantsStop ?? 'callback') };
    } catch (error) {
      if (error !== left) ended = { why: error instanceof DivergedError ? 'diverged' : 'error', error };
      else announcer.follower = null;
    }
    this.#isRunning = false;
    const event = { type: 'stopped', ...this.#state.place, ...ended } as const;
    await announcer.tell(event, this);
    // who gets the error waits for no more events
    if ('error' in ended) throw ended.error;
    await announcer.follower?.(event).catch((reason: unknown) => {
      if (reason !== left) throw reason;
    });
    return ended.why;
  }

  /** The mean loss and metrics over other data; what the metrics had counted of the training stays. */
  evaluate(data: Batches<B>): Promise<ValuesOf<M>> {
    if (this.#validationStep === null) {
      throw new ValueError(
        'Training.evaluate',
        'the step makes updates itself: give validation.step, or use validate(data, step).',
      );
    }
    return validate(data, this.#validationStep, { metrics: this.metrics, signal: this.#options.signal });
  }

  stop(why: 'callback' | 'aborted' = 'callback'): void {
    this.#wantsStop ??= why;
    this.#pause.open();
  }

  validate(): void {
    if (this.#validation === null) throw new ValueError('Training.validate', 'no validation data: give validation.');
    this.#wantsValidation = true;
  }

  warn(what: string, message: string): void {
    this.#announcer.warn(what, message);
  }

  /** Waits after the step that is under way, until `resume`. */
  pause(): void {
    this.#pause.close();
  }

  resume(): void {
    this.#pause.open();
  }

  get isPaused(): boolean {
    return this.#pause.isClosed;
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
    const { rollBack } = this.#options;
    return {
      ...this.#state.hostState(),
      losses: this.#log.hostState(),
      ...(rollBack && { rollBack: rollBack.hostState() }),
    };
  }

  loadHostState(state: unknown): void {
    const before = this.#state.hostState();
    const { losses, rollBack } = Object(state) as { losses?: unknown; rollBack?: unknown };
    this.#state.loadHostState(state);
    try {
      if (rollBack !== undefined) this.#options.rollBack?.loadHostState(rollBack);
      this.#log.loadHostState(losses);
    } catch (error) {
      this.#state.loadHostState(before);
      throw error;
    }
  }

  get #isDone(): boolean {
    const { epochs, steps } = this.#numbers;
    return this.#state.epochs >= epochs || this.#state.step >= steps;
  }

  get #mustStop(): boolean {
    return this.#wantsStop !== null || this.#options.signal?.aborted === true;
  }

  /** The rest of the epoch that is under way. */
  async #epoch(): Promise<void> {
    const state = this.#state;
    if (!state.isThrough) {
      await this.#walk();
      if (this.#diverged !== null) await this.#goBack(this.#diverged);
      if (!state.isThrough) return;
    }
    const values = await valuesOfEpoch(this.metrics, this.#log);
    const { place } = state;
    if (!state.isTold) {
      state.isTold = true;
      await this.#send({ type: 'epoch', ...place, values, learningRates: this.#rates() });
    }
    let validated: Validated<ValuesOf<M>> | null = null;
    if (this.#validation !== null && this.#validation.every === undefined) {
      await this.#send({ type: 'validating', ...place });
      validated = await this.#validated();
      if (validated === null) return; // aborted in the middle: done anew when it goes on
      await this.#send({ type: 'validated', ...place, values: validated });
    }
    state.endEpoch({ ...place, values: named(Object.entries({ ...values, ...validated })) });
    this.#log.reset();
    for (const metric of Object.values(this.metrics as Metrics)) metric.reset();
    await this.#send({ type: 'rest', ...place });
    await this.#keep();
  }

  /** Steps to the end of the data, or to where the training must stop; the signal ends its waiting for data, too. */
  async #walk(): Promise<void> {
    try {
      await this.#steps();
    } catch (error) {
      const { signal } = this.#options;
      if (signal?.aborted !== true || error !== signal.reason) throw error;
      if (this.#log.waiting > 0) await this.#readValues();
      if (this.#diverged !== null) return;
      await this.#send({ type: 'rest', ...this.#state.place });
      await this.#keep();
    }
  }

  async #steps(): Promise<void> {
    const state = this.#state;
    const { data, signal } = this.#options;
    const { steps, read, batchesOfStep } = this.#numbers;
    const { every = null } = this.#validation ?? {};
    const { stepsPerEpoch } = lengthOfRun(this.#options.data, this.#numbers);
    let readAt = performance.now();
    const readsByClock = Number.isFinite(read.milliseconds);
    // a call, because the flag changes while the loop waits
    const mustStop = (): boolean => this.#mustStop;
    // no generators in between, and no waits that nobody asks for: the smallest steps take ten microseconds
    const batches = new BatchWalk(data, signal);
    try {
      for (;;) {
        const next = batches.next(batchesOfStep);
        const group = next instanceof Promise ? await next : next;
        if (group.length === 0) break;
        if (state.step >= steps) return; // more data than its length said
        const count = await this.#advance(group);
        this.#log.endStep();
        state.countStep();
        const waiting = this.#send({ type: 'step', epoch: state.epochs + 1, step: state.step, count });
        if (waiting !== undefined) await waiting;
        while (this.#pause.isClosed && !mustStop()) await this.#pause.pass(signal);
        const isLast = state.step >= steps || mustStop();
        const validates = this.#wantsValidation || (every !== null && state.step % every === 0);
        const isSlow = readsByClock && performance.now() - readAt >= read.milliseconds;
        if (state.step % read.steps === 0 || isLast || validates || isSlow) {
          await this.#rest(validates || (isLast && every !== null && !mustStop()));
          if (this.#diverged !== null) return;
          readAt = performance.now();
        }
        // where the last step is the last of its epoch, that epoch is through like any other
        if (mustStop() || (isLast && state.epochSteps !== stepsPerEpoch)) return;
      }
    } finally {
      batches.end();
    }
    if (state.epochSteps === 0) {
      throw new ValueError(
        'Training',
        `the data gave no batch in epoch ${state.epochs + 1}: it is empty, or a generator, which ends once; give what can be walked again.`,
        { epoch: state.epochs + 1 },
      );
    }
    if (this.#log.waiting > 0) await this.#readValues();
    state.isThrough = this.#diverged === null;
  }

  /** Reads, validates where asked to, and rests: all is on the host, and everybody knows. */
  async #rest(validates: boolean): Promise<void> {
    await this.#readValues();
    if (this.#diverged !== null) return;
    if (validates) {
      await this.#send({ type: 'validating', ...this.#state.place });
      const values = await this.#validated();
      if (values !== null) await this.#send({ type: 'validated', ...this.#state.place, values });
    }
    await this.#send({ type: 'rest', ...this.#state.place });
    await this.#keep();
  }

  /** One download: losses and metrics since the last, told as an event. */
  async #readValues(): Promise<void> {
    const { step } = this.#state;
    const { losses, values } = await readWindow(this.metrics, this.#log);
    await this.#send({ type: 'read', ...this.#state.place, losses, values, learningRates: this.#rates() });
    const wrong = losses.findIndex((value) => !Number.isFinite(value));
    if (wrong < 0) return;
    const { rollBack } = this.#options;
    this.#diverged = new DivergedError(step - losses.length + 1 + wrong, losses[wrong]!, rollBack?.backs);
    if (rollBack?.isLeft !== true) throw this.#diverged;
  }

  /** Copies the run for `rollBack`, where one is due. */
  async #keep(): Promise<void> {
    const { rollBack } = this.#options;
    const { step } = this.#state;
    if (rollBack === undefined || step - this.#keptStep < rollBack.every) return;
    if (await rollBack.keep(this.parts)) this.#keptStep = step;
  }

  /** Back to the copy, with lower learning rates: also callbacks are where they were then, and told. */
  async #goBack({ data: { step, loss } }: DivergedError): Promise<void> {
    const rollBack = this.#options.rollBack!;
    await rollBack.back(this.parts);
    this.#diverged = null;
    this.#keptStep = this.#state.step;
    const message = `the loss of step ${step} is ${loss}: back to step ${this.#state.step}, with the learning rates times ${rollBack.scale} (time ${rollBack.backs} of ${rollBack.most}).`;
    await this.#send({ type: 'warning', ...this.#state.place, what: 'diverged', message });
  }

  /** The values of the validation; null where the signal ended it. */
  async #validated(): Promise<Validated<ValuesOf<M>> | null> {
    this.#wantsValidation = false;
    const { signal } = this.#options;
    const { data } = this.#validation!;
    try {
      const values = await validate(data, this.#validationStep!, { metrics: this.metrics, signal });
      return validatedValues(values);
    } catch (error) {
      if (signal?.aborted) return null;
      throw error;
    }
  }

  #rates(): number[] {
    return [...(this.optimizer?.learningRates ?? [])];
  }

  #send(event: TrainingEvent<ValuesOf<M>>): Promise<void> | undefined {
    return this.#announcer.send(event, this);
  }
}
