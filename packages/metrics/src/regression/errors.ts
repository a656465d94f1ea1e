/**
 * Errors of regression that are the mean of one number per element: a function with gradients and a class each.
 * Definitions are scikit-learn's where it has them. What needs means and variances is moments.ts, predictions of more than
 * one number forecasts.ts.
 */
import type { Tensor } from '@nn/core';
import { requireSameShape, type Weighting } from '../inputs.ts';
import { type PairFormula, PairMetric, pairMean } from '../pair-metric.ts';

/** The division's floor in percentage errors: float64's epsilon, as scikit-learn has it. */
const tiny = 2.220446049250313e-16;

/** prediction - target. */
export const difference = (operation: string, p: Tensor, t: Tensor): Tensor => {
  requireSameShape(operation, p, t);
  return p.sub(t);
};
const squared: PairFormula = (operation, p, t) => difference(operation, p, t).square();
const absolute: PairFormula = (operation, p, t) => difference(operation, p, t).abs();
const percentage: PairFormula = (operation, p, t) => difference(operation, p, t).abs().div(t.abs().maximum(tiny));
// 2 |p - t| / (|p| + |t|), 0 where both are 0
const symmetric: PairFormula = (operation, p, t) => {
  const whole = p.abs().add(t.abs());
  return difference(operation, p, t)
    .abs()
    .mul(2)
    .div(whole.add(whole.equal(0)));
};
const logarithmic: PairFormula = (operation, p, t) => {
  requireSameShape(operation, p, t);
  return p.add(1).log().sub(t.add(1).log()).square();
};
// log cosh d = |d| + log(1 + exp(-2 |d|)) - log 2, which does not overflow
const logCoshOf: PairFormula = (operation, p, t) => {
  const d = difference(operation, p, t).abs();
  return d.add(d.mul(-2).exp().add(1).log()).sub(Math.LN2);
};

/**
 * The mean of (prediction - target)^2: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { meanSquaredError } from '@nn/metrics';
 * console.log(await meanSquaredError(tensor([1, 2]), tensor([1, 4])).item()); // => 2
 */
export function meanSquaredError(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('meanSquaredError', squared, predictions, targets, weighting);
}

/**
 * The mean of (prediction - target)^2, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { MeanSquaredError } from '@nn/metrics';
 * const metric = new MeanSquaredError();
 * metric.update(tensor([1, 2]), tensor([1, 4]));
 * console.log((await metric.read()).epoch); // => 2
 */
export class MeanSquaredError extends PairMetric {
  static override readonly name: string = 'MeanSquaredError';

  constructor() {
    super('mean_squared_error', squared);
  }
}

/**
 * The mean of |prediction - target|: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { meanAbsoluteError } from '@nn/metrics';
 * console.log(await meanAbsoluteError(tensor([1, 2]), tensor([1, 4])).item()); // => 1
 */
export function meanAbsoluteError(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('meanAbsoluteError', absolute, predictions, targets, weighting);
}

/**
 * The mean of |prediction - target|, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { MeanAbsoluteError } from '@nn/metrics';
 * const metric = new MeanAbsoluteError();
 * metric.update(tensor([1, 2]), tensor([1, 4]));
 * console.log((await metric.read()).epoch); // => 1
 */
export class MeanAbsoluteError extends PairMetric {
  static override readonly name: string = 'MeanAbsoluteError';

  constructor() {
    super('mean_absolute_error', absolute);
  }
}

/**
 * The mean of |prediction - target| / |target|, as a share: huge where a target is 0: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { meanAbsolutePercentageError } from '@nn/metrics';
 * console.log(await meanAbsolutePercentageError(tensor([1, 2]), tensor([1, 4])).item()); // => 0.25
 */
export function meanAbsolutePercentageError(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('meanAbsolutePercentageError', percentage, predictions, targets, weighting);
}

/**
 * The mean of |prediction - target| / |target|, as a share: huge where a target is 0, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { MeanAbsolutePercentageError } from '@nn/metrics';
 * const metric = new MeanAbsolutePercentageError();
 * metric.update(tensor([1, 2]), tensor([1, 4]));
 * console.log((await metric.read()).epoch); // => 0.25
 */
export class MeanAbsolutePercentageError extends PairMetric {
  static override readonly name: string = 'MeanAbsolutePercentageError';

  constructor() {
    super('mean_absolute_percentage_error', percentage);
  }
}

/**
 * The mean of 2 |prediction - target| / (|prediction| + |target|), from 0 to 2: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { symmetricMeanAbsolutePercentageError } from '@nn/metrics';
 * console.log(await symmetricMeanAbsolutePercentageError(tensor([1, 1]), tensor([1, 3])).item()); // => 0.5
 */
export function symmetricMeanAbsolutePercentageError(
  predictions: Tensor,
  targets: Tensor,
  weighting: Weighting = {},
): Tensor {
  return pairMean('symmetricMeanAbsolutePercentageError', symmetric, predictions, targets, weighting);
}

