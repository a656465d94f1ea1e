/** Stopping when a value no longer gets better: a counter for any loop, and the callback made of it. */
import { checkOptions, FormatError, type Model, namedParameters, type Stateful, ValueError } from '@nn/core';
import { BestWeights } from '../best-weights.ts';
import type { Callback, Heard, Monitored } from '../events.ts';
import { checkMonitor, checkOfModel, directionOf, watched } from './monitor.ts';

export interface EarlyStoppingOptions {
  /** How many values in a row may be no better than the best before it stops. Default 0, as in Keras. */
  readonly patience?: number;
  /** What counts as better must be better by more than this. Default 0. */
  readonly minDelta?: number;
  /** Default false: a loss. */
  readonly higherIsBetter?: boolean;
  /** Where the best value starts: values that never reach it stop the training. */
  readonly baseline?: number;
}

const rulesOfStopping = ['patience', 'minDelta', 'higherIsBetter', 'baseline'] as const;

/**
 * Counts how long a value has not become better.
 *
 * @example
 * import { EarlyStopping } from '@nn/train';
 * const stopping = new EarlyStopping({ patience: 2 });
 * for (const loss of [1, 0.5, 0.6, 0.7, 0.4]) if (stopping.update(loss)) break;
 * console.log(stopping.best, stopping.waited); // => 0.5 2
 */
export class EarlyStopping implements Stateful {
  static readonly name: string = 'EarlyStopping';

  readonly #patience: number;
  readonly #minDelta: number;
  readonly #sign: 1 | -1;
  #best: number | null;
  #waited = 0;

  constructor(options: EarlyStoppingOptions = {}) {
    checkOptions('EarlyStopping', options, rulesOfStopping);
    const { patience = 0, minDelta = 0, higherIsBetter = false, baseline } = options;
    if (!Number.isInteger(patience) || patience < 0) {
      throw new ValueError('EarlyStopping', `patience is ${patience}: it is a whole number, 0 or more.`, { patience });
    }
    if (!(minDelta >= 0))
      throw new ValueError('EarlyStopping', `minDelta is ${minDelta}: it is 0 or more.`, { minDelta });
    if (baseline !== undefined && !Number.isFinite(baseline))
      throw new ValueError('EarlyStopping', `baseline is ${baseline}: it is a finite number.`, { baseline });
    this.#patience = patience;
    this.#minDelta = minDelta;
    this.#sign = higherIsBetter ? 1 : -1;
    this.#best = baseline ?? null;
  }

  /** The best value so far; null before the first. */
  get best(): number | null {
    return this.#best;
  }

  /** Values since the best. */
  get waited(): number {
    return this.#waited;
  }

  /** Whether the last value was the best so far. */
  get isBest(): boolean {
    return this.#waited === 0 && this.#best !== null;
  }

  /** Whether the last value was one too many. */
  get isOver(): boolean {
    return this.#waited > 0 && this.#waited >= this.#patience;
  }

  /** Takes the next value and answers whether to stop. NaN is never better. */
  update(value: number): boolean {
    if (typeof value !== 'number') {
      throw new ValueError('EarlyStopping', `update takes a number, got ${typeof value}: await loss.item().`);
    }
    const isBetter = this.#best === null ? !Number.isNaN(value) : this.#sign * (value - this.#best) > this.#minDelta;
    if (isBetter) this.#best = value;
    this.#waited = isBetter ? 0 : this.#waited + 1;
    return this.isOver;
  }

