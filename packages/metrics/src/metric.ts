/**
 * What a metric is on the host: the numbers of the window (since the last read) and of the epoch (since the last reset),
 * how they are added, merged, saved and become values. Owns no device: sum-metric.ts brings the numbers of tensors,
 * host-metric.ts those of texts, read.ts those of many metrics at once.
 */
import { excerpt, FormatError, type Stateful, showShape, ValueError } from '@nn/core';

import { bring } from './read.ts';

/** What `read` answers for a metric. */
export interface Reading<Value> {
  /** Of the updates since the last read. */
  readonly window: Value;
  /** Of all updates since the last reset. */
  readonly epoch: Value;
}

/** What the host keeps: float64 sums, or float32 rows. Empty before the first. */
export type Kept = Float64Array | Float32Array;

const none: Kept = /* @__PURE__ */ new Float64Array();

/**
 * The base of all metrics: sums that grow with each `update` and become a value when they are read.
 *
 * A metric is `Stateful`, so it can be a part of a checkpoint, at any time: `readState`, which checkpoints ask for, brings to
 * the host what is on the device, and the window goes on. `hostState` alone refuses what is on the device, rather than lose it.
 */
export abstract class Metric<Value = number> implements Stateful {
  /** For logs: 'accuracy', 'f1'. */
  readonly name: string;
  /** The direction for early stopping and best checkpoints; null where neither is better. */
  readonly higherIsBetter: boolean | null;
  /** What sums are before the first update. */
  protected readonly start: number = 0;
  /** How the numbers are laid out; 0 where any number fits, or the first update tells. */
  protected shape: readonly [rows: number, columns: number] = [0, 0];
  #window = none;
  #epoch = none;

  constructor(name: string, higherIsBetter: boolean | null) {
    this.name = name;
    this.higherIsBetter = higherIsBetter;
  }

  /** The value of numbers, row by row. */
  protected abstract compute(numbers: Kept, columns: number): Value;

  /** Adds totals to totals, in place. */
  protected fold(totals: Kept, more: ArrayLike<number>): void {
    for (let at = 0; at < totals.length; at++) totals[at] = totals[at]! + more[at]!;
  }

  /** What was kept with more, of which there is some; leaves both as they are. */
  protected join(kept: Kept, more: ArrayLike<number>): Kept {
    if (kept.length === 0) return new Float64Array(more);
    const all = kept.slice();
    this.fold(all, more);
    return all;
  }

  /** How many numbers there are on the host. */
  protected get kept(): number {
    return this.#epoch.length + this.#window.length;
  }

  /** @internal Whether there are updates that the host has not seen. */
  abstract get isOnDevice(): boolean;

  /**
   * @internal What the device holds since the last read, and no longer; where it is for other processes too, with what
   * the host alone has.
   */
  abstract collect(isShared: boolean): ArrayLike<number> | Promise<ArrayLike<number>>;

  /** @internal Adds what was collected to the window, which goes on. */
  absorb(collected: ArrayLike<number>): void {
    this.#window = this.#added(this.#window, collected);
  }

  /** @internal The window, which is empty from now on. */
  protected takeWindow(): Kept {
    const window = this.#window;
    this.#window = none;
    return window;
  }

  /** @internal Ends the window: adds it to the epoch and answers both values. */
  close(): Reading<Value> {
    const window = this.takeWindow();
    this.#epoch = this.#added(this.#epoch, window);
    const [rows, columns] = this.shape;
    const value = (numbers: Kept): Value =>
      this.compute(numbers.length > 0 ? numbers : new Float64Array(rows * columns).fill(this.start), columns);
    return { window: value(window), epoch: value(this.#epoch) };
  }

  /** @internal What is on its way to the host, and belongs to this window. */
  onItsWay: Promise<unknown> | null = null;

  /** The values of this metric alone. `read({ a, b })` reads several, and waits once. */
  async read(): Promise<Reading<Value>> {
    return bring([this], () => this.close());
  }

  /** Begins a new epoch: forgets everything. */
  reset(): void {
    this.#window = this.#epoch = none;
  }

  /**
   * Adds what the same metric has read elsewhere: in another worker, on another rank, on another part of the data. Give
   * it `hostState()` there and `loadHostState` here. Throws ValueError while the other has updates that nobody read.
   */
  merge(other: this): void {
    this.#load(other.constructor === this.constructor ? other.hostState() : String(other), false);
  }

  /** What is on the host, as JSON. Throws ValueError while there are updates on the device: `readState` brings them. */
  hostState(): unknown {
    if (!this.isOnDevice) return this.#saved();
    throw new ValueError(String(this), 'updates were not read yet: await read(...) first.');
  }

  /** All updates so far as JSON, those on the device too; the window goes on. */
  async readState(): Promise<unknown> {
    return bring([this], () => this.#saved());
  }

  /** Takes over what `hostState` gave. Throws FormatError for the state of another metric. */
  loadHostState(state: unknown): void {
    this.#load(state, true);
  }

  #saved(): unknown {
    // nothing has no columns, whatever came before
    const columns = this.kept > 0 ? this.shape[1] : 0;
    return { columns, totals: Array.from(this.#epoch), open: Array.from(this.#window) };
  }

  #added(kept: Kept, more: ArrayLike<number>): Kept {
    return more.length > 0 ? this.join(kept, more) : kept;
  }

  /** Adds a state, to nothing where `replaces`. An error leaves all as it was. */
  #load(state: unknown, replaces: boolean): void {
    const { columns, totals, open } = Object(state);
    const [ownRows, ownColumns] = this.shape;
    const rows = [totals, open].map((list) =>
      Array.isArray(list) && list.every((number) => typeof number === 'number')
        ? list.length / columns || 0
        : Number.NaN,
    );
    const fits = (count: number): boolean =>
      count === 0 || (columns === (ownColumns || columns) && count === (ownRows || Math.floor(count)));
    if (!rows.every(fits)) {
      throw new FormatError(
        String(this),
        `takes its own state, of ${showShape(this.shape)} numbers, got ${excerpt(JSON.stringify(state) ?? '', 60)}: load it into one of the same options.`,
      );
    }
    const past = this.#added(replaces ? none : this.#epoch, totals);
    // the window of another metric is of the past here
    const [epoch, window] = replaces ? [past, this.#added(none, open)] : [this.#added(past, open), this.#window];
    if (replaces) this.reset();
    this.#epoch = epoch;
    this.#window = window;
    const most = Math.max(...rows);
    if (ownColumns === 0 && most > 0) this.shape = [most, columns];
  }

  toString(): string {
    return this.constructor.name;
  }
}
