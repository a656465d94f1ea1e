/**
 * Transposed convolutions as layers: parameters, checks and the call into core, which has the arithmetic.
 * Layout is [N, channels, ...space], as in PyTorch; Keras has the channels last.
 */
import {
  checkOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type Parameter,
  type Shape,
  type Tensor,
} from '@nn/core';
import { countOf, fanIn, type Layer, perAxis, requireChannels, spaceNames, uniformParameter } from '../layer.ts';
import { requireGroups } from './conv.ts';

export interface ConvTransposeOptions {
  readonly stride?: number | readonly number[];
  readonly padding?: number | readonly number[];
  /** Rows and columns added at the end, to choose among the sizes that a stride maps to one. Default 0. */
  readonly outputPadding?: number | readonly number[];
  readonly dilation?: number | readonly number[];
  readonly groups?: number;
  readonly bias?: boolean;
}

/** What the transposed convolutions share; they differ in how many axes space has. */
abstract class TransposedConvolution implements Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly outputPadding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  /** [inputs, outputs / groups, ...kernelSize] */
  weight: Parameter;
  /** [outputs] */
  bias: Parameter | null;

  constructor(
    rank: number,
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: ConvTransposeOptions,
  ) {
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
    const name = `ConvTranspose${rank}d(${inputs}, ${outputs})`;
    checkOptions(name, options, ['stride', 'padding', 'outputPadding', 'dilation', 'groups', 'bias']);
    requireGroups(name, inputs, outputs, groups);
    this.inputs = inputs;
    this.outputs = outputs;
    this.kernelSize = perAxis(name, 'kernelSize', kernelSize, rank);
    this.stride = perAxis(name, 'stride', stride, rank);
    this.padding = perAxis(name, 'padding', padding, rank);
    this.outputPadding = perAxis(name, 'outputPadding', outputPadding, rank);
    this.dilation = perAxis(name, 'dilation', dilation, rank);
    this.groups = groups;
    const shape = [inputs, outputs / groups, ...this.kernelSize];
    const bound = 1 / Math.sqrt(fanIn(shape));
    this.weight = uniformParameter(shape, bound);
    this.bias = options.bias === false ? null : uniformParameter([outputs], bound);
  }

  forward(input: Tensor): Tensor {
    const rank = this.kernelSize.length;
    requireChannels(String(this), input, this.inputs, [rank + 2], spaceNames[rank]!);
    const { stride, padding, outputPadding, dilation, groups } = this;
    const convolve = rank === 1 ? convTranspose1d : rank === 2 ? convTranspose2d : convTranspose3d;
    const result = convolve(input, this.weight, { stride, padding, outputPadding, dilation, groups });
    return this.bias === null ? result : result.add(this.bias.reshape([this.outputs, ...this.kernelSize.map(() => 1)]));
  }

  multiplyAdds(inputs: readonly Shape[]): number {
    return countOf(inputs[0] ?? [0]) * fanIn(this.weight.shape);
  }

  toString(): string {
    return `ConvTranspose${this.kernelSize.length}d(${this.inputs}, ${this.outputs}, ${this.kernelSize.join('x')})`;
  }
}

/**
 * Transposed convolution, the gradient of `Conv1d` as a layer: [N, inputs, length] to [N, outputs, length'],
 * each size' = (size - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding + 1.
 *
 * `weight` is [inputs, outputs / groups, ...kernelSize], as in PyTorch's `nn.ConvTranspose1d`. Throws ShapeError for
 * another rank or number of channels.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ConvTranspose1d } from '@nn/layers';
 * console.log(new ConvTranspose1d(8, 1, 2, { stride: 2 }).forward(zeros([4, 8, 14])).shape); // => [4, 1, 28]
 */
export class ConvTranspose1d extends TransposedConvolution {
  constructor(
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: ConvTransposeOptions = {},
  ) {
    super(1, inputs, outputs, kernelSize, options);
  }
}

/**
 * Transposed convolution, the gradient of `Conv2d` as a layer: [N, inputs, height, width] to [N, outputs, height', width'],
 * each size' = (size - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding + 1.
 *
 * `weight` is [inputs, outputs / groups, ...kernelSize], as in PyTorch's `nn.ConvTranspose2d`. Throws ShapeError for
 * another rank or number of channels.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ConvTranspose2d } from '@nn/layers';
 * console.log(new ConvTranspose2d(8, 1, 2, { stride: 2 }).forward(zeros([4, 8, 14, 14])).shape); // => [4, 1, 28, 28]
 */
export class ConvTranspose2d extends TransposedConvolution {
  constructor(
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: ConvTransposeOptions = {},
  ) {
    super(2, inputs, outputs, kernelSize, options);
  }
}

/**
 * Transposed convolution, the gradient of `Conv3d` as a layer: [N, inputs, depth, height, width] to [N, outputs, depth', height', width'],
 * each size' = (size - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding + 1.
 *
 * `weight` is [inputs, outputs / groups, ...kernelSize], as in PyTorch's `nn.ConvTranspose3d`. Throws ShapeError for
 * another rank or number of channels.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ConvTranspose3d } from '@nn/layers';
 * console.log(new ConvTranspose3d(8, 1, 2, { stride: 2 }).forward(zeros([4, 8, 3, 4, 5])).shape); // => [4, 1, 6, 8, 10]
 */
export class ConvTranspose3d extends TransposedConvolution {
  constructor(
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: ConvTransposeOptions = {},
  ) {
    super(3, inputs, outputs, kernelSize, options);
  }
}