/**
 * The mean of 2 |prediction - target| / (|prediction| + |target|), from 0 to 2, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { SymmetricMeanAbsolutePercentageError } from '@nn/metrics';
 * const metric = new SymmetricMeanAbsolutePercentageError();
 * metric.update(tensor([1, 1]), tensor([1, 3]));
 * console.log((await metric.read()).epoch); // => 0.5
 */
export class SymmetricMeanAbsolutePercentageError extends PairMetric {
  static override readonly name: string = 'SymmetricMeanAbsolutePercentageError';

  constructor() {
    super('symmetric_mean_absolute_percentage_error', symmetric);
  }
}

/**
 * The mean of (log(1 + prediction) - log(1 + target))^2, for values above -1: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { meanSquaredLogarithmicError } from '@nn/metrics';
 * console.log(await meanSquaredLogarithmicError(tensor([0, 0]), tensor([0, 0])).item()); // => 0
 */
export function meanSquaredLogarithmicError(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('meanSquaredLogarithmicError', logarithmic, predictions, targets, weighting);
}

/**
 * The mean of (log(1 + prediction) - log(1 + target))^2, for values above -1, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { MeanSquaredLogarithmicError } from '@nn/metrics';
 * const metric = new MeanSquaredLogarithmicError();
 * metric.update(tensor([0, 0]), tensor([0, 0]));
 * console.log((await metric.read()).epoch); // => 0
 */
export class MeanSquaredLogarithmicError extends PairMetric {
  static override readonly name: string = 'MeanSquaredLogarithmicError';

  constructor() {
    super('mean_squared_logarithmic_error', logarithmic);
  }
}

/**
 * The mean of log cosh(prediction - target): squares of small errors, sizes of large ones: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { logCoshError } from '@nn/metrics';
 * console.log(await logCoshError(tensor([0, 0]), tensor([0, 0])).item()); // => 0
 */
export function logCoshError(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('logCoshError', logCoshOf, predictions, targets, weighting);
}

/**
 * The mean of log cosh(prediction - target): squares of small errors, sizes of large ones, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { LogCoshError } from '@nn/metrics';
 * const metric = new LogCoshError();
 * metric.update(tensor([0, 0]), tensor([0, 0]));
 * console.log((await metric.read()).epoch); // => 0
 */
export class LogCoshError extends PairMetric {
  static override readonly name: string = 'LogCoshError';

  constructor() {
    super('log_cosh_error', logCoshOf);
  }
}

/**
 * The root of the mean of (prediction - target)^2 over all elements: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { rootMeanSquaredError } from '@nn/metrics';
 * console.log(await rootMeanSquaredError(tensor([1, 2]), tensor([4, 5])).item()); // => 3
 */
export function rootMeanSquaredError(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('rootMeanSquaredError', squared, predictions, targets, weighting).sqrt();
}

/**
 * The root of the mean of (prediction - target)^2, over all updates: not the mean of the batches' roots.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { RootMeanSquaredError } from '@nn/metrics';
 * const metric = new RootMeanSquaredError();
 * metric.update(tensor([1, 2]), tensor([4, 5]));
 * console.log((await metric.read()).epoch); // => 3
 */
export class RootMeanSquaredError extends PairMetric {
  static override readonly name: string = 'RootMeanSquaredError';

  constructor() {
    super('root_mean_squared_error', squared);
  }

  protected override finish(mean: number): number {
    return Math.sqrt(mean);
  }
}

/** Per row [..., features] the cosine of the angle; 0 where a side is 0. */
const cosineOf: PairFormula = (operation, p, t) => {
  requireSameShape(operation, p, t);
  const whole = p.norm(-1).mul(t.norm(-1));
  return p
    .mul(t)
    .sum(-1)
    .div(whole.add(whole.equal(0)));
};

/**
 * The mean cosine of predictions and targets [N, features] over their last axis: 0-d. Weights are one per row.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { cosineSimilarity } from '@nn/metrics';
 * console.log((await cosineSimilarity(tensor([[3, 4]]), tensor([[4, 3]])).item()).toFixed(2)); // => 0.96
 */
export function cosineSimilarity(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('cosineSimilarity', cosineOf, predictions, targets, weighting);
}

/**
 * The mean cosine of predictions and targets [N, features], over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { CosineSimilarity } from '@nn/metrics';
 * const metric = new CosineSimilarity();
 * metric.update(tensor([[3, 4]]), tensor([[4, 3]]));
 * console.log((await metric.read()).epoch.toFixed(2)); // => 0.96
 */
export class CosineSimilarity extends PairMetric {
  static override readonly name: string = 'CosineSimilarity';

  constructor() {
    super('cosine_similarity', cosineOf, true);
  }
}
