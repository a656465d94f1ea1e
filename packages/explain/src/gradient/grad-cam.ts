/**
 * Where a convolutional network looks: Grad-CAM, and gradients that only pass where they help. The rules for ReLU replace those
 * of the operation in the graph, so that it does not matter how the model wrote it.
 */
import {
  checkOptions,
  type GraphNode,
  gradients,
  interpolate,
  showShape,
  type Tensor,
  ValueError,
  withChainRule,
} from '@nn/core';
import { activationAt, findLayer, type LayerChoice } from '../layer.ts';
import {
  callerOf,
  checkedInputs,
  type Explained,
  formed,
  type Inputs,
  type Like,
  scorerOf,
  selected,
  type TargetOptions,
} from '../model.ts';

export interface GradCamOptions extends TargetOptions {
  /** The convolution (or what follows it) that is looked at, usually the last one. Its result is [N, channels, ...space]. */
  readonly layer: LayerChoice;
  /** Only what speaks for the target: max(., 0). Default false, as in Captum; the paper has it. */
  readonly relu?: boolean;
}

/**
 * The channels of a layer, weighted by the mean slope of the score over each channel's space: [N, 1, ...space of the layer].
 * `interpolate` of core brings it to the size of the picture. (Selvaraju et al. 2017.)
 *
 * @example
 * import { ones, setSeed } from '@nn/core';
 * import { gradCam } from '@nn/explain';
 * import { Conv2d, Flatten, Linear, ReLU, Sequential } from '@nn/layers';
 * setSeed(1);
 * const model = new Sequential(new Conv2d(1, 4, 3), new ReLU(), new Flatten(), new Linear(4 * 6 * 6, 10));
 * console.log(gradCam(model, ones([2, 1, 8, 8]), { layer: '1', target: 3 }).shape); // => [2, 1, 6, 6]
 */
export function gradCam(model: Explained, inputs: Inputs, options: GradCamOptions): Tensor {
  checkOptions('gradCam', options, ['target', 'layer', 'relu']);
  return camOf('gradCam', model, inputs, options);
}

function camOf(operation: string, model: Explained, inputs: Inputs, options: GradCamOptions): Tensor {
  const { list, samples } = checkedInputs(operation, inputs);
  const call = callerOf(operation, model);
  const layer = findLayer(operation, model, options.layer);
  const { result, activation } = activationAt(operation, layer, () => call(list));
  if (activation.rank < 3) {
    throw new ValueError(
      operation,
      `the layer ${String(layer)} gives ${showShape(activation.shape)}: choose one whose result is [N, channels, ...space].`,
    );
  }
  const [slope] = gradients(selected(operation, result, options.target, samples).sum(), [activation]);
  const space = activation.shape.map((_, axis) => axis).slice(2);
  const cam = slope.mean(space, { keepAxes: true }).mul(activation).sum(1, { keepAxes: true });
  return options.relu === true ? cam.relu() : cam;
}

/**
 * dF/dx in which every ReLU passes back only what is positive, besides where it was open itself: a sharp picture of what speaks
 * for the target. (Springenberg et al. 2015.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { guidedBackpropagation } from '@nn/explain';
 * const model = (x: Tensor) => x.relu().mul(tensor([3, -2])).sum(1);
 * console.log(await guidedBackpropagation(model, tensor([[5, 1]])).array()); // => [[3, 0]]
 */
export function guidedBackpropagation<const I extends Inputs>(
  model: Explained,
  inputs: I,
  options: TargetOptions = {},
): Like<I> {
  checkOptions('guidedBackpropagation', options, ['target']);
  return formed(inputs, rectified('guidedBackpropagation', model, inputs, options, 'guided'));
}

/**
 * dF/dx in which every ReLU passes back what is positive, wherever it was open. (Zeiler and Fergus 2014.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { deconvolution } from '@nn/explain';
 * const model = (x: Tensor) => x.relu().mul(tensor([3, 2])).sum(1);
 * console.log(await deconvolution(model, tensor([[-5, 1]])).array()); // => [[3, 2]]
 */
export function deconvolution<const I extends Inputs>(
  model: Explained,
  inputs: I,
  options: TargetOptions = {},
): Like<I> {
  checkOptions('deconvolution', options, ['target']);
  return formed(inputs, rectified('deconvolution', model, inputs, options, 'open'));
}

/**
 * Guided backpropagation where Grad-CAM looks: their product, the map brought to the size of the input [N, channels, ...space]
 * by its nearest element. (Selvaraju et al. 2017.)
 *
 * @example
 * import { ones, setSeed } from '@nn/core';
 * import { guidedGradCam } from '@nn/explain';
 * import { Conv2d, Flatten, Linear, ReLU, Sequential } from '@nn/layers';
 * setSeed(1);
 * const model = new Sequential(new Conv2d(1, 4, 3), new ReLU(), new Flatten(), new Linear(4 * 6 * 6, 10));
 * console.log(guidedGradCam(model, ones([2, 1, 8, 8]), { layer: '1', target: 3 }).shape); // => [2, 1, 8, 8]
 */
export function guidedGradCam(model: Explained, inputs: Tensor, options: Omit<GradCamOptions, 'relu'>): Tensor {
  checkOptions('guidedGradCam', options, ['target', 'layer']);
  const cam = camOf('guidedGradCam', model, inputs, { ...options, relu: true });
  const [guided] = rectified('guidedGradCam', model, inputs, options, 'guided');
  return (guided as Tensor).mul(interpolate(cam, { size: inputs.shape.slice(2) }));
}

function rectified(
  operation: string,
  model: Explained,
  inputs: Inputs,
  options: TargetOptions,
  kind: 'guided' | 'open',
): Tensor[] {
  const { list } = checkedInputs(operation, inputs);
  const score = scorerOf(operation, model, options.target);
  return withChainRule(
    ({ node, cotangent, own }) => {
      if (!isRelu(node)) return null;
      const positive = cotangent.relu();
      if (kind === 'open') return node.inputs.map(() => positive);
      return own().map((slope) => slope?.relu() ?? null);
    },
    () => gradients(score(list).sum(), list),
  );
}

/** max(x, 0), however it was written: relu's node has its own gradient and stands for the larger of x and 0. */
export function isRelu(node: GraphNode): boolean {
  const [value, x] = node.inputs;
  if (node.operation === 'maximum') return node.inputs.some(isZero);
  if (node.operation !== 'customGradient' || value?.operation !== 'maximum' || node.inputs.length !== 2) return false;
  return value.inputs.some((input) => input === x) && value.inputs.some(isZero);
}

function isZero(node: GraphNode): boolean {
  const { operation, attributes, inputs } = node;
  if (operation === 'constant' || operation === 'scalar') return attributes === 0;
  const [input] = inputs;
  return ['expand', 'cast', 'reshape'].includes(operation) && input !== undefined && isZero(input);
}
