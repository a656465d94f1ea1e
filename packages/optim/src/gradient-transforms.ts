/**
 * What is done to each gradient between clipping and the update rule, as an option of an optimizer's group. Owns no update;
 * two of them compose as functions do.
 */
import { normal, numberSource, type Tensor, ValueError } from '@nn/core';

/** The parameter of a gradient, and how many steps were taken with it, this one included, which a replay asks anew. */
export interface GradientContext {
  readonly parameter: Tensor;
  readonly steps: () => number;
}

/** From a gradient to the one that the update rule sees, of the same shape. */
export type GradientTransform = (gradient: Tensor, context: GradientContext) => Tensor;

/**
 * Takes its mean off the gradient of each output: over all axes but the first. Gradients of vectors stay as they are.
 * (Yong et al. 2020, gradient centralization.)
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { centralize, SGD } from '@nn/optim';
 * const weight = parameter([[1, 3]]);
 * const optimizer = new SGD({ weight }, { learningRate: 0.5, transform: centralize });
 * await optimizer.step(weight.square().sum());
 * console.log(await weight.array()); // => [[2, 2]]
 */
export function centralize(gradient: Tensor): Tensor {
  if (gradient.rank < 2) return gradient;
  const axes = gradient.shape.slice(1).map((_, i) => i + 1);
  return gradient.sub(gradient.mean(axes, { keepAxes: true }));
}

/**
 * Adds normal noise of variance scale / t^power in step t = 1, 2, ...: scale is 0.01, 0.3 or 1 in the paper (default 0.01),
 * power 0.55 (default). (Neelakantan et al. 2015.)
 *
 * @example
 * import { parameter, setSeed } from '@nn/core';
 * import { gradientNoise, SGD } from '@nn/optim';
 * setSeed(1);
 * const weight = parameter([1, 1]);
 * const optimizer = new SGD({ weight }, { learningRate: 1, transform: gradientNoise({ scale: 1 }) });
 * await optimizer.step(weight.sum());
 * const [a, b] = await weight.data();
 * console.log(a !== b); // => true
 */
export function gradientNoise(options: { readonly scale?: number; readonly power?: number } = {}): GradientTransform {
  const { scale = 0.01, power = 0.55 } = options;
  if (!(scale >= 0 && power >= 0)) {
    throw new ValueError('gradientNoise', `scale ${scale} and power ${power} must be at least 0.`, { scale, power });
  }
  return (gradient, { steps }) =>
    gradient.add(normal(gradient.shape).mul(numberSource(() => Math.sqrt(scale / steps() ** power))));
}
