/**
 * The loop of a training: steps, reads, epochs, validations, and an event for each. It is made of parts that any loop can
 * use: metrics, `validate`, callbacks; and owns only their order, and what is asked for while it runs.
 */
import { type AbortSignalLike, isStateful, type Tensor, ValueError } from '@nn/core';
import type { Announcer } from './announcer.ts';
import { BatchWalk } from './batches.ts';
import { DivergedError } from './diverged-error.ts';
import type { Controls, Ending, Metrics, TrainingEvent, Validated, ValuesOf } from './events.ts';
import type { LossLog } from './loss-log.ts';
import { type CommonOptions, endless, lengthOfRun, type Numbers, type Validation } from './options.ts';
import { Pause } from './pause.ts';
import type { Agreement, Ranks, RanksOptimizer } from './ranks.ts';
import { readWindow, validatedValues, valuesOfEpoch } from './readings.ts';
import type { Relay } from './relay.ts';
import { type EpochRow, TrainingState } from './state.ts';
import type { Stepper } from './step.ts';
import { validate } from './validate.ts';

/** What a loop is made of. */
export interface LoopParts<B, M extends Metrics> {
  readonly options: CommonOptions<B, M> & { readonly validation?: Validation<B>; readonly group?: Ranks };
  readonly numbers: Numbers;
  readonly advance: Stepper<B>;
  /** What callbacks are given. */
  readonly training: Controls;
  readonly metrics: M;
  readonly log: LossLog;
  readonly announcer: Announcer<ValuesOf<M>>;
  /** Where several processes train together: the optimizer of all, and what they agree on. */
  readonly together: { readonly optimizer: RanksOptimizer; readonly agreement: Agreement } | null;
  /** The loss of a batch that nothing is learned from; null where there is none. */
  readonly validationStep: ((batch: B) => Tensor) | null;
}

/** Steps that nobody waited for, before other promises get a turn. */
const stepsInARow = 16;

/** The next multiple of `every` after a step. */
const multipleAfter = (step: number, every: number): number => step - (step % every) + every;

export class Loop<B, M extends Metrics> {
  readonly state: TrainingState<ValuesOf<M>> = new TrainingState();
  readonly pause: Pause = new Pause();
  /** Asked for after the step that is under way. */
  wantsValidation = false;
  isRunning = false;
  readonly #parts: LoopParts<B, M>;
  /** Samples in the last step. */
  #samples = 0;
  #wantsStop: 'callback' | 'aborted' | null = null;
  #diverged: DivergedError | null = null;

  constructor(parts: LoopParts<B, M>) {
    this.#parts = parts;
  }

  /** Ends it after the step that is under way; of several processes all, at the latest after the next one. */
  stop(why: 'callback' | 'aborted'): void {
    this.#wantsStop ??= why;
    this.pause.open();
  }

  /** From where it stands to the end; answers how it ended. `relay`: who walks over the events. */
  async run(relay?: Relay<TrainingEvent<ValuesOf<M>>>): Promise<Ending> {
    if (this.isRunning) throw new ValueError('Training', 'it runs already: wait for its end, or stop() it.');
    this.isRunning = true;
    this.#wantsStop = null;
    const { options, numbers, training, announcer } = this.#parts;
    announcer.follower = relay === undefined ? null : (event) => relay.give(event);
    let ended: { readonly why: Ending; readonly error?: unknown };
    try {
      options.rollBack?.apply(training.parts);
      await this.#meet();
      await this.#send({ type: 'start', ...this.state.place, ...lengthOfRun(options.data, numbers) });
      await this.#meet();
      await this.#keep();
      while (!this.#isDone && !this.#mustStop) await this.#epoch();
      ended = { why: this.#isDone ? 'done' : (this.#ending ?? 'callback') };
    } catch (error) {
      ended = { why: error instanceof DivergedError ? 'diverged' : 'error', error };
    }
    this.isRunning = false;
    const event = { type: 'stopped', ...this.state.place, ...ended } as const;
    await announcer.tell(event, training);
    // who gets the error waits for no more events
    if ('error' in ended) throw ended.error;
    await announcer.follower?.(event);
    return ended.why;
  }

  get #isDone(): boolean {
    const { epochs, steps } = this.#parts.numbers;
    // the last step may have been the last of an epoch, whose end is still to come
    return this.state.epochs >= epochs || (this.state.step >= steps && !this.state.isThrough);
  }

  /** Why this process would stop; null where it would not. */
  get #wish(): Ending | null {
    return this.#parts.options.signal?.aborted === true ? 'aborted' : this.#wantsStop;
  }

