/** Shares of right answers: accuracy, top-k accuracy, exact match and Hamming loss. Each is a mean of one number per element. */
import { arange, checkOptions, ShapeError, showShape, type Tensor } from '@nn/core';
import { checkWeighting, checkWhole, type Weighting } from '../inputs.ts';
import type { Elements } from '../mean-metric.ts';
import { AnswerMetric, type AnswerValues, answerMean, elementsOf } from './answer-metric.ts';
import { answersOf, type PredictionOptions, predictionOptions } from './labels.ts';

const rightOf: AnswerValues<PredictionOptions> = (...given) => {
  const answers = answersOf(...given);
  return elementsOf(answers.predicted.equal(answers.actual), answers);
};

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
  return answerMean('accuracy', rightOf, predictionOptions, predictions, targets, options);
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
export class Accuracy extends AnswerMetric {
  static override readonly name: string = 'Accuracy';

  readonly #options: PredictionOptions;

  constructor(options: PredictionOptions = {}) {
    checkOptions('Accuracy', options, predictionOptions);
    super('accuracy', true);
    this.#options = options;
  }

  protected override elements(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    return rightOf('Accuracy', predictions, targets, { ...this.#options, ...checkWeighting(this, weighting) });
  }
}

export interface TopKOptions extends Pick<PredictionOptions, 'axis' | 'ignoreIndex'> {
  /** How many guesses a sample has. */
  readonly k: number;
}

const topKOptions = ['k', 'axis', 'ignoreIndex'];

/** Whether fewer than k classes have a higher score, or the same and a lower number. */
const withinTopK: AnswerValues<TopKOptions> = (operation, scores, targets, { k, ...options }) => {
  checkWhole(operation, 'k', k);
  const answers = answersOf(operation, scores, targets, options);
  const { scores: all, actual, classes, isBinary } = answers;
  if (all === null || isBinary) {
    throw new ShapeError(operation, `takes scores of several classes, got ${showShape(scores.shape)}.`, {
      scores: scores.shape,
    });
  }
  const own = all.takeAlong(actual, 0);
  const isFirst = all.equal(own).logicalAnd(arange(classes).reshape([classes, 1]).less(actual));
  const before = all.greater(own).logicalOr(isFirst).cast('int32').sum(0, { keepAxes: true });
  return elementsOf(before.less(k), answers);
};

/**
 * The share of samples whose class is among the k highest scores [N, classes, ...]: 0-d. Equal scores rank by class number.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { topKAccuracy } from '@nn/metrics';
 * console.log(await topKAccuracy(tensor([[3, 2, 1], [3, 2, 1]]), tensor([1, 2]), { k: 2 }).item()); // => 0.5
 */
export function topKAccuracy(scores: Tensor, targets: Tensor, options: TopKOptions & Weighting): Tensor {
  return answerMean('topKAccuracy', withinTopK, topKOptions, scores, targets, options);
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
export class TopKAccuracy extends AnswerMetric {
  static override readonly name: string = 'TopKAccuracy';

  readonly #options: TopKOptions;

  constructor(options: TopKOptions) {
    checkOptions('TopKAccuracy', options, topKOptions);
    super(`top_${options.k}_accuracy`, true);
    this.#options = options;
  }

  protected override elements(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    return withinTopK('TopKAccuracy', predictions, targets, { ...this.#options, ...checkWeighting(this, weighting) });
  }
}

const matchOptions = ['from', 'threshold'];

/** 1 for each sample [N, labels] that has all labels right; weights are those of the samples. */
const allRight: AnswerValues<PredictionOptions> = (operation, predictions, targets, options) => {
  const all = { task: 'multilabel', ...options } as const;
  const { predicted, actual, weights, flaw } = answersOf(operation, predictions, targets, all);
  const isRight = predicted.equal(actual);
  // labels that count nothing are right
  const values = (weights === null ? isRight : isRight.logicalOr(weights.equal(0))).all(0);
  return elementsOf(values, { weights: weights?.max(0) ?? null, flaw: flaw.sum(0) });
};

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
  return answerMean('exactMatch', allRight, matchOptions, predictions, targets, options);
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
export class ExactMatch extends AnswerMetric {
  static override readonly name: string = 'ExactMatch';

  readonly #options: PredictionOptions;

  constructor(options: Pick<PredictionOptions, 'from' | 'threshold'> = {}) {
    checkOptions('ExactMatch', options, matchOptions);
    super('exact_match', true);
    this.#options = options;
  }

  protected override elements(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    return allRight('ExactMatch', predictions, targets, { ...this.#options, ...checkWeighting(this, weighting) });
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
  return answerMean('hammingLoss', rightOf, predictionOptions, predictions, targets, options).neg().add(1);
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
export class HammingLoss extends AnswerMetric {
  static override readonly name: string = 'HammingLoss';

  readonly #options: PredictionOptions;

  constructor(options: PredictionOptions = {}) {
    checkOptions('HammingLoss', options, predictionOptions);
    super('hamming_loss', false);
    this.#options = options;
  }

  protected override elements(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    return rightOf('HammingLoss', predictions, targets, { ...this.#options, ...checkWeighting(this, weighting) });
  }

  protected override finish(mean: number): number {
    return 1 - mean;
  }
}
