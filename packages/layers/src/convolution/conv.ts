/**
 * Convolutions as layers: parameters, checks and the call into core. The arithmetic is core's `conv1d` to `conv3d`.
 * Layout is [N, channels, ...space], as in PyTorch; Keras has the channels last. `conv-transpose.ts` has the transposed ones.
 */
import { checkOptions, conv1d, conv2d, conv3d, type Parameter, type Shape, ShapeError, type Tensor } from '@nn/core';
import {
  countOf,
  fanIn,
  type Layer,
  perAxis,
  requireChannels,
  requireWhole,
  spaceNames,
  uniformParameter,
} from '../layer.ts';

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

/** Throws unless the channels divide into groups. */
export function requireGroups(layer: string, inputs: number, outputs: number, groups: number): void {
  requireWhole(layer, 'inputs', inputs);
  requireWhole(layer, 'outputs', outputs);
  requireWhole(layer, 'groups', groups);
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    throw new ShapeError(
      layer,
      `${inputs} input and ${outputs} output channels do not divide into ${groups} groups: both must be multiples of groups.`,
      { layer, inputs, outputs, groups },
    );
  }
}

/** What Conv1d, Conv2d and Conv3d share. */
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
    const convolve = rank === 1 ? conv1d : rank === 2 ? conv2d : conv3d;
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
 * Convolution over a volume: [N, inputs, depth, height, width] to [N, outputs, depth', height', width'].
 *
 * `weight` is [outputs, inputs / groups, ...kernelSize], uniform in ±1 / sqrt(inputs / groups * kernel), as in PyTorch's
 * `nn.Conv3d`. Throws ShapeError for another rank or number of channels.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Conv3d } from '@nn/layers';
 * console.log(new Conv3d(1, 2, 3, { padding: 1 }).forward(zeros([4, 1, 5, 6, 7])).shape); // => [4, 2, 5, 6, 7]
 */
export class Conv3d extends Convolution {
  constructor(inputs: number, outputs: number, kernelSize: number | readonly number[], options: ConvOptions = {}) {
    super(3, inputs, outputs, kernelSize, options);
  }
}
