/**
 * The losses of steps: exact, kept on the device until they are read, and their mean over the epoch in double precision, each
 * step weighted by its samples. Owns the place on the device, which is part of the program of each step, and the weights.
 */
import {
  type Backend,
  computeWaiting,
  FormatError,
  numberSource,
  type Parameter,
  parameter,
  type Stateful,
  type Tensor,
  ValueError,
} from '@nn/core';
import type { Reading } from '@nn/metrics';

/** What the losses since the last read say. */
export interface LossReading extends Reading<number> {
  /** Of each step. */
  readonly losses: readonly number[];
  /** In all these steps. */
  readonly samples: number;
}

export class LossLog implements Stateful {
  readonly #capacity: number;
  /** [capacity] on the device: the losses since the last read stand in front, what was there before behind them. */
  #window: Parameter | null = null;
  /** Losses that are on the host since they came from other ranks. */
  #known: number[] = [];
  /** Since the last read: how many losses there are, and the samples of each. The list is kept, so that steps make no garbage. */
  #count = 0;
  readonly #weights: number[] = [];
  /** The same for steps: how many losses there were at the end of each. */
  #steps = 0;
  readonly #ends: number[] = [];
  #sum = 0;
  #weight = 0;

  /** `capacity`: how many losses there can be between two reads. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many losses wait to be read. */
  get waiting(): number {
    return this.#count;
  }

  /**
   * The device's part of the next loss, which a compiled step repeats by itself: of a step of several batches what each adds to it.
   * `count` is the host's part.
   */
  record(loss: Tensor): void {
    const window = this.#windowOn(loss.backend);
    computeWaiting(window);
    const value = loss.stopGradient().cast('float32').reshape([1]);
    window.assign(window.stopGradient().update([numberSource(() => this.#count)], value));
  }

  /** A loss that the host knows already. */
  note(loss: number): void {
    this.#known.push(loss);
  }

  /** The host's part, once for each loss; answers its samples. */
  count(samples: number): number {
    this.#weights[this.#count++] = samples;
    return samples;
  }

  /** Marks that the losses since the last mark were of one step. */
  endStep(): void {
    this.#ends[this.#steps++] = this.#count;
  }

  /** The losses that wait, in front of others: what `settle` takes. */
  read(): ArrayLike<number> | Promise<ArrayLike<number>> {
    if (this.#known.length > 0 || this.#count === 0) return this.#known;
    return this.#window!.dataAtOnce() ?? this.#window!.data();
  }

  /** Takes what was read: the loss of each step, and the means over the window and the epoch. With `peeks` it goes on waiting. */
  settle(read: ArrayLike<number>, peeks?: boolean): LossReading {
    const losses: number[] = [];
    let [at, sum, all] = [0, 0, 0];
    for (let step = 0; step < this.#steps; step++) {
      let [samples, loss, ofAll] = [0, 0, 0];
      for (; at < this.#ends[step]!; at++) {
        const count = this.#weights[at]!;
        samples += count;
        ofAll += read[at]!;
        // a batch of padding gives nothing to the others, whatever its loss; where all are padding it is told
        if (count > 0) loss += read[at]!;
      }
      if (samples === 0) loss = ofAll;
      else sum += loss * samples;
      losses.push(loss);
      all += samples;
    }
    if (!peeks) {
      this.#sum += sum;
      this.#weight += all;
      this.#forget();
    }
    return { losses, samples: all, window: sum / all, epoch: this.#sum / this.#weight };
  }

  /** The sum of the losses that were read, each times its samples, and the samples. */
  get sums(): readonly [sum: number, weight: number] {
    return [this.#sum, this.#weight];
  }

  /** Begins a new epoch. */
  reset(): void {
    this.#forget();
    this.#sum = 0;
    this.#weight = 0;
  }

  #forget(): void {
    this.#count = 0;
    this.#steps = 0;
    this.#known = [];
  }

  /** The place on the device of the losses, which changes where the model has moved. */
  #windowOn(backend: Backend | null): Parameter {
    const old = this.#window;
    const from = old?.backend ?? backend;
    if (old !== null && (backend === null || from === backend)) return old;
    if (old !== null && this.#count > 0) {
      throw new ValueError(
        'Training',
        `the last losses are on '${from?.name}', this one on '${backend?.name}': move the model at a 'rest' event.`,
      );
    }
    const values = new Float32Array(this.#capacity);
    this.#window = parameter(values, { shape: [this.#capacity], buffer: true, name: 'losses' });
    return this.#window;
  }

  hostState(): unknown {
    return { sum: this.#sum, weight: this.#weight };
  }

  loadHostState(state: unknown): void {
    const { sum, weight } = Object(state) as { sum?: unknown; weight?: unknown };
    if (typeof sum !== 'number' || typeof weight !== 'number') {
      throw new FormatError('Training', 'the saved state is none of a training: load one that a training saved.');
    }
    this.reset();
    this.#sum = sum;
    this.#weight = weight;
  }
}
