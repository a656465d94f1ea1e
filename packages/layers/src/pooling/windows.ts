/** Pooling windows as layers: maxima and means. The arithmetic is core's `maxPool` and `averagePool`. */
import {
  averagePool,
  checkOptions,
  maxPool,
  maxPoolWithIndices,
  type PooledMaxima,
  type PoolOptions,
  type Tensor,
} from '@nn/core';
import { type Layer, perAxis, requireSpace } from '../layer.ts';

export interface MaxPoolOptions {
  /** Step between windows. Default: the size of the window. */
  readonly stride?: number | readonly number[];
  /** Places added on both sides, which never win. Default 0. */
  readonly padding?: number | readonly number[];
  readonly dilation?: number | readonly number[];
  /** Also a last window that reaches past the end, as long as it starts inside. Default false. */
  readonly ceilMode?: boolean;
}

export interface AvgPoolOptions {
  readonly stride?: number | readonly number[];
  /** Zeros added on both sides. Default 0. */
  readonly padding?: number | readonly number[];
  /** Also a last window that reaches past the end, as long as it starts inside. Default false. */
  readonly ceilMode?: boolean;
  /** Whether the zeros of the padding count in the mean. Default true; Keras counts only what is inside. */
  readonly countIncludesPadding?: boolean;
  /** Divides each sum, in place of the number of elements. */
  readonly divisorOverride?: number;
}

abstract class MaxPool implements Layer {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly ceilMode: boolean;

  constructor(rank: number, size: number | readonly number[], options: MaxPoolOptions) {
    const name = `MaxPool${rank}d`;
    checkOptions(name, options, ['stride', 'padding', 'dilation', 'ceilMode']);
    this.size = perAxis(name, 'size', size, rank);
    this.stride = perAxis(name, 'stride', options.stride ?? this.size, rank);
    this.padding = perAxis(name, 'padding', options.padding ?? 0, rank);
    this.dilation = perAxis(name, 'dilation', options.dilation ?? 1, rank);
    this.ceilMode = options.ceilMode ?? false;
  }

  forward(input: Tensor): Tensor {
    return maxPool(input, this.#windows(input));
  }

  /** As `forward`, with the flat index of each maximum in its channel, for `MaxUnpool`: PyTorch's `return_indices`. */
  withIndices(input: Tensor): PooledMaxima {
    return maxPoolWithIndices(input, this.#windows(input));
  }

  #windows(input: Tensor): PoolOptions {
    requireSpace(String(this), input, this.size.length);
    const { size, stride, padding, dilation, ceilMode } = this;
    return { size, stride, padding, dilation, ceilMode };
  }

  toString(): string {
    return `MaxPool${this.size.length}d(${this.size.join('x')})`;
  }
}

abstract class AvgPool implements Layer {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly ceilMode: boolean;
  readonly countIncludesPadding: boolean;
  readonly divisorOverride: number | null;

  constructor(rank: number, size: number | readonly number[], options: AvgPoolOptions) {
    const name = `AvgPool${rank}d`;
    checkOptions(name, options, ['stride', 'padding', 'ceilMode', 'countIncludesPadding', 'divisorOverride']);
    this.size = perAxis(name, 'size', size, rank);
    this.stride = perAxis(name, 'stride', options.stride ?? this.size, rank);
    this.padding = perAxis(name, 'padding', options.padding ?? 0, rank);
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludesPadding = options.countIncludesPadding ?? true;
    this.divisorOverride = options.divisorOverride ?? null;
  }

  forward(input: Tensor): Tensor {
    requireSpace(String(this), input, this.size.length);
    const { size, stride, padding, ceilMode, countIncludesPadding, divisorOverride } = this;
    const divisor = divisorOverride === null ? {} : { divisorOverride };
    return averagePool(input, { size, stride, padding, ceilMode, countIncludesPadding, ...divisor });
  }

  toString(): string {
    return `AvgPool${this.size.length}d(${this.size.join('x')})`;
  }
}

/**
 * The largest value of each window: [N, channels, length] to [N, channels, length'], as PyTorch's `nn.MaxPool1d`.
 * The gradient goes to the first largest value. Throws ShapeError for another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { MaxPool1d } from '@nn/layers';
 * console.log(await new MaxPool1d(2).forward(tensor([[[1, 3, 2, 0]]])).array()); // => [[[3, 2]]]
 */
export class MaxPool1d extends MaxPool {
  constructor(size: number | readonly number[], options: MaxPoolOptions = {}) {
    super(1, size, options);
  }
}

/**
 * The largest value of each window: [N, channels, height, width] to [N, channels, height', width'], as PyTorch's `nn.MaxPool2d`.
 * The gradient goes to the first largest value. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { MaxPool2d } from '@nn/layers';
 * console.log(new MaxPool2d(2).forward(zeros([4, 8, 28, 28])).shape); // => [4, 8, 14, 14]
 */
export class MaxPool2d extends MaxPool {
  constructor(size: number | readonly number[], options: MaxPoolOptions = {}) {
    super(2, size, options);
  }
}

/**
 * The largest value of each window: [N, channels, depth, height, width] to [N, channels, depth', height', width'], as PyTorch's `nn.MaxPool3d`.
 * The gradient goes to the first largest value. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { MaxPool3d } from '@nn/layers';
 * console.log(new MaxPool3d(2).forward(zeros([4, 8, 6, 28, 28])).shape); // => [4, 8, 3, 14, 14]
 */
export class MaxPool3d extends MaxPool {
  constructor(size: number | readonly number[], options: MaxPoolOptions = {}) {
    super(3, size, options);
  }
}

/**
 * The mean of each window: [N, channels, length] to [N, channels, length'], as PyTorch's `nn.AvgPool1d`.
 * Throws ShapeError for another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { AvgPool1d } from '@nn/layers';
 * console.log(await new AvgPool1d(2).forward(tensor([[[1, 3, 2, 0]]])).array()); // => [[[2, 1]]]
 */
export class AvgPool1d extends AvgPool {
  constructor(size: number | readonly number[], options: AvgPoolOptions = {}) {
    super(1, size, options);
  }
}

/**
 * The mean of each window: [N, channels, height, width] to [N, channels, height', width'], as PyTorch's `nn.AvgPool2d`.
 * Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { AvgPool2d } from '@nn/layers';
 * console.log(new AvgPool2d(7).forward(zeros([4, 8, 7, 7])).shape); // => [4, 8, 1, 1]
 */
export class AvgPool2d extends AvgPool {
  constructor(size: number | readonly number[], options: AvgPoolOptions = {}) {
    super(2, size, options);
  }
}

/**
 * The mean of each window: [N, channels, depth, height, width] to [N, channels, depth', height', width'], as PyTorch's `nn.AvgPool3d`.
 * Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { AvgPool3d } from '@nn/layers';
 * console.log(new AvgPool3d(7).forward(zeros([4, 8, 7, 7, 7])).shape); // => [4, 8, 1, 1, 1]
 */
export class AvgPool3d extends AvgPool {
  constructor(size: number | readonly number[], options: AvgPoolOptions = {}) {
    super(3, size, options);
  }
}
