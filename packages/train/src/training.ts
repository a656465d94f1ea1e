/**
 * A training as its user has it: options, what may be asked of it while it runs, and what a checkpoint holds. What it does
 * from the first step to the last is loop.ts; what a step does step.ts; where it stands state.ts.
 */
import { isStateful, type Model, type Stateful, type Tensor, ValueError } from '@nn/core';
import { Announcer } from './announcer.ts';
import type { Batches } from './batches.ts';
import type { Controls, Ending, Metrics, Place, StepsOptimizer, TrainingEvent, ValuesOf } from './events.ts';
import { Loop, type LoopParts } from './loop.ts';
import { LossLog } from './loss-log.ts';
import { checkTrainingOptions, type OwnStepOptions, type TrainingOptions } from './options.ts';
import { checkRanks, ranksSteps, wishes } from './ranks.ts';
import { Relay } from './relay.ts';
import type { EpochRow } from './state.ts';
import { optimizerSteps, ownSteps, type Stepper } from './step.ts';
import { validate } from './validate.ts';
import { lossReducer } from './weights.ts';

/** How a training ended. */
export interface Outcome<V> extends Place {
  /** Finished epochs. */
  readonly epoch: number;
  readonly why: Ending;
  readonly history: readonly EpochRow<V>[];
}

