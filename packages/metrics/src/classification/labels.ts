/**
 * What predictions mean: scores per class, one score per sample, or labels; and what of them is right. Every metric of
 * classification starts here, so all read predictions alike. Owns the options and their errors, no formula.
 */
import { arange, type Shape, ShapeError, type Tensor, ValueError, where } from '@nn/core';
import { requireSameShape, sameShape, show, type Weighting, weightsOf } from '../inputs.ts';

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

/** Predictions and targets, flat: [columns, n] each, as 0 and 1 or as shares. */
export interface Marks {
  readonly columns: number;
  /** [columns, n]: how much of element n is predicted to be of class c. */
  readonly predicted: Tensor;
  /** [columns, n]: whether it is. */
  readonly actual: Tensor;
  /** Broadcasts to [columns, n]; null: 1. */
  readonly weights: Tensor | null;
  /** [n], or [columns, n] for several labels: targets and labels that are no class. */
  readonly isOutside: Tensor;
  readonly shape: Shape;
}

/** Class numbers of predictions and targets, flat [n]. */
export interface Labels {
  readonly classes: number;
  readonly predicted: Tensor;
  readonly actual: Tensor;
  readonly weights: Tensor | null;
  /** Elements whose target or label is no class. */
  readonly isOutside: Tensor;
}

type Kind = 'scores' | 'labels' | 'binary' | 'multilabel';

/** What the shapes and options say, or an error that says what is missing. */
export function kindOf(operation: string, predictions: Tensor, targets: Tensor, options: PredictionOptions): Kind {
  const { task, from, classes } = options;
  const areLabels = from === 'labels' || predictions.dtype === 'int32' || predictions.dtype === 'bool';
  if (!areLabels && predictions.rank === targets.rank + 1) {
    const axis = classAxis(operation, predictions, options);
    const rest = predictions.shape.filter((_, a) => a !== axis);
    const count = predictions.shape[axis] ?? 0;
    if (!sameShape(rest, targets.shape)) {
      throw new ShapeError(
        operation,
        `scores ${show(predictions.shape)} with classes on axis ${axis} belong to targets ${show(rest)}, got ${show(targets.shape)}: set axis, or reshape the targets.`,
        { predictions: predictions.shape, targets: targets.shape },
      );
    }
    if (count < 2) {
      throw new ShapeError(
        operation,
        `scores ${show(predictions.shape)} have one class on axis ${axis}: give one score per sample as ${show(rest)}.`,
        { predictions: predictions.shape },
      );
    }
    if (classes !== undefined && classes !== count) {
      throw new ShapeError(
        operation,
        `the scores ${show(predictions.shape)} have ${count} classes on axis ${axis}, the option says ${classes}.`,
        { classes, axis },
      );
    }
    if (task === undefined || task === 'multiclass') return 'scores';
    throw new ValueError(
      operation,
      `the task is '${task}' but there are ${count} scores for each target: give predictions of the shape of the targets.`,
      { task },
    );
  }
  requireSameShape(operation, predictions, targets);
  if (task === 'multilabel') {
    if (predictions.rank < 2) {
      throw new ShapeError(operation, `several labels per sample are [N, labels], got ${show(predictions.shape)}.`);
    }
    if (!areLabels) requireFrom(operation, options);
    return 'multilabel';
  }
  if (areLabels) {
    if (task === 'binary' || (predictions.dtype === 'bool' && classes === undefined)) return 'binary';
    if (classes !== undefined) return 'labels';
    throw new ValueError(
      operation,
      "the predictions are labels, whose number the shape does not tell: set classes, or task: 'binary'.",
    );
  }
  const isColumn = predictions.rank < 2 || predictions.shape.at(-1) === 1;
  if (task !== 'binary' && !isColumn) {
    throw new ValueError(
      operation,
      `predictions and targets are both ${show(predictions.shape)}: set task: 'binary' (each element is one question) or 'multilabel' (each column is).`,
      { shape: predictions.shape },
    );
  }
  requireFrom(operation, options);
  return 'binary';
}

/** Whether scores are logits; an error where that was not said. */
export function requireFrom(operation: string, { from }: PredictionOptions): 'logits' | 'probabilities' {
  if (from === 'logits' || from === 'probabilities') return from;
  throw new ValueError(operation, "the predictions are scores: say from: 'logits' or from: 'probabilities'.");
}

/** The axis of classes, counted from 0. */
export function classAxis(operation: string, predictions: Tensor, { axis = 1 }: PredictionOptions): number {
  const normal = axis < 0 ? axis + predictions.rank : axis;
  if (Number.isInteger(normal) && normal >= 0 && normal < predictions.rank) return normal;
  throw new ShapeError(operation, `axis ${axis} is not one of ${show(predictions.shape)}.`, { axis });
}

/** Scores as [classes, n]. */
export function classesFirst(operation: string, scores: Tensor, options: PredictionOptions): Tensor {
  const axis = classAxis(operation, scores, options);
  const others = scores.shape.map((_, a) => a).filter((a) => a !== axis);
  const classes = scores.shape[axis] as number;
  return scores.permute([axis, ...others]).reshape([classes, scores.size / classes]);
}

