/**
 * What predictions mean: scores per class, one score per sample, or labels; and what of them is right. Every metric of
 * classification starts here, so all read predictions alike. Owns the options and their errors, no formula.
 */
import { type Shape, ShapeError, showShape, type Tensor, ValueError, where } from '@nn/core';
import { type Weighting, weightsOf } from '../inputs.ts';

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

/** Predictions and targets as [questions, n]: one question per sample, or one for each of several labels. */
export interface Answers {
  /** Labels are numbers below it. */
  readonly classes: number;
  /** Whether the question is whether something is, and not which of the classes. */
  readonly isBinary: boolean;
  /** As they were given: [classes, n], or [questions, n] of what is asked for; null where predictions are labels. */
  readonly scores: Tensor | null;
  readonly isLogits: boolean;
  /** Labels, all of them classes: int32, or whether it is so. */
  readonly predicted: Tensor;
  readonly actual: Tensor;
  /** What each counts; null where all count 1. */
  readonly weights: Tensor | null;
  /** Of what counts: infinite where a target or a label is no class, or the score of a question no probability, NaN where the score that decides is; 0 otherwise. */
  readonly flaw: Tensor;
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
  const { shape, rank, dtype } = predictions;
  const refuse = (Kind: typeof ShapeError | typeof ValueError, words: string): never => {
    throw new Kind(operation, words, { predictions: shape, targets: targets.shape });
  };
  const areLabels = from === 'labels' || dtype === 'int32' || dtype === 'bool';
  const isPerClass = !areLabels && rank === targets.rank + 1;
  const isMultilabel = !isPerClass && task === 'multilabel';
  const isLogits = from === 'logits';
  const others = [...shape.keys()];
  const classAxis = isPerClass ? others.splice(axis, 1) : [];
  let isBinary = !isPerClass;
  let classes = isPerClass ? (shape.at(axis) ?? 0) : 2;
  const [asked, given] = [showShape(others.map((other) => shape[other]!)), showShape(targets.shape)];
  if (asked !== given || classes < 2) {
    const place = isPerClass ? ` with ${classes} classes on axis ${axis}` : '';
    refuse(
      ShapeError,
      `predictions ${showShape(shape)}${place} are for targets ${asked}, got ${given}: set axis, or give one score for each target.`,
    );
  }
  if (areLabels && !isMultilabel && task !== 'binary') {
    isBinary = dtype === 'bool' && said === undefined;
    if (!isBinary) {
      classes = said ?? refuse(ValueError, "labels do not tell how many there are: set classes, or task: 'binary'.");
    }
  } else if (
    !isPerClass &&
    (isMultilabel ? rank < 2 : task === undefined ? rank > 1 && shape.at(-1) !== 1 : task !== 'binary')
  ) {
    refuse(
      ValueError,
      `predictions and targets are both ${given}: set task to 'binary' (each element is a question) or 'multilabel' (each column is).`,
    );
  }
  if (!isMultilabel && ((said ?? classes) !== classes || (isPerClass && (task ?? 'multiclass') !== 'multiclass'))) {
    refuse(ShapeError, `${showShape(shape)} has ${classes} classes, the options say classes: ${said}, task: ${task}.`);
  }
  if (!areLabels && (needsScores || isBinary) && !isLogits && from !== 'probabilities') {
    refuse(ValueError, "the predictions are scores: say from: 'logits' or from: 'probabilities'.");
  }
  if (!(threshold >= 0 && threshold <= 1)) {
    refuse(ValueError, `threshold is ${threshold}: a probability is from 0 to 1.`);
  }

  const questions = isMultilabel ? shape.at(-1)! : 1;
  const n = targets.size / questions;
  const turn = (x: Tensor): Tensor => (isMultilabel ? x.reshape([n, questions]).transpose() : x.reshape([1, n]));
  /** Labels as classes: as they are, or, where they are none, a class that is not the same number. */
  const classOf = (labels: Tensor): Tensor => labels.cast('int32').clamp(0, classes - 1);
  const target = turn(targets);
  const actual = classOf(target);
  let isOutside = target.notEqual(actual);
  let scores: Tensor | null = null;
  let predicted: Tensor;
  let deciding: Tensor | null = null;
  if (isPerClass) {
    scores = predictions.permute([...classAxis, ...others]).reshape([classes, n]);
    predicted = scores.argMax(0).reshape([1, n]);
    // of a row with NaN argMax is the place of that
    deciding = scores.takeAlong(predicted, 0);
  } else if (areLabels) {
    const label = turn(predictions);
    predicted = classOf(label);
    isOutside = isOutside.logicalOr(label.notEqual(predicted));
  } else {
    deciding = scores = turn(predictions);
    // logits above log(t / (1 - t)): no need of the sigmoid
    predicted = scores.greater(
      isLogits ? Math.max(-3e38, Math.min(3e38, Math.log(threshold / (1 - threshold)))) : threshold,
    );
    if (!isLogits) isOutside = isOutside.logicalOr(areNoProbabilities(scores));
  }
  const own = weightsOf(operation, targets.shape, options);
  let weights = own && turn(own);
  if (ignoreIndex !== undefined) weights = where(target.equal(ignoreIndex), 0, weights ?? 1);
  // what reads the scores themselves finds NaN by itself
  const unclear = deciding && !needsScores ? where(deciding.equal(deciding), 0, Number.NaN) : 0;
  let flaw = where(isOutside, Number.POSITIVE_INFINITY, unclear);
  if (weights !== null) flaw = where(weights.equal(0), 0, flaw);
  return { classes, isBinary, scores, isLogits, predicted, actual, weights, flaw, shape: [questions, n] };
}

/** The weights of answers with their flaws, so that no sum with one can be overlooked. */
export function markedWeights({ weights, flaw }: Answers): Tensor {
  return flaw.add(weights ?? 1);
}

/** The scores of answers; ValueError where they are labels. */
export function scoresOf(operation: string, { scores }: Answers): Tensor {
  if (scores !== null) return scores;
  throw new ValueError(operation, 'takes scores, the predictions are labels.');
}

/** Where scores are no probabilities: p (p - 1) is above 0 outside of 0 to 1, of which rounding may lead a little beyond. */
export function areNoProbabilities(scores: Tensor): Tensor {
  return scores.mul(scores.sub(1)).greater(0.01);
}

/** Throws ValueError where sums tell of what is no class. */
export function requireLabels(metric: object, areLabels: boolean, last: number | string = 'classes - 1'): void {
  if (areLabels) return;
  throw new ValueError(
    String(metric),
    `some targets or predicted labels are not from 0 to ${last}, or probabilities from 0 to 1: check classes, or set ignoreIndex.`,
  );
}
