/** Losses that jump: a detector for any loop, and the callback made of it. */
import { checkOptions, FormatError, type Stateful, ValueError } from '@nn/core';
import type { Callback } from '../events.ts';
import { figure } from '../format.ts';

export interface SpikeOptions {
  /** How many standard deviations over the mean is a spike, where that is a hundredth of the mean or more. Default 6. */
  readonly deviations?: number;
  /** About how many losses mean and deviation look back. Default 100. */
  readonly window?: number;
}

/** A rise by less than this share of the mean is no jump, however steady the losses were: they are rounded, too. */
const leastShare = 0.01;

/**
 * Tells when a loss is far above those before it, by an exponentially weighted mean and variance. Where losses stay up there,
 * that is where they are from then on.
 *
 * @example
 * import { SpikeDetector } from '@nn/train';
 * const detector = new SpikeDetector({ window: 10 });
 * const losses = [...Array.from({ length: 30 }, (_, i) => 1 + (i % 3) / 10), 9];
 * console.log(losses.findIndex((loss) => detector.update(loss))); // => 30
 */
export class SpikeDetector implements Stateful {
  static readonly name: string = 'SpikeDetector';

  readonly #deviations: number;
  readonly #window: number;
  #count = 0;
  #mean = 0;
  #variance = 0;
  #inARow = 0;

  constructor(options: SpikeOptions = {}) {
    checkOptions('SpikeDetector', options, ['deviations', 'window']);
    const { deviations = 6, window = 100 } = options;
    if (!(deviations > 0) || !(window > 1)) {
      throw new ValueError('SpikeDetector', `deviations is ${deviations} and window ${window}: above 0, and above 1.`);
    }
    [this.#deviations, this.#window] = [deviations, window];
  }

  get mean(): number {
    return this.#mean;
  }

  /** How many of the last losses were spikes, one after the other. */
  get inARow(): number {
    return this.#inARow;
  }

  /**
   * Takes the next loss; true for a spike, which does not move the mean, and for what is not finite. The first `window / 2` only
   * teach it; after as many spikes in a row it learns anew.
   */
  update(loss: number): boolean {
    const isTaught = this.#count >= this.#window / 2;
    const rise = Math.max(this.#deviations * Math.sqrt(this.#variance), leastShare * Math.abs(this.#mean));
    if (!Number.isFinite(loss) || (isTaught && loss > this.#mean + rise)) {
      this.#inARow++;
      if (this.#inARow < this.#window / 2 || !Number.isFinite(loss)) return true;
      [this.#count, this.#mean, this.#variance] = [0, 0, 0];
    }
    this.#inARow = 0;
    this.#count++;
    // mean and variance of all at first, of about `window` later: West's update with weight a
    const a = Math.max(1 / this.#count, 1 / this.#window);
    const difference = loss - this.#mean;
    this.#mean += a * difference;
    this.#variance = (1 - a) * (this.#variance + a * difference * difference);
    return false;
  }

  hostState(): unknown {
    return { count: this.#count, mean: this.#mean, variance: this.#variance, inARow: this.#inARow };
  }

  loadHostState(state: unknown): void {
    // states of before `inARow` was counted have none
    const { count, mean, variance, inARow = 0 } = Object(state) as Record<string, unknown>;
    if (
      !(Number.isSafeInteger(count) && Number.isSafeInteger(inARow)) ||
      typeof mean !== 'number' ||
      typeof variance !== 'number'
    ) {
      throw new FormatError(
        'SpikeDetector',
        'the saved state has no count, mean and variance: it is of something else.',
      );
    }
    [this.#count, this.#mean, this.#variance, this.#inARow] = [count as number, mean, variance, inARow as number];
  }
}

/**
 * Warns of losses that jump, with the step of each, of several in a row that of the first: a batch to look at, or a learning rate
 * that is too high.
 *
 * @example
 * import { spikeDetection } from '@nn/train';
 * console.log(spikeDetection().detector.mean); // => 0
 */
export function spikeDetection(options: SpikeOptions = {}): Callback & { readonly detector: SpikeDetector } {
  const detector = new SpikeDetector(options);
  const untaught = detector.hostState();
  const handle: Callback['handle'] = (event, training) => {
    if (event.type !== 'read') return;
    // a run that begins anew owes nothing to the one before
    if (event.step === event.losses.length) detector.loadHostState(untaught);
    event.losses.forEach((loss, at) => {
      if (!detector.update(loss) || detector.inARow > 1) return;
      const step = event.step - event.losses.length + 1 + at;
      training.warn(
        'spike',
        `the loss of step ${step} is ${figure(loss)}, those before were about ${figure(detector.mean)}: look at its batch, clip the gradients, or lower the learning rate.`,
      );
    });
  };
  return { detector, hears: ['read'], handle };
}
