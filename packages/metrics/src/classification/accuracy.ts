/** Shares of right answers: accuracy, top-k accuracy, exact match and Hamming loss. Each is a mean of one number per element. */
import { arange, checkOptions, type Tensor, ValueError, where } from '@nn/core';
import type { Weighting } from '../inputs.ts';
import { type Elements, MeanMetric, meanOf } from '../mean-metric.ts';
import {
  classesFirst,
  isPositive,
  kindOf,
  labelsOf,
  marksOf,
  outsideOf,
  type PredictionOptions,
  predictionOptions,
  weightsFor,
} from './labels.ts';

type Batch = readonly [predictions: Tensor, targets: Tensor, weighting?: Weighting];

/** Values that poison a mean where a target is no label: an infinite share cannot be overlooked. */
function marked(values: Tensor, isOutside: Tensor): Tensor {
  return where(isOutside, Number.POSITIVE_INFINITY, values.cast('float32'));
}

/** The share of a metric; throws where a target was no label. */
function checked(metric: object, mean: number): number {
  if (mean !== Number.POSITIVE_INFINITY) return mean;
  throw new ValueError(
    String(metric),
    'some targets or predicted labels are no class: check the number of classes, or set ignoreIndex.',
  );
}

function rightOf(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: PredictionOptions & Weighting,
): Elements {
  if (kindOf(operation, predictions, targets, options) === 'multilabel') {
    // every label is an element: nothing has to be laid out by columns
    const right = isPositive(operation, predictions, options).equal(targets.equal(1));
    return { values: marked(right, outsideOf(targets, 2)), weights: weightsFor(operation, targets, options) };
  }
  const { predicted, actual, weights, isOutside } = labelsOf(operation, predictions, targets, options);
  return { values: marked(predicted.equal(actual), isOutside), weights };
}

/**
 * The share of right answers: 0-d. Scores [N, classes, ...] with targets [N, ...], labels, or one score per sample.
 * With several labels per sample each counts on its own; `exactMatch` asks for all of them.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { accuracy } from '@nn/metrics';
 * console.log(await accuracy(tensor([[2, 1], [0, 3]]), tensor([0, 0])).item()); // => 0.5
 */
export function accuracy(predictions: Tensor, targets: Tensor, options: PredictionOptions & Weighting = {}): Tensor {
  checkOptions('accuracy', options, [...predictionOptions, 'weights', 'mask']);
  return meanOf(rightOf('accuracy', predictions, targets, options));
}

/**
 * The share of right answers, over all updates. For the mean over classes see `BalancedAccuracy`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Accuracy } from '@nn/metrics';
 * const accuracy = new Accuracy();
 * accuracy.update(tensor([[2, 1], [0, 3]]), tensor([0, 0]));
 * accuracy.update(tensor([[2, 1], [0, 3]]), tensor([0, 1]), { mask: tensor([true, false]) });
 * console.log((await accuracy.read()).epoch.toFixed(4)); // => 0.6667
 */
export class Accuracy extends MeanMetric<Batch> {
  static override readonly name: string = 'Accuracy';

  readonly #options: PredictionOptions;

  constructor(options: PredictionOptions = {}) {
    checkOptions('Accuracy', options, predictionOptions);
    super('accuracy', true);
    this.#options = options;
  }

