/**
 * The losses of steps: exact, kept on the device until they are read with the metrics, and their mean over the epoch in
 * double precision, each step weighted by its samples. Owns the bookkeeping of weights; the device's part is `Values`.
 */
import { FormatError, type Stateful, type Tensor } from '@nn/core';
import { type Reading, Values } from '@nn/metrics';

export class LossLog implements Stateful {
  readonly #values: Values;
  /** Samples of each loss since the last read. */
  #weights: number[] = [];
  #sum = 0;
  #weight = 0;

  /** `capacity`: how many losses there can be between two reads. */
  constructor(capacity: number) {
    this.#values = new Values({ window: capacity, name: 'loss' });
  }

  /** What `read` of @nn/metrics takes. */
  get metric(): Values {
    return this.#values;
  }

  /** How many losses wait to be read. */
  get waiting(): number {
    return this.#weights.length;
  }

  /** The device's part, which a compiled step repeats by itself. */
  record(loss: Tensor): void {
    this.#values.update(loss.stopGradient());
  }

  /** The host's part, once for each loss. */
  count(samples: number): void {
    this.#weights.push(samples);
  }

  /** Takes what was read: the losses, and their means over the window and the epoch. */
  settle(losses: readonly number[]): Reading<number> {
    const weights = this.#weights;
    this.#weights = [];
    this.#values.reset();
    let [sum, weight] = [0, 0];
    losses.forEach((loss, at) => {
      const samples = weights[at] ?? 1;
      // a batch of padding alone has no loss to speak of: 0 samples of NaN are not NaN
      if (samples === 0) return;
      sum += loss * samples;
      weight += samples;
    });
    this.#sum += sum;
    this.#weight += weight;
    return { window: sum / weight, epoch: this.#sum / this.#weight };
  }

  /** Begins a new epoch. */
  reset(): void {
    this.#values.reset();
    this.#weights = [];
    this.#sum = 0;
    this.#weight = 0;
  }

  hostState(): unknown {
    return { sum: this.#sum, weight: this.#weight };
  }

  loadHostState(state: unknown): void {
    const { sum, weight } = Object(state) as { sum?: unknown; weight?: unknown };
    if (typeof sum !== 'number' || typeof weight !== 'number') {
      throw new FormatError('Training: the saved state has no sums of losses: it is of something else.');
    }
    this.reset();
    this.#sum = sum;
    this.#weight = weight;
  }
}
