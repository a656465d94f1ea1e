/**
 * Shares of one class: precision, recall, specificity, negative predictive value. One formula, one function of tensors and one
 * class each. What predictions mean is labels.ts, the averages are counts.ts.
 */
import type { Tensor } from '@nn/core';
import type { Weighting } from '../inputs.ts';
import { type Average, type Formula, ScoreMetric, type ScoreOptions, scoreOf } from './counts.ts';

// hits / predicted
const precisionOf: Formula = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
];
// hits / actual
const recallOf: Formula = [
  [1, 0, 0, 0],
  [0, 0, 1, 0],
];
// of those that are not of the class, how many are not predicted to be
const specificityOf: Formula = [
  [1, -1, -1, 1],
  [0, 0, -1, 1],
];
// of those that are not predicted to be of the class, how many are not
const negativeOf: Formula = [
  [1, -1, -1, 1],
  [0, -1, 0, 1],
];

/**
 * The share of predictions of a class that are right: a 0-d tensor, or [classes] with average 'none'. 0 where none was predicted.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { precision } from '@nn/metrics';
 * const value = precision(tensor([0.9, 0.8, 0.1]), tensor([1, 0, 0]), { from: 'probabilities' });
 * console.log(await value.item()); // => 0.5
 */
export function precision(predictions: Tensor, targets: Tensor, options: ScoreOptions & Weighting = {}): Tensor {
  return scoreOf('precision', precisionOf, predictions, targets, options);
}

/**
 * The share of predictions of a class that are right, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Precision } from '@nn/metrics';
 * const metric = new Precision({ from: 'logits' });
 * metric.update(tensor([2, 1, -3]), tensor([1, 0, 0]));
 * console.log((await metric.read()).epoch); // => 0.5
 */
export class Precision<A extends Average = 'macro'> extends ScoreMetric<A> {
  static override readonly name: string = 'Precision';

  constructor(options: ScoreOptions<A> = {}) {
    super('precision', precisionOf, options);
  }
}

/**
 * The share of a class that is found, also called sensitivity or true positive rate: a 0-d tensor, or [classes] with average 'none'.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { recall } from '@nn/metrics';
 * const value = recall(tensor([0.9, 0.2, 0.1]), tensor([1, 1, 0]), { from: 'probabilities' });
 * console.log(await value.item()); // => 0.5
 */
export function recall(predictions: Tensor, targets: Tensor, options: ScoreOptions & Weighting = {}): Tensor {
  return scoreOf('recall', recallOf, predictions, targets, options);
}

/**
 * The share of a class that is found, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Recall } from '@nn/metrics';
 * const metric = new Recall({ average: 'none', classes: 2 });
 * metric.update(tensor([0, 1, 1], { dtype: 'int32' }), tensor([0, 0, 1]));
 * console.log((await metric.read()).epoch); // => [ 0.5, 1 ]
 */
export class Recall<A extends Average = 'macro'> extends ScoreMetric<A> {
  static override readonly name: string = 'Recall';

  constructor(options: ScoreOptions<A> = {}) {
    super('recall', recallOf, options);
  }
}

/**
 * The share of what is not of a class that is not taken for it (true negative rate): a 0-d tensor, or [classes].
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { specificity } from '@nn/metrics';
 * const value = specificity(tensor([0.9, 0.2, 0.1]), tensor([0, 1, 0]), { from: 'probabilities' });
 * console.log(await value.item()); // => 0.5
 */
export function specificity(predictions: Tensor, targets: Tensor, options: ScoreOptions & Weighting = {}): Tensor {
  return scoreOf('specificity', specificityOf, predictions, targets, options);
}

/**
 * The share of what is not of a class that is not taken for it, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Specificity } from '@nn/metrics';
 * const metric = new Specificity({ from: 'probabilities' });
 * metric.update(tensor([0.9, 0.2, 0.1]), tensor([0, 1, 0]));
 * console.log((await metric.read()).epoch); // => 0.5
 */
export class Specificity<A extends Average = 'macro'> extends ScoreMetric<A> {
  static override readonly name: string = 'Specificity';

  constructor(options: ScoreOptions<A> = {}) {
    super('specificity', specificityOf, options);
  }
}

/**
 * The share of what is not predicted to be of a class that is not of it: a 0-d tensor, or [classes].
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { negativePredictiveValue } from '@nn/metrics';
 * const value = negativePredictiveValue(tensor([0.9, 0.2, 0.1]), tensor([1, 1, 0]), { from: 'probabilities' });
 * console.log(await value.item()); // => 0.5
 */
export function negativePredictiveValue(
  predictions: Tensor,
  targets: Tensor,
  options: ScoreOptions & Weighting = {},
): Tensor {
  return scoreOf('negativePredictiveValue', negativeOf, predictions, targets, options);
}

/**
 * The share of what is not predicted to be of a class that is not of it, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { NegativePredictiveValue } from '@nn/metrics';
 * const metric = new NegativePredictiveValue({ from: 'probabilities' });
 * metric.update(tensor([0.9, 0.2, 0.1]), tensor([1, 1, 0]));
 * console.log((await metric.read()).epoch); // => 0.5
 */
export class NegativePredictiveValue<A extends Average = 'macro'> extends ScoreMetric<A> {
  static override readonly name: string = 'NegativePredictiveValue';

  constructor(options: ScoreOptions<A> = {}) {
    super('negative_predictive_value', negativeOf, options);
  }
}
