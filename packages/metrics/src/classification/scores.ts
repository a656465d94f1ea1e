/**
 * Precision, recall and their kin: one formula, one function of tensors and one class each.
 * What predictions mean is labels.ts, the averages are counts.ts.
 */
import { checkOptions, type Tensor, ValueError, where } from '@nn/core';
import type { Weighting } from '../inputs.ts';
import { type Numbers, type Quantity, ratio } from '../quantity.ts';
import {
  type Average,
  CountMetric,
  type Counts,
  countMarks,
  type Formula,
  ScoreMetric,
  type ScoreOptions,
  scoreOf,
} from './counts.ts';
import { type MarkOptions, marksOf, type PredictionOptions, predictionOptions } from './labels.ts';

const precisionOf: Formula = ({ hits, predicted }) => ratio(hits, predicted);
const recallOf: Formula = ({ hits, actual }) => ratio(hits, actual);
// of those that are not of the class, how many are not predicted to be
const specificityOf: Formula = ({ hits, predicted, actual, total }) =>
  ratio(total.sub(predicted).sub(actual).add(hits), total.sub(actual));
// of those that are not predicted to be of the class, how many are not
const negativeOf: Formula = ({ hits, predicted, actual, total }) =>
  ratio(total.sub(predicted).sub(actual).add(hits), total.sub(predicted));
const jaccardOf: Formula = ({ hits, predicted, actual }) => ratio(hits, predicted.add(actual).sub(hits));

/** (1 + b^2) P R / (b^2 P + R) = (1 + b^2) hits / (b^2 actual + predicted) */
function betaFormula(operation: string, beta: number): Formula {
  if (!(beta > 0)) throw new ValueError(operation, `beta is ${beta}: it must be above 0.`, { beta });
  return ({ hits, predicted, actual }) => ratio(hits.mul(1 + beta ** 2), actual.mul(beta ** 2).add(predicted));
}

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
  return scoreOf('f1Score', betaFormula('f1Score', 1), predictions, targets, options);
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
    super('f1', betaFormula('F1Score', 1), options);
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
  return scoreOf('fBetaScore', betaFormula('fBetaScore', options.beta), predictions, targets, options);
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
    super('f_beta', betaFormula('FBetaScore', options.beta), options, ['beta']);
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

/** How often each class was found, missed, and taken for another. */
export interface Outcomes {
  readonly truePositives: number[];
  readonly falsePositives: number[];
  readonly trueNegatives: number[];
  readonly falseNegatives: number[];
  /** Occurrences in the targets. */
  readonly support: number[];
}

/**
 * True and false positives and negatives of each class, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { OutcomeCounts } from '@nn/metrics';
 * const metric = new OutcomeCounts({ from: 'probabilities' });
 * metric.update(tensor([0.9, 0.8, 0.1]), tensor([1, 0, 0]));
 * console.log((await metric.read()).epoch.falsePositives); // => [ 1 ]
 */
export class OutcomeCounts extends CountMetric<Outcomes> {
  static override readonly name: string = 'OutcomeCounts';

  constructor(options: MarkOptions = {}) {
    checkOptions('OutcomeCounts', options, [...predictionOptions, 'soft']);
    super('outcomes', options, false, null);
  }

  protected override valueFrom({ hits, predicted, actual, total }: Counts<Numbers>): Outcomes {
    return {
      truePositives: [...hits.values],
      falsePositives: [...predicted.sub(hits).values],
      trueNegatives: [...total.sub(predicted).sub(actual).add(hits).values],
      falseNegatives: [...actual.sub(hits).values],
      support: [...actual.values],
    };
  }
}

export interface BalancedAccuracyOptions extends PredictionOptions {
  /** Whether chance is 0 and perfection 1: (a - 1/k) / (1 - 1/k). Default false. */
  readonly adjusted?: boolean;
}

function balanced<Q extends Quantity<Q>>({ hits, actual }: Counts<Q>, adjusted: boolean): Q {
  const classes = actual.equal(0).mul(-1).add(1).sum();
  const mean = ratio(ratio(hits, actual).sum(), classes);
  if (!adjusted) return mean;
  const chance = ratio(classes.mul(0).add(1), classes);
  return ratio(mean.sub(chance), chance.mul(-1).add(1));
}

/** Counts of both classes, or of all, as tensors. */
function countsOf(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: MarkOptions & Weighting,
): Counts<Tensor> {
  const rows = countMarks(marksOf(operation, predictions, targets, options, true));
  return { hits: rows.at(0), predicted: rows.at(1), actual: rows.at(2), total: rows.at(3) };
}

/**
 * The mean recall of the classes that occur in the targets: 0-d. As scikit-learn's `balanced_accuracy_score`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { balancedAccuracy } from '@nn/metrics';
 * const value = balancedAccuracy(tensor([0.9, 0.1, 0.2, 0.3]), tensor([1, 1, 0, 0]), { from: 'probabilities' });
 * console.log(await value.item()); // => 0.75
 */
export function balancedAccuracy(
  predictions: Tensor,
  targets: Tensor,
  options: BalancedAccuracyOptions & Weighting = {},
): Tensor {
  checkOptions('balancedAccuracy', options, [...predictionOptions, 'adjusted', 'weights', 'mask']);
  return balanced(countsOf('balancedAccuracy', predictions, targets, options), options.adjusted ?? false);
}

