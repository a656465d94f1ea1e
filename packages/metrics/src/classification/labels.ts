/**
 * What predictions mean: scores per class, one score per sample, or labels; and what of them is right. Every metric of
 * classification starts here, so all read predictions alike. Owns the options and their errors, no formula.
 */
import { arange, type Shape, ShapeError, type Tensor, ValueError, where } from '@nn/core';
import { requireSameShape, sameShape, show, type Weighting, weightsOf } from '../inputs.ts';
import { MeanMetric } from '../mean-metric.ts';

/** How predictions are given. */
export interface PredictionOptions {
  /**
   * What the predictions are. Needed where it changes the result: one score per sample, or `soft`. Never guessed from the
   * values. int32 and bool predictions are labels.
   */
  readonly from?: 'logits' | 'probabilities' | 'labels';
  /** 'multilabel': each column of [N, labels] is a question of its own. Inferred where shapes tell. */
  readonly task?: 'binary' | 'multiclass' | 'multilabel';
  /** The number of classes: needed for labels, read from the shape of scores. */
  readonly classes?: number;
  /** The axis of classes in scores: 1 by default, as in `crossEntropy`; -1 for [N, time, classes]. */
  readonly axis?: number;
  /** The probability from which a binary prediction is positive (more than it). Default 0.5. */
  readonly threshold?: number;
  /** Targets with this label count nothing. */
  readonly ignoreIndex?: number;
}

export const predictionOptions = ['from', 'task', 'classes', 'axis', 'threshold', 'ignoreIndex'] as const;

export type Batch = readonly [predictions: Tensor, targets: Tensor, weighting?: Weighting];

/** Predictions and targets as [questions, n]: one question per sample, or one for each of several labels. */
export interface Answers {
  /** Labels are numbers below it. */
  readonly classes: number;
  /** Whether the question is whether something is, and not which of the classes. */
  readonly isBinary: boolean;
  /** As they were given: [classes, n], or [questions, n] of what is asked for; null where predictions are labels. */
  readonly scores: Tensor | null;
  readonly isLogits: boolean;
  /** int32 labels. */
  readonly predicted: Tensor;
  readonly actual: Tensor;
  /** What each counts: infinite where a target or a label is no class, so that no sum with it can be overlooked. */
  readonly weights: Tensor;
  readonly shape: Shape;
}

/**
 * Reads predictions as the shapes and options say, or throws an error that says what is missing. `needsScores`: scores per
 * class, too, have to be said to be logits or probabilities.
 */
export function answersOf(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: PredictionOptions & Weighting,
  needsScores = false,
): Answers {
  const { from, task, classes: said, axis = 1, threshold = 0.5, ignoreIndex } = options;
  const { shape, rank, dtype, size } = predictions;
  const refuse = (Kind: typeof ShapeError | typeof ValueError, words: string): never => {
    throw new Kind(operation, words, { predictions: shape, targets: targets.shape });
  };
  const areLabels = from === 'labels' || dtype === 'int32' || dtype === 'bool';
  const isPerClass = !areLabels && rank === targets.rank + 1;
  const isMultilabel = !isPerClass && task === 'multilabel';
  const isLogits = from === 'logits';
  const at = axis < 0 ? axis + rank : axis;
  let [classes, isBinary] = [2, !isPerClass];
  if (isPerClass) {
    classes = shape[at] ?? 0;
    const rest = shape.filter((_, other) => other !== at);
    if (!sameShape(rest, targets.shape) || classes < 2) {
      refuse(
        ShapeError,
        `scores ${show(shape)} with ${classes} classes on axis ${axis} are for targets ${show(rest)}, got ${show(targets.shape)}: set axis, or give one score for each target.`,
      );
    }
  } else {
    requireSameShape(operation, predictions, targets);
    if (areLabels && !isMultilabel && task !== 'binary') {
      isBinary = dtype === 'bool' && said === undefined;
      if (!isBinary) {
        classes = said ?? refuse(ValueError, "labels do not tell how many there are: set classes, or task: 'binary'.");
      }
    } else if (
      isMultilabel ? rank < 2 : task !== 'binary' && (task !== undefined || (rank > 1 && shape.at(-1) !== 1))
    ) {
      refuse(
        ValueError,
        `predictions and targets are both ${show(shape)}: set task to 'binary' (each element is a question) or 'multilabel' (each column of [N, labels] is).`,
      );
    }
  }
  if (!isMultilabel && ((said ?? classes) !== classes || (isPerClass && (task ?? 'multiclass') !== 'multiclass'))) {
    refuse(ShapeError, `${show(shape)} has ${classes} classes, the options say classes: ${said}, task: ${task}.`);
  }
  if (!areLabels && (needsScores || isBinary) && !isLogits && from !== 'probabilities') {
    refuse(ValueError, "the predictions are scores: say from: 'logits' or from: 'probabilities'.");
  }
  if (!(threshold >= 0 && threshold <= 1)) {
    refuse(ValueError, `the threshold is ${threshold}: it is a probability, from 0 to 1.`);
  }

  const questions = isMultilabel ? (shape.at(-1) as number) : 1;
  const n = targets.size / questions;
  const turn = (x: Tensor): Tensor => (isMultilabel ? x.reshape([n, questions]).transpose() : x.reshape([1, n]));
  let scores: Tensor | null = null;
  if (isPerClass) {
    const others = shape.flatMap((_, other) => (other === at ? [] : [other]));
    scores = predictions.permute([at, ...others]).reshape([classes, size / classes]);
  } else if (!areLabels) scores = turn(predictions);
  // logits above log(t / (1 - t)): no need of the sigmoid
  const least = isLogits ? Math.max(-3e38, Math.min(3e38, Math.log(threshold / (1 - threshold)))) : threshold;
  const predicted =
    scores === null ? turn(predictions) : isPerClass ? scores.argMax(0).reshape([1, n]) : scores.greater(least);
  const actual = turn(targets);

  const given = weightsOf(operation, targets.shape, options);
  let [weights, isOutside] = [given && turn(given), outsideOf(actual, classes)];
  if (areLabels) isOutside = isOutside.logicalOr(outsideOf(predicted, classes));
  if (ignoreIndex !== undefined) weights = where(actual.equal(ignoreIndex), 0, weights ?? 1);
  if (weights !== null) isOutside = isOutside.logicalAnd(weights.notEqual(0));
  return {
    classes,
    isBinary,
    scores,
    isLogits,
    predicted: predicted.cast('int32'),
    actual: actual.cast('int32'),
    weights: where(isOutside, Number.POSITIVE_INFINITY, weights ?? 1),
    shape: [questions, n],
  };
}

