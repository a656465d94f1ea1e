/** Matthews' correlation: one formula for tensors and for float64 counts, of any number of classes. */
import { checkOptions, type Tensor } from '@nn/core';
import type { Weighting } from '../inputs.ts';
import { Numbers, type Quantity, ratio } from '../quantity.ts';
import { countTensors } from './count-tensors.ts';
import { CountMetric, type Counts } from './counts.ts';
import { type PredictionOptions, predictionOptions } from './labels.ts';

function matthews<Q extends Quantity<Q>>([hits, predicted, actual, total]: Counts<Q>): Q {
  // shares, so that float32 does not have to hold squares of counts
  const [p, t] = [ratio(predicted, total), ratio(actual, total)];
  const covariance = (a: Q, b: Q, agreement: Q): Q => agreement.sub(a.mul(b).sum());
  const one = ratio(total, total).sum().equal(0).mul(-1).add(1);
  const spread = covariance(p, p, one)
    .mul(covariance(t, t, one))
    .maximum(0)
    .sqrt();
  return ratio(covariance(p, t, ratio(hits, total).sum()), spread);
}

/**
 * Matthews' correlation of predictions and targets, for any number of classes the statistic R_K: 0-d, -1 to 1, and 0 where
 * one side is constant. (Gorodkin 2004.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { matthewsCorrelation } from '@nn/metrics';
 * const value = matthewsCorrelation(tensor([2, 1, 0, 1], { dtype: 'int32' }), tensor([2, 1, 0, 0]), { classes: 3 });
 * console.log((await value.item()).toFixed(4)); // => 0.7000
 */
export function matthewsCorrelation(
  predictions: Tensor,
  targets: Tensor,
  options: PredictionOptions & Weighting = {},
): Tensor {
  checkOptions('matthewsCorrelation', options, [...predictionOptions, 'weights', 'mask']);
  return matthews(countTensors('matthewsCorrelation', predictions, targets, options));
}

/**
 * Matthews' correlation of predictions and targets, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { MatthewsCorrelation } from '@nn/metrics';
 * const metric = new MatthewsCorrelation({ classes: 3 });
 * metric.update(tensor([2, 1, 0, 1], { dtype: 'int32' }), tensor([2, 1, 0, 0]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.7000
 */
export class MatthewsCorrelation extends CountMetric<number> {
  static override readonly name: string = 'MatthewsCorrelation';

  constructor(options: PredictionOptions = {}) {
    checkOptions('MatthewsCorrelation', options, predictionOptions);
    super('matthews_correlation', options, 'none');
  }

  protected override valueFrom([hits, predicted, actual, total]: Counts<number[]>): number {
    return matthews([new Numbers(hits), new Numbers(predicted), new Numbers(actual), new Numbers(total)]).first;
  }
}