  hostState(): unknown {
    return { best: this.#best, waited: this.#waited };
  }

  loadHostState(state: unknown): void {
    const { best, waited } = Object(state) as { best?: unknown; waited?: unknown };
    if ((best !== null && typeof best !== 'number') || !Number.isSafeInteger(waited)) {
      throw new FormatError('EarlyStopping', 'the saved state has no best value and count: it is of something else.');
    }
    this.#best = best;
    this.#waited = waited as number;
  }
}

export interface EarlyStoppingCallbackOptions<Name extends string> extends EarlyStoppingOptions {
  /** What is watched: 'validation.loss'. The metric knows whether higher is better. */
  readonly monitor: Name;
  /** A model that gets the parameters of its best value at the end, unless the training was aborted. Costs memory for a copy. */
  readonly restoreBest?: object;
  /** Epochs before values count. Default 0. */
  readonly startFromEpoch?: number;
}

/**
 * Ends the training when a value has not become better for `patience` times, as Keras' callback of this name. A run that it has
 * ended ends at once where it is resumed from its checkpoint, unless `patience` is larger then; `run()` called again in the same
 * process trains on.
 *
 * @example
 * import { Linear } from '@nn/layers';
 * import { earlyStopping } from '@nn/train';
 * const model = new Linear(2, 1);
 * const callback = earlyStopping({ monitor: 'validation.loss', patience: 5, restoreBest: model });
 * console.log(callback.hostState?.()); // => { stopping: null, isKept: false }
 */
export function earlyStopping<const Name extends string>(
  options: EarlyStoppingCallbackOptions<Name>,
): Callback<Monitored<Name>> {
  checkOptions('earlyStopping', options, ['monitor', 'restoreBest', 'startFromEpoch', ...rulesOfStopping]);
  const { monitor, restoreBest, startFromEpoch = 0, ...rules } = options;
  checkMonitor('earlyStopping', monitor);
  if (!(startFromEpoch >= 0)) {
    throw new ValueError('earlyStopping', `startFromEpoch is ${startFromEpoch}: it is 0 or more.`, { startFromEpoch });
  }
  return new EarlyStoppingCallback<Monitored<Name>>(monitor, restoreBest ?? null, startFromEpoch, rules);
}

class EarlyStoppingCallback<V extends object> implements Callback<V> {
  readonly hears: readonly Heard[] = ['start', 'epoch', 'validated', 'stopped'];
  readonly handle: Callback<V>['handle'];
  /** Found by checkpoints. */
  readonly weights: BestWeights | null;
  /** Made at the start, which knows what is better. */
  #stopping: EarlyStopping | null = null;
  #restored: unknown = null;

  constructor(monitor: string, model: object | null, startFromEpoch: number, rules: EarlyStoppingOptions) {
    this.weights = model === null ? null : new BestWeights(model);
    this.handle = async (event, training) => {
      // a run that begins anew owes nothing to the one before
      const isNew = event.type === 'start' && event.step === 0;
      if (isNew && this.weights !== null) this.weights.isKept = false;
      if (event.type === 'start' && (this.#stopping === null || isNew)) {
        if (model !== null) checkOfModel('earlyStopping', training, namedParameters(model as Model).values());
        const higherIsBetter = directionOf(training, monitor, rules.higherIsBetter);
        this.#stopping = new EarlyStopping({ ...rules, higherIsBetter });
        if (this.#restored !== null && !isNew) this.#stopping.loadHostState(this.#restored);
      }
      // a run that it had ended and that is taken up from its checkpoint is over
      if (event.type === 'start' && this.#restored !== null && this.#stopping?.isOver) training.stop();
      this.#restored = null;
      const value = event.epoch > startFromEpoch ? watched(event, monitor, training) : undefined;
      if (value !== undefined && this.#stopping !== null) {
        if (this.#stopping.update(value)) training.stop();
        if (this.#stopping.isBest) await this.weights?.keep();
      }
      if (event.type === 'stopped' && event.why !== 'aborted' && this.weights?.isKept) await this.weights.restore();
    };
  }

  hostState(): unknown {
    return { stopping: this.#stopping?.hostState() ?? this.#restored, isKept: this.weights?.isKept ?? false };
  }

  loadHostState(state: unknown): void {
    const { stopping = null, isKept } = Object(state) as { stopping?: unknown; isKept?: unknown };
    if (stopping !== null) this.#stopping?.loadHostState(stopping);
    this.#restored = stopping;
    if (this.weights !== null) this.weights.isKept = isKept === true;
  }
}