/** The scores of answers; ValueError where they are labels. */
export function scoresOf(operation: string, { scores }: Answers): Tensor {
  if (scores !== null) return scores;
  throw new ValueError(operation, 'takes scores, the predictions are labels.');
}

/** What is no label from 0 to classes - 1. */
function outsideOf(labels: Tensor, classes: number): Tensor {
  const x = labels.cast('float32');
  return x.floor().notEqual(x).logicalOr(x.less(0)).logicalOr(x.greaterEqual(classes));
}

/** Throws ValueError where sums tell of what is no class. */
export function requireLabels(metric: object, areLabels: boolean, last: number | string = 'classes - 1'): void {
  if (areLabels) return;
  throw new ValueError(
    String(metric),
    `some targets or predicted labels are not from 0 to ${last}: check the classes, or set ignoreIndex.`,
  );
}

/** A mean over answers. */
export abstract class AnswerMetric extends MeanMetric<Batch> {
  protected override compute(sums: Float64Array): number {
    requireLabels(this, (sums[1] ?? 0) < Number.POSITIVE_INFINITY);
    return super.compute(sums);
  }
}

/** Weights of probabilities [columns, n], infinite where they are none; up to the rounding of a softmax, and NaN is none. */
export function weightsOfShares(shares: Tensor, weights: Tensor): Tensor {
  const isShare = shares.greaterEqual(0).logicalAnd(shares.lessEqual(1 + 1e-5));
  return where(isShare.logicalOr(weights.equal(0)), weights, Number.POSITIVE_INFINITY);
}

export interface MarkOptions extends PredictionOptions {
  /** Whether probabilities count as shares of a prediction, which has gradients, and not as a choice. Default false. */
  readonly soft?: boolean;
}

/** Which class each element is predicted to be and is: [columns, n] each. */
export interface Marks {
  /** A column for each class or label; one where the question is whether something is. */
  readonly columns: number;
  /** Booleans, or probabilities. */
  readonly predicted: Tensor;
  readonly actual: Tensor;
  /** Broadcasts to [columns, n]. */
  readonly weights: Tensor;
  readonly shape: Shape;
}

/** The marks of answers. `bothClasses`: one question per sample has two columns, and not one of the positive class. */
export function marksOf(answers: Answers, bothClasses: boolean, soft = false): Marks {
  const { classes, isBinary, scores, isLogits, shape, weights } = answers;
  const [questions = 1, n = 0] = shape;
  const isOne = isBinary && (questions > 1 || !bothClasses);
  const columns = isOne ? questions : classes;
  const numbers = isOne ? null : arange(columns).reshape([columns, 1]);
  const markOf = (labels: Tensor): Tensor => labels.equal(numbers ?? 1);
  const actual = markOf(answers.actual);
  const marks = { columns, actual, weights, shape: [columns, n] };
  if (!soft || scores === null) return { ...marks, predicted: markOf(answers.predicted) };
  if (!isBinary) return { ...marks, predicted: isLogits ? scores.softmax(0) : scores };
  const share = isLogits ? scores.sigmoid() : scores;
  return { ...marks, predicted: numbers === null ? share : where(numbers.equal(1), share, share.neg().add(1)) };
}
