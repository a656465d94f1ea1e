/** Pooling windows as layers, and Flatten, which usually follows them. The arithmetic is core's `maxPool` and `averagePool`. */
import { averagePool, maxPool, ShapeError, type Tensor } from '@nn/core';
import { type Layer, perAxis, show } from '../layer.ts';

export interface MaxPoolOptions {
  /** Step between windows. Default: the size of the window. */
  readonly stride?: number | readonly number[];
  /** Places added on both sides, which never win. Default 0. */
  readonly padding?: number | readonly number[];
  readonly dilation?: number | readonly number[];
}

export interface AvgPoolOptions {
  readonly stride?: number | readonly number[];
  /** Zeros added on both sides. Default 0. */
  readonly padding?: number | readonly number[];
  /** Whether these zeros count in the mean. Default true. */
  readonly countIncludesPadding?: boolean;
}

function requirePlane(layer: string, input: Tensor, rank: number): void {
  if (input.rank === rank + 2) return;
  throw new ShapeError(
    layer,
    `takes [N, channels, ${rank === 1 ? 'length' : 'height, width'}], got ${show(input.shape)} of rank ${input.rank}${input.rank === rank + 1 ? ': for a single sample add the axis of the batch: x.unsqueeze(0)' : ''}.`,
    { layer, shape: input.shape },
  );
}

abstract class MaxPool implements Layer {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];

  constructor(rank: number, size: number | readonly number[], options: MaxPoolOptions) {
    const name = `MaxPool${rank}d`;
    this.size = perAxis(name, 'size', size, rank);
    this.stride = perAxis(name, 'stride', options.stride ?? this.size, rank);
    this.padding = perAxis(name, 'padding', options.padding ?? 0, rank);
    this.dilation = perAxis(name, 'dilation', options.dilation ?? 1, rank);
  }

  forward(input: Tensor): Tensor {
    requirePlane(String(this), input, this.size.length);
    const { size, stride, padding, dilation } = this;
    return maxPool(input, { size, stride, padding, dilation });
  }

  toString(): string {
    return `MaxPool${this.size.length}d(${this.size.join('x')})`;
  }
}

abstract class AvgPool implements Layer {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly countIncludesPadding: boolean;

  constructor(rank: number, size: number | readonly number[], options: AvgPoolOptions) {
    const name = `AvgPool${rank}d`;
    this.size = perAxis(name, 'size', size, rank);
    this.stride = perAxis(name, 'stride', options.stride ?? this.size, rank);
    this.padding = perAxis(name, 'padding', options.padding ?? 0, rank);
    this.countIncludesPadding = options.countIncludesPadding ?? true;
  }

  forward(input: Tensor): Tensor {
    requirePlane(String(this), input, this.size.length);
    const { size, stride, padding, countIncludesPadding } = this;
    return averagePool(input, { size, stride, padding, countIncludesPadding });
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
 * Joins the axes `from` to `to` (both included) into one; by default all but the batch: [N, ...] to [N, rest].
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Flatten } from '@nn/layers';
 * console.log(new Flatten().forward(zeros([4, 8, 7, 7])).shape); // => [4, 392]
 */
export class Flatten implements Layer {
  readonly from: number;
  readonly to: number;

  constructor(from = 1, to = -1) {
    this.from = from;
    this.to = to;
  }

  forward(input: Tensor): Tensor {
    return input.flatten(this.from, this.to);
  }

  toString(): string {
    return 'Flatten()';
  }
}
