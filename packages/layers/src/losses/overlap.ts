/**
 * Losses of areas: how much of a prediction and its target overlap, for each sample. Owns the formulas.
 * Predictions are probabilities, targets 0 and 1 (or shares), of one shape.
 */
import { checkOptions, type Tensor } from '@nn/core';
import { keepOver } from '../mask.ts';
import { compared, type LossOptions, lossOptions, reduceLoss } from './reduce.ts';

export interface DiceOptions extends LossOptions {
  /** Over which axes areas are summed. Default all but the first; Keras sums over the batch, too. */
  readonly axes?: readonly number[];
  /** Added above and below the fraction: 1 where both areas are empty. Default 1e-7; Keras adds it below only. */
  readonly smooth?: number;
}

/** Sums over the axes of the areas, for prediction and target where they count. */
function areas(
  loss: string,
  prediction: Tensor,
  target: Tensor,
  options: DiceOptions,
): { readonly sum: (x: Tensor) => Tensor; readonly guess: Tensor; readonly wanted: Tensor } {
  const axes = options.axes ?? prediction.shape.map((_, axis) => axis).slice(1);
  const [guess, wanted] = compared(loss, prediction, target, options);
  return { sum: (x) => (axes.length === 0 ? x : x.sum(axes)), guess, wanted };
}

/** Of a mask over elements, which samples have any that counts; one with more axes than the losses has done its work. */
function overSamples(loss: string, prediction: Tensor, losses: Tensor, options: DiceOptions): LossOptions {
  const { reduction = 'mean', mask, sampleWeight } = options;
  const rest = sampleWeight === undefined ? { reduction } : { reduction, sampleWeight };
  if (mask === undefined || losses.rank === 0) return rest;
  if (mask.rank <= losses.rank) return { ...rest, mask };
  const keep = keepOver(loss, mask, prediction);
  const after = keep.shape.map((_, axis) => axis).slice(losses.rank);
  return { ...rest, mask: keep.any(after) };
}

/**
 * 1 - 2 |P T| / (|P| + |T|), of each sample: 0 where areas are equal, 1 where they do not meet. (Milletari et al. 2016.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { dice } from '@nn/layers';
 * const loss = dice(tensor([[1, 1, 0]]), tensor([[1, 0, 0]]));
 * console.log((await loss.item()).toFixed(4)); // => 0.3333
 */
export function dice(prediction: Tensor, target: Tensor, options: DiceOptions = {}): Tensor {
  checkOptions('dice', options, [...lossOptions, 'axes', 'smooth']);
  const { smooth = 1e-7 } = options;
  const { sum, guess, wanted } = areas('dice', prediction, target, options);
  const both = sum(guess.mul(wanted)).mul(2).add(smooth);
  const losses = both
    .div(sum(guess).add(sum(wanted)).add(smooth))
    .neg()
    .add(1);
  return reduceLoss('dice', losses, overSamples('dice', prediction, losses, options));
}

export interface TverskyOptions extends DiceOptions {
  /** What predicted area outside the target costs. Default 0.5. */
  readonly alpha?: number;
  /** What target area that is not predicted costs. Default 0.5; with alpha 0.5 the loss is `dice`. */
  readonly beta?: number;
}

/**
 * 1 - |P T| / (|P T| + alpha |P without T| + beta |T without P|), of each sample. (Salehi et al. 2017.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { tversky } from '@nn/layers';
 * const loss = tversky(tensor([[1, 1, 0]]), tensor([[1, 0, 0]]), { alpha: 1 });
 * console.log((await loss.item()).toFixed(4)); // => 0.5000
 */
export function tversky(prediction: Tensor, target: Tensor, options: TverskyOptions = {}): Tensor {
  checkOptions('tversky', options, [...lossOptions, 'axes', 'smooth', 'alpha', 'beta']);
  const { smooth = 1e-7, alpha = 0.5, beta = 0.5 } = options;
  const { sum, guess, wanted } = areas('tversky', prediction, target, options);
  const both = sum(guess.mul(wanted));
  const extra = sum(guess.mul(wanted.neg().add(1))).mul(alpha);
  const absent = sum(wanted.mul(guess.neg().add(1))).mul(beta);
  const losses = both.add(smooth).div(both.add(extra).add(absent).add(smooth)).neg().add(1);
  return reduceLoss('tversky', losses, overSamples('tversky', prediction, losses, options));
}
