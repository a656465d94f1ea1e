/** Sums of values that you have: mean, sum, extremes, the last. For losses, gradient norms, anything that a step computes. */
import { checkOptions, concat, ones, ShapeError, showShape, type Tensor, ValueError, where, zeros } from '@nn/core';
import { checkWeighting, type Weighting, weightsOf } from './inputs.ts';
import { type Elements, MeanMetric, weighted } from './mean-metric.ts';
import { RowMetric, type RowOptions } from './row-metric.ts';
import { SumMetric } from './sum-metric.ts';

type Batch = readonly [values: Tensor, weighting?: Weighting];

/** float32's largest number, with which extremes begin: infinities are not safe on every device. */
const largest = 3.4028234663852886e38;

/**
 * The weighted mean of all values, of any shape, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Mean } from '@nn/metrics';
 * const loss = new Mean();
 * loss.update(tensor(0.5), { weights: tensor(3) });
 * loss.update(tensor(1.5), { weights: tensor(1) });
 * console.log((await loss.read()).epoch); // => 0.75
 */
export class Mean extends MeanMetric<Batch> {
  static override readonly name: string = 'Mean';

  constructor(options: { readonly name?: string; readonly higherIsBetter?: boolean | null } = {}) {
    checkOptions('Mean', options, ['name', 'higherIsBetter']);
    super(options.name ?? 'mean', options.higherIsBetter ?? null);
  }

  protected override elements(values: Tensor, weighting: Weighting = {}): Elements {
    return weighted('Mean', values, checkWeighting(this, weighting));
  }
}

/**
 * The weighted sum of all values, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Sum } from '@nn/metrics';
 * const tokens = new Sum();
 * tokens.update(tensor([3, 4]));
 * console.log((await tokens.read()).window); // => 7
 */
export class Sum extends SumMetric<Batch, number> {
  static override readonly name: string = 'Sum';

  constructor(options: { readonly name?: string } = {}) {
    checkOptions('Sum', options, ['name']);
    super(options.name ?? 'sum', null);
  }

  protected override measure(values: Tensor, weighting: Weighting = {}): Tensor {
    const weights = weightsOf('Sum', values.shape, checkWeighting(this, weighting));
    const kept = values.cast('float32');
    return (weights === null ? kept : where(weights.equal(0), 0, kept).mul(weights)).sum().reshape([1, 1]);
  }

  protected override compute([sum = 0]: Float64Array): number {
    return sum;
  }
}

/** The largest of sign * values. */
abstract class Extreme extends SumMetric<Batch, number> {
  protected override readonly start: number = -largest;
  protected abstract readonly sign: number;

  protected override measure(values: Tensor, weighting: Weighting = {}): Tensor {
    const weights = weightsOf(String(this), values.shape, checkWeighting(this, weighting));
    const signed = values.cast('float32').mul(this.sign);
    return (weights === null ? signed : where(weights.equal(0), -largest, signed)).max().reshape([1, 1]);
  }

  protected override accumulate(window: Tensor, batch: Tensor): Tensor {
    return window.maximum(batch);
  }

  protected override fold(totals: Float64Array, more: ArrayLike<number>): void {
    totals[0] = Math.max(totals[0]!, more[0]!);
  }

  protected override compute([extreme = -largest]: Float64Array): number {
    return extreme <= -largest ? Number.NaN : extreme * this.sign;
  }
}

/**
 * The largest value, over all updates; NaN before the first.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Max } from '@nn/metrics';
 * const largest = new Max();
 * largest.update(tensor([3, -4]));
 * console.log((await largest.read()).window); // => 3
 */
export class Max extends Extreme {
  static override readonly name: string = 'Max';

  protected override readonly sign: number = 1;

  constructor(options: { readonly name?: string } = {}) {
    checkOptions('Max', options, ['name']);
    super(options.name ?? 'max', null);
  }
}

/**
 * The smallest value, over all updates; NaN before the first.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Min } from '@nn/metrics';
 * const smallest = new Min();
 * smallest.update(tensor([3, -4]));
 * console.log((await smallest.read()).window); // => -4
 */
export class Min extends Extreme {
  static override readonly name: string = 'Min';

  protected override readonly sign: number = -1;

  constructor(options: { readonly name?: string } = {}) {
    checkOptions('Min', options, ['name']);
    super(options.name ?? 'min', null);
  }
}

