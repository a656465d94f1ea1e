/**
 * Losses of predicted distributions of numbers: Poisson, normal, and the divergence between two. Owns the formulas.
 * Those of classes are in `cross-entropy.ts` and `binary.ts`.
 */
import { checkOptions, ShapeError, showShape, type Tensor, ValueError, where } from '@nn/core';
import { sizeAt } from '../layer.ts';
import { keepOver } from '../mask.ts';
import { compared, type LossOptions, lossOptions, type Reduction, reduceLoss, shown } from './reduce.ts';

export interface PoissonNllOptions extends LossOptions {
  /** Whether the prediction is the logarithm of the mean. Default true; Keras' `Poisson` is false, with epsilon 1e-7. */
  readonly logInput?: boolean;
  /** Whether to add Stirling's approximation of log(target!), which no gradient needs. Default false. */
  readonly full?: boolean;
  /** Added to the mean before its logarithm, without logInput. Default 1e-8. */
  readonly epsilon?: number;
}

/**
 * -log of the Poisson probability of the target: exp(x) - t x, or x - t log(x + epsilon) without logInput.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { poissonNll } from '@nn/layers';
 * console.log(await poissonNll(tensor([0]), tensor([3])).item()); // => 1
 */
export function poissonNll(prediction: Tensor, target: Tensor, options: PoissonNllOptions = {}): Tensor {
  checkOptions('poissonNll', options, [...lossOptions, 'logInput', 'full', 'epsilon']);
  const { logInput = true, full = false, epsilon = 1e-8 } = options;
  const [guess, wanted] = compared('poissonNll', prediction, target, options);
  const losses = logInput
    ? guess.exp().sub(wanted.mul(guess))
    : guess.sub(wanted.mul(positive(guess, options).add(epsilon).log()));
  if (!full) return reduceLoss('poissonNll', losses, options);
  // log t! = t log t - t + log(2 pi t) / 2, for t above 1
  const isLarge = wanted.greater(1);
  const safe = where(isLarge, wanted, 1);
  const stirling = safe
    .mul(safe.log())
    .sub(safe)
    .add(
      safe
        .mul(2 * Math.PI)
        .log()
        .mul(0.5),
    );
  return reduceLoss('poissonNll', losses.add(where(isLarge, stirling, 0)), options);
}

/** 1 in place of what a mask hides: a logarithm of the 0 there would have an infinite slope. */
function positive(x: Tensor, { mask }: LossOptions): Tensor {
  return mask === undefined ? x : where(keepOver('poissonNll', mask, x), x, 1);
}

export interface GaussianNllOptions extends LossOptions {
  /** Whether to add log(2 pi) / 2. Default false. */
  readonly full?: boolean;
  /** The smallest variance. Default 1e-6. */
  readonly epsilon?: number;
}

/**
 * -log of the normal density: (log(variance) + (prediction - target)^2 / variance) / 2, with a variance shaped as the
 * prediction, with 1 as its last axis, or without that axis. A variance below epsilon counts as epsilon, with the slope there,
 * so that it can grow again. (Nix and Weigend 1994.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { gaussianNll } from '@nn/layers';
 * console.log(await gaussianNll(tensor([3]), tensor([1]), tensor([1])).item()); // => 2
 */
export function gaussianNll(
  prediction: Tensor,
  target: Tensor,
  variance: Tensor,
  options: GaussianNllOptions = {},
): Tensor {
  checkOptions('gaussianNll', options, [...lossOptions, 'full', 'epsilon']);
  const { full = false, epsilon = 1e-6 } = options;
  if (!(epsilon > 0)) throw new ValueError('gaussianNll', `epsilon is ${epsilon}: it must be above 0.`, { epsilon });
  const [guess, wanted] = compared('gaussianNll', prediction, target, options);
  const given = varianceLike(variance, prediction);
  const seen = shown('gaussianNll', given.expand(prediction.shape), options);
  const isSmall = seen.less(epsilon);
  // x - stopGradient(x) is 0 with the slope of x
  const safe = where(isSmall, seen.sub(seen.stopGradient()).add(epsilon), seen);
  const losses = safe.log().add(guess.sub(wanted).square().div(safe)).mul(0.5);
  return reduceLoss('gaussianNll', full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses, options);
}

function varianceLike(variance: Tensor, prediction: Tensor): Tensor {
  const { shape } = prediction;
  const forms = [shape, [...shape.slice(0, -1), 1]].map(showShape);
  if (forms.includes(showShape(variance.shape))) return variance;
  if (showShape(variance.shape) === showShape(shape.slice(0, -1))) return variance.unsqueeze(-1);
  throw new ShapeError(
    'gaussianNll',
    `for the prediction ${forms[0]} the variance must be ${forms[0]} or ${forms[1]}, got ${showShape(variance.shape)}.`,
    { prediction: shape, variance: variance.shape },
  );
}

export interface KlDivergenceOptions extends Omit<LossOptions, 'reduction'> {
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
  checkOptions('klDivergence', options, [...lossOptions, 'logTarget']);
  const [guess, wanted] = compared('klDivergence', prediction, target, options);
  const { reduction = 'mean', logTarget = false, mask } = options;
  let losses: Tensor;
  if (logTarget) {
    losses = wanted.exp().mul(wanted.sub(guess));
  } else {
    // the inner where keeps log finite where the outer one takes 0
    const positive = wanted.greater(0);
    const logarithm = where(positive, wanted, 1).log();
    losses = where(positive, wanted.mul(logarithm.sub(guess)), 0);
  }
  if (reduction !== 'batchMean') return reduceLoss('klDivergence', losses, { ...options, reduction });
  const sum = reduceLoss('klDivergence', losses, { ...options, reduction: 'sum' });
  if (mask === undefined) return sum.div(guess.shape[0] ?? 1);
  // over the samples with an element that counts
  const samples = keepOver('klDivergence', mask, losses)
    .reshape([sizeAt(mask, 0), -1])
    .any(1);
  return sum.div(samples.cast('float32').sum());
}
