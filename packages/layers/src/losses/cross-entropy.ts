/**
 * Losses of one class out of many: cross entropy and what varies it, for balanced classes. Owns the formulas.
 * `classes.ts` reads the targets; `long-tail.ts` has the losses that know how often each class occurs.
 */
import { type Tensor, ValueError } from '@nn/core';
import { type ClassLossOptions, checkClassOptions, classLoss, perClass, surprise } from './classes.ts';

export type CrossEntropyOptions = ClassLossOptions;

/**
 * -log softmax(logits)[target]: logits [N, classes, ...] or [classes], with target either class indices [N, ...] or
 * probabilities of the shape of the logits. Matches PyTorch's `cross_entropy`; Keras takes probabilities as predictions unless
 * told otherwise, and its mean divides by the number of samples whatever the weights.
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
  checkClassOptions('crossEntropy', options);
  return classLoss('crossEntropy', logits, target, options, surprise);
}

/**
 * -logProbabilities[target], for what `logSoftmax` gives: [N, classes, ...] or [classes]. Matches PyTorch's `nll_loss`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { nll } from '@nn/layers';
 * console.log((await nll(tensor([[0.5, 0.5]]).log(), tensor([1])).item()).toFixed(4)); // => 0.6931
 */
export function nll(logProbabilities: Tensor, target: Tensor, options: ClassLossOptions = {}): Tensor {
  checkClassOptions('nll', options);
  return classLoss('nll', logProbabilities, target, options, (scores) => scores.neg());
}

export interface FocalOptions extends ClassLossOptions {
  /** How fast what is already right fades: 0 is cross entropy. Default 2. */
  readonly gamma?: number;
  /** A factor for all classes, or for each. Default 0.25, as in Keras. */
  readonly alpha?: number | Tensor | readonly number[];
}

/**
 * alpha (1 - p)^gamma times the cross entropy, with p the probability of the target: easy samples fade, as Keras'
 * `CategoricalFocalCrossentropy`, but from logits. For one logit a sample use `binaryFocal`. (Lin et al. 2017.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { focal } from '@nn/layers';
 * const loss = focal(tensor([[0.9, 0.1]]).log(), tensor([0]));
 * console.log((await loss.item()).toExponential(3)); // => 2.634e-4
 */
export function focal(logits: Tensor, target: Tensor, options: FocalOptions = {}): Tensor {
  checkClassOptions('focal', options, ['gamma', 'alpha']);
  const { gamma = 2, alpha = 0.25 } = options;
  requireGamma('focal', gamma);
  return classLoss('focal', logits, target, options, (scores) => {
    const losses = surprise(scores);
    // 1 - p = -expm1(-l) keeps its digits where p is almost 1
    const faded = losses.mul(fading(losses.neg().expm1().neg(), gamma));
    if (typeof alpha === 'number') return faded.mul(alpha);
    const axis = scores.rank === 1 ? 0 : 1;
    const factors = perClass('focal', 'alpha', alpha, scores.shape[axis] ?? 0);
    return faded.mul(factors.reshape([-1, ...new Array<number>(scores.rank - axis - 1).fill(1)]));
  });
}

/** wrong^gamma; the floor keeps slopes finite at 0, where a power below 1 has none. */
export function fading(wrong: Tensor, gamma: number): Tensor | number {
  return gamma === 0 ? 1 : wrong.maximum(1e-30).pow(gamma);
}

export function requireGamma(loss: string, gamma: number): void {
  if (!(gamma >= 0)) throw new ValueError(loss, `gamma is ${gamma}: it must be at least 0.`, { gamma });
}

export interface GeneralizedCrossEntropyOptions extends ClassLossOptions {
  /** Between cross entropy (towards 0) and the mean absolute error (1). Default 0.5, as in Keras. */
  readonly q?: number;
}

/**
 * (1 - p^q) / q with p the probability of the target: robust against wrong labels, because it is bounded. From logits, where
 * Keras' `CategoricalGeneralizedCrossEntropy` takes probabilities. (Zhang and Sabuncu 2018.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { generalizedCrossEntropy } from '@nn/layers';
 * const loss = generalizedCrossEntropy(tensor([[0.25, 0.75]]).log(), tensor([0]));
 * console.log((await loss.item()).toFixed(4)); // => 1.0000
 */
export function generalizedCrossEntropy(
  logits: Tensor,
  target: Tensor,
  options: GeneralizedCrossEntropyOptions = {},
): Tensor {
  checkClassOptions('generalizedCrossEntropy', options, ['q']);
  const { q = 0.5 } = options;
  if (!(q > 0 && q <= 1)) {
    throw new ValueError('generalizedCrossEntropy', `q is ${q}: it must be above 0 and at most 1.`, { q });
  }
  // 1 - p^q = -expm1(-q l)
  return classLoss('generalizedCrossEntropy', logits, target, options, (scores) =>
    surprise(scores).mul(-q).expm1().div(-q),
  );
}