/**
 * The scalar of the last update; NaN before the first.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Last } from '@nn/metrics';
 * const rate = new Last();
 * for (const value of [0.5, 0.25]) rate.update(tensor(value));
 * console.log((await rate.read()).epoch); // => 0.25
 */
export class Last extends SumMetric<readonly [value: Tensor], number> {
  static override readonly name: string = 'Last';

  constructor(options: { readonly name?: string } = {}) {
    checkOptions('Last', options, ['name']);
    super(options.name ?? 'last', null);
  }

  protected override measure(value: Tensor): Tensor {
    requireScalar('Last', value);
    return concat([ones([1]), value.cast('float32').reshape([1])], 0).reshape([1, 2]);
  }

  protected override accumulate(_: Tensor, batch: Tensor): Tensor {
    return batch;
  }

  protected override fold(totals: Float64Array, more: ArrayLike<number>): void {
    if (more[0] !== 0) totals.set(Array.from(more));
  }

  protected override compute([seen = 0, value = 0]: Float64Array): number {
    return seen === 0 ? Number.NaN : value;
  }
}

export interface RunningOptions {
  readonly name?: string;
  /** Over how many updates. */
  readonly window: number;
}

/**
 * The mean of the scalars of the last updates, however often it is read; NaN before the first.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Running } from '@nn/metrics';
 * const loss = new Running({ window: 2 });
 * for (const value of [4, 1, 2]) loss.update(tensor(value));
 * console.log((await loss.read()).epoch); // => 1.5
 */
export class Running extends SumMetric<readonly [value: Tensor], number> {
  static override readonly name: string = 'Running';

  readonly #size: number;

  constructor(options: RunningOptions) {
    checkOptions('Running', options, ['name', 'window']);
    const { name = 'running', window } = options;
    super(name, null);
    if (!Number.isInteger(window) || window < 1) {
      throw new ValueError('Running', `the window is ${window}: it is a number of updates, from 1.`, { window });
    }
    this.#size = window;
  }

  // [1, 1 + size]: how many there are, then the values, the newest first
  protected override measure(value: Tensor): Tensor {
    requireScalar('Running', value);
    return concat([ones([1]), value.cast('float32').reshape([1]), zeros([this.#size - 1])], 0).reshape([
      1,
      this.#size + 1,
    ]);
  }

  protected override accumulate(window: Tensor, batch: Tensor): Tensor {
    const count = window.slice([0, 0], [1, 1]).add(1).minimum(this.#size);
    return concat([count, batch.slice([0, 1], [1, 2]), window.slice([0, 1], [1, this.#size])], 1);
  }

  protected override fold(totals: Float64Array, more: ArrayLike<number>): void {
    const list = (from: ArrayLike<number>): number[] => Array.from(from).slice(1, 1 + (from[0] ?? 0));
    const newest = [...list(more), ...list(totals)].slice(0, this.#size);
    totals.fill(0).set([newest.length, ...newest]);
  }

  protected override compute(totals: Float64Array): number {
    const [count = 0, ...values] = totals;
    return values.slice(0, count).reduce((total, value) => total + value, 0) / count;
  }
}

/**
 * Every scalar of every update, in order: exact losses of each step for one read. `window` and `epoch` are lists.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Values } from '@nn/metrics';
 * const losses = new Values({ window: 100 });
 * for (const value of [4, 1, 2]) losses.update(tensor(value));
 * console.log((await losses.read()).window); // => [ 4, 1, 2 ]
 */
export class Values extends RowMetric<readonly [value: Tensor], number[]> {
  static override readonly name: string = 'Values';

  constructor(options: RowOptions & { readonly name?: string } = {}) {
    checkOptions('Values', options, ['name', 'capacity', 'window']);
    super(options.name ?? 'values', null, 1, options, true);
  }

  protected override measure(value: Tensor): Tensor {
    requireScalar('Values', value);
    return value.cast('float32').reshape([1, 1]);
  }

  protected override compute(rows: Float32Array): number[] {
    return Array.from(rows);
  }
}

function requireScalar(metric: string, { size, shape }: Tensor): void {
  if (size === 1) return;
  throw new ShapeError(metric, `takes one number per update, got ${showShape(shape)}: reduce it first.`, { shape });
}
