/**
 * Losses that stop where a margin is kept: hinges for classes and signs, and orders of pairs. Owns the formulas.
 * Those of embeddings are in `embedding.ts`.
 */
import { arange, checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { sizeAt } from '../layer.ts';
import { checkClasses, perClass, targetHits } from './classes.ts';
import { compared, type LossOptions, lossOptions, reduceLoss, requireShape, shown } from './reduce.ts';

/** max(x, 0) for what misses a margin. */
function missed(x: Tensor): Tensor {
  return x.relu();
}

/**
 * max(1 - target prediction, 0), for targets of -1 and 1: Keras' `Hinge`, which also takes 0 for -1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { hinge } from '@nn/layers';
 * console.log(await hinge(tensor([0.5, 2]), tensor([-1, 1])).item()); // => 0.75
 */
export function hinge(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('hinge', options, lossOptions);
  const [guess, wanted] = compared('hinge', prediction, target, options);
  return reduceLoss('hinge', missed(wanted.mul(guess).neg().add(1)), options);
}

/**
 * max(1 - target prediction, 0)^2, for targets of -1 and 1: Keras' `SquaredHinge`, which also takes 0 for -1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { squaredHinge } from '@nn/layers';
 * console.log(await squaredHinge(tensor([1, 2]), tensor([-1, 1])).item()); // => 2
 */
export function squaredHinge(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('squaredHinge', options, lossOptions);
  const [guess, wanted] = compared('squaredHinge', prediction, target, options);
  return reduceLoss('squaredHinge', missed(wanted.mul(guess).neg().add(1)).square(), options);
}

/**
 * max(1 + the largest score of another class - that of the target, 0) along the last axis, for one-hot targets of the shape of
 * the scores. (Keras' `CategoricalHinge`.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { categoricalHinge } from '@nn/layers';
 * console.log(await categoricalHinge(tensor([[1, 3]]), tensor([[1, 0]])).item()); // => 3
 */
export function categoricalHinge(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('categoricalHinge', options, lossOptions);
  const [guess, wanted] = compared('categoricalHinge', prediction, target, options);
  const own = wanted.mul(guess).sum(-1);
  const others = wanted.neg().add(1).mul(guess).max(-1);
  return reduceLoss('categoricalHinge', missed(others.sub(own).add(1)), options);
}

/**
 * log(1 + exp(-target prediction)), for targets of -1 and 1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { softMargin } from '@nn/layers';
 * console.log(await softMargin(tensor([1000]), tensor([-1])).item()); // => 1000
 */
export function softMargin(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('softMargin', options, lossOptions);
  const [guess, wanted] = compared('softMargin', prediction, target, options);
  return reduceLoss('softMargin', wanted.mul(guess).neg().softplus(), options);
}

export interface HingeEmbeddingOptions extends LossOptions {
  /** From which distance on those that do not match cost nothing. Default 1. */
  readonly margin?: number;
}

/**
 * A distance itself where the target is 1, max(margin - distance, 0) where it is -1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { hingeEmbedding } from '@nn/layers';
 * console.log(await hingeEmbedding(tensor([0.5, 0.75]), tensor([1, -1])).item()); // => 0.375
 */
export function hingeEmbedding(distance: Tensor, target: Tensor, options: HingeEmbeddingOptions = {}): Tensor {
  checkOptions('hingeEmbedding', options, [...lossOptions, 'margin']);
  const [given, wanted] = compared('hingeEmbedding', distance, target, options);
  const losses = where(wanted.equal(1), given, missed(given.neg().add(options.margin ?? 1)));
  return reduceLoss('hingeEmbedding', losses, options);
}

export interface MarginRankingOptions extends LossOptions {
  /** Default 0. */
  readonly margin?: number;
}

/**
 * max(margin - target (first - second), 0): the first must be larger where the target is 1, smaller where it is -1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { marginRanking } from '@nn/layers';
 * console.log(await marginRanking(tensor([1]), tensor([3]), tensor([1])).item()); // => 2
 */
export function marginRanking(
  first: Tensor,
  second: Tensor,
  target: Tensor,
  options: MarginRankingOptions = {},
): Tensor {
  checkOptions('marginRanking', options, [...lossOptions, 'margin']);
  requireShape('marginRanking', 'second input', second, first.shape);
  requireShape('marginRanking', 'target', target, first.shape);
  const [a, b, sign] = [first, second, target].map((x) => shown('marginRanking', x, options));
  return reduceLoss(
    'marginRanking',
    missed(
      b!
        .sub(a!)
        .mul(sign!)
        .add(options.margin ?? 0),
    ),
    options,
  );
}

export interface MultiMarginOptions extends LossOptions {
  /** The power of what misses the margin: 1 or 2. Default 1. */
  readonly p?: 1 | 2;
  /** Default 1. */
  readonly margin?: number;
  /** A factor for each class: [classes]. */
  readonly weight?: Tensor | readonly number[];
}

/**
 * The sum over all other classes of max(margin - (score of the target - score of the class), 0)^p, divided by the number of
 * classes: scores [N, classes] and class indices [N].
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { multiMargin } from '@nn/layers';
 * console.log(await multiMargin(tensor([[1, 3]]), tensor([0])).item()); // => 1.5
 */
export function multiMargin(scores: Tensor, target: Tensor, options: MultiMarginOptions = {}): Tensor {
  checkOptions('multiMargin', options, [...lossOptions, 'p', 'margin', 'weight']);
  const { p = 1, margin = 1, weight } = options;
  if (p !== 1 && p !== 2) throw new ValueError('multiMargin', `p is ${String(p)}: it must be 1 or 2.`, { p });
  const hit = targetHits('multiMargin', scores, target);
  const axis = scores.rank === 1 ? 0 : 1;
  const classes = sizeAt(scores, axis);
  checkClasses('multiMargin', target, classes, options);
  const visible = shown('multiMargin', scores, options);
  const own = where(hit, visible, 0).sum(axis, { keepAxes: true });
  const short = missed(visible.sub(own).add(margin));
  const losses = where(hit, 0, p === 1 ? short : short.square())
    .sum(axis)
    .div(classes);
  const valid = where(hit.any(axis), losses, Number.NaN);
  if (weight === undefined) return reduceLoss('multiMargin', valid, options);
  const factors = perClass('multiMargin', 'weight', weight, classes);
  return reduceLoss('multiMargin', valid.mul(where(hit, factors, 0).sum(axis)), options);
}

/**
 * Several classes at once: the sum over the targets y and all classes c that are none of max(1 - (score y - score c), 0),
 * divided by the number of classes. Scores [N, classes]; a row of the target [N, classes] lists class indices and ends at the
 * first negative one; a class that does not exist gives NaN.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { multiLabelMargin } from '@nn/layers';
 * const loss = multiLabelMargin(tensor([[0.1, 0.2, 0.4, 0.8]]), tensor(Int32Array.of(3, 0, -1, 1), { shape: [1, 4] }));
 * console.log((await loss.item()).toFixed(4)); // => 0.8500
 */
export function multiLabelMargin(scores: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('multiLabelMargin', options, lossOptions);
  requireShape('multiLabelMargin', 'target', target, scores.shape);
  const classes = scores.shape.at(-1) ?? 1;
  const visible = shown('multiLabelMargin', scores, options);
  const listed = target.cast('int32');
  const isListed = listed.less(0).cast('float32').cumsum(-1).equal(0);
  // [N, places, classes]: the class that stands at a place of the list
  const hit = listed.unsqueeze(-1).equal(arange(classes)).logicalAnd(isListed.unsqueeze(-1));
  const isTarget = hit.any(-2, { keepAxes: true });
  const own = where(hit, visible.unsqueeze(-2), 0).sum(-1, { keepAxes: true });
  const short = missed(visible.unsqueeze(-2).sub(own).add(1));
  const counts = isListed.unsqueeze(-1).logicalAnd(isTarget.logicalNot());
  const losses = where(counts, short, 0).sum([-2, -1]).div(classes);
  const isOutside = isListed.logicalAnd(listed.greaterEqual(classes)).any(-1);
  return reduceLoss('multiLabelMargin', where(isOutside, Number.NaN, losses), options);
}

export interface MultiLabelSoftMarginOptions extends LossOptions {
  /** A factor for each class: [classes]. */
  readonly weight?: Tensor | readonly number[];
}

/**
 * The mean over the classes, the last axis, of the binary cross entropy of logits and targets of 0 and 1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { multiLabelSoftMargin } from '@nn/layers';
 * console.log((await multiLabelSoftMargin(tensor([[0, 0]]), tensor([[1, 0]])).item()).toFixed(4)); // => 0.6931
 */
export function multiLabelSoftMargin(
  logits: Tensor,
  target: Tensor,
  options: MultiLabelSoftMarginOptions = {},
): Tensor {
  checkOptions('multiLabelSoftMargin', options, [...lossOptions, 'weight']);
  const [guess, wanted] = compared('multiLabelSoftMargin', logits, target, options);
  const losses = wanted.neg().add(1).mul(guess.softplus()).add(wanted.mul(guess.neg().softplus()));
  const classes = logits.shape.at(-1) ?? 1;
  const { weight } = options;
  const weighed =
    weight === undefined ? losses : losses.mul(perClass('multiLabelSoftMargin', 'weight', weight, classes));
  return reduceLoss('multiLabelSoftMargin', weighed.mean(-1), options);
}
