/** How good an explanation is: whether it tells what happens to the score, and whether it stays when the input hardly moves. */
import { arange, checkOptions, isTensor, normal, type Tensor, uniform, ValueError, vmap } from '@nn/core';
import {
  checkedInputs,
  type Explained,
  type Inputs,
  type Like,
  listOf,
  requireWhole,
  scorerOf,
  sumOfEach,
  type TargetOptions,
  total,
} from '../model.ts';

export interface InfidelityOptions extends TargetOptions {
  /** How many perturbations. Default 10, as in Captum. */
  readonly samples?: number;
  /**
   * What is taken away from each input: a standard deviation of noise, or a function that draws it in the shape of the input.
   * Default 0.1.
   */
  readonly perturbation?: number | ((x: Tensor) => Tensor);
}

/**
 * The mean over perturbations I of (I . attributions - (F(x) - F(x - I)))^2: 0 for attributions that tell what the score does.
 * Those of local methods, per unit of input: gradients, not gradients times the input. [N]. (Yeh et al. 2019.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { infidelity, saliency } from '@nn/explain';
 * const model = (x: Tensor) => x.mul(tensor([3, -2])).sum(1);
 * const x = tensor([[5, 1]]);
 * const found = infidelity(model, x, saliency(model, x, { absolute: false }));
 * console.log((await found.item()) < 1e-8); // => true
 */
export function infidelity<const I extends Inputs>(
  model: Explained,
  inputs: I,
  attributions: Like<I>,
  options: InfidelityOptions = {},
): Tensor {
  const operation = 'infidelity';
  checkOptions(operation, options, ['target', 'samples', 'perturbation']);
  const { samples = 10, perturbation = 0.1 } = options;
  requireWhole(operation, 'samples', samples);
  const { list } = checkedInputs(operation, inputs);
  // the cast: Like<I> is a tensor or a list of them
  const given = listOf(attributions as Inputs);
  list.forEach((x, k) => {
    if (given[k]?.shape.join() === x.shape.join()) return;
    throw new ValueError(operation, `the attributions of input ${k} are not of its shape, [${x.shape.join(', ')}].`);
  });
  const score = scorerOf(operation, model, options.target);
  const draw = (x: Tensor): Tensor =>
    typeof perturbation === 'function' ? perturbation(x) : normal(x.shape, { standardDeviation: perturbation });
  const errors = vmap(
    (_: Tensor) => {
      const steps = list.map(draw);
      const told = total(steps.map((step, k) => step.mul(given[k] as Tensor)));
      return told.sub(score(list).sub(score(list.map((x, k) => x.sub(steps[k] as Tensor))))).square();
    },
    { random: 'different' },
  )(arange(samples));
  return errors.mean(0);
}

export interface SensitivityOptions {
  /** How far each element moves at most, in units of the input. Default 0.02, as in Captum. */
  readonly radius?: number;
  /** How many inputs around each sample. Default 10. */
  readonly samples?: number;
}

/**
 * The largest change of an explanation when the input moves by at most `radius` in each element, over the explanation's norm:
 * [N]. (Yeh et al. 2019.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { saliency, sensitivity } from '@nn/explain';
 * const model = (x: Tensor) => x.mul(tensor([3, -2])).sum(1);
 * console.log(await sensitivity((x) => saliency(model, x), tensor([[5, 1]])).array()); // => [0]
 */
export function sensitivity<const I extends Inputs>(
  method: (inputs: I) => Like<I>,
  inputs: I,
  options: SensitivityOptions = {},
): Tensor {
  const operation = 'sensitivity';
  checkOptions(operation, options, ['radius', 'samples']);
  const { radius = 0.02, samples = 10 } = options;
  requireWhole(operation, 'samples', samples);
  if (!(radius > 0)) throw new ValueError(operation, `radius is ${radius}: it is above 0.`);
  const { list } = checkedInputs(operation, inputs);
  // the casts: as many tensors as the inputs are
  const explained = (xs: readonly Tensor[]): Tensor[] => listOf(method((isTensor(inputs) ? xs[0] : xs) as I) as Inputs);
  const here = explained(list);
  const norm = total(here.map((x) => x.square())).sqrt();
  const changes = vmap(
    (_: Tensor) => {
      const there = explained(list.map((x) => x.add(uniform(x.shape, { low: -radius, high: radius }))));
      return there.map((x, k) => sumOfEach(x.sub(here[k] as Tensor).square())).reduce((a, b) => a.add(b));
    },
    { random: 'different' },
  )(arange(samples));
  return changes.max(0).sqrt().div(norm.maximum(1e-12));
}
