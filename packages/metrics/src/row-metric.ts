/**
 * Metrics that need every sample: ranks, queries, lists of values. The window on the device is a buffer that the step's program
 * writes into; it and what the host keeps are bounded, and full is an error, never a loss. Owns no formula.
 */
import { Counter, type Tensor, type TensorData, ValueError } from '@nn/core';
import type { Kept } from './metric.ts';
import { type Keeping, SumMetric } from './sum-metric.ts';

/** The bounds of metrics that keep every sample. */
export interface RowOptions {
  /** The most samples of an epoch. Default 1,000,000. */
  readonly capacity?: number;
  /** The most samples between two reads, which are held on the device. Default 16,384. */
  readonly window?: number;
}

/** A metric of all rows. The first number of a row is its weight, unless all rows count; rows of weight 0 are dropped. */
export abstract class RowMetric<Arguments extends readonly unknown[], Value> extends SumMetric<Arguments, Value> {
  readonly #width: number;
  readonly #allCount: boolean;
  readonly #capacity: number;
  readonly #window: number;

  /** `width`: numbers in a row; with 0 it is a metric of sums. `allCount`: rows have no weight. */
  constructor(name: string, higherIsBetter: boolean | null, width: number, options: RowOptions, allCount = false) {
    super(name, higherIsBetter);
    const { capacity = 1_000_000, window = 16_384 } = options;
    for (const [option, value] of Object.entries({ capacity, window })) {
      if (Number.isInteger(value) && value > 0) continue;
      throw new ValueError(String(this), `${option} is ${value}: it is a number of samples, from 1.`, {
        [option]: value,
      });
    }
    this.shape = [0, width];
    [this.#width, this.#allCount, this.#capacity, this.#window] = [width, allCount, capacity, window];
    if (width > 0) this.held = new Counter(0, (samples) => this.requireRoom(samples));
  }

  /** The rows of a batch: [n, width]. */
  protected abstract override measure(...batch: Arguments): Tensor;

  /** The value of rows, [count * width]. */
  protected abstract override compute(rows: Kept, columns: number): Value;

  /** @internal Rows are written behind those that were counted before them. */
  protected override keeping(added: Tensor, batch: Arguments): Keeping {
    const width = this.#width;
    if (width === 0) return super.keeping(added, batch);
    const [count = 0] = added.shape;
    return [[this.#window, width], count, (window) => window.update([this.held, 0], added)];
  }

  /** @internal */
  protected override requireRoom(samples: number): void {
    const width = this.#width;
    if (width === 0) super.requireRoom(samples);
    else {
      this.#require(samples, 'window', this.#window, 'await read(...) more often, or set window');
      this.#requireCapacity(this.kept / width + samples);
    }
  }

  /** @internal Rows stand in front of what earlier windows left in the buffer. */
  override async collect(): Promise<TensorData> {
    const held = this.held.value;
    const width = this.#width;
    const collected = await super.collect();
    if (width === 0) return collected;
    const rows = collected.subarray(0, held * width);
    return this.#allCount ? rows : rows.filter((_, at) => rows[at - (at % width)] !== 0);
  }

  protected override join(kept: Kept, more: ArrayLike<number>): Kept {
    if (this.#width === 0) return super.join(kept, more);
    const all = new Float32Array(kept.length + more.length);
    this.#requireCapacity(all.length / this.#width);
    all.set(kept);
    all.set(more, kept.length);
    return all;
  }

  #requireCapacity(count: number): void {
    this.#require(count, 'capacity', this.#capacity, 'set capacity, or take a binned metric');
  }

  #require(count: number, bound: string, most: number, advice: string): void {
    if (count <= most) return;
    throw new ValueError(
      String(this),
      `keeps every sample, and ${count} are above its ${bound} of ${most}: ${advice}.`,
      {
        [bound]: most,
      },
    );
  }
}