/**
 * The mean recall of the classes that occur, over all updates: what accuracy is when all classes are equally frequent.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { BalancedAccuracy } from '@nn/metrics';
 * const metric = new BalancedAccuracy({ from: 'probabilities' });
 * metric.update(tensor([0.9, 0.1, 0.2, 0.3]), tensor([1, 1, 0, 0]));
 * console.log((await metric.read()).epoch); // => 0.75
 */
export class BalancedAccuracy extends CountMetric<number> {
  static override readonly name: string = 'BalancedAccuracy';

  readonly #adjusted: boolean;

  constructor(options: BalancedAccuracyOptions = {}) {
    checkOptions('BalancedAccuracy', options, [...predictionOptions, 'adjusted']);
    super('balanced_accuracy', options, true);
    this.#adjusted = options.adjusted ?? false;
  }

  protected override valueFrom(counts: Counts<Numbers>): number {
    return balanced(counts, this.#adjusted).first;
  }
}

/**
 * The geometric mean of the recalls of the classes that occur in the targets: 0-d, 0 as soon as one class is never found.
 * (Kubat and Matwin 1997.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { geometricMean } from '@nn/metrics';
 * const value = geometricMean(tensor([0.9, 0.1, 0.2, 0.3]), tensor([1, 1, 0, 0]), { from: 'probabilities' });
 * console.log((await value.item()).toFixed(4)); // => 0.7071
 */
export function geometricMean(
  predictions: Tensor,
  targets: Tensor,
  options: PredictionOptions & Weighting = {},
): Tensor {
  checkOptions('geometricMean', options, [...predictionOptions, 'weights', 'mask']);
  const { hits, actual } = countsOf('geometricMean', predictions, targets, options);
  const occurs = actual.greater(0);
  const logarithms = where(occurs, ratio(hits, actual).log(), 0);
  return logarithms.sum().div(occurs.cast('float32').sum()).exp();
}

/**
 * The geometric mean of the recalls of the classes that occur, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { GeometricMean } from '@nn/metrics';
 * const metric = new GeometricMean({ from: 'probabilities' });
 * metric.update(tensor([0.9, 0.1, 0.2, 0.3]), tensor([1, 1, 0, 0]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.7071
 */
export class GeometricMean extends CountMetric<number> {
  static override readonly name: string = 'GeometricMean';

  constructor(options: PredictionOptions = {}) {
    checkOptions('GeometricMean', options, predictionOptions);
    super('geometric_mean', options, true);
  }

  protected override valueFrom({ hits, actual }: Counts<Numbers>): number {
    const recalls = hits.div(actual).values.filter((value) => !Number.isNaN(value));
    return recalls.reduce((product, value) => product * value, 1) ** (1 / recalls.length);
  }
}

function matthews<Q extends Quantity<Q>>({ hits, predicted, actual, total }: Counts<Q>): Q {
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
  return matthews(countsOf('matthewsCorrelation', predictions, targets, options));
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
    super('matthews_correlation', options, true);
  }

  protected override valueFrom(counts: Counts<Numbers>): number {
    return matthews(counts).first;
  }
}

export interface ShotRecallOptions extends PredictionOptions {
  /** How many samples of each class there are in the training data. */
  readonly counts: readonly number[];
  /** Classes with more are 'many'. Default 100. */
  readonly many?: number;
  /** Classes with fewer are 'few'. Default 20. */
  readonly few?: number;
}

/** Mean recalls; NaN for a group without a class. */
export interface ShotRecalls {
  readonly all: number;
  readonly many: number;
  readonly medium: number;
  readonly few: number;
}

/**
 * The mean recall of frequent, middling and rare classes, over all updates: what long-tailed learning reports. (Liu et al. 2019.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ShotRecall } from '@nn/metrics';
 * const metric = new ShotRecall({ counts: [500, 50, 5] });
 * metric.update(tensor([0, 1, 0], { dtype: 'int32' }), tensor([0, 1, 2]));
 * console.log((await metric.read()).epoch.few); // => 0
 */
export class ShotRecall extends CountMetric<ShotRecalls> {
  static override readonly name: string = 'ShotRecall';

  readonly #counts: readonly number[];
  readonly #many: number;
  readonly #few: number;

  constructor(options: ShotRecallOptions) {
    checkOptions('ShotRecall', options, [...predictionOptions, 'counts', 'many', 'few']);
    const { counts, many = 100, few = 20, ...rest } = options;
    super('shot_recall', { classes: counts.length, ...rest }, true);
    if (!(few <= many)) throw new ValueError('ShotRecall', `few is ${few}, many ${many}: few must not be above many.`);
    [this.#counts, this.#many, this.#few] = [counts, many, few];
  }

  protected override valueFrom({ hits, actual }: Counts<Numbers>): ShotRecalls {
    const recalls = hits.div(actual).values;
    const mean = (isIn: (count: number) => boolean): number => {
      const chosen = recalls.filter((value, c) => !Number.isNaN(value) && isIn(this.#counts[c] ?? 0));
      return chosen.reduce((total, value) => total + value, 0) / chosen.length;
    };
    return {
      all: mean(() => true),
      many: mean((count) => count > this.#many),
      medium: mean((count) => count <= this.#many && count >= this.#few),
      few: mean((count) => count < this.#few),
    };
  }
}
