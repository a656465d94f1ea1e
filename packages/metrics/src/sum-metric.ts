/**
 * Metrics made of sums. The sums of the window are on the device and grow within the program of the step
 * (device-window.ts); a read adds them to float64 totals on the host. Owns no formula.
 */
import { FormatError, isTensor, ShapeError, type Tensor, ValueError } from '@nn/core';
import { DeviceWindow } from './device-window.ts';
import { Metric, numbersIn, type Reading } from './metric.ts';

/** Past both, an increment can be smaller than half of the last digit of a float32 sum. */
const [mostUpdates, mostElements] = [2 ** 14, 2 ** 24];

/**
 * The base of metrics whose state is sums: `measure` gives those of a batch as [rows, columns], `compute` makes the value
 * of the totals. A metric of your own extends it, or `MeanMetric`.
 *
 * @example
 * import { type Tensor, tensor } from '@nn/core';
 * import { SumMetric } from '@nn/metrics';
 * class NonZero extends SumMetric<[x: Tensor], number> {
 *   protected override measure(x: Tensor): Tensor {
 *     return x.notEqual(0).cast('float32').sum().reshape([1, 1]);
 *   }
 *   protected override compute([count = 0]: Float64Array): number {
 *     return count;
 *   }
 * }
 * const metric = new NonZero('non_zero', null);
 * metric.update(tensor([0, 1, 2]));
 * console.log((await metric.read()).epoch); // => 2
 */
export abstract class SumMetric<Arguments extends readonly unknown[], Value> extends Metric<Value> {
  /** What the sums are before the first update. */
  protected readonly start: number = 0;
  /** Made by the first update, which tells its shape. */
  #window: DeviceWindow | null = null;
  #elements = 0;
  #totals: Float64Array | null = null;
  /** The part of the window that is on the host already: a checkpoint was made of it. */
  #open: Float64Array | null = null;
  #shape: readonly [rows: number, columns: number] = [0, 0];

  /** The sums of a batch: [rows, columns]. */
  protected abstract measure(...batch: Arguments): Tensor;

  /** The value of the totals, [rows * columns] row by row. */
  protected abstract compute(totals: Float64Array, columns: number): Value;

  /** The sums of the window with a batch. */
  protected accumulate(window: Tensor, batch: Tensor): Tensor {
    return window.add(batch);
  }

  /** The totals that stand for the sums of a window. */
  protected totalsOf(window: ArrayLike<number>, _columns: number): ArrayLike<number> {
    return window;
  }

  /** Adds totals to totals, in place. */
  protected fold(totals: Float64Array, more: ArrayLike<number>): void {
    for (let at = 0; at < totals.length; at++) totals[at] = totals[at]! + more[at]!;
  }

  /**
   * Adds a batch. Call it before `optimizer.step(loss)`, which computes it in the same program, or inside of `compile`.
   * Where no step follows (validation), the next update runs what this one waits for.
   */
  update(...batch: Arguments): void {
    const sums = this.measure(...batch).stopGradient();
    const [rows = 1, columns = 1] = sums.shape;
    if (this.#shape[1] === 0) this.#shape = [rows, columns];
    else this.#checkShape(rows, columns, 'this batch');
    this.#window ??= new DeviceWindow(this, [rows, columns], this.start);
    const elements = batch.reduce<number>((most, item) => (isTensor(item) ? Math.max(most, item.size) : most), 0);
    this.#window.assign(
      sums.backend,
      (value) => this.accumulate(value, sums),
      () => this.#count(elements),
    );
  }

  override get isUnread(): boolean {
    return this.isOnDevice || this.#open !== null;
  }

  /** @internal */
  override get isOnDevice(): boolean {
    return this.#window !== null && this.#window.updates > 0;
  }

  /** @internal */
  override collect(): Tensor | null {
    this.#elements = 0;
    return this.#window?.take(true) ?? null;
  }

  /** @internal */
  override absorb(collected: ArrayLike<number>): void {
    if (collected.length === 0) return;
    this.#open ??= this.#fresh();
    this.fold(this.#open, this.totalsOf(collected, this.#shape[1]));
  }

  /** @internal */
  override close(): Reading<Value> {
    const columns = this.#shape[1];
    const window = this.#open ?? this.#fresh();
    this.#open = null;
    this.#totals ??= this.#fresh();
    this.fold(this.#totals, window);
    return { window: this.compute(window, columns), epoch: this.compute(this.#totals, columns) };
  }

  #fresh(): Float64Array {
    return new Float64Array(this.#shape[0] * this.#shape[1]).fill(this.start);
  }

  override reset(): void {
    this.#totals = null;
    this.#open = null;
    this.#elements = 0;
    this.#window?.forget(true);
  }

  /** The flat sums of the epoch as far as they were read: what an all-reduce over ranks adds up. Setting replaces them. */
  get totals(): Float64Array {
    return this.#totals?.slice() ?? new Float64Array(0);
  }

  set totals(totals: ArrayLike<number>) {
    if (this.#totals === null || totals.length !== this.#totals.length) {
      throw new ShapeError(
        String(this),
        `${totals.length} totals in place of ${this.#totals?.length ?? 0}: read once, then set as many as there are.`,
      );
    }
    this.#totals = Float64Array.from(totals);
  }

  protected override saved(): unknown {
    const open = this.#open === null ? {} : { open: [...this.#open] };
    const isEmpty = this.#totals === null && this.#open === null;
    return { shape: isEmpty ? [0, 0] : [...this.#shape], totals: [...(this.#totals ?? [])], ...open };
  }

  protected override mergeState(state: unknown, replace: boolean): void {
    const [rows = 0, columns = 0] = numbersIn(this, state, 'shape');
    const totals = numbersIn(this, state, 'totals');
    const open = Object(state).open === undefined ? [] : numbersIn(this, state, 'open');
    if (![totals, open].every(({ length }) => length === 0 || length === rows * columns)) {
      throw new FormatError(String(this), `the saved state has ${totals.length} totals for [${rows}, ${columns}].`);
    }
    const isEmpty = totals.length + open.length === 0;
    if (this.#shape[1] !== 0 && !isEmpty) this.#checkShape(rows, columns, 'the saved state');
    if (replace) this.reset();
    if (isEmpty) return;
    this.#shape = [rows, columns];
    // the window of another metric is of the past here
    if (open.length > 0 && replace) this.#open = Float64Array.from(open);
    for (const more of replace ? [totals] : [totals, open]) {
      if (more.length === 0) continue;
      this.#totals ??= this.#fresh();
      this.fold(this.#totals, more);
    }
  }

  #checkShape(rows: number, columns: number, what: string): void {
    const [ownRows, ownColumns] = this.#shape;
    if (rows === ownRows && columns === ownColumns) return;
    throw new ShapeError(
      String(this),
      `${what} has ${columns} columns of ${rows} sums, those before ${ownColumns} of ${ownRows}: the number of classes or outputs may not change.`,
      { columns, expected: ownColumns },
    );
  }

  #count(elements: number): void {
    const updates = this.#window?.updates ?? 0;
    this.#elements += elements;
    if (updates <= mostUpdates || this.#elements <= mostElements) return;
    throw new ValueError(
      String(this),
      `${this.#elements} elements in ${updates} updates since the last read are more than float32 sums can count: await read(...) at least every ${mostUpdates} updates.`,
    );
  }
}
