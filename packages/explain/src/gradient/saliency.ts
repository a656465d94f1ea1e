/** The slope of a score, as it is: saliency, and the input times it. */
import { checkOptions, gradients, type Tensor } from '@nn/core';
import {
  checkedInputs,
  type Explained,
  formed,
  type Inputs,
  type Like,
  scorerOf,
  type Target,
  type TargetOptions,
} from '../model.ts';

export interface SaliencyOptions extends TargetOptions {
  /** The magnitude of the gradient alone. Default true, as in Captum. */
  readonly absolute?: boolean;
}

/**
 * |dF/dx|: how much each element of the input [N, ...] moves the score. (Simonyan et al. 2014.)
 *
 * Throws ValueError without a target where the model has several outputs, GradientError where the score does not depend on an
 * input.
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { saliency } from '@nn/explain';
 * const model = (x: Tensor) => x.mul(tensor([3, -2])).sum(1);
 * console.log(await saliency(model, tensor([[5, 1]])).array()); // => [[3, 2]]
 */
export function saliency<const I extends Inputs>(model: Explained, inputs: I, options: SaliencyOptions = {}): Like<I> {
  checkOptions('saliency', options, ['target', 'absolute']);
  const slopes = slopesOf('saliency', model, inputs, options.target);
  return formed(inputs, options.absolute === false ? slopes : slopes.map((slope) => slope.abs()));
}

/**
 * x dF/dx: what each element of the input [N, ...] adds, were the model linear. (Shrikumar et al. 2016.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { inputTimesGradient } from '@nn/explain';
 * const model = (x: Tensor) => x.mul(tensor([3, -2])).sum(1);
 * console.log(await inputTimesGradient(model, tensor([[5, 1]])).array()); // => [[15, -2]]
 */
export function inputTimesGradient<const I extends Inputs>(
  model: Explained,
  inputs: I,
  options: TargetOptions = {},
): Like<I> {
  checkOptions('inputTimesGradient', options, ['target']);
  const slopes = slopesOf('inputTimesGradient', model, inputs, options.target);
  const { list } = checkedInputs('inputTimesGradient', inputs);
  return formed(
    inputs,
    slopes.map((slope, k) => slope.mul(list[k] as Tensor)),
  );
}

/** dF/dx for each input. Samples do not meet, so the gradient of the sum of scores is that of each. */
export function slopesOf(operation: string, model: Explained, inputs: Inputs, target: Target | undefined): Tensor[] {
  const { list } = checkedInputs(operation, inputs);
  return gradients(scorerOf(operation, model, target)(list).sum(), list);
}
