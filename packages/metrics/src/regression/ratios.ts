/** The weighted absolute percentage error: a quotient of two sums. */
import { checkOptions, type Tensor, where } from '@nn/core';
import { type Batch, checkWeighting, requireSameShape, sumsOf, type Weighting, weightsOf } from '../inputs.ts';
import { SumMetric } from '../sum-metric.ts';

/** The sums of |prediction - target| and of |target|: [2, 1]. */
function errorAndSize(operation: string, predictions: Tensor, targets: Tensor, weighting: Weighting): Tensor {
  requireSameShape(operation, predictions, targets);
  const weights = weightsOf(operation, targets.shape, weighting);
  const n = [targets.size];
  const terms = [predictions.sub(targets).abs(), targets.cast('float32').abs()].map((term) => {
    return (weights === null ? term : where(weights.equal(0), 0, term)).reshape(n);
  });
  return sumsOf(terms, n, weights?.reshape(n) ?? null).reshape([2, 1]);
}

/**
 * The sum of |prediction - target| over the sum of |target|: 0-d. Unlike the mean percentage it bears targets near 0.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { weightedAbsolutePercentageError } from '@nn/metrics';
 * console.log(await weightedAbsolutePercentageError(tensor([1, 1]), tensor([0, 4])).item()); // => 1
 */
export function weightedAbsolutePercentageError(
  predictions: Tensor,
  targets: Tensor,
  weighting: Weighting = {},
): Tensor {
  checkOptions('weightedAbsolutePercentageError', weighting, ['weights', 'mask']);
  const sums = errorAndSize('weightedAbsolutePercentageError', predictions, targets, weighting);
  return sums.at(0, 0).div(sums.at(1, 0));
}

/**
 * The sum of |prediction - target| over the sum of |target|, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { WeightedAbsolutePercentageError } from '@nn/metrics';
 * const metric = new WeightedAbsolutePercentageError();
 * metric.update(tensor([1, 1]), tensor([0, 4]));
 * console.log((await metric.read()).epoch); // => 1
 */
export class WeightedAbsolutePercentageError extends SumMetric<Batch, number> {
  static override readonly name: string = 'WeightedAbsolutePercentageError';

  constructor() {
    super('weighted_absolute_percentage_error', false);
  }

  protected override measure(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
    return errorAndSize('WeightedAbsolutePercentageError', predictions, targets, checkWeighting(this, weighting));
  }

  protected override compute([error = 0, size = 0]: Float64Array): number {
    return error / size;
  }
}
