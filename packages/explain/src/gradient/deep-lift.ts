/**
 * DeepLift: differences from a baseline, passed back through the network. The rules act on the operations of the graph, so any
 * model has them; they are in multipliers.ts.
 */
import { checkOptions, gradientsOrNull, type Tensor, withChainRule, zerosLike } from '@nn/core';
import {
  type BaselineOptions,
  baselinesOf,
  callerOf,
  checkedInputs,
  type Explained,
  formed,
  type Inputs,
  type Like,
  selected,
} from '../model.ts';
import { type Attribution, withDelta } from './integrated.ts';
import { multiplierRule } from './multipliers.ts';
import { twins } from './twins.ts';

/**
 * What each element of the input adds to F(x) - F(b), by one walk back through the network: every non-linear operation passes
 * back the quotient of its differences (the rescale rule) in place of its slope. Complete: the sum is F(x) - F(b), also through
 * products of two values that both change (attention), softmax and max pooling, for which Captum has gradients or rules of its
 * own. (Shrikumar et al. 2017.)
 *
 * Throws ValueError where an operation has no such rule, naming it (loops, sorting, decompositions of matrices).
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { deepLift } from '@nn/explain';
 * const model = (x: Tensor) => x.sum(1).sub(2).relu();
 * console.log(await deepLift(model, tensor([[3, 1]])).attributions.array()); // => [[1.5, 0.5]]
 */
export function deepLift<const I extends Inputs>(
  model: Explained,
  inputs: I,
  options: BaselineOptions = {},
): Attribution<Like<I>> {
  const operation = 'deepLift';
  checkOptions(operation, options, ['target', 'baseline']);
  const { list, samples } = checkedInputs(operation, inputs);
  // behind stopGradient neither is a constant that the model's operations might leave out
  const xs = list.map((x) => x.stopGradient());
  const baselines = baselinesOf(operation, options.baseline, list).map((b) => b.stopGradient());
  const call = callerOf(operation, model);
  const pair = twins(operation, (points) => selected(operation, call(points), options.target, samples), xs, baselines);
  const multipliers = withChainRule(multiplierRule(operation, pair), () => gradientsOrNull(pair.output.sum(), xs));
  const attributions = xs.map((x, k) => (multipliers[k] ?? zerosLike(x)).mul(x.sub(baselines[k] as Tensor)));
  const found = withDelta(attributions, pair.output, pair.baselineOutput);
  return { ...found, attributions: formed(inputs, attributions) };
}