/**
 * Trains a model: walks the data, makes steps, reads the loss and metrics every so often, validates, and
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
  readonly #options: LoopParts<B, M>['options'];
  /** Of data that it does not learn from; null where there is none. */
  readonly #validationStep: ((batch: B) => Tensor) | null;
  readonly #announcer: Announcer<ValuesOf<M>>;
  readonly #otherParts: Readonly<Record<string, object>>;
  readonly #log: LossLog;
  readonly #together: LoopParts<B, M>['together'];
  readonly #loop: Loop<B, M>;

  constructor(options: TrainingOptions<B, M> | OwnStepOptions<B, M>) {
    const numbers = checkTrainingOptions(options);
    this.#options = options;
    this.model = options.model;
    this.optimizer = options.optimizer ?? null;
    // the cast: no metrics are a record of none
    this.metrics = options.metrics ?? ({} as M);
    this.#announcer = new Announcer(options.callbacks ?? [], (options.group?.rank ?? 0) === 0);
    this.#log = new LossLog(numbers.read.steps * numbers.batchesOfStep);
    let advance: Stepper<B>;
    let together: LoopParts<B, M>['together'] = null;
    if (options.optimizer === undefined) {
      this.lossOf = null;
      advance = ownSteps(options.step, this.#log);
      this.#otherParts = options.parts ?? {};
      this.#validationStep = options.validation?.step ?? null;
    } else {
      const { optimizer, step, validation, compile = false } = options;
      const [learn, weightOf] = lossReducer<B>(options, 'training');
      const [watch] = lossReducer<B>(options, 'validation');
      const held = validation?.step ?? step;
      this.lossOf = (batch) => learn(step(batch), batch);
      const { group } = options;
      if (group === undefined) {
        advance = optimizerSteps(this.lossOf, optimizer, this.#log, compile, weightOf);
      } else {
        const ranks = checkRanks(group, optimizer, Number.isFinite(numbers.read.milliseconds));
        advance = ranksSteps(this.lossOf, ranks, this.#log, compile, weightOf);
        if (group.size > 1) together = { optimizer: ranks, agreement: ranks.agreement(wishes) };
      }
      this.#otherParts = { optimizer };
      this.#validationStep = (batch) => watch(held(batch), batch);
    }
    this.#together = together;
    this.#loop = new Loop({
      options,
      numbers,
      advance,
      training: this,
      metrics: this.metrics,
      log: this.#log,
      announcer: this.#announcer,
      together,
      validationStep: this.#validationStep,
    });
  }

  /** Finished epochs. */
  get epochs(): number {
    return this.#loop.state.epochs;
  }

  /** Steps that were made. */
  get stepCount(): number {
    return this.#loop.state.step;
  }

  /** The finished epochs with their values. */
  get history(): readonly EpochRow<ValuesOf<M>>[] {
    return this.#loop.state.history;
  }

  get data(): Batches<B> {
    return this.#options.data;
  }

  get validationData(): Batches<B> | null {
    return this.#options.validation?.data ?? null;
  }

  /**
   * What a checkpoint of the run holds: `saveCheckpoint(path, training.parts)`, at a 'rest' event or while it does not run.
   * Data without a state of its own, as an array, begins its epoch anew.
   */
  get parts(): Readonly<Record<string, object>> {
    const { data, validation } = this.#options;
    return {
      model: this.model,
      ...this.#otherParts,
      ...(isStateful(data) && { data }),
      // its order and what is random in it follow from how often it was walked
      ...(isStateful(validation?.data) && { validation: validation.data }),
      metrics: this.metrics,
      callbacks: [...this.#announcer.callbacks],
      training: this,
    };
  }

  /** Trains to the end, or from where it was left. Throws what a step throws, after all callbacks know. */
  async run(): Promise<Outcome<ValuesOf<M>>> {
    const why = await this.#loop.run();
    const { epochs, step, history } = this.#loop.state;
    return { why, epoch: epochs, step, history: [...history] };
  }

  /** The events one by one; leaving the loop stops the training after its step, and waits until it has. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingEvent<ValuesOf<M>>, void> {
    const relay = new Relay<TrainingEvent<ValuesOf<M>>>();
    const end = this.#loop.run(relay).finally(() => relay.end());
    // thrown by the last line, also where the loop is left
    end.catch(() => undefined);
    try {
      for (let event = await relay.next(); event !== null; event = await relay.next()) yield event;
    } finally {
      // a walk that never began, for another is under way, stops nothing
      if (!relay.isOver) this.stop('aborted');
      relay.end();
      await end;
    }
  }

  /** The mean loss and metrics over other data; what the metrics had counted of the training stays. */
  evaluate(data: Batches<B>): Promise<ValuesOf<M>> {
    if (this.#validationStep === null) {
      throw new ValueError(
        'Training.evaluate',
        'the step makes updates itself: give validation.step, or use validate(data, step).',
      );
    }
    // steps in between would count in the same metrics
    if (this.#loop.isRunning && !this.#announcer.isTelling) {
      throw new ValueError('Training.evaluate', 'it runs already: wait for its end, or evaluate in a callback.');
    }
    const { signal, group } = this.#options;
    return validate(data, this.#validationStep, { metrics: this.metrics, signal, group });
  }

  stop(why: 'callback' | 'aborted' = 'callback'): void {
    this.#loop.stop(why);
  }

  validate(): void {
    if (this.#options.validation === undefined)
      throw new ValueError('Training.validate', 'no validation data: give validation.');
    this.#loop.wantsValidation = true;
  }

  warn(what: string, message: string): void {
    this.#announcer.warn(what, message);
  }

  /** Waits after the step that is under way, until `resume`. */
  pause(): void {
    this.#loop.pause.close();
  }

  resume(): void {
    this.#loop.pause.open();
  }

  get isPaused(): boolean {
    return this.#loop.pause.isClosed;
  }

  higherIsBetter(monitor: string): boolean | null {
    const name = String(monitor).replace(/^validation\./, '');
    const metrics: Metrics = this.metrics;
    const isValidated = this.#options.validation !== undefined;
    const isKnown = name === 'loss' || Object.hasOwn(metrics, name);
    if (!isKnown || (monitor !== name && !isValidated)) {
      const names = ['loss', ...Object.keys(metrics)];
      const all = isValidated ? [...names, ...names.map((known) => `validation.${known}`)] : names;
      const advice = isKnown ? ' (give validation to have it)' : '';
      throw new ValueError('Training', `there is no value '${monitor}'${advice}: ${all.join(', ')}.`, { monitor });
    }
    return name === 'loss' ? false : metrics[name]!.higherIsBetter;
  }

  hostState(): unknown {
    if (this.#log.waiting > 0) {
      throw new ValueError('Training', "the last losses were not read: save at a 'rest' event, or after the end.");
    }
    const { rollBack } = this.#options;
    return {
      ...this.#loop.state.hostState(),
      losses: this.#log.hostState(),
      ...(this.#together && { ranks: this.#together.agreement.hostState() }),
      ...(rollBack && { rollBack: rollBack.hostState() }),
    };
  }

  loadHostState(state: unknown): void {
    const before = this.#loop.state.hostState();
    const { losses, rollBack, ranks } = Object(state) as Readonly<Record<string, unknown>>;
    this.#loop.state.loadHostState(state);
    try {
      if (rollBack !== undefined) this.#options.rollBack?.loadHostState(rollBack);
      this.#log.loadHostState(losses);
      this.#together?.agreement.loadHostState(ranks);
    } catch (error) {
      this.#loop.state.loadHostState(before);
      throw error;
    }
  }
}
