/**
 * Losses of numbers: how far a prediction is from its target, element by element. Owns the formulas.
 * `likelihood.ts` has the losses of predicted distributions.
 */
import { checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { compared, type LossOptions, lossOptions, reduceLoss } from './reduce.ts';

/**
 * The mean of (prediction - target)^2.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { meanSquaredError } from '@nn/layers';
 * console.log(await meanSquaredError(tensor([1, 2]), tensor([1, 4])).item()); // => 2
 */
export function meanSquaredError(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('meanSquaredError', options, lossOptions);
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
  checkOptions('l1', options, lossOptions);
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
  checkOptions('huber', options, [...lossOptions, 'delta']);
  const [guess, wanted] = compared('huber', prediction, target, options);
  const { delta = 1 } = options;
  if (!(delta > 0)) throw new ValueError('huber', `delta is ${delta}: it must be above 0.`, { delta });
  const difference = guess.sub(wanted);
  const distance = difference.abs();
  const line = distance.sub(0.5 * delta).mul(delta);
  return reduceLoss('huber', where(distance.lessEqual(delta), difference.square().mul(0.5), line), options);
}

export interface SmoothL1Options extends LossOptions {
  /** Where the square turns into a line. Default 1; 0 is `l1`. */
  readonly beta?: number;
}

/**
 * d^2 / (2 beta) up to |d| = beta, |d| - beta / 2 beyond: `huber` divided by its delta. (Girshick 2015.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { smoothL1 } from '@nn/layers';
 * console.log(await smoothL1(tensor([0, 0]), tensor([1, 3]), { beta: 2 }).item()); // => 1.125
 */
export function smoothL1(prediction: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  checkOptions('smoothL1', options, [...lossOptions, 'beta']);
  const { beta = 1 } = options;
  if (!(beta >= 0)) throw new ValueError('smoothL1', `beta is ${beta}: it must be at least 0.`, { beta });
  const [guess, wanted] = compared('smoothL1', prediction, target, options);
  const difference = guess.sub(wanted);
  const distance = difference.abs();
  if (beta === 0) return reduceLoss('smoothL1', distance, options);
  const square = difference.square().mul(0.5 / beta);
  return reduceLoss('smoothL1', where(distance.less(beta), square, distance.sub(0.5 * beta)), options);
}

/**
 * log(cosh(prediction - target)): half a square near 0, |d| - log 2 far away, and smooth everywhere. (Keras' `LogCosh`.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { logCosh } from '@nn/layers';
 * console.log((await logCosh(tensor([101]), tensor([1])).item()).toFixed(4)); // => 99.3069
 */
export function logCosh(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('logCosh', options, lossOptions);
  const [guess, wanted] = compared('logCosh', prediction, target, options);
  const difference = guess.sub(wanted);
  // log((e^d + e^-d) / 2) = d + log(1 + e^-2d) - log 2
  return reduceLoss('logCosh', difference.add(difference.mul(-2).softplus()).sub(Math.LN2), options);
}

/**
 * 100 |prediction - target| / |target|, where a target nearer to 0 than 1e-7 counts as that. (Keras' `MeanAbsolutePercentageError`.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { meanAbsolutePercentageError } from '@nn/layers';
 * console.log(await meanAbsolutePercentageError(tensor([3]), tensor([4])).item()); // => 25
 */
export function meanAbsolutePercentageError(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('meanAbsolutePercentageError', options, lossOptions);
  const [guess, wanted] = compared('meanAbsolutePercentageError', prediction, target, options);
  const share = wanted.sub(guess).div(wanted.abs().maximum(1e-7)).abs();
  return reduceLoss('meanAbsolutePercentageError', share.mul(100), options);
}

/**
 * (log(1 + prediction) - log(1 + target))^2, with both at least 1e-7: errors in proportion. (Keras' `MeanSquaredLogarithmicError`.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { meanSquaredLogarithmicError } from '@nn/layers';
 * console.log((await meanSquaredLogarithmicError(tensor([0]), tensor([1])).item()).toFixed(4)); // => 0.4805
 */
export function meanSquaredLogarithmicError(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('meanSquaredLogarithmicError', options, lossOptions);
  const [guess, wanted] = compared('meanSquaredLogarithmicError', prediction, target, options);
  const difference = guess.maximum(1e-7).log1p().sub(wanted.maximum(1e-7).log1p());
  return reduceLoss('meanSquaredLogarithmicError', difference.square(), options);
}
