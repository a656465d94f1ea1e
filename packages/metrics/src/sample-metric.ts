/**
 * Metrics of every sample where they keep `Rows`: the window on the device is a buffer that the step's program writes
 * into. Owns how that differs from sums; rows.ts has the bounds.
 */
import { numberSource, type Tensor, type TensorData } from '@nn/core';
import type { Kept } from './metric.ts';
import type { Rows } from './rows.ts';
import { type Keeping, SumMetric } from './sum-metric.ts';

/** Of rows, or of sums where there are none. */
export abstract class SampleMetric<Arguments extends readonly unknown[], Value> extends SumMetric<Arguments, Value> {
  readonly #rows: Rows | null;

  constructor(name: string, higherIsBetter: boolean | null, rows: Rows | null) {
    super(name, higherIsBetter);
    this.#rows = rows;
    if (rows !== null) this.shape = [0, rows.width];
  }

  /** @internal Rows are written behind those that were counted before them. */
  protected override keeping(added: Tensor, batch: Arguments): Keeping {
    const rows = this.#rows;
    if (rows === null) return super.keeping(added, batch);
    const [count = 0] = added.shape;
    const position = numberSource(() => this.held - count);
    return [
      [rows.window, rows.width],
      count,
      (held) => rows.requireRoom(held, this.kept),
      (window) => window.update([position, 0], added),
    ];
  }

  /** @internal Rows stand in front of what earlier windows left in the buffer. */
  override async collect(): Promise<TensorData> {
    const [rows, { held }] = [this.#rows, this];
    const collected = await super.collect();
    return rows?.counted(collected, held) ?? collected;
  }

  protected override join(kept: Kept, more: ArrayLike<number>): Kept {
    return this.#rows?.join(kept, more) ?? super.join(kept, more);
  }
}
