/**
 * Metrics that need every sample: exact curves, ranks, queries. Rows are collected on the device, in a buffer that the
 * step's program writes into, and kept on the host after a read. Both are bounded, and full is an error, never a loss.
 */
import { FormatError, isTensor, numberSource, type Tensor, ValueError } from '@nn/core';
import { DeviceWindow } from './device-window.ts';
import { Metric, numbersIn, type Reading } from './metric.ts';

/** The bounds of metrics that keep every sample. */
export interface RowOptions {
  /** The most samples of an epoch. Default 1,000,000. */
  readonly capacity?: number;
  /** The most samples between two reads, which are held on the device. Default 16,384. */
  readonly window?: number;
}

/** A metric of all rows. The first number of a row is its weight, unless all rows count; rows of weight 0 are dropped. */
export abstract class RowMetric<Arguments extends readonly unknown[], Value> extends Metric<Value> {
  /** Numbers in a row. */
  protected readonly width: number;
  readonly #capacity: number;
  readonly #size: number;
  readonly #window: DeviceWindow;
  readonly #allCount: boolean;
  /** Rows on the device, which stand in front of what earlier windows left there. */
  #position = 0;
  /** The same of what is on its way to the host. */
  #taken = 0;
  #pieces: Float32Array[] = [];
  #count = 0;
  /** Rows at the end that belong to the window, which a checkpoint was made of. */
  #open = 0;

  /** `allCount`: rows have no weight. */
  constructor(name: string, higherIsBetter: boolean | null, width: number, options: RowOptions, allCount = false) {
    super(name, higherIsBetter);
    this.#allCount = allCount;
    const { capacity = 1_000_000, window = 16_384 } = options;
    for (const [option, value] of Object.entries({ capacity, window })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new ValueError(String(this), `${option} is ${value}: it is a number of samples, from 1.`, {
          [option]: value,
        });
      }
    }
    [this.#capacity, this.#size, this.width] = [capacity, window, width];
    this.#window = new DeviceWindow(this, [window, width], 0);
  }

  /** The rows of a batch: [n, width]. */
  protected abstract measure(...batch: Arguments): Tensor;

  /** The value of rows, [count * width]. */
  protected abstract compute(rows: Float32Array): Value;

  /** Adds the samples of a batch. See `SumMetric.update`: before the step, or inside of `compile`. */
  update(...batch: Arguments): void {
    const rows = this.measure(...batch).stopGradient();
    const added = rows.shape[0] ?? 0;
    this.#checkSpace(added);
    const backend = rows.backend ?? batch.find(isTensor)?.backend ?? null;
    this.#window.assign(
      backend,
      (value) => value.update([numberSource(() => this.#position), 0], rows),
      () => {
        this.#checkSpace(added);
        this.#position += added;
      },
    );
  }

  override get isUnread(): boolean {
    return this.isOnDevice || this.#open > 0;
  }

  /** @internal */
  override get isOnDevice(): boolean {
    return this.#window.updates > 0;
  }

  /** @internal */
  override collect(): Tensor | null {
    this.#taken = this.#position;
    this.#position = 0;
    return this.#window.take(false);
  }

  /** @internal */
  override absorb(collected: ArrayLike<number>): void {
    const { width } = this;
    const kept: number[] = [];
    const end = Math.min(collected.length, this.#taken * width);
    for (let at = 0; at < end; at += width) {
      if (!this.#allCount && collected[at] === 0) continue;
      for (let k = 0; k < width; k++) kept.push(collected[at + k]!);
    }
    if (kept.length === 0) return;
    this.#keep(Float32Array.from(kept));
    this.#open += kept.length / width;
  }

  /** @internal */
  override close(): Reading<Value> {
    const all = this.#all();
    const window = all.subarray(all.length - this.#open * this.width);
    this.#open = 0;
    return { window: this.compute(window), epoch: this.compute(all) };
  }

  override reset(): void {
    this.#pieces = [];
    this.#count = 0;
    this.#open = 0;
    this.#position = 0;
    this.#window.forget(false);
  }

  protected override saved(): unknown {
    return { rows: [...this.#all()], ...(this.#open > 0 && { open: this.#open }) };
  }

  protected override mergeState(state: unknown, replace: boolean): void {
    const rows = Float32Array.from(numbersIn(this, state, 'rows'));
    if (rows.length % this.width !== 0) {
      throw new FormatError(
        String(this),
        `the saved state has ${rows.length} numbers, which are no rows of ${this.width}.`,
      );
    }
    this.#checkCapacity(rows.length / this.width - (replace ? this.#count : 0));
    const { open = 0 } = Object(state) as { open?: unknown };
    if (!Number.isSafeInteger(open) || Number(open) * this.width > rows.length) {
      throw new FormatError(String(this), `the saved state has no count of open rows, but ${String(open)}.`);
    }
    if (replace) {
      this.reset();
      this.#open = Number(open);
      this.#keep(rows);
      return;
    }
    // before those of the own window, which stand at the end
    this.#pieces.unshift(rows);
    this.#count += rows.length / this.width;
  }

  #keep(rows: Float32Array): void {
    this.#pieces.push(rows);
    this.#count += rows.length / this.width;
  }

  #all(): Float32Array {
    const [only] = this.#pieces;
    if (this.#pieces.length === 1 && only !== undefined) return only;
    const all = new Float32Array(this.#count * this.width);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [all];
    return all;
  }

  #checkSpace(added: number): void {
    if (this.#position + added > this.#size) {
      throw new ValueError(
        String(this),
        `keeps every sample, and ${this.#position} since the last read with ${added} more are above its window of ${this.#size}: await read(...) more often, or set window.`,
        { window: this.#size },
      );
    }
    this.#checkCapacity(this.#position + added);
  }

  #checkCapacity(added: number): void {
    if (this.#count + added <= this.#capacity) return;
    throw new ValueError(
      String(this),
      `keeps every sample, and ${this.#count} with ${added} more are above its capacity of ${this.#capacity}: set capacity, or take a binned metric.`,
      { capacity: this.#capacity },
    );
  }
}
