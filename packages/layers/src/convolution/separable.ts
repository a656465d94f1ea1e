/**
 * Convolutions in two parts, as Keras has them: of each channel by itself, then across channels. Owns how the parts go together;
 * they are Conv1d and Conv2d with groups.
 */
import { checkOptions, type Tensor } from '@nn/core';
import { type Layer, requireWhole } from '../layer.ts';
import { Conv1d, Conv2d, type ConvOptions } from './conv.ts';

export interface DepthwiseConvOptions extends Omit<ConvOptions, 'groups'> {
  /** Outputs of each channel. Default 1. */
  readonly multiplier?: number;
}

/** The options of the convolution behind a depthwise one. */
function ofDepth(name: string, inputs: number, options: DepthwiseConvOptions): { outputs: number; inner: ConvOptions } {
  checkOptions(name, options, ['stride', 'padding', 'dilation', 'bias', 'multiplier']);
  const { multiplier = 1, ...others } = options;
  requireWhole(name, 'inputs', inputs);
  requireWhole(name, 'multiplier', multiplier);
  return { outputs: inputs * multiplier, inner: { ...others, groups: inputs } };
}

/**
 * Convolution of each channel by itself: [N, inputs, length] to [N, inputs * multiplier, length']. `Conv1d` with as
 * many groups as inputs; Keras' `DepthwiseConv1D`, whose `depth_multiplier` is `multiplier`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { DepthwiseConv1d } from '@nn/layers';
 * const layer = new DepthwiseConv1d(8, 3, { multiplier: 2, padding: 1 });
 * console.log(layer.forward(zeros([4, 8, 28])).shape); // => [4, 16, 28]
 */
export class DepthwiseConv1d extends Conv1d {
  constructor(inputs: number, kernelSize: number | readonly number[], options: DepthwiseConvOptions = {}) {
    const { outputs, inner } = ofDepth('DepthwiseConv1d', inputs, options);
    super(inputs, outputs, kernelSize, inner);
  }

  override toString(): string {
    return `DepthwiseConv1d(${this.inputs}, ${this.kernelSize.join('x')})`;
  }
}

/**
 * Convolution of each channel by itself: [N, inputs, height, width] to [N, inputs * multiplier, height', width']. `Conv2d` with as
 * many groups as inputs; Keras' `DepthwiseConv2D`, whose `depth_multiplier` is `multiplier`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { DepthwiseConv2d } from '@nn/layers';
 * const layer = new DepthwiseConv2d(8, 3, { multiplier: 2, padding: 1 });
 * console.log(layer.forward(zeros([4, 8, 28, 28])).shape); // => [4, 16, 28, 28]
 */
export class DepthwiseConv2d extends Conv2d {
  constructor(inputs: number, kernelSize: number | readonly number[], options: DepthwiseConvOptions = {}) {
    const { outputs, inner } = ofDepth('DepthwiseConv2d', inputs, options);
    super(inputs, outputs, kernelSize, inner);
  }

  override toString(): string {
    return `DepthwiseConv2d(${this.inputs}, ${this.kernelSize.join('x')})`;
  }
}

/**
 * Convolution of each channel by itself, then across channels with a kernel of 1: [N, inputs, length] to [N, outputs,
 * length'], with far fewer products than `Conv1d`. (Chollet 2017; Keras' `SeparableConv1D`.) Parameters are
 * `depthwise.weight`, `pointwise.weight` and `pointwise.bias`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { SeparableConv1d } from '@nn/layers';
 * console.log(new SeparableConv1d(8, 16, 3, { padding: 'same' }).forward(zeros([4, 8, 28])).shape); // => [4, 16, 28]
 */
export class SeparableConv1d implements Layer {
  depthwise: DepthwiseConv1d;
  pointwise: Conv1d;

  constructor(
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: DepthwiseConvOptions = {},
  ) {
    const { bias = true, ...others } = options;
    this.depthwise = new DepthwiseConv1d(inputs, kernelSize, { ...others, bias: false });
    this.pointwise = new Conv1d(this.depthwise.outputs, outputs, 1, { bias });
  }

  forward(input: Tensor): Tensor {
    return this.pointwise.forward(this.depthwise.forward(input));
  }

  toString(): string {
    return `SeparableConv1d(${this.depthwise.inputs}, ${this.pointwise.outputs}, ${this.depthwise.kernelSize.join('x')})`;
  }
}

/**
 * Convolution of each channel by itself, then across channels with a kernel of 1: [N, inputs, height, width] to [N, outputs,
 * height', width'], with far fewer products than `Conv2d`. (Chollet 2017; Keras' `SeparableConv2D`.) Parameters are
 * `depthwise.weight`, `pointwise.weight` and `pointwise.bias`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { SeparableConv2d } from '@nn/layers';
 * console.log(new SeparableConv2d(8, 16, 3, { padding: 'same' }).forward(zeros([4, 8, 28, 28])).shape); // => [4, 16, 28, 28]
 */
export class SeparableConv2d implements Layer {
  depthwise: DepthwiseConv2d;
  pointwise: Conv2d;

  constructor(
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: DepthwiseConvOptions = {},
  ) {
    const { bias = true, ...others } = options;
    this.depthwise = new DepthwiseConv2d(inputs, kernelSize, { ...others, bias: false });
    this.pointwise = new Conv2d(this.depthwise.outputs, outputs, 1, { bias });
  }

  forward(input: Tensor): Tensor {
    return this.pointwise.forward(this.depthwise.forward(input));
  }

  toString(): string {
    return `SeparableConv2d(${this.depthwise.inputs}, ${this.pointwise.outputs}, ${this.depthwise.kernelSize.join('x')})`;
  }
}
