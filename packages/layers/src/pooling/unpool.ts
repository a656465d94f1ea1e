/** Maxima put back where they stood, as layers. The arithmetic is core's `maxUnpool`. */
import { checkOptions, maxUnpool, ShapeError, showShape, type Tensor } from '@nn/core';
import { perAxis, requireSpace } from '../layer.ts';

export interface MaxUnpoolOptions {
  /** Step between the windows of the pooling. Default: the size of the window. */
  readonly stride?: number | readonly number[];
  /** Places that the pooling added on both sides. Default 0. */
  readonly padding?: number | readonly number[];
}

abstract class MaxUnpool {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];

  constructor(rank: number, size: number | readonly number[], options: MaxUnpoolOptions) {
    const name = `MaxUnpool${rank}d`;
    checkOptions(name, options, ['stride', 'padding']);
    this.size = perAxis(name, 'size', size, rank);
    this.stride = perAxis(name, 'stride', options.stride ?? this.size, rank);
    this.padding = perAxis(name, 'padding', options.padding ?? 0, rank);
  }

  /**
   * `values` and `indices` are what `withIndices` of the pooling gave. `outputSize` is the size of its input, where windows
   * that do not fit leave a choice; by default the smallest.
   */
  forward(values: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    const rank = this.size.length;
    requireSpace(String(this), values, rank);
    const smallest = this.size.map(
      (size, axis) =>
        ((values.shape[axis + 2] ?? 0) - 1) * (this.stride[axis] ?? 1) - 2 * (this.padding[axis] ?? 0) + size,
    );
    const sizes = outputSize ?? smallest;
    const fits =
      sizes.length === rank &&
      sizes.every((size, axis) => Math.abs(size - (smallest[axis] ?? 0)) < (this.stride[axis] ?? 1));
    if (!fits) {
      throw new ShapeError(
        String(this),
        `the size of the output is ${showShape(sizes)}: windows of ${showShape(values.shape)} are from sizes less than a stride ${showShape(this.stride)} away from ${showShape(smallest)}.`,
        { layer: String(this), outputSize: sizes },
      );
    }
    return maxUnpool(values, indices, sizes);
  }

  toString(): string {
    return `MaxUnpool${this.size.length}d(${this.size.join('x')})`;
  }
}

/**
 * The maxima of `MaxPool1d` back where they stood, zeros elsewhere: [N, channels, length'] and their indices to [N,
 * channels, length]. As PyTorch's `nn.MaxUnpool1d`. Throws ShapeError for another rank.
 *
 * @example
 * import { uniform } from '@nn/core';
 * import { MaxPool1d, MaxUnpool1d } from '@nn/layers';
 * const { values, indices } = new MaxPool1d(2).withIndices(uniform([1, 1, 4]));
 * console.log(new MaxUnpool1d(2).forward(values, indices).shape); // => [1, 1, 4]
 */
export class MaxUnpool1d extends MaxUnpool {
  constructor(size: number | readonly number[], options: MaxUnpoolOptions = {}) {
    super(1, size, options);
  }
}

/**
 * The maxima of `MaxPool2d` back where they stood, zeros elsewhere: [N, channels, height', width'] and their indices to [N,
 * channels, height, width]. As PyTorch's `nn.MaxUnpool2d`. Throws ShapeError for another rank.
 *
 * @example
 * import { uniform } from '@nn/core';
 * import { MaxPool2d, MaxUnpool2d } from '@nn/layers';
 * const { values, indices } = new MaxPool2d(2).withIndices(uniform([1, 1, 4, 4]));
 * console.log(new MaxUnpool2d(2).forward(values, indices).shape); // => [1, 1, 4, 4]
 */
export class MaxUnpool2d extends MaxUnpool {
  constructor(size: number | readonly number[], options: MaxUnpoolOptions = {}) {
    super(2, size, options);
  }
}

/**
 * The maxima of `MaxPool3d` back where they stood, zeros elsewhere: [N, channels, depth', height', width'] and their indices to [N,
 * channels, depth, height, width]. As PyTorch's `nn.MaxUnpool3d`. Throws ShapeError for another rank.
 *
 * @example
 * import { uniform } from '@nn/core';
 * import { MaxPool3d, MaxUnpool3d } from '@nn/layers';
 * const { values, indices } = new MaxPool3d(2).withIndices(uniform([1, 1, 4, 4, 4]));
 * console.log(new MaxUnpool3d(2).forward(values, indices).shape); // => [1, 1, 4, 4, 4]
 */
export class MaxUnpool3d extends MaxUnpool {
  constructor(size: number | readonly number[], options: MaxUnpoolOptions = {}) {
    super(3, size, options);
  }
}
