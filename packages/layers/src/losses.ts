/**
 * Losses as functions of predictions and targets. All take the form `loss(prediction, target, options)`.
 * Owns the formulas and their safety at the edges; `crossEntropy` has a file of its own.
 */
import { checkOptions, customGradient, ShapeError, type Tensor, ValueError, where } from '@nn/core';
import { show, sizeAt } from './layer.ts';
import { keepOver, type MaskOptions } from './mask.ts';

/** How the losses of the elements become one: their mean, their sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions extends MaskOptions {
  /** Default 'mean': with a mask, over what counts. */
  readonly reduction?: Reduction;
}

/** Applies a reduction to elementwise losses, of which those count that the mask says. */
export function reduceLoss(loss: string, losses: Tensor, { reduction = 'mean', mask }: LossOptions): Tensor {
  if (mask === undefined) {
    if (reduction === 'mean') return losses.mean();
    return reduction === 'sum' ? losses.sum() : losses;
  }
  const keep = keepOver(loss, mask, losses);
  const kept = where(keep, losses, 0);
  if (reduction === 'none') return kept;
  return reduction === 'sum' ? kept.sum() : kept.sum().div(keep.expand(losses.shape).cast('float32').sum());
}

/** Losses compare element by element: a shape that broadcasts ([N, 1] with [N]) is nearly always a mistake. */
function requireSameShape(loss: string, prediction: Tensor, target: Tensor): void {
  const { shape } = prediction;
  if (show(shape) === show(target.shape)) return;
  throw new ShapeError(
    `${loss}: the prediction ${show(shape)} and the target ${show(target.shape)} have different shapes: reshape one of them.`,
    { loss, prediction: shape, target: target.shape },
  );
}

/** Prediction and target where they count, and 0 elsewhere: what stands in padding reaches neither the loss nor a gradient. */
function compared(loss: string, prediction: Tensor, target: Tensor, { mask }: MaskOptions): readonly [Tensor, Tensor] {
  requireSameShape(loss, prediction, target);
  if (mask === undefined) return [prediction, target];
  const keep = keepOver(loss, mask, prediction);
  return [where(keep, prediction, 0), where(keep, target, 0)];
}

/**
 * The mean of (prediction - target)^2.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { meanSquaredError } from '@nn/layers';
 * console.log(await meanSquaredError(tensor([1, 2]), tensor([1, 4])).item()); // => 2
 */
export function meanSquaredError(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('meanSquaredError', options, ['reduction', 'mask']);
  const [guess, wanted] = compared('meanSquaredError', prediction, target, options);
  return reduceLoss('meanSquaredError', guess.sub(wanted).square(), options);
}

/**
 * The mean of |prediction - target|.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { l1 } from '@nn/layers';
 * console.log(await l1(tensor([1, 2]), tensor([1, 4])).item()); // => 1
 */
export function l1(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('l1', options, ['reduction', 'mask']);
  const [guess, wanted] = compared('l1', prediction, target, options);
  return reduceLoss('l1', guess.sub(wanted).abs(), options);
}

export interface HuberOptions extends LossOptions {
  /** Where the square turns into a line. Default 1. */
  readonly delta?: number;
}

/**
 * Half the squared difference up to `delta`, a line beyond: delta (|d| - delta / 2). (Huber 1964.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { huber } from '@nn/layers';
 * console.log(await huber(tensor([0, 0]), tensor([1, 3])).item()); // => 1.5
 */
export function huber(prediction: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  checkOptions('huber', options, ['reduction', 'delta', 'mask']);
  const [guess, wanted] = compared('huber', prediction, target, options);
  const { delta = 1 } = options;
  if (!(delta > 0)) throw new ValueError(`huber: delta is ${delta}: it must be above 0.`, { delta });
  const difference = guess.sub(wanted);
  const distance = difference.abs();
  const line = distance.sub(0.5 * delta).mul(delta);
  return reduceLoss('huber', where(distance.lessEqual(delta), difference.square().mul(0.5), line), options);
}

function cutOff(logarithm: Tensor): Tensor {
  return logarithm.maximum(-100);
}

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** A factor for each element, broadcast to the prediction. */
  readonly weight?: Tensor;
}

/**
 * -(t log p + (1 - t) log(1 - p)) for probabilities p in 0 to 1. Where you have logits, use `bceWithLogits`: it is exact.
 *
 * Logarithms are cut off at -100 and the gradient's denominator at 1e-12, as in PyTorch, so that p = 0 and p = 1 stay finite.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { binaryCrossEntropy } from '@nn/layers';
 * console.log((await binaryCrossEntropy(tensor([0.5]), tensor([1])).item()).toFixed(4)); // => 0.6931
 */
