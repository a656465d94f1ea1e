/**
 * What the losses over classes share: targets as indices or as probabilities, weights of classes, smoothing, what is ignored.
 * Owns no formula: a loss gives the matrix of what each class would cost if it were the target.
 * Classes are compared with the target (never gathered), so that everything fuses.
 */
import {
  arange,
  checkIndices,
  checkOptions,
  markClassCount,
  ShapeError,
  showShape,
  type Tensor,
  tensor,
  ValueError,
  where,
} from '@nn/core';
import { sizeAt } from '../layer.ts';
import { keepOver } from '../mask.ts';
import { isList, type LossOptions, reduceLoss, requireTensors, weighSamples } from './reduce.ts';

export interface ClassLossOptions extends LossOptions {
  /** A factor for each class: [classes]. The mean divides by the factors of the targets' classes. */
  readonly weight?: Tensor | readonly number[];
  /** Samples with this index count nothing. Default -100. Only for class indices. */
  readonly ignoreIndex?: number;
  /** Share of the target that is spread evenly over all classes, 0 to 1. Default 0. (Szegedy et al. 2016.) */
  readonly labelSmoothing?: number;
}

/** The names in ClassLossOptions, for `checkOptions`. */
const classLossOptions: readonly string[] = [
  'reduction',
  'mask',
  'sampleWeight',
  'weight',
  'ignoreIndex',
  'labelSmoothing',
];

/**
 * A loss of scores [N, classes, ...] or [classes] and a target of class indices [N, ...] or of probabilities.
 * `costs` gives, for scores, what each class costs if it is the target: of the same shape.
 */
export function classLoss(
  loss: string,
  scores: Tensor,
  target: Tensor,
  options: ClassLossOptions,
  costs: (scores: Tensor) => Tensor,
): Tensor {
  requireTensors(loss, scores, target);
  const axis = classAxis(loss, scores);
  const { labelSmoothing = 0, mask } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ValueError(loss, `labelSmoothing is ${labelSmoothing}: it must be from 0 to 1.`, { labelSmoothing });
  }
  const weight = classWeights(loss, options.weight, sizeAt(scores, axis), scores.rank - axis - 1);
  const samples = samplesOf(scores, axis);
  const keep = mask === undefined ? undefined : keepOver(loss, mask, { shape: samples }).unsqueeze(axis);
  const visible = keep === undefined ? scores : where(keep, scores, 0); // what stands in padding reaches no gradient
  const losses = costs(visible);
  if (showShape(target.shape) === showShape(samples)) return withIndices(loss, losses, target, axis, weight, options);
  if (showShape(target.shape) === showShape(scores.shape)) {
    const seen = keep === undefined ? target : where(keep, target, 0);
    return withProbabilities(loss, losses, seen, axis, weight, options);
  }
  throw new ShapeError(
    loss,
    `for logits ${showShape(scores.shape)} the target must be class indices ${showShape(samples)} or probabilities ${showShape(scores.shape)}, got ${showShape(target.shape)}.`,
    { logits: scores.shape, target: target.shape },
  );
}

/** Scores [N, classes, ...] have their classes on axis 1, those of a single sample on axis 0. */
function classAxis(loss: string, scores: Tensor): number {
  if (scores.rank === 0) throw new ShapeError(loss, 'the logits are a scalar: they must be [N, classes, ...].');
  return scores.rank === 1 ? 0 : 1;
}

function samplesOf(scores: Tensor, axis: number): number[] {
  return scores.shape.filter((_, position) => position !== axis);
}

/** Weights of classes as [classes, 1, ...], to broadcast over what follows the axis of classes. */
function classWeights(loss: string, weight: ClassLossOptions['weight'], classes: number, after: number): Tensor | null {
  if (weight === undefined) return null;
  return perClass(loss, 'weight', weight, classes).reshape([classes, ...new Array<number>(after).fill(1)]);
}

/** A number for each class, as a tensor [classes]. */
export function perClass(loss: string, what: string, given: Tensor | readonly number[], classes: number): Tensor {
  const values = isList(given) ? tensor(given, { constant: true }) : given;
  if (values.rank !== 1 || values.shape[0] !== classes) {
    throw new ShapeError(
      loss,
      `${what} must have one number for each of the ${classes} classes: [${classes}], got ${showShape(values.shape)}.`,
      { [what]: values.shape, classes },
    );
  }
  return values;
}

