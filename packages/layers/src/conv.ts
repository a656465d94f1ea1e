/**
 * Convolutions as layers: parameters, checks and the call into core. The arithmetic is core's `conv1d` and `conv2d`.
 * Layout is [N, channels, ...space], as in PyTorch.
 */
import {
  checkOptions,
  conv1d,
  conv2d,
  convTranspose2d,
  type Parameter,
  type Shape,
  ShapeError,
  type Tensor,
} from '@nn/core';
import { countOf, fanIn, type Layer, perAxis, requireChannels, requireWhole, uniformParameter } from './layer.ts';

export interface ConvOptions {
  /** Step between windows. Default 1. */
  readonly stride?: number | readonly number[];
  /** Zeros on both sides of each axis; 'same' keeps the size (stride 1 only), 'valid' is 0. Default 0. */
  readonly padding?: number | readonly number[] | 'same' | 'valid';
  /** Distance between the taps of the kernel. Default 1. */
  readonly dilation?: number | readonly number[];
  /** Channels are cut into this many groups that do not mix. Default 1. */
  readonly groups?: number;
  /** Whether to add a bias. Default true. */
  readonly bias?: boolean;
}

export interface ConvTransposeOptions {
  readonly stride?: number | readonly number[];
  readonly padding?: number | readonly number[];
  /** Rows and columns added at the end, to choose among the sizes that a stride maps to one. Default 0. */
  readonly outputPadding?: number | readonly number[];
  readonly dilation?: number | readonly number[];
  readonly groups?: number;
  readonly bias?: boolean;
}

const spaceNames = ['', 'length', 'height, width'];

function requireGroups(layer: string, inputs: number, outputs: number, groups: number): void {
  requireWhole(layer, 'inputs', inputs);
  requireWhole(layer, 'outputs', outputs);
  requireWhole(layer, 'groups', groups);
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    throw new ShapeError(
      `${layer}: ${inputs} input and ${outputs} output channels do not divide into ${groups} groups: both must be multiples of groups.`,
      { layer, inputs, outputs, groups },
    );
  }
}

/** What Conv1d and Conv2d share. */
abstract class Convolution implements Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same' | 'valid';
  readonly dilation: readonly number[];
  readonly groups: number;
  /** [outputs, inputs / groups, ...kernelSize] */
  weight: Parameter;
  /** [outputs] */
  bias: Parameter | null;

  constructor(
    rank: number,
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: ConvOptions,
  ) {
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
    const name = `Conv${rank}d(${inputs}, ${outputs})`;
    checkOptions(name, options, ['stride', 'padding', 'dilation', 'groups', 'bias']);
    requireGroups(name, inputs, outputs, groups);
    this.inputs = inputs;
    this.outputs = outputs;
    this.kernelSize = perAxis(name, 'kernelSize', kernelSize, rank);
    this.stride = perAxis(name, 'stride', stride, rank);
    this.padding = typeof padding === 'string' ? padding : perAxis(name, 'padding', padding, rank);
    this.dilation = perAxis(name, 'dilation', dilation, rank);
    this.groups = groups;
    const shape = [outputs, inputs / groups, ...this.kernelSize];
    const bound = 1 / Math.sqrt(fanIn(shape));
    this.weight = uniformParameter(shape, bound);
    this.bias = options.bias === false ? null : uniformParameter([outputs], bound);
  }

  forward(input: Tensor): Tensor {
    const rank = this.kernelSize.length;
    requireChannels(String(this), input, this.inputs, [rank + 2], spaceNames[rank]!);
    const { stride, padding, dilation, groups } = this;
    const convolve = rank === 1 ? conv1d : conv2d;
    const result = convolve(input, this.weight, { stride, padding, dilation, groups });
    return this.bias === null ? result : result.add(this.bias.reshape([this.outputs, ...this.kernelSize.map(() => 1)]));
  }

  multiplyAdds(_inputs: readonly Shape[], output: Shape): number {
    return countOf(output) * fanIn(this.weight.shape);
  }

  toString(): string {
    return `Conv${this.kernelSize.length}d(${this.inputs}, ${this.outputs}, ${this.kernelSize.join('x')})`;
  }
}

