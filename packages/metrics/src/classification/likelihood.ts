/** Scores of probabilities and margins: log loss, Brier score, hinge loss. Each is a mean of one number per sample. */
import { arange, checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { checkWeighting, type Weighting } from '../inputs.ts';
import type { Elements } from '../mean-metric.ts';
import { AnswerMetric, type AnswerValues, answerMean, elementsOf } from './answer-metric.ts';
import { type Answers, answersOf, areNoProbabilities, type PredictionOptions, scoresOf } from './labels.ts';
import { marksOf } from './marks.ts';

type Options = Omit<PredictionOptions, 'threshold'>;
/** One number per sample, or for each of several labels. */
type Loss = (answers: Answers, scores: Tensor) => Tensor;

const known = ['from', 'task', 'classes', 'axis', 'ignoreIndex'];

/** 2^-24. The largest finite loss of a probability of 0 in float32: -log of its smallest step below 1. */
const smallest = 5.960464477539063e-8;

/** Scores of one question with the sign of the truth. */
function signed({ actual }: Answers, scores: Tensor): Tensor {
  return where(actual.equal(1), scores, scores.neg());
}

/** What is predicted for the right class: [1, n]. */
function ownOf({ actual }: Answers, scores: Tensor): Tensor {
  return scores.takeAlong(actual, 0);
}

const logLossOf: Loss = (answers, scores) => {
  const { isLogits, isBinary, actual } = answers;
  // log(1 + exp(-+x)) of logits needs no probability
  if (isBinary && isLogits) return signed(answers, scores).neg().softplus();
  const shares = isBinary ? where(actual.equal(1), scores, scores.neg().add(1)) : scores;
  const logarithms = isLogits ? shares.logSoftmax(0) : shares.maximum(smallest).log();
  return (isBinary ? logarithms : ownOf(answers, logarithms)).neg();
};

const brierOf: Loss = (answers) => {
  const { predicted, actual } = marksOf(answers, false, true);
  const errors = predicted.sub(actual.cast('float32')).square();
  return answers.isBinary ? errors : errors.sum(0, { keepAxes: true });
};

/** Of margins: 1 - (own - best other), or 1 - y x for one score; 0 from 1 on. (Crammer and Singer 2001.) */
const hingeOf: Loss = (answers, scores) => {
  const { isBinary, classes, actual } = answers;
  const others = (): Tensor => where(arange(classes).reshape([classes, 1]).equal(actual), -3e38, scores);
  const margin = isBinary ? signed(answers, scores) : ownOf(answers, scores).sub(others().max(0, { keepAxes: true }));
  return margin.neg().add(1).relu();
};

/** A loss of scores that are said to be logits or probabilities. */
const lossOf = (loss: Loss): AnswerValues<Options> => {
  return (operation, predictions, targets, options) => {
    const answers = answersOf(operation, predictions, targets, options, true);
    const { isBinary, isLogits, weights, flaw } = answers;
    const scores = scoresOf(operation, answers);
    if (isBinary || isLogits) return elementsOf(loss(answers, scores), answers);
    const isNone = areNoProbabilities(scores).any(0, { keepAxes: true });
    const counts = weights === null ? isNone : isNone.logicalAnd(weights.notEqual(0));
    return elementsOf(loss(answers, scores), { weights, flaw: where(counts, Number.POSITIVE_INFINITY, flaw) });
  };
};

const logLosses = /* @__PURE__ */ lossOf(logLossOf);
const brierLosses = /* @__PURE__ */ lossOf(brierOf);

/** Of scores as they are. */
const hingeLosses: AnswerValues<Options> = (operation, predictions, targets, options) => {
  const { from = 'logits' } = options;
  if (from === 'logits') return lossOf(hingeOf)(operation, predictions, targets, { ...options, from });
  throw new ValueError(operation, `the hinge loss is of margins, not of ${from}: give the model's scores as they are.`);
};

/** The mean of a loss over all updates. */
abstract class LossMetric extends AnswerMetric {
  readonly #lossesOf: AnswerValues<Options>;
  readonly #options: Options;

  constructor(name: string, lossesOf: AnswerValues<Options>, options: Options) {
    checkOptions(new.target.name, options, known);
    super(name, false);
    this.#lossesOf = lossesOf;
    this.#options = options;
  }

  protected override elements(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    return this.#lossesOf(String(this), predictions, targets, { ...this.#options, ...checkWeighting(this, weighting) });
  }
}

/**
 * The mean of -log of the probability of the right class (cross entropy), from logits exactly. 0-d, with gradients.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { logLoss } from '@nn/metrics';
 * console.log((await logLoss(tensor([0.8]), tensor([1]), { from: 'probabilities' }).item()).toFixed(4)); // => 0.2231
 */
export function logLoss(predictions: Tensor, targets: Tensor, options: Options & Weighting = {}): Tensor {
  return answerMean('logLoss', logLosses, known, predictions, targets, options);
}

/**
 * The mean of -log of the probability of the right class (cross entropy), from logits exactly. Over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { LogLoss } from '@nn/metrics';
 * const metric = new LogLoss({ from: 'probabilities' });
 * metric.update(tensor([0.8]), tensor([1]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.2231
 */
export class LogLoss extends LossMetric {
  static override readonly name: string = 'LogLoss';

  constructor(options: Options = {}, name = 'log_loss') {
    super(name, logLosses, options);
  }
}

/**
 * The mean squared error of probabilities; with several classes summed over them. (Brier 1950.) 0-d, with gradients.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { brierScore } from '@nn/metrics';
 * console.log((await brierScore(tensor([0.8]), tensor([1]), { from: 'probabilities' }).item()).toFixed(4)); // => 0.0400
 */
export function brierScore(predictions: Tensor, targets: Tensor, options: Options & Weighting = {}): Tensor {
  return answerMean('brierScore', brierLosses, known, predictions, targets, options);
}

/**
 * The mean squared error of probabilities; with several classes summed over them. (Brier 1950.) Over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { BrierScore } from '@nn/metrics';
 * const metric = new BrierScore({ from: 'probabilities' });
 * metric.update(tensor([0.8]), tensor([1]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.0400
 */
export class BrierScore extends LossMetric {
  static override readonly name: string = 'BrierScore';

  constructor(options: Options = {}) {
    super('brier_score', brierLosses, options);
  }
}

/**
 * The mean of how much margins are short of 1; with several classes against the best other one. 0-d, with gradients.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { hingeLoss } from '@nn/metrics';
 * console.log((await hingeLoss(tensor([0.8]), tensor([1]), { from: 'logits' }).item()).toFixed(4)); // => 0.2000
 */
export function hingeLoss(predictions: Tensor, targets: Tensor, options: Options & Weighting = {}): Tensor {
  return answerMean('hingeLoss', hingeLosses, known, predictions, targets, options);
}

/**
 * The mean of how much margins are short of 1; with several classes against the best other one. Over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { HingeLoss } from '@nn/metrics';
 * const metric = new HingeLoss({ from: 'logits' });
 * metric.update(tensor([0.8]), tensor([1]));
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.2000
 */
export class HingeLoss extends LossMetric {
  static override readonly name: string = 'HingeLoss';

  constructor(options: Options = {}) {
    super('hinge_loss', hingeLosses, options);
  }
}
