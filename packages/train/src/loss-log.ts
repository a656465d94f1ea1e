/**
 * The losses of steps: exact, kept on the device until they are read with the metrics, and their mean over the epoch in
 * double precision, each step weighted by its samples. Owns the bookkeeping of weights; the device's part is `Values`.
 */
import { FormatError, type Stateful, type Tensor } from '@nn/core';
import { type Reading, Values } from '@nn/metrics';

export class LossLog implements Stateful {
  static readonly name: string = 'LossLog';

  readonly #values: Values;
  /** Losses that are on the host since they came from other ranks. */
  #known: number[] = [];
  /** Samples of each loss since the last read. */
  #weights: number[] = [];
  /** How many losses there were at the end of each step since the last read. */
  #ends: number[] = [];
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

  /** A loss that the host knows already. */
  note(loss: number): void {
    this.#known.push(loss);
  }

  /** Those that `note` was told since the last read. */
  get known(): readonly number[] {
    return this.#known;
  }

  /** The host's part, once for each loss. */
  count(samples: number): void {
    this.#weights.push(samples);
  }

  /** Marks that the losses since the last mark were of one step. */
  endStep(): void {
    this.#ends.push(this.#weights.length);
  }

  /** Takes what was read: the loss of each step, and the means over the window and the epoch. */
  settle(read: readonly number[]): Reading<number> & { readonly losses: readonly number[] } {
    const [weights, ends] = [this.#weights, this.#ends];
    [this.#weights, this.#ends, this.#known] = [[], [], []];
    this.#values.reset();
    const losses = ends.map((end, step) => {
      const from = ends[step - 1] ?? 0;
      if (end - from === 1) return read[from]!; // also where it is of no samples
      const [sum, weight] = sumsOf(read, weights, from, end);
      return sum / weight;
    });
    const [sum, weight] = sumsOf(read, weights, 0, read.length);
    this.#sum += sum;
    this.#weight += weight;
    return { losses, window: sum / weight, epoch: this.#sum / this.#weight };
  }

  /** The sum of the losses that were read, each times its samples, and the samples. */
  get sums(): readonly [sum: number, weight: number] {
    return [this.#sum, this.#weight];
  }

  /** Begins a new epoch. */
  reset(): void {
    this.#values.reset();
    [this.#weights, this.#ends, this.#known] = [[], [], []];
    this.#sum = 0;
    this.#weight = 0;
  }

  hostState(): unknown {
    return { sum: this.#sum, weight: this.#weight };
  }

  loadHostState(state: unknown): void {
    const { sum, weight } = Object(state) as { sum?: unknown; weight?: unknown };
    if (typeof sum !== 'number' || typeof weight !== 'number') {
      throw new FormatError('Training', 'the saved state has no sums of losses: it is of something else.');
    }
    this.reset();
    this.#sum = sum;
    this.#weight = weight;
  }
}

/** The weighted sum of some losses, and their weight. */
function sumsOf(losses: readonly number[], weights: readonly number[], from: number, to: number): [number, number] {
  let [sum, weight] = [0, 0];
  for (let at = from; at < to; at++) {
    // a batch of padding alone has no loss to speak of: 0 samples of NaN are not NaN
    if (weights[at] === 0) continue;
    sum += losses[at]! * weights[at]!;
    weight += weights[at]!;
  }
  return [sum, weight];
}
