/**
 * Metrics of every sample where they keep `Rows`: the window on the device is a buffer that the step's program writes
 * into. Owns how that differs from sums; rows.ts has the bounds.
 */
import { numberSource, type Parameter, type Shape, type Tensor } from '@nn/core';
import type { Kept } from './metric.ts';
import type { Rows } from './rows.ts';
import { SumMetric } from './sum-metric.ts';

/** Of rows, or of sums where there are none. */
export abstract class SampleMetric<Arguments extends readonly unknown[], Value> extends SumMetric<Arguments, Value> {
  readonly #rows: Rows | null;

  constructor(name: string, higherIsBetter: boolean | null, rows: Rows | null) {
    super(name, higherIsBetter);
    this.#rows = rows;
    if (rows !== null) this.shape = [0, rows.width];
  }

  /** @internal */
  protected override windowFor(batch: Shape): Shape {
    const rows = this.#rows;
    if (rows === null) return super.windowFor(batch);
    rows.requireRoom(batch[0]!, this.kept);
    return [rows.window, rows.width];
  }

  protected override accumulate(window: Tensor, batch: Tensor): Tensor {
    const rows = this.#rows;
    if (rows === null) return super.accumulate(window, batch);
    return window.update([numberSource(() => rows.position), 0], batch);
  }

  /** @internal */
  protected override advance(batch: Shape, isTooMuch: boolean): void {
    if (this.#rows === null) super.advance(batch, isTooMuch);
    else this.#rows.add(batch[0]!, this.kept);
  }

  /** @internal Read where it lies, or copied in the program that computes it. */
  protected override take(window: Parameter): Tensor {
    this.#rows?.take();
    return this.#rows === null || window.isWaiting ? super.take(window) : window.stopGradient();
  }

  /** @internal The next rows are written over what is there. */
  protected override clear(window: Parameter): void {
    if (this.#rows === null) super.clear(window);
    else this.#rows.position = 0;
  }

  /** @internal */
  override handOver(collected: ArrayLike<number>, isShared: boolean): ArrayLike<number> {
    return this.#rows?.counted(collected) ?? super.handOver(collected, isShared);
  }

  protected override join(kept: Kept | null, more: ArrayLike<number>): Kept {
    return this.#rows?.join(kept, more) ?? super.join(kept, more);
  }
}