export function binaryCrossEntropy(
  prediction: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  checkOptions('binaryCrossEntropy', options, ['reduction', 'weight', 'mask']);
  const [guess, wanted] = compared('binaryCrossEntropy', prediction, target, options);
  const losses = customGradient(
    (p: Tensor, t: Tensor) => {
      const [yes, no] = [cutOff(p.log()), cutOff(p.neg().log1p())];
      return t.mul(yes).add(t.neg().add(1).mul(no)).neg();
    },
    // dL/dp = (p - t) / (p (1 - p)), where 1 - p is exact near 1 and p - p^2 is not;  dL/dt = log(1 - p) - log p
    (cotangent: Tensor) => [
      cotangent.mul(guess.sub(wanted)).div(guess.neg().add(1).mul(guess).maximum(1e-12)),
      cotangent.mul(cutOff(guess.neg().log1p()).sub(cutOff(guess.log()))),
    ],
  )(guess, wanted);
  return reduceLoss('binaryCrossEntropy', options.weight === undefined ? losses : losses.mul(options.weight), options);
}

export interface BceWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** A factor for the targets' positive part, one per class or a number: above 1 it weighs recall. */
  readonly positiveWeight?: Tensor | number;
}

/**
 * Binary cross entropy of sigmoid(x), computed from the logits x without overflow:
 * (1 - t) softplus(x) + w t softplus(-x), with w the positive weight. Both terms keep their digits where they are small.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { bceWithLogits } from '@nn/layers';
 * console.log(await bceWithLogits(tensor([1000, -1000]), tensor([0, 0])).item()); // => 500
 */
export function bceWithLogits(logits: Tensor, target: Tensor, options: BceWithLogitsOptions = {}): Tensor {
  checkOptions('bceWithLogits', options, ['reduction', 'weight', 'positiveWeight', 'mask']);
  const [guess, wanted] = compared('bceWithLogits', logits, target, options);
  const { weight, positiveWeight } = options;
  const wrong = wanted.neg().add(1).mul(guess.softplus());
  const missed = wanted.mul(guess.neg().softplus());
  const losses = wrong.add(positiveWeight === undefined ? missed : missed.mul(positiveWeight));
  return reduceLoss('bceWithLogits', weight === undefined ? losses : losses.mul(weight), options);
}

export interface KlDivergenceOptions extends MaskOptions {
  /** 'batchMean' divides the sum by the first axis, which is the divergence itself; 'mean' divides by all elements. Default 'mean'. */
  readonly reduction?: Reduction | 'batchMean';
  /** Whether the target holds logarithms too. Default false. */
  readonly logTarget?: boolean;
}

/**
 * target (log target - prediction), for log-probabilities as prediction: the Kullback-Leibler divergence from prediction
 * to target. Elements with target 0 count 0.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { klDivergence } from '@nn/layers';
 * const prediction = tensor([[0.5, 0.5]]).log();
 * const loss = klDivergence(prediction, tensor([[1, 0]]), { reduction: 'batchMean' });
 * console.log((await loss.item()).toFixed(4)); // => 0.6931
 */
export function klDivergence(prediction: Tensor, target: Tensor, options: KlDivergenceOptions = {}): Tensor {
  checkOptions('klDivergence', options, ['reduction', 'logTarget', 'mask']);
  const [guess, wanted] = compared('klDivergence', prediction, target, options);
  const { reduction = 'mean', logTarget = false, mask } = options;
  const masked = mask === undefined ? {} : { mask };
  let losses: Tensor;
  if (logTarget) {
    losses = wanted.exp().mul(wanted.sub(guess));
  } else {
    // the inner where keeps log finite where the outer one takes 0
    const positive = wanted.greater(0);
    const logarithm = where(positive, wanted, 1).log();
    losses = where(positive, wanted.mul(logarithm.sub(guess)), 0);
  }
  if (reduction !== 'batchMean') return reduceLoss('klDivergence', losses, { reduction, ...masked });
  if (mask === undefined) return losses.sum().div(guess.shape[0] ?? 1);
  // over the samples with an element that counts
  const sum = reduceLoss('klDivergence', losses, { reduction: 'sum', mask });
  const samples = keepOver('klDivergence', mask, losses)
    .reshape([sizeAt(mask, 0), -1])
    .any(1);
  return sum.div(samples.cast('float32').sum());
}
