/**
 * Losses of yes or no, for each element by itself: binary cross entropy of probabilities and of logits, and focal loss.
 * Owns the formulas and their safety at the edges.
 */
import { checkOptions, customGradient, type Tensor } from '@nn/core';
import { fading, requireGamma } from './cross-entropy.ts';
import { compared, type LossOptions, lossOptions, reduceLoss, smoothed } from './reduce.ts';

const binaryOptions: readonly string[] = ['reduction', 'mask', 'sampleWeight', 'weight', 'labelSmoothing'];

function cutOff(logarithm: Tensor): Tensor {
  return logarithm.maximum(-100);
}

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** A factor for each element, broadcast to the prediction. */
  readonly weight?: Tensor;
  /** How far targets move from 0 and 1 towards 1/2, 0 to 1. Default 0. (Szegedy et al. 2016.) */
  readonly labelSmoothing?: number;
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
  checkOptions('binaryCrossEntropy', options, binaryOptions);
  const [guess, given] = compared('binaryCrossEntropy', prediction, target, options);
  const wanted = smoothed('binaryCrossEntropy', given, options.labelSmoothing);
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

/**
 * softplus(x) and softplus(-x), with one logarithm: max(x, 0) and max(-x, 0), each plus log1p(exp(-|x|)).
 * d softplus(x) = sigmoid(x) dx
 */
function softplusOfBoth(x: Tensor): readonly [Tensor, Tensor] {
  const tail = x.abs().neg().exp().log1p();
  const softplus = customGradient(
    (v: Tensor) => v.maximum(0).add(tail),
    (cotangent: Tensor, inputs: readonly Tensor[]) => [cotangent.mul(inputs[0]!.sigmoid())],
  );
  return [softplus(x), softplus(x.neg())];
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
  checkOptions('bceWithLogits', options, [...binaryOptions, 'positiveWeight']);
  const [guess, given] = compared('bceWithLogits', logits, target, options);
  const { weight, positiveWeight } = options;
  const wanted = smoothed('bceWithLogits', given, options.labelSmoothing);
  const [yes, no] = softplusOfBoth(guess);
  const wrong = wanted.neg().add(1).mul(yes);
  const missed = wanted.mul(no);
  const losses = wrong.add(positiveWeight === undefined ? missed : missed.mul(positiveWeight));
  return reduceLoss('bceWithLogits', weight === undefined ? losses : losses.mul(weight), options);
}

export interface BinaryFocalOptions extends LossOptions {
  /** How fast what is already right fades: 0 is cross entropy. Default 2. */
  readonly gamma?: number;
  /** The factor of targets 1; targets 0 have 1 - alpha. Null for none, as in Keras by default. Default 0.25, as in torchvision. */
  readonly alpha?: number | null;
  /** How far targets move from 0 and 1 towards 1/2, 0 to 1. Default 0. */
  readonly labelSmoothing?: number;
}

/**
 * alpha_t (1 - p_t)^gamma times the binary cross entropy of sigmoid(logits), where p_t is the probability of what is right.
 * (Lin et al. 2017; torchvision's `sigmoid_focal_loss`.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { binaryFocal } from '@nn/layers';
 * const loss = binaryFocal(tensor([Math.log(9)]), tensor([1])); // p = 0.9
 * console.log((await loss.item()).toExponential(3)); // => 2.634e-4
 */
export function binaryFocal(logits: Tensor, target: Tensor, options: BinaryFocalOptions = {}): Tensor {
  checkOptions('binaryFocal', options, [...lossOptions, 'gamma', 'alpha', 'labelSmoothing']);
  const { gamma = 2, alpha = 0.25 } = options;
  requireGamma('binaryFocal', gamma);
  const [guess, given] = compared('binaryFocal', logits, target, options);
  const wanted = smoothed('binaryFocal', given, options.labelSmoothing);
  const others = wanted.neg().add(1);
  const [yes, no] = softplusOfBoth(guess);
  const losses = others.mul(yes).add(wanted.mul(no));
  const wrong = wanted.mul(guess.neg().sigmoid()).add(others.mul(guess.sigmoid()));
  const faded = losses.mul(fading(wrong, gamma));
  const weighed = alpha === null ? faded : faded.mul(wanted.mul(alpha).add(others.mul(1 - alpha)));
  return reduceLoss('binaryFocal', weighed, options);
}
