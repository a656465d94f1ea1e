/**
 * What the architectures are built of: layers in a row under names of their own, convolutions with the start values of torchvision, squeeze and
 * excitation, stochastic depth. Names are those of torchvision's modules, so that its state dictionaries load.
 */
import {
  hostNormalLater,
  isTraining,
  type Parameter,
  parameter,
  type Shape,
  type Tensor,
  treeChildren,
  uniform,
  where,
} from '@nn/core';
import {
  BatchNorm2d,
  type BatchNormOptions,
  Conv2d,
  type Layer,
  type LayerLike,
  LayerNorm,
  Linear,
  Sequential,
} from '@nn/layers';

/** What all classifiers take. */
export interface ClassifierOptions {
  /** Logits that come out; ImageNet's 1000 where not given. */
  readonly classes?: number;
}

/** What stands in place of an object's fields when it is walked, so that parameters bear torchvision's names. */
export function nameChildren(owner: object, children: () => Readonly<Record<string, unknown>>): void {
  Object.defineProperty(owner, treeChildren, { value: children });
}

/** Layers one after the other, under the names that are given. */
export class Stack implements Layer {
  readonly parts: Readonly<Record<string, LayerLike>>;

  constructor(parts: Readonly<Record<string, LayerLike>>) {
    this.parts = parts;
    nameChildren(this, () => parts);
  }

  forward(input: Tensor): Tensor {
    return Object.values(this.parts).reduce(
      (x, layer) => (typeof layer === 'function' ? layer(x) : layer.forward(x)),
      input,
    );
  }
}

export interface ConvolutionOptions {
  readonly stride?: number;
  readonly padding?: number;
  readonly groups?: number;
  readonly bias?: boolean;
}

/** A convolution that keeps the size but for its stride, without a bias, drawn as He et al. (2015) by the fan out. */
export function convolution(inputs: number, outputs: number, kernel: number, options: ConvolutionOptions = {}): Conv2d {
  const { stride = 1, groups = 1, padding = (kernel - 1) / 2, bias = false } = options;
  const layer = new Conv2d(inputs, outputs, kernel, { stride, padding, groups, bias });
  layer.weight = drawn(layer.weight.shape, Math.sqrt(2 / ((outputs / groups) * kernel * kernel)));
  if (bias) layer.bias = parameter(new Float32Array(outputs));
  return layer;
}

/** A linear layer drawn from a normal distribution, with a bias of 0. */
export function linear(inputs: number, outputs: number, deviation = 0.01): Linear {
  const layer = new Linear(inputs, outputs);
  layer.weight = drawn([outputs, inputs], deviation);
  layer.bias = parameter(new Float32Array(outputs));
  return layer;
}

export interface ConvNormOptions extends Omit<ConvolutionOptions, 'bias'> {
  readonly activation?: LayerLike | null;
  readonly norm?: BatchNormOptions;
}

/** Convolution, normalisation, activation: 0, 1 and 2, as torchvision's `Conv2dNormActivation`. */
export function convNorm(inputs: number, outputs: number, kernel: number, options: ConvNormOptions = {}): Sequential {
  const { activation = null, norm = {}, ...rest } = options;
  const layers = [convolution(inputs, outputs, kernel, rest), new BatchNorm2d(outputs, norm)];
  return activation === null ? new Sequential(...layers) : new Sequential(...layers, activation);
}

/** The mean of each channel, [N, channels]. */
export const spatialMean = (x: Tensor): Tensor => x.mean([2, 3]);

/** Weighs channels by what is in all of the picture (Hu et al. 2018); `fc1` and `fc2` are convolutions, as in torchvision. */
export class SqueezeExcitation implements Layer {
  readonly fc1: Conv2d;
  readonly fc2: Conv2d;
  readonly #activation: (x: Tensor) => Tensor;
  readonly #scale: (x: Tensor) => Tensor;

  constructor(channels: number, squeezed: number, activation: (x: Tensor) => Tensor, scale: (x: Tensor) => Tensor) {
    this.fc1 = convolution(channels, squeezed, 1, { bias: true });
    this.fc2 = convolution(squeezed, channels, 1, { bias: true });
    this.#activation = activation;
    this.#scale = scale;
  }

  forward(x: Tensor): Tensor {
    const squeezed = this.#activation(this.fc1.forward(x.mean([2, 3], { keepAxes: true })));
    return x.mul(this.#scale(this.fc2.forward(squeezed)));
  }
}

/** In training leaves the branch out for a share of the samples, and scales it up for the others (Huang et al. 2016). */
export function stochasticDepth(x: Tensor, rate: number): Tensor {
  if (rate === 0 || !isTraining()) return x;
  const kept = uniform([x.shape[0]!, ...x.shape.slice(1).map(() => 1)]).less(1 - rate);
  return where(kept, x.div(1 - rate), 0);
}

/** The next multiple of 8, but not more than a tenth below the number. */
export function divisible(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

/** Layer normalisation over the channels of [N, channels, height, width]. */
export class LayerNorm2d extends LayerNorm {
  override forward(x: Tensor): Tensor {
    return super.forward(x.permute([0, 2, 3, 1])).permute([0, 3, 1, 2]);
  }
}

const countOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

/** A trainable parameter of one value, or drawn from a normal distribution. */
export const filled = (shape: Shape, value: number): Parameter =>
  parameter(() => new Float32Array(countOf(shape)).fill(value), { shape });
export const drawn = (shape: Shape, deviation: number): Parameter =>
  parameter(hostNormalLater(countOf(shape), deviation), { shape });
