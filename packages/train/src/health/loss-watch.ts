/**
 * What losses say by themselves: that they no longer fall, or never did. Compares means of windows by their own noise, so
 * it needs no scale. For any loop; the callback feeds it at each read.
 */
import { checkOptions, FormatError, type Stateful, ValueError } from '@nn/core';
import type { Callback } from '../events.ts';
import { figure } from '../format.ts';
import type { Finding } from './finding.ts';

export interface LossWatchOptions {
  /** Losses in a window. Default 100. */
  readonly window?: number;
  /** Windows without a lower mean before it is a plateau. Default 5. */
  readonly patience?: number;
}

interface Window {
  readonly mean: number;
  /** The standard error of the mean. */
  readonly error: number;
}

/**
 * Tells when losses rise over the first ones (a learning rate that is too high), or stay where they are (a plateau). A mean
 * is lower than another where it is so by more than two standard errors.
 *
 * @example
 * import { LossWatch } from '@nn/train';
 * const watch = new LossWatch({ window: 10, patience: 2 });
 * const findings = Array.from({ length: 40 }, (_, i) => watch.update(1 + (i % 2) / 10)).filter((finding) => finding !== null);
 * console.log(findings.map(({ what }) => what)); // => [ 'plateau' ]
 */
export class LossWatch implements Stateful {
  static readonly name: string = 'LossWatch';

  readonly #window: number;
  readonly #patience: number;
  #losses: number[] = [];
  #first: Window | null = null;
  #best: Window | null = null;
  #waited = 0;
  #isTold = false;

  constructor(options: LossWatchOptions = {}) {
    checkOptions('LossWatch', options, ['window', 'patience']);
    const { window = 100, patience = 5 } = options;
    if (!(Number.isInteger(window) && window >= 4 && Number.isInteger(patience) && patience >= 1)) {
      throw new ValueError(
        'LossWatch',
        `window is ${window} and patience ${patience}: whole numbers, window from 4 and patience from 1.`,
        { window, patience },
      );
    }
    [this.#window, this.#patience] = [window, patience];
  }

  /** Takes the next loss; what is to be said of the window that it ends, or null. */
  update(loss: number): Finding | null {
    if (Number.isFinite(loss)) this.#losses.push(loss);
    if (this.#losses.length < this.#window) return null;
    const now = windowOf(this.#losses);
    this.#losses = [];
    if (this.#first === null || this.#best === null) {
      [this.#first, this.#best] = [now, now];
      return null;
    }
    if (isAbove(now, this.#first)) {
      if (this.#isTold) return null;
      this.#isTold = true;
      return {
        what: 'learning-rate-too-high',
        place: 'loss',
        message: `the loss rose: ${figure(now.mean)} over the last ${this.#window} steps, ${figure(this.#first.mean)} over the first: lower the learning rate (a third of it), warm it up, or find one with findLearningRate.`,
      };
    }
    if (isAbove(this.#best, now)) {
      [this.#best, this.#waited, this.#isTold] = [now, 0, false];
      return null;
    }
    this.#waited++;
    if (this.#waited < this.#patience || this.#isTold) return null;
    this.#isTold = true;
    return {
      what: 'plateau',
      place: 'loss',
      message: `the loss has not fallen for ${this.#waited * this.#window} steps: it is about ${figure(now.mean)}; lower the learning rate (reduceOnPlateau, a schedule), take a larger model, or stop (earlyStopping).`,
    };
  }

  hostState(): unknown {
    return {
      ...{ losses: [...this.#losses], first: this.#first, best: this.#best },
      ...{ waited: this.#waited, isTold: this.#isTold },
    };
  }

  loadHostState(state: unknown): void {
    const { losses, first, best, waited, isTold } = Object(state) as Record<string, unknown>;
    if (!Array.isArray(losses) || !isWindow(first) || !isWindow(best) || !Number.isSafeInteger(waited)) {
      throw new FormatError('LossWatch', 'the saved state has no losses and windows: it is of something else.');
    }
    this.#losses = [...losses];
    [this.#first, this.#best, this.#waited, this.#isTold] = [first, best, waited as number, isTold === true];
  }
}

function windowOf(losses: readonly number[]): Window {
  const n = losses.length;
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / n;
  const variance = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / (n - 1);
  return { mean, error: Math.sqrt(variance / n) };
}

/** By more than two standard errors of the difference. */
function isAbove(a: Window, b: Window): boolean {
  return a.mean - b.mean > 2 * Math.hypot(a.error, b.error) + 1e-6 * Math.abs(b.mean);
}

function isWindow(value: unknown): value is Window | null {
  if (value === null) return true;
  const { mean, error } = Object(value) as Partial<Window>;
  return typeof mean === 'number' && typeof error === 'number';
}

/**
 * Warns of losses that rise over the first ones, and of losses that no longer fall, with the step.
 *
 * @example
 * import { lossWatch } from '@nn/train';
 * console.log(typeof lossWatch({ window: 50 }).watch.update); // => function
 */
export function lossWatch(options: LossWatchOptions = {}): Callback & { readonly watch: LossWatch } {
  const watch = new LossWatch(options);
  const untaught = watch.hostState();
  return {
    watch,
    hears: ['read'],
    handle: (event, training) => {
      if (event.type !== 'read') return;
      // a run that begins anew owes nothing to the one before
      if (event.step === event.losses.length) watch.loadHostState(untaught);
      event.losses.forEach((loss, at) => {
        const finding = watch.update(loss);
        if (finding === null) return;
        training.warn(finding.what, `step ${event.step - event.losses.length + 1 + at}: ${finding.message}`);
      });
    },
  };
}
