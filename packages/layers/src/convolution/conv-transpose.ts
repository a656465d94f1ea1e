/**
 * Transposed convolutions as layers: parameters, checks and the call into core, which has the arithmetic.
 * Layout is [N, channels, ...space], as in PyTorch; Keras has the channels last.
 */
import { checkOptions, convTranspose1d, convTranspose2d, convTranspose3d, type Shape, type Tensor } from '@nn/core';
import { countOf, fanIn, perAxis } from '../layer.ts';
import { Windowed, type WindowedOptions } from './windowed.ts';

export interface ConvTransposeOptions extends WindowedOptions {
  /** Rows and columns cut off on both sides. Default 0. */
  readonly padding?: number | readonly number[];
  /** Rows and columns added at the end, to choose among the sizes that a stride maps to one. Default 0. */
  readonly outputPadding?: number | readonly number[];
}

/** What the transposed convolutions share; they differ in how many axes space has. */
abstract class TransposedConvolution extends Windowed {
  readonly padding: readonly number[];
  readonly outputPadding: readonly number[];

  constructor(
    rank: number,
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: ConvTransposeOptions,
  ) {
    const name = `ConvTranspose${rank}d(${inputs}, ${outputs})`;
    checkOptions(name, options, ['stride', 'padding', 'outputPadding', 'dilation', 'groups', 'bias']);
    super(`ConvTranspose${rank}d`, rank, inputs, outputs, kernelSize, options, true);
    this.padding = perAxis(name, 'padding', options.padding ?? 0, rank);
    this.outputPadding = perAxis(name, 'outputPadding', options.outputPadding ?? 0, rank);
  }

  protected override convolve(input: Tensor): Tensor {
    const { stride, padding, outputPadding, dilation, groups } = this;
    const rank = this.kernelSize.length;
    const convolve = rank === 1 ? convTranspose1d : rank === 2 ? convTranspose2d : convTranspose3d;
    return convolve(input, this.weight, { stride, padding, outputPadding, dilation, groups });
  }

  multiplyAdds(inputs: readonly Shape[]): number {
    return countOf(inputs[0] ?? [0]) * fanIn(this.weight.shape);
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
