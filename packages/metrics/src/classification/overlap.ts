/**
 * How far predictions and targets of a class are the same: F1, F-beta, Jaccard. One formula, one function of tensors and one
 * class each; with soft predictions the functions have gradients.
 */
import { type Tensor, ValueError } from '@nn/core';
import type { Weighting } from '../inputs.ts';
import { type Average, type Formula, ScoreMetric, type ScoreOptions, scoreOf } from './counts.ts';

// hits / (predicted + actual - hits)
const jaccardOf: Formula = [
  [1, 0, 0, 0],
  [-1, 1, 1, 0],
];

// 2 P R / (P + R) = 2 hits / (predicted + actual)
const f1Of: Formula = [
  [2, 0, 0, 0],
  [0, 1, 1, 0],
];

/** (1 + b^2) P R / (b^2 P + R) = (1 + b^2) hits / (b^2 actual + predicted) */
function betaFormula(operation: string, options: { readonly beta: number }): Formula {
  const { beta } = { ...options };
  if (!(beta > 0)) throw new ValueError(operation, `beta is ${beta}: it must be above 0.`, { beta });
  const square = beta ** 2;
  return [
    [1 + square, 0, 0, 0],
    [0, 1, square, 0],
  ];
}

/**
 * The harmonic mean of precision and recall: a 0-d tensor, or [classes] with average 'none'. The macro average is the mean
 * of the classes' F1, as in scikit-learn. With `soft: true` probabilities count as shares, and it has gradients (Dice).
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { f1Score } from '@nn/metrics';
 * const value = f1Score(tensor([0, 2, 1, 2], { dtype: 'int32' }), tensor([0, 1, 1, 2]), { classes: 3, average: 'macro' });
 * console.log((await value.item()).toFixed(4)); // => 0.7778
 */
export function f1Score(predictions: Tensor, targets: Tensor, options: ScoreOptions & Weighting = {}): Tensor {
  return scoreOf('f1Score', f1Of, predictions, targets, options);
}

/**
 * The harmonic mean of precision and recall, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { F1Score } from '@nn/metrics';
 * const metric = new F1Score({ average: 'macro' });
 * metric.update(tensor([[3, 1, 0], [0, 1, 2]]), tensor([0, 1]));
 * console.log((await metric.read()).epoch.toFixed(4), metric.absentClasses); // => 0.3333 []
 */
export class F1Score<A extends Average = 'macro'> extends ScoreMetric<A> {
  static override readonly name: string = 'F1Score';

  constructor(options: ScoreOptions<A> = {}) {
    super('f1', f1Of, options);
  }
}

export interface FBetaOptions<A extends Average = Average> extends ScoreOptions<A> {
  /** How much more recall counts than precision. */
  readonly beta: number;
}

/**
 * The weighted harmonic mean of precision and recall, in which recall counts `beta` times as much. (van Rijsbergen 1979.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { fBetaScore } from '@nn/metrics';
 * const value = fBetaScore(tensor([0.9, 0.8]), tensor([1, 0]), { beta: 2, from: 'probabilities' });
 * console.log((await value.item()).toFixed(4)); // => 0.8333
 */
export function fBetaScore(predictions: Tensor, targets: Tensor, options: FBetaOptions & Weighting): Tensor {
  return scoreOf('fBetaScore', betaFormula('fBetaScore', options), predictions, targets, options);
}

/**
 * The weighted harmonic mean of precision and recall, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { FBetaScore } from '@nn/metrics';
 * const metric = new FBetaScore({ beta: 2, from: 'probabilities' });
 * metric.update(tensor([0.9, 0.8]), tensor([1, 0]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.8333
 */
export class FBetaScore<A extends Average = 'macro'> extends ScoreMetric<A> {
  static override readonly name: string = 'FBetaScore';

  constructor(options: FBetaOptions<A>) {
    super('f_beta', betaFormula('FBetaScore', options), options, ['beta']);
  }
}

/**
 * Intersection over union of predictions and targets per class: a 0-d tensor, or [classes] with average 'none'. 'macro' is
 * the mean IoU of segmentation. With `soft: true` it has gradients. (Jaccard 1901.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { jaccard } from '@nn/metrics';
 * const value = jaccard(tensor([0.9, 0.8, 0.2]), tensor([1, 0, 0]), { from: 'probabilities' });
 * console.log(await value.item()); // => 0.5
 */
export function jaccard(predictions: Tensor, targets: Tensor, options: ScoreOptions & Weighting = {}): Tensor {
  return scoreOf('jaccard', jaccardOf, predictions, targets, options);
}

/**
 * Intersection over union per class, over all updates; 'macro' is the mean IoU.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Jaccard } from '@nn/metrics';
 * const meanIou = new Jaccard({ classes: 2, average: 'macro' });
 * meanIou.update(tensor([[0, 1], [1, 1]], { dtype: 'int32' }), tensor([[0, 1], [0, 1]]));
 * console.log((await meanIou.read()).epoch.toFixed(4)); // => 0.5833
 */
export class Jaccard<A extends Average = 'macro'> extends ScoreMetric<A> {
  static override readonly name: string = 'Jaccard';

  constructor(options: ScoreOptions<A> = {}) {
    super('jaccard', jaccardOf, options);
  }
}
