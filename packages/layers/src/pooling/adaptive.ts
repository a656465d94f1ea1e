/** Pooling to a size of the result, whatever that of the input, as layers. The arithmetic is core's. */
import {
  type AdaptiveSize,
  adaptiveAveragePool,
  adaptiveMaxPool,
  type PooledMaxima,
  ShapeError,
  type Tensor,
} from '@nn/core';
import { type Layer, requireSpace } from '../layer.ts';

abstract class Adaptive implements Layer {
  readonly outputSize: AdaptiveSize;
  readonly #name: string;

  constructor(name: string, rank: number, outputSize: number | AdaptiveSize) {
    const sizes = typeof outputSize === 'number' ? new Array<number>(rank).fill(outputSize) : outputSize;
    const isWhole =
      sizes.length === rank && sizes.every((size) => size === null || (Number.isInteger(size) && size >= 1));
    if (!isWhole) {
      throw new ShapeError(
        name,
        `the size of the output is ${JSON.stringify(outputSize)}: give one whole number from 1, or ${rank} of them; null keeps the size of the input.`,
        { outputSize },
      );
    }
    this.outputSize = sizes;
    this.#name = name;
  }

  abstract forward(input: Tensor): Tensor;

  toString(): string {
    return `${this.#name}(${this.outputSize.join('x')})`;
  }
}

abstract class AdaptiveAvgPool extends Adaptive {
  forward(input: Tensor): Tensor {
    requireSpace(String(this), input, this.outputSize.length);
    return adaptiveAveragePool(input, this.outputSize);
  }
}

abstract class AdaptiveMaxPool extends Adaptive {
  forward(input: Tensor): Tensor {
    return this.withIndices(input).values;
  }

  /** As `forward`, with the flat index of each maximum in its channel: PyTorch's `return_indices`. */
  withIndices(input: Tensor): PooledMaxima {
    requireSpace(String(this), input, this.outputSize.length);
    return adaptiveMaxPool(input, this.outputSize);
  }
}

/**
 * The mean of windows that are cut so that the result has the size named: [N, channels, length] to [N, channels,
 * ...outputSize]. As PyTorch's `nn.AdaptiveAvgPool1d`; one number is for all axes, null keeps an axis. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { AdaptiveAvgPool1d } from '@nn/layers';
 * console.log(new AdaptiveAvgPool1d([2]).forward(zeros([2, 3, 5])).shape); // => [2, 3, 2]
 */
export class AdaptiveAvgPool1d extends AdaptiveAvgPool {
  constructor(outputSize: number | AdaptiveSize) {
    super('AdaptiveAvgPool1d', 1, outputSize);
  }
}

/**
 * The mean of windows that are cut so that the result has the size named: [N, channels, height, width] to [N, channels,
 * ...outputSize]. As PyTorch's `nn.AdaptiveAvgPool2d`; one number is for all axes, null keeps an axis. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { AdaptiveAvgPool2d } from '@nn/layers';
 * console.log(new AdaptiveAvgPool2d([2, 3]).forward(zeros([2, 3, 5, 7])).shape); // => [2, 3, 2, 3]
 */
export class AdaptiveAvgPool2d extends AdaptiveAvgPool {
  constructor(outputSize: number | AdaptiveSize) {
    super('AdaptiveAvgPool2d', 2, outputSize);
  }
}

/**
 * The mean of windows that are cut so that the result has the size named: [N, channels, depth, height, width] to [N, channels,
 * ...outputSize]. As PyTorch's `nn.AdaptiveAvgPool3d`; one number is for all axes, null keeps an axis. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { AdaptiveAvgPool3d } from '@nn/layers';
 * console.log(new AdaptiveAvgPool3d([2, 3, 4]).forward(zeros([2, 3, 5, 7, 9])).shape); // => [2, 3, 2, 3, 4]
 */
export class AdaptiveAvgPool3d extends AdaptiveAvgPool {
  constructor(outputSize: number | AdaptiveSize) {
    super('AdaptiveAvgPool3d', 3, outputSize);
  }
}

/**
 * The largest value of windows that are cut so that the result has the size named: [N, channels, length] to [N, channels,
 * ...outputSize]. As PyTorch's `nn.AdaptiveMaxPool1d`; one number is for all axes, null keeps an axis. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { AdaptiveMaxPool1d } from '@nn/layers';
 * console.log(new AdaptiveMaxPool1d([2]).forward(zeros([2, 3, 5])).shape); // => [2, 3, 2]
 */
export class AdaptiveMaxPool1d extends AdaptiveMaxPool {
  constructor(outputSize: number | AdaptiveSize) {
    super('AdaptiveMaxPool1d', 1, outputSize);
  }
}

/**
 * The largest value of windows that are cut so that the result has the size named: [N, channels, height, width] to [N, channels,
 * ...outputSize]. As PyTorch's `nn.AdaptiveMaxPool2d`; one number is for all axes, null keeps an axis. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { AdaptiveMaxPool2d } from '@nn/layers';
 * console.log(new AdaptiveMaxPool2d([2, 3]).forward(zeros([2, 3, 5, 7])).shape); // => [2, 3, 2, 3]
 */
export class AdaptiveMaxPool2d extends AdaptiveMaxPool {
  constructor(outputSize: number | AdaptiveSize) {
    super('AdaptiveMaxPool2d', 2, outputSize);
  }
}

/**
 * The largest value of windows that are cut so that the result has the size named: [N, channels, depth, height, width] to [N, channels,
 * ...outputSize]. As PyTorch's `nn.AdaptiveMaxPool3d`; one number is for all axes, null keeps an axis. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { AdaptiveMaxPool3d } from '@nn/layers';
 * console.log(new AdaptiveMaxPool3d([2, 3, 4]).forward(zeros([2, 3, 5, 7, 9])).shape); // => [2, 3, 2, 3, 4]
 */
export class AdaptiveMaxPool3d extends AdaptiveMaxPool {
  constructor(outputSize: number | AdaptiveSize) {
    super('AdaptiveMaxPool3d', 3, outputSize);
  }
}
