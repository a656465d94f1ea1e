/** Metrics that need every sample: ranks, queries, lists of values. Bounded on the device and on the host. Owns no formula. */
import type { Tensor } from '@nn/core';
import type { Kept } from './metric.ts';
import { type RowOptions, Rows } from './rows.ts';
import { SampleMetric } from './sample-metric.ts';

/** A metric of all rows. The first number of a row is its weight, unless all rows count; rows of weight 0 are dropped. */
export abstract class RowMetric<Arguments extends readonly unknown[], Value> extends SampleMetric<Arguments, Value> {
  /** `width`: numbers in a row. `allCount`: rows have no weight. */
  constructor(name: string, higherIsBetter: boolean | null, width: number, options: RowOptions, allCount = false) {
    super(name, higherIsBetter, new Rows(new.target.name, width, options, allCount));
  }

  /** The rows of a batch: [n, width]. */
  protected abstract override measure(...batch: Arguments): Tensor;

  /** The value of rows, [count * width]. */
  protected abstract override compute(rows: Kept): Value;
}