/**
 * Convolution over a line: [N, inputs, length] to [N, outputs, length'].
 *
 * `weight` is [outputs, inputs / groups, kernelSize], uniform in ±1 / sqrt(inputs / groups * kernelSize), as in PyTorch's
 * `nn.Conv1d`. Throws ShapeError for another rank or number of channels.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Conv1d } from '@nn/layers';
 * console.log(new Conv1d(1, 8, 5, { padding: 'same' }).forward(zeros([4, 1, 100])).shape); // => [4, 8, 100]
 */
export class Conv1d extends Convolution {
  constructor(inputs: number, outputs: number, kernelSize: number | readonly number[], options: ConvOptions = {}) {
    super(1, inputs, outputs, kernelSize, options);
  }
}

/**
 * Convolution over an image: [N, inputs, height, width] to [N, outputs, height', width'].
 *
 * `weight` is [outputs, inputs / groups, ...kernelSize], uniform in ±1 / sqrt(inputs / groups * kernel), as in PyTorch's
 * `nn.Conv2d`. Throws ShapeError for another rank or number of channels.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Conv2d } from '@nn/layers';
 * console.log(new Conv2d(1, 8, 3, { stride: 2, padding: 1 }).forward(zeros([4, 1, 28, 28])).shape); // => [4, 8, 14, 14]
 */
export class Conv2d extends Convolution {
  constructor(inputs: number, outputs: number, kernelSize: number | readonly number[], options: ConvOptions = {}) {
    super(2, inputs, outputs, kernelSize, options);
  }
}

/**
 * Transposed convolution, the gradient of `Conv2d` as a layer: [N, inputs, height, width] to [N, outputs, height', width'],
 * with height' = (height - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding + 1.
 *
 * `weight` is [inputs, outputs / groups, ...kernelSize], as in PyTorch's `nn.ConvTranspose2d`. Throws ShapeError for
 * another rank or number of channels.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ConvTranspose2d } from '@nn/layers';
 * console.log(new ConvTranspose2d(8, 1, 2, { stride: 2 }).forward(zeros([4, 8, 14, 14])).shape); // => [4, 1, 28, 28]
 */
export class ConvTranspose2d implements Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly outputPadding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: ConvTransposeOptions = {},
  ) {
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
    const name = `ConvTranspose2d(${inputs}, ${outputs})`;
    requireGroups(name, inputs, outputs, groups);
    this.inputs = inputs;
    this.outputs = outputs;
    this.kernelSize = perAxis(name, 'kernelSize', kernelSize, 2);
    this.stride = perAxis(name, 'stride', stride, 2);
    this.padding = perAxis(name, 'padding', padding, 2);
    this.outputPadding = perAxis(name, 'outputPadding', outputPadding, 2);
    this.dilation = perAxis(name, 'dilation', dilation, 2);
    this.groups = groups;
    const shape = [inputs, outputs / groups, ...this.kernelSize];
    const bound = 1 / Math.sqrt(fanIn(shape));
    this.weight = uniformParameter(shape, bound);
    this.bias = options.bias === false ? null : uniformParameter([outputs], bound);
  }

  forward(input: Tensor): Tensor {
    requireChannels(String(this), input, this.inputs, [4], 'height, width');
    const { stride, padding, outputPadding, dilation, groups } = this;
    const result = convTranspose2d(input, this.weight, { stride, padding, outputPadding, dilation, groups });
    return this.bias === null ? result : result.add(this.bias.reshape([this.outputs, 1, 1]));
  }

  multiplyAdds(inputs: readonly Shape[]): number {
    return countOf(inputs[0] ?? [0]) * fanIn(this.weight.shape);
  }

  toString(): string {
    return `ConvTranspose2d(${this.inputs}, ${this.outputs}, ${this.kernelSize.join('x')})`;
  }
}
