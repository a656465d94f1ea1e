/**
 * Means of the recalls of classes, in which a rare class counts as much as a frequent one: balanced accuracy, the geometric
 * mean, and the recalls of long-tailed learning.
 */
import { checkOptions, type Tensor, ValueError, where } from '@nn/core';
import type { Weighting } from '../inputs.ts';
import { Numbers, type Quantity, ratio } from '../quantity.ts';
import { countTensors } from './count-tensors.ts';
import { CountMetric, type Counts } from './counts.ts';
import { type PredictionOptions, predictionOptions } from './labels.ts';

/** NaN where a class did not occur. */
function recallsOf(hits: readonly number[], actual: readonly number[]): number[] {
  return hits.map((count, c) => count / actual[c]!);
}

export interface BalancedAccuracyOptions extends PredictionOptions {
  /** Whether chance is 0 and perfection 1: (a - 1/k) / (1 - 1/k). Default false. */
  readonly adjusted?: boolean;
}

function balanced<Q extends Quantity<Q>>(hits: Q, actual: Q, adjusted: boolean): Q {
  const classes = actual.equal(0).mul(-1).add(1).sum();
  const mean = ratio(ratio(hits, actual).sum(), classes);
  if (!adjusted) return mean;
  const chance = ratio(classes.mul(0).add(1), classes);
  return ratio(mean.sub(chance), chance.mul(-1).add(1));
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
  const [hits, , actual] = countTensors('balancedAccuracy', predictions, targets, options);
  return balanced(hits, actual, options.adjusted ?? false);
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
    super('balanced_accuracy', options, 'none');
    this.#adjusted = options.adjusted ?? false;
  }

  protected override valueFrom([hits, , actual]: Counts<number[]>): number {
    return balanced(new Numbers(hits), new Numbers(actual), this.#adjusted).first;
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
  const [hits, , actual] = countTensors('geometricMean', predictions, targets, options);
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
    super('geometric_mean', options, 'none');
  }

  protected override valueFrom([hits, , actual]: Counts<number[]>): number {
    const recalls = recallsOf(hits, actual).filter((value) => !Number.isNaN(value));
    return recalls.reduce((product, value) => product * value, 1) ** (1 / recalls.length);
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
    super('shot_recall', { classes: counts.length, ...rest }, 'none');
    if (!(few <= many)) throw new ValueError('ShotRecall', `few is ${few}, many ${many}: few must not be above many.`);
    [this.#counts, this.#many, this.#few] = [counts, many, few];
  }

  protected override valueFrom([hits, , actual]: Counts<number[]>): ShotRecalls {
    const recalls = recallsOf(hits, actual);
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
