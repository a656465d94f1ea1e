/** What goes through the inside of a network: the conductance of layers and of neurons. */
import { checkOptions, gradients, gradientsOrNull, jvp, showShape, type Tensor, ValueError, zerosLike } from '@nn/core';
import { activationAt, findLayer, type LayerChoice } from '../layer.ts';
import {
  baselinesOf,
  callerOf,
  checkedInputs,
  type Explained,
  formed,
  type Inputs,
  type Like,
  scorerOf,
  selected,
} from '../model.ts';
import { type Attribution, alongPath, type PathOptions, withDelta } from './integrated.ts';

export interface ConductanceOptions extends PathOptions {
  readonly layer: LayerChoice;
}

/**
 * What the neurons of a layer add to F(x) - F(b): integrated gradients that pass through each of them, the integral of
 * dF/dy dy/da da. The sum over a layer that everything passes through is the whole difference. (Dhamdhere et al. 2019.)
 *
 * @example
 * import { ones, setSeed } from '@nn/core';
 * import { layerConductance } from '@nn/explain';
 * import { Linear, ReLU, Sequential } from '@nn/layers';
 * setSeed(1);
 * const model = new Sequential(new Linear(4, 3), new ReLU(), new Linear(3, 1));
 * const { attributions, convergenceDelta } = layerConductance(model, ones([2, 4]), { layer: '0' });
 * console.log(attributions.shape, Math.max(...(await convergenceDelta.abs().array(1))) < 0.05); // => [2, 3] true
 */
export function layerConductance(model: Explained, inputs: Inputs, options: ConductanceOptions): Attribution<Tensor> {
  const operation = 'layerConductance';
  checkOptions(operation, options, ['target', 'baseline', 'steps', 'method', 'layer']);
  const { list, samples } = checkedInputs(operation, inputs);
  const baselines = baselinesOf(operation, options.baseline, list);
  const layer = findLayer(operation, model, options.layer);
  const call = callerOf(operation, model);
  const differences = list.map((x, k) => x.sub(baselines[k] as Tensor));
  const [attributions] = alongPath(operation, baselines, differences, options, (points) => {
    const { result, activation } = activationAt(operation, layer, () => call(points));
    const [slope] = gradients(selected(operation, result, options.target, samples).sum(), [activation]);
    const inside = (...xs: Tensor[]): Tensor => activationAt(operation, layer, () => call(xs)).activation;
    return [slope.mul(jvp(inside, points, differences).tangent)];
  });
  const score = scorerOf(operation, model, options.target);
  const found = withDelta([attributions as Tensor], score(list), score(baselines));
  return { ...found, attributions: attributions as Tensor };
}

export interface NeuronConductanceOptions extends ConductanceOptions {
  /** The neuron, by its place in the layer's result after the samples: 3, or [channel, row, column]. */
  readonly neuron: number | readonly number[];
}

/**
 * What each element of the input adds to F(x) - F(b) by way of one neuron. The sum over the inputs is the neuron's conductance.
 * (Shrikumar et al. 2018.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { neuronConductance } from '@nn/explain';
 * const inner = { forward: (x: Tensor) => x.mul(tensor([2, 5])) };
 * const model = (x: Tensor) => inner.forward(x).sum(1);
 * const found = neuronConductance(model, tensor([[3, 1]]), { layer: inner, neuron: 0 });
 * console.log((await found.array(2)).map((row) => row.map(Math.round))); // => [[6, 0]]
 */
export function neuronConductance<const I extends Inputs>(
  model: Explained,
  inputs: I,
  options: NeuronConductanceOptions,
): Like<I> {
  const operation = 'neuronConductance';
  checkOptions(operation, options, ['target', 'baseline', 'steps', 'method', 'layer', 'neuron']);
  const { list, samples } = checkedInputs(operation, inputs);
  const baselines = baselinesOf(operation, options.baseline, list);
  const layer = findLayer(operation, model, options.layer);
  const call = callerOf(operation, model);
  const differences = list.map((x, k) => x.sub(baselines[k] as Tensor));
  const slopes = alongPath(operation, baselines, differences, options, (points) => {
    const { result, activation } = activationAt(operation, layer, () => call(points));
    const [slope] = gradients(selected(operation, result, options.target, samples).sum(), [activation]);
    const through = neuronOf(operation, activation, options.neuron).mul(
      neuronOf(operation, slope, options.neuron).stopGradient(),
    );
    return gradientsOrNull(through.sum(), points).map((x, k) => x ?? zerosLike(points[k] as Tensor));
  });
  return formed(
    inputs,
    slopes.map((slope, k) => slope.mul(differences[k] as Tensor)),
  );
}

function neuronOf(operation: string, activation: Tensor, neuron: number | readonly number[]): Tensor {
  const place = typeof neuron === 'number' ? [neuron] : neuron;
  const sizes = activation.shape.slice(1);
  const isInside = place.every((at, axis) => Number.isInteger(at) && at >= 0 && at < (sizes[axis] ?? 0));
  if (place.length !== sizes.length || !isInside) {
    throw new ValueError(
      operation,
      `the layer gives ${showShape(activation.shape)}, which has no neuron [${place.join(', ')}].`,
    );
  }
  return activation.slice([0, ...place], [null, ...place.map((at) => at + 1)]).reshape([activation.shape[0] as number]);
}
