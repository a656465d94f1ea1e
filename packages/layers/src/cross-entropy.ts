/**
 * Cross entropy of logits with class indices or probabilities.
 * Everything is log-sum-exp and a compare of class numbers with the target (never a gather), so it fuses and cannot overflow.
 */
import { arange, checkIndices, checkOptions, ShapeError, type Tensor, tensor, ValueError, where } from '@nn/core';
import { show, sizeAt } from './layer.ts';
import { type Reduction, reduceLoss } from './losses.ts';
import { keepOver } from './mask.ts';

export interface CrossEntropyOptions {
  /** Default 'mean': over the samples, weighted by the weights of their classes. */
  readonly reduction?: Reduction;
  /** A factor for each class: [classes]. */
  readonly weight?: Tensor | readonly number[];
  /** Samples with this index count nothing. Default -100. Only for class indices. */
  readonly ignoreIndex?: number;
  /** Which samples count: true or 1, as in a loader's batch; [N], or more of the target's axes. */
  readonly mask?: Tensor;
  /** Share of the target that is spread evenly over all classes, 0 to 1. Default 0. (Szegedy et al. 2016.) */
  readonly labelSmoothing?: number;
}

/**
 * -log softmax(logits)[target]: logits [N, classes, ...] or [classes], with target either class indices [N, ...] or
 * probabilities of the shape of the logits. Matches PyTorch's `cross_entropy`.
 *
 * Index targets of another dtype are cast to int32. An index outside 0 to classes - 1 (other than `ignoreIndex`) is a
 * ValueError where the values are on the host; a computed one gives NaN, and is named by `debug({ eager: true })`. Throws
 * ShapeError for a target of another shape.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { crossEntropy } from '@nn/layers';
 * const loss = crossEntropy(tensor([[0, 0], [1000, 0]]), tensor([0, 0]));
 * console.log((await loss.item()).toFixed(4)); // => 0.3466
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkOptions('crossEntropy', options, ['reduction', 'weight', 'ignoreIndex', 'labelSmoothing', 'mask']);
  if (logits.rank === 0) throw new ShapeError('crossEntropy: the logits are a scalar: they must be [N, classes, ...].');
  const axis = logits.rank === 1 ? 0 : 1;
  const classes = sizeAt(logits, axis);
  const { labelSmoothing = 0 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ValueError(`crossEntropy: labelSmoothing is ${labelSmoothing}: it must be from 0 to 1.`, {
      labelSmoothing,
    });
  }
  const weight = classWeights(options.weight, classes, logits.rank - axis - 1);
  const samples = logits.shape.filter((_, position) => position !== axis);
  // log(sum(exp(logits))) - logits = -log softmax(logits)
  const { mask } = options;
  const keep = mask === undefined ? undefined : keepOver('crossEntropy', mask, { shape: samples }).unsqueeze(axis);
  const shown = keep === undefined ? logits : where(keep, logits, 0); // what stands in padding reaches no gradient
  const losses = shown.logSumExp(axis, { keepAxes: true }).sub(shown);
  if (show(target.shape) === show(samples)) return withIndices(logits, losses, target, axis, weight, options);
  if (show(target.shape) === show(logits.shape)) return withProbabilities(losses, target, axis, weight, options);
  throw new ShapeError(
    `crossEntropy: for logits ${show(logits.shape)} the target must be class indices ${show(samples)} or probabilities ${show(logits.shape)}, got ${show(target.shape)}.`,
    { logits: logits.shape, target: target.shape },
  );
}

/** The weights as [classes, 1, ...], to broadcast over what follows the axis of classes. */
function classWeights(weight: CrossEntropyOptions['weight'], classes: number, after: number): Tensor | null {
  if (weight === undefined) return null;
  const values = isList(weight) ? tensor(weight) : weight;
  if (values.rank !== 1 || values.shape[0] !== classes) {
    throw new ShapeError(
      `crossEntropy: weight must have one number for each of the ${classes} classes: [${classes}], got ${show(values.shape)}.`,
      { weight: values.shape, classes },
    );
  }
  return values.reshape([classes, ...new Array<number>(after).fill(1)]);
}

function isList(weight: Tensor | readonly number[]): weight is readonly number[] {
  return Array.isArray(weight);
}

/**
 * With w the class weights and e the smoothing, the loss of a sample of class y is
 * (1 - e) w_y l_y + e / classes * sum over c of w_c l_c, where l_c = -log softmax(logits)_c.
 */
function withIndices(
  logits: Tensor,
  losses: Tensor,
  target: Tensor,
  axis: number,
  weight: Tensor | null,
  options: CrossEntropyOptions,
): Tensor {
  const { ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' } = options;
  const classes = sizeAt(logits, axis);
  const indices = target.dtype === 'int32' ? target : target.cast('int32');
  const isMeant = indices.notEqual(ignoreIndex);
  const counts =
    options.mask === undefined ? isMeant : isMeant.logicalAnd(keepOver('crossEntropy', options.mask, indices));
  // what the mask hides may be anything
  const meant = options.mask === undefined ? indices : where(counts, indices, ignoreIndex);
  checkIndices('crossEntropy', meant, classes, 'classes', ignoreIndex);
  // where the class is the target: nowhere for what is ignored
  const alongClasses = arange(classes).reshape(logits.shape.map((_, a) => (a === axis ? classes : 1)));
  const hit = indices.unsqueeze(axis).equal(alongClasses);
  const isClass = indices.greater(-1).logicalAnd(indices.less(classes));
  const weightOfTarget = weight === null ? null : where(hit, weight, 0).sum(axis);
  const picked = where(hit, losses, 0).sum(axis);
  let sample = weightOfTarget === null ? picked : picked.mul(weightOfTarget);
  if (labelSmoothing > 0) {
    const spread = (weight === null ? losses : losses.mul(weight)).sum(axis).mul(labelSmoothing / classes);
    sample = sample.mul(1 - labelSmoothing).add(spread);
  }
  const counted = where(counts.logicalAnd(isClass.logicalNot()), Number.NaN, where(counts, sample, 0));
  if (reduction !== 'mean') return reduceLoss('crossEntropy', counted, { reduction });
  const total = where(counts, weightOfTarget ?? 1, 0).sum();
  return counted.sum().div(total);
}

function withProbabilities(
  losses: Tensor,
  target: Tensor,
  axis: number,
  weight: Tensor | null,
  options: CrossEntropyOptions,
): Tensor {
  const { labelSmoothing = 0 } = options;
  const classes = sizeAt(losses, axis);
  const shares = labelSmoothing === 0 ? target : target.mul(1 - labelSmoothing).add(labelSmoothing / classes);
  const weighted = weight === null ? losses : losses.mul(weight);
  return reduceLoss('crossEntropy', shares.mul(weighted).sum(axis), options);
}