/** Where a class is the target of scores [N, classes, ...], for losses that need class indices: bool, shaped as the scores. */
export function targetHits(loss: string, scores: Tensor, target: Tensor): Tensor {
  const axis = classAxis(loss, scores);
  const samples = samplesOf(scores, axis);
  if (showShape(target.shape) !== showShape(samples)) {
    throw new ShapeError(
      loss,
      `for logits ${showShape(scores.shape)} the target must be class indices ${showShape(samples)}, got ${showShape(target.shape)}.`,
      { logits: scores.shape, target: target.shape },
    );
  }
  return hitsAt(target, sizeAt(scores, axis), axis);
}

/** Where a class is the target: booleans with the classes at `axis`, nowhere true for what is ignored. */
function hitsAt(target: Tensor, classes: number, axis: number): Tensor {
  const indices = target.cast('int32');
  const alongClasses = arange(classes).reshape([classes, ...indices.shape.slice(axis).map(() => 1)]);
  return indices.unsqueeze(axis).equal(alongClasses);
}

/** Refuses class indices that do not exist, where the host knows them; what the mask hides may be anything. */
export function checkClasses(
  loss: string,
  target: Tensor,
  classes: number,
  { mask, ignoreIndex = -100 }: ClassLossOptions,
): void {
  // bytes are no numbers of operations, and whole anyway
  const indices = target.dtype === 'float32' ? target : target.cast('int32');
  const meant = mask === undefined ? indices : where(keepOver(loss, mask, indices), indices, ignoreIndex);
  checkIndices(loss, meant, classes, 'classes', ignoreIndex);
}

/**
 * With w the class weights and e the smoothing, the loss of a sample of class y is
 * (1 - e) w_y l_y + e / classes * sum over c of w_c l_c, where l_c is the cost of class c.
 */
function withIndices(
  loss: string,
  losses: Tensor,
  target: Tensor,
  axis: number,
  weight: Tensor | null,
  options: ClassLossOptions,
): Tensor {
  const { ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' } = options;
  const classes = sizeAt(losses, axis);
  const indices = target.cast('int32');
  checkClasses(loss, target, classes, options);
  const hit = hitsAt(indices, classes, axis);
  const isMeant = indices.notEqual(ignoreIndex);
  const counts = options.mask === undefined ? isMeant : isMeant.logicalAnd(keepOver(loss, options.mask, indices));
  const isClass = indices.greater(-1).logicalAnd(indices.less(classes));
  const weightOfTarget = weight === null ? null : where(hit, weight, 0).sum(axis);
  const picked = where(hit, losses, 0).sum(axis);
  let sample = weightOfTarget === null ? picked : picked.mul(weightOfTarget);
  if (labelSmoothing > 0) {
    const spread = (weight === null ? losses : losses.mul(weight)).sum(axis).mul(labelSmoothing / classes);
    sample = sample.mul(1 - labelSmoothing).add(spread);
  }
  const weighed = where(counts, weighSamples(loss, sample, options), 0);
  const counted = where(counts.logicalAnd(isClass.logicalNot()), Number.NaN, weighed);
  markClassCount(counted, classes);
  if (reduction !== 'mean') return reduceLoss(loss, counted, { reduction });
  const total = where(counts, weightOfTarget ?? 1, 0).sum();
  return counted.sum().div(total);
}

function withProbabilities(
  loss: string,
  losses: Tensor,
  target: Tensor,
  axis: number,
  weight: Tensor | null,
  options: ClassLossOptions,
): Tensor {
  const { labelSmoothing = 0 } = options;
  const classes = sizeAt(losses, axis);
  const shares = labelSmoothing === 0 ? target : target.mul(1 - labelSmoothing).add(labelSmoothing / classes);
  const weighted = weight === null ? losses : losses.mul(weight);
  return reduceLoss(loss, shares.mul(weighted).sum(axis), options);
}

/** Checks the options of a loss over classes that has some of its own. */
export function checkClassOptions(loss: string, options: object, own: readonly string[] = []): void {
  checkOptions(loss, options, [...classLossOptions, ...own]);
}

/** -log softmax(scores) along the classes: never negative, and exact where softmax itself would round to 0. */
export function surprise(scores: Tensor): Tensor {
  return scores.logSumExp(scores.rank === 1 ? 0 : 1, { keepAxes: true }).sub(scores);
}
