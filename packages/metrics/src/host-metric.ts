/** Metrics of text: sums on the host, in float64, counted in plain JavaScript. Owns windows and totals, no formula. */
import { FormatError } from '@nn/core';
import { Metric, numbersIn, type Reading } from './metric.ts';

/** A metric whose `count` answers flat sums of a batch, always as many, and `compute` the value of the totals. */
export abstract class HostMetric<Arguments extends readonly unknown[], Value = number> extends Metric<Value> {
  readonly #length: number;
  #window: number[];
  #totals: number[];
  #updates = 0;

  constructor(name: string, higherIsBetter: boolean | null, length: number) {
    super(name, higherIsBetter);
    this.#length = length;
    this.#window = new Array<number>(length).fill(0);
    this.#totals = new Array<number>(length).fill(0);
  }

  /** The sums of a batch. */
  protected abstract count(...batch: Arguments): readonly number[];

  protected abstract compute(totals: readonly number[]): Value;

  /** Adds a batch: at once, on the host. */
  update(...batch: Arguments): void {
    add(this.#window, this.count(...batch));
    this.#updates++;
  }

  override get isUnread(): boolean {
    return this.#updates > 0;
  }

  /** @internal */
  override collect(): null {
    return null;
  }

  /** @internal Each sum as two numbers of float32, which together have 48 of its 53 bits. */
  override handOver(): Float32Array {
    const window = this.#window;
    this.#window = new Array<number>(this.#length).fill(0);
    return Float32Array.from(window.flatMap((sum) => [sum, sum - Math.fround(sum)]));
  }

  /** @internal What other processes, or this one, have handed over. */
  override absorb(handed: ArrayLike<number>): void {
    if (handed.length === 0) return;
    add(
      this.#window,
      this.#window.map((_, at) => handed[2 * at]! + handed[2 * at + 1]!),
    );
  }

  /** @internal */
  override get isOnDevice(): boolean {
    return false;
  }

  /** @internal */
  override close(): Reading<Value> {
    const window = this.#window;
    this.#window = new Array<number>(this.#length).fill(0);
    this.#updates = 0;
    add(this.#totals, window);
    return { window: this.compute(window), epoch: this.compute(this.#totals) };
  }

  override reset(): void {
    this.#window.fill(0);
    this.#totals.fill(0);
    this.#updates = 0;
  }

  /** The flat sums of the epoch as far as they were read. */
  get totals(): Float64Array {
    return Float64Array.from(this.#totals);
  }

  protected override saved(): unknown {
    return { totals: [...this.#totals], ...(this.#updates > 0 && { open: [...this.#window] }) };
  }

  protected override mergeState(state: unknown, replace: boolean): void {
    const totals = numbersIn(this, state, 'totals');
    const open = Object(state).open === undefined ? [] : numbersIn(this, state, 'open');
    const wrong = [totals, open].find(({ length }) => length !== this.#length && length > 0);
    if (totals.length !== this.#length || wrong !== undefined) {
      throw new FormatError(String(this), `the saved state has ${(wrong ?? totals).length} sums, not ${this.#length}.`);
    }
    if (replace) this.reset();
    add(this.#totals, totals);
    // the window of another metric is of the past here
    if (!replace) add(this.#totals, open);
    else if (open.length > 0) {
      add(this.#window, open);
      this.#updates = 1;
    }
  }
}

function add(sums: number[], more: readonly number[]): void {
  for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] as number) + (more[at] ?? 0);
}