/** Positive or not, by the threshold. */
export function isPositive(operation: string, predictions: Tensor, options: PredictionOptions): Tensor {
  if (predictions.dtype === 'bool') return predictions;
  if (predictions.dtype === 'int32' || options.from === 'labels') return predictions.equal(1);
  const { threshold = 0.5 } = options;
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new ValueError(operation, `the threshold is ${threshold}: it is a probability, from 0 to 1.`, {
      threshold,
    });
  }
  // logits above log(t / (1 - t)): no need of the sigmoid
  const isLogits = requireFrom(operation, options) === 'logits';
  return predictions.greater(
    isLogits ? Math.max(-3e38, Math.min(3e38, Math.log(threshold / (1 - threshold)))) : threshold,
  );
}

/** Weights [n] without what is ignored. */
export function weightsFor(operation: string, targets: Tensor, options: PredictionOptions & Weighting): Tensor | null {
  const weights = weightsOf(operation, targets.shape, options);
  if (options.ignoreIndex === undefined) return weights;
  const kept = targets.notEqual(options.ignoreIndex).cast('float32');
  return weights === null ? kept : weights.mul(kept);
}

/** The right class numbers of every element; binary ones are 0 and 1. Throws where several labels are given. */
export function labelsOf(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: PredictionOptions & Weighting,
): Labels {
  const kind = kindOf(operation, predictions, targets, options);
  if (kind === 'multilabel') {
    throw new ValueError(operation, 'takes one class per sample, not several labels.');
  }
  const n = [targets.size];
  const weights = weightsFor(operation, targets, options)?.reshape(n) ?? null;
  const actual = targets.cast('int32').reshape(n);
  if (kind === 'scores') {
    const scores = classesFirst(operation, predictions, options);
    const classes = scores.shape[0] as number;
    return { classes, predicted: scores.argMax(0), actual, weights, isOutside: outsideOf(targets, classes).reshape(n) };
  }
  if (kind === 'labels') {
    const classes = options.classes as number;
    const isOutside = outsideOf(targets, classes).logicalOr(outsideOf(predictions, classes)).reshape(n);
    return { classes, predicted: predictions.cast('int32').reshape(n), actual, weights, isOutside };
  }
  const positive = isPositive(operation, predictions, options).cast('int32').reshape(n);
  return { classes: 2, predicted: positive, actual, weights, isOutside: outsideOf(targets, 2).reshape(n) };
}

export interface MarkOptions extends PredictionOptions {
  /** Whether probabilities count as shares of a prediction, which has gradients, and not as a choice. Default false. */
  readonly soft?: boolean;
}

/**
 * Which class each element is predicted to be and is. `bothClasses`: binary predictions are two columns, one for each
 * class, and not one of the positive class.
 */
export function marksOf(
  operation: string,
  predictions: Tensor,
  targets: Tensor,
  options: MarkOptions & Weighting,
  bothClasses: boolean,
): Marks {
  const kind = kindOf(operation, predictions, targets, options);
  const weights = weightsFor(operation, targets, options);
  if (kind === 'multilabel') {
    const columns = predictions.shape.at(-1) as number;
    const turn = (x: Tensor): Tensor => x.reshape([x.size / columns, columns]).transpose();
    const predicted = turn(binaryShare(operation, predictions, options));
    const isOutside = turn(outsideOf(targets, 2));
    const shape = [columns, targets.size / columns];
    return { columns, predicted, actual: turn(targets.equal(1)), weights: weights && turn(weights), isOutside, shape };
  }
  const n = targets.size;
  const flat = (x: Tensor): Tensor => x.reshape([1, n]);
  const w = weights === null ? null : flat(weights);
  if (kind === 'binary' && !bothClasses) {
    const predicted = flat(binaryShare(operation, predictions, options));
    return {
      columns: 1,
      predicted,
      actual: flat(targets.equal(1)),
      weights: w,
      isOutside: outsideOf(targets, 2).reshape([n]),
      shape: [1, n],
    };
  }
  const columns =
    kind === 'binary'
      ? 2
      : kind === 'labels'
        ? (options.classes as number)
        : (predictions.shape[classAxis(operation, predictions, options)] as number);
  const numbers = arange(columns).reshape([columns, 1]);
  const actual = flat(targets.cast('int32')).equal(numbers);
  const wrong = outsideOf(targets, columns);
  const isOutside = (kind === 'labels' ? wrong.logicalOr(outsideOf(predictions, columns)) : wrong).reshape([n]);
  let predicted: Tensor;
  if (kind === 'scores' && options.soft === true) {
    const scores = classesFirst(operation, predictions, options);
    predicted = requireFrom(operation, options) === 'logits' ? scores.softmax(0) : scores;
  } else if (kind === 'scores') {
    predicted = flat(classesFirst(operation, predictions, options).argMax(0)).equal(numbers);
  } else if (kind === 'labels') {
    predicted = flat(predictions.cast('int32')).equal(numbers);
  } else {
    const share = flat(binaryShare(operation, predictions, options).cast('float32'));
    predicted = where(numbers.equal(1), share, share.neg().add(1));
  }
  return { columns, predicted, actual, weights: w, isOutside, shape: [columns, n] };
}

/** The share of the positive class: 0 or 1, or its probability. */
function binaryShare(operation: string, predictions: Tensor, options: MarkOptions): Tensor {
  if (options.soft !== true) return isPositive(operation, predictions, options);
  return requireFrom(operation, options) === 'logits' ? predictions.sigmoid() : predictions;
}

/** Targets that are no label from 0 to classes - 1. */
export function outsideOf(targets: Tensor, classes: number): Tensor {
  if (targets.dtype === 'bool') return targets.logicalAnd(false);
  return targets.cast('int32').notEqual(targets).logicalOr(targets.less(0)).logicalOr(targets.greaterEqual(classes));
}