  /** Why the training stops: several processes stop together. */
  get #ending(): Ending | null {
    return this.#parts.together === null ? this.#wish : this.#parts.together.agreement.ending;
  }

  get #mustStop(): boolean {
    return this.#ending !== null;
  }

  /** What ends waiting for data; nothing does where others would wait for this process. */
  get #signal(): AbortSignalLike | undefined {
    return this.#parts.together === null ? this.#parts.options.signal : undefined;
  }

  /** Several processes tell each other what they want. */
  #meet(): Promise<void> | undefined {
    return this.#parts.together?.agreement.meet(this.#wish);
  }

  /** The rest of the epoch that is under way. */
  async #epoch(): Promise<void> {
    const state = this.state;
    if (!state.isThrough) {
      const isEnd = await this.#walk();
      if (this.#diverged !== null) await this.#goBack();
      if (!isEnd) return;
    }
    const { metrics, log } = this.#parts;
    const { validation, group } = this.#parts.options;
    const values = await valuesOfEpoch(metrics, log, group);
    const { place } = state;
    if (!state.isTold) {
      state.isTold = true;
      await this.#send({ type: 'epoch', ...place, values, learningRates: this.#rates() });
    }
    const { epochs, steps, every } = this.#parts.numbers;
    // where steps are counted, one more comes after the last step; after the last of `steps` it came already
    const isLeft = state.epochs + 1 >= epochs && state.step < steps && state.step % every > 0;
    if (validation !== undefined && (every === endless || isLeft || this.wantsValidation)) {
      if (!(await this.#validate())) return; // aborted in the middle: done anew when it goes on
    }
    // the cast: all values, and those of the validation where there was one
    state.endEpoch({ ...place, values: { ...values, ...state.validated } as EpochRow<ValuesOf<M>>['values'] });
    log.reset();
    for (const metric of Object.values(metrics as Metrics)) metric.reset();
    await this.#rest(place);
  }

  /**
   * Steps to the end of the data, or to where the training must stop; the signal ends its waiting for data, too. Answers
   * whether the epoch may end now.
   */
  async #walk(): Promise<boolean> {
    try {
      return await this.#steps();
    } catch (error) {
      const signal = this.#signal;
      if (signal?.aborted !== true || error !== signal.reason) throw error;
      await this.#readAndRest(false);
      return false;
    }
  }

  async #steps(isAgain = false): Promise<boolean> {
    const state = this.state;
    const { data, signal } = this.#parts.options;
    const { steps, read, every } = this.#parts.numbers;
    const { stepsPerEpoch } = lengthOfRun(data, this.#parts.numbers);
    const announcer = this.#parts.announcer;
    // a call, because the flag changes while the loop waits
    const mustStop = (): boolean => this.#mustStop;
    const batches = new BatchWalk(data, this.#signal);
    let readAt = performance.now();
    try {
      for (;;) {
        const before = state.step;
        const until = Math.min(
          steps,
          multipleAfter(before, read.steps),
          multipleAfter(before, every),
          multipleAfter(before, announcer.hearsEachStep ? 1 : stepsInARow),
        );
        const made = this.#stepsTo(until, batches);
        const isMore = typeof made === 'boolean' ? made : await made;
        // others wait for promises, too: they get their turn now and then between steps that need none
        if (typeof made === 'boolean' && state.step % stepsInARow === 0) await null;
        if (state.step > before && announcer.hearsSteps) {
          const waiting = this.#send({ type: 'step', epoch: state.epochs + 1, step: state.step, count: this.#samples });
          if (waiting !== undefined) await waiting;
        }
        if (!isMore) break;
        while (this.pause.isClosed && this.#wish === null) await this.pause.pass(signal);
        if (this.#parts.together?.optimizer.isRaised === true) await this.#meet();
        // where the last step is the last of its epoch, that epoch is through like any other
        if (state.step >= steps && state.epochSteps === stepsPerEpoch && !mustStop()) await batches.next(1);
        // for the data, the epoch is behind it once it was asked for more than it had
        state.isThrough = batches.isOver;
        const isLast = state.step >= steps || mustStop();
        const validates = this.wantsValidation || state.step % every === 0;
        const isSlow = performance.now() - readAt >= read.milliseconds;
        if (state.step % read.steps === 0 || isLast || validates || isSlow) {
          await this.#readAndRest(validates || (isLast && every < endless && !mustStop()));
          if (this.#diverged !== null) return false;
          readAt = performance.now();
        }
        // also where it was asked for at that rest
        if (mustStop() || (isLast && !state.isThrough)) return false;
        if (isLast) break;
      }
    } finally {
      batches.end();
    }
    if (state.epochSteps === 0) {
      // a loader that was left after its last batch ends that epoch now, without a batch
      if (!isAgain && isStateful(data)) return this.#steps(true);
      throw new ValueError(
        'Training',
        `the data gave no batch in epoch ${state.epochs + 1}: it is empty, or a generator, which ends once; give what can be walked again.`,
        { epoch: state.epochs + 1 },
      );
    }
    await this.#readValues();
    state.isThrough = this.#diverged === null;
    return state.isThrough;
  }

  /**
   * At least one step, and those up to `until` that nothing has to be waited for and in which nobody asks for anything: the
   * smallest take two microseconds, so nothing else is looked at between them. Answers whether there was a batch for all.
   */
  #stepsTo(until: number, batches: BatchWalk<B>): boolean | Promise<boolean> {
    let made: boolean | Promise<boolean>;
    do made = this.#step(batches);
    while (made === true && this.state.step < until && !this.#isAsked);
    return made;
  }

  /** A step; false where there is no batch for it. A promise only where something has to be waited for. */
  #step(batches: BatchWalk<B>): boolean | Promise<boolean> {
    const group = batches.next(this.#parts.numbers.batchesOfStep);
    return group instanceof Promise ? group.then((found) => this.#stepOf(found)) : this.#stepOf(group);
  }

  #stepOf(group: readonly B[]): boolean | Promise<boolean> {
    if (group.length === 0) return false;
    if (this.#parts.together !== null && this.#wish !== null) this.#parts.together.optimizer.raise();
    const count = this.#parts.advance(group);
    return typeof count === 'number' ? this.#count(count) : count.then((samples) => this.#count(samples));
  }

  #count(samples: number): true {
    this.#parts.log.endStep();
    this.state.countStep();
    this.#samples = samples;
    return true;
  }

  /** Whether somebody wants that the loop stands after the step that is under way. */
  get #isAsked(): boolean {
    return this.#wantsStop !== null || this.wantsValidation || this.pause.isClosed;
  }

  /** Reads, validates where asked to, and rests. */
  async #readAndRest(validates: boolean): Promise<void> {
    await this.#readValues();
    if (this.#diverged !== null) return;
    if (validates) await this.#validate();
    await this.#rest(this.state.place);
  }

  /** All is on the host, and everybody knows: callbacks save here. */
  async #rest(place: TrainingState<ValuesOf<M>>['place']): Promise<void> {
    await this.#meet();
    await this.#send({ type: 'rest', ...place });
    await this.#meet();
    await this.#keep();
  }

  /** One download: losses and metrics since the last, where there are some, told as an event. */
  async #readValues(): Promise<void> {
    const { log, metrics, options, together, training } = this.#parts;
    if (log.waiting === 0) return;
    await together?.optimizer.averageBuffers(training.model);
    let read: Awaited<ReturnType<typeof readWindow<M>>>;
    try {
      read = await readWindow(metrics, log, options.group);
    } catch (error) {
      // metrics refuse predictions that are no numbers: that the loss is none says more, and can be undone
      this.#look(log.settle(await log.read(), true).losses);
      if (!this.#diverged) throw error;
      return log.reset(); // undone with what it belongs to
    }
    await this.#send({ type: 'read', ...this.state.place, ...read, learningRates: this.#rates() });
    this.#look(read.losses);
  }

  /** Finds the first of the last losses that is no number, if there is one. Throws where nothing can be undone. */
  #look(losses: readonly number[]): void {
    const wrong = losses.findIndex((value) => !Number.isFinite(value));
    if (wrong < 0) return;
    const { rollBack } = this.#parts.options;
    const step = this.state.step - losses.length + 1 + wrong;
    this.#diverged = new DivergedError(step, losses[wrong]!, rollBack?.vain);
    if (!rollBack?.isLeft) throw this.#diverged;
  }

  /** Copies the run for `rollBack`, where one is due. */
  #keep(): Promise<void> | undefined {
    return this.#parts.options.rollBack?.keepAt(this.state.step, this.#parts.training.parts);
  }

  /** Back to the copy, with lower learning rates. */
  async #goBack(): Promise<void> {
    const message = await this.#parts.options.rollBack!.undo(this.#diverged!, this.#parts.training.parts, this.state);
    this.#diverged = null;
    await this.#send({ type: 'warning', ...this.state.place, what: 'diverged', message });
  }

  /** Validates, and tells of it; answers whether it came to its end: the signal may end it before. */
  async #validate(): Promise<boolean> {
    const { place } = this.state;
    const { validation, group } = this.#parts.options;
    const signal = this.#signal;
    await this.#send({ type: 'validating', ...place });
    this.wantsValidation = false;
    let values: Validated<ValuesOf<M>>;
    try {
      values = validatedValues(
        await validate(validation!.data, this.#parts.validationStep!, { metrics: this.#parts.metrics, signal, group }),
      );
    } catch (error) {
      if (signal?.aborted) return false;
      throw error;
    }
    this.state.validated = values;
    await this.#send({ type: 'validated', ...place, values });
    return true;
  }

  #rates(): number[] {
    return [...(this.#parts.training.optimizer?.learningRates ?? [])];
  }

  #send(event: TrainingEvent<ValuesOf<M>>): Promise<void> | undefined {
    return this.#parts.announcer.send(event, this.#parts.training);
  }
}
