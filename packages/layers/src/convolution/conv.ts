/**
 * Convolutions as layers: parameters, checks and the call into core. The arithmetic is core's `conv1d` to `conv3d`.
 * Layout is [N, channels, ...space], as in PyTorch; Keras has the channels last. `conv-transpose.ts` has the transposed ones.
 */
import { checkOptions, conv1d, conv2d, conv3d, type Shape, type Tensor } from '@nn/core';
import { countOf, fanIn, perAxis } from '../layer.ts';
import { Windowed, type WindowedOptions } from './windowed.ts';

export interface ConvOptions extends WindowedOptions {
  /** Zeros on both sides of each axis; 'same' keeps the size (stride 1 only), 'valid' is 0. Default 0. */
  readonly padding?: number | readonly number[] | 'same' | 'valid';
}

/** What Conv1d, Conv2d and Conv3d share. */
abstract class Convolution extends Windowed {
  readonly padding: readonly number[] | 'same' | 'valid';

  constructor(
    rank: number,
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: ConvOptions,
  ) {
    const name = `Conv${rank}d(${inputs}, ${outputs})`;
    checkOptions(name, options, ['stride', 'padding', 'dilation', 'groups', 'bias']);
    super(`Conv${rank}d`, rank, inputs, outputs, kernelSize, options, false);
    const { padding = 0 } = options;
    this.padding = typeof padding === 'string' ? padding : perAxis(name, 'padding', padding, rank);
  }

  protected override convolve(input: Tensor): Tensor {
    const { stride, padding, dilation, groups } = this;
    const rank = this.kernelSize.length;
    const convolve = rank === 1 ? conv1d : rank === 2 ? conv2d : conv3d;
    return convolve(input, this.weight, { stride, padding, dilation, groups });
  }

  multiplyAdds(_inputs: readonly Shape[], output: Shape): number {
    return countOf(output) * fanIn(this.weight.shape);
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