  protected override elements(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    return rightOf('Accuracy', predictions, targets, { ...this.#options, ...weighting });
  }

  protected override finish(mean: number): number {
    return checked(this, mean);
  }
}

export interface TopKOptions extends Pick<PredictionOptions, 'axis' | 'ignoreIndex'> {
  /** How many guesses a sample has. */
  readonly k: number;
}

/** Whether fewer than k classes have a higher score, or the same and a lower number. */
function withinTopK(
  operation: string,
  scores: Tensor,
  targets: Tensor,
  { k, ...options }: TopKOptions & Weighting,
): Elements {
  if (!Number.isInteger(k) || k < 1)
    throw new ValueError(operation, `k is ${k}: it must be a whole number from 1.`, { k });
  const { actual, weights, classes, isOutside } = labelsOf(operation, scores, targets, options);
  const all = classesFirst(operation, scores, options);
  const safe = actual.clamp(0, classes - 1).unsqueeze(0);
  const own = all.takeAlong(safe, 0);
  const isFirst = all.equal(own).logicalAnd(arange(classes).reshape([classes, 1]).less(safe));
  const before = all.greater(own).logicalOr(isFirst).cast('int32').sum(0);
  return { values: marked(before.less(k), isOutside), weights };
}

/**
 * The share of samples whose class is among the k highest scores [N, classes, ...]: 0-d. Equal scores rank by class number.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { topKAccuracy } from '@nn/metrics';
 * console.log(await topKAccuracy(tensor([[3, 2, 1], [3, 2, 1]]), tensor([1, 2]), { k: 2 }).item()); // => 0.5
 */
export function topKAccuracy(scores: Tensor, targets: Tensor, options: TopKOptions & Weighting): Tensor {
  checkOptions('topKAccuracy', options, ['k', 'axis', 'ignoreIndex', 'weights', 'mask']);
  return meanOf(withinTopK('topKAccuracy', scores, targets, options));
}

/**
 * The share of samples whose class is among the k highest scores, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { TopKAccuracy } from '@nn/metrics';
 * const metric = new TopKAccuracy({ k: 2 });
 * metric.update(tensor([[3, 2, 1], [3, 2, 1]]), tensor([1, 2]));
 * console.log((await metric.read()).epoch); // => 0.5
 */
export class TopKAccuracy extends MeanMetric<Batch> {
  static override readonly name: string = 'TopKAccuracy';

  readonly #options: TopKOptions;

  constructor(options: TopKOptions) {
    checkOptions('TopKAccuracy', options, ['k', 'axis', 'ignoreIndex']);
    super(`top_${options.k}_accuracy`, true);
    this.#options = options;
  }

  protected override elements(scores: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    return withinTopK('TopKAccuracy', scores, targets, { ...this.#options, ...weighting });
  }

  protected override finish(mean: number): number {
    return checked(this, mean);
  }
}

/** 1 for each sample [N, labels] that has all labels right; weights are those of the samples. */
function allRight(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: PredictionOptions & Weighting,
): Elements {
  const { weights, mask, ...rest } = options;
  const { predicted, actual, isOutside } = marksOf(
    operation,
    predictions,
    targets,
    { task: 'multilabel', ...rest },
    false,
  );
  const right = predicted.equal(actual).cast('float32').min(0);
  const labels = targets.shape.at(-1) as number;
  const first = targets.reshape([targets.size / labels, labels]).at('...', 0);
  const { weights: kept } = labelsOf(operation, first.greater(0), first, { task: 'binary', weights, mask });
  return { values: marked(right, isOutside.any(0)), weights: kept };
}

/**
 * The share of samples [N, labels] whose labels are all right: 0-d. As scikit-learn's accuracy of several labels.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { exactMatch } from '@nn/metrics';
 * const value = exactMatch(tensor([[0.9, 0.1], [0.9, 0.8]]), tensor([[1, 0], [1, 0]]), { from: 'probabilities' });
 * console.log(await value.item()); // => 0.5
 */
export function exactMatch(predictions: Tensor, targets: Tensor, options: PredictionOptions & Weighting = {}): Tensor {
  checkOptions('exactMatch', options, ['from', 'threshold', 'weights', 'mask']);
  return meanOf(allRight('exactMatch', predictions, targets, options));
}

/**
 * The share of samples whose labels are all right, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ExactMatch } from '@nn/metrics';
 * const metric = new ExactMatch({ from: 'logits' });
 * metric.update(tensor([[2, -1], [3, 1]]), tensor([[1, 0], [1, 0]]));
 * console.log((await metric.read()).epoch); // => 0.5
 */
export class ExactMatch extends MeanMetric<Batch> {
  static override readonly name: string = 'ExactMatch';

  readonly #options: PredictionOptions;

  constructor(options: Pick<PredictionOptions, 'from' | 'threshold'> = {}) {
    checkOptions('ExactMatch', options, ['from', 'threshold']);
    super('exact_match', true);
    this.#options = options;
  }

  protected override elements(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    return allRight('ExactMatch', predictions, targets, { ...this.#options, ...weighting });
  }

  protected override finish(mean: number): number {
    return checked(this, mean);
  }
}

/**
 * The share of wrong labels: 0-d. As scikit-learn's `hamming_loss`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { hammingLoss } from '@nn/metrics';
 * const options = { from: 'probabilities', task: 'multilabel' } as const;
 * console.log(await hammingLoss(tensor([[0.9, 0.1], [0.9, 0.8]]), tensor([[1, 0], [1, 0]]), options).item()); // => 0.25
 */
export function hammingLoss(predictions: Tensor, targets: Tensor, options: PredictionOptions & Weighting = {}): Tensor {
  checkOptions('hammingLoss', options, [...predictionOptions, 'weights', 'mask']);
  const { values, weights } = rightOf('hammingLoss', predictions, targets, options);
  return meanOf({ values: values.neg().add(1), weights });
}

/**
 * The share of wrong labels, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { HammingLoss } from '@nn/metrics';
 * const metric = new HammingLoss({ from: 'probabilities', task: 'multilabel' });
 * metric.update(tensor([[0.9, 0.1], [0.9, 0.8]]), tensor([[1, 0], [1, 0]]));
 * console.log((await metric.read()).epoch); // => 0.25
 */
export class HammingLoss extends MeanMetric<Batch> {
  static override readonly name: string = 'HammingLoss';

  readonly #options: PredictionOptions;

  constructor(options: PredictionOptions = {}) {
    checkOptions('HammingLoss', options, predictionOptions);
    super('hamming_loss', false);
    this.#options = options;
  }

  protected override elements(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    return rightOf('HammingLoss', predictions, targets, { ...this.#options, ...weighting });
  }

  protected override finish(mean: number): number {
    return 1 - checked(this, mean);
  }
}
