/** Pooling by the norm of each window: order 1 is a sum, infinity would be the maximum. */
import { averagePool, checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { countOf, type Layer, perAxis, requireSpace } from '../layer.ts';

export interface LPPoolOptions {
  /** Step between windows. Default: the size of the window. */
  readonly stride?: number | readonly number[];
  /** Also a last window that reaches past the end, which counts what it has. Default false. */
  readonly ceilMode?: boolean;
}

abstract class LPPool implements Layer {
  readonly order: number;
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly ceilMode: boolean;

  constructor(rank: number, order: number, size: number | readonly number[], options: LPPoolOptions) {
    const name = `LPPool${rank}d`;
    checkOptions(name, options, ['stride', 'ceilMode']);
    if (!(order > 0)) throw new ValueError(name, `the order is ${order}: it must be above 0.`, { order });
    this.order = order;
    this.size = perAxis(name, 'size', size, rank);
    this.stride = perAxis(name, 'stride', options.stride ?? this.size, rank);
    this.ceilMode = options.ceilMode ?? false;
  }

  forward(input: Tensor): Tensor {
    requireSpace(String(this), input, this.size.length);
    const { order, size, stride, ceilMode } = this;
    const sums = averagePool(input.pow(order), { size, stride, ceilMode }).mul(countOf(size));
    // the slope of a root at 0 is infinite: there the gradient is 0
    const isZero = sums.equal(0);
    return where(isZero, 0, where(isZero, 1, sums).pow(1 / order));
  }

  toString(): string {
    return `LPPool${this.size.length}d(${this.order}, ${this.size.join('x')})`;
  }
}

/**
 * (sum of x^order)^(1/order) over each window: [N, channels, length] to [N, channels, length'], as PyTorch's
 * `nn.LPPool1d`. Odd orders are meant for positive numbers: of negative sums the root is NaN. Throws ShapeError for another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { LPPool1d } from '@nn/layers';
 * console.log(await new LPPool1d(2, 2).forward(tensor([[[3, 4]]])).flatten().array()); // => [5]
 */
export class LPPool1d extends LPPool {
  constructor(order: number, size: number | readonly number[], options: LPPoolOptions = {}) {
    super(1, order, size, options);
  }
}

/**
 * (sum of x^order)^(1/order) over each window: [N, channels, height, width] to [N, channels, height', width'], as PyTorch's
 * `nn.LPPool2d`. Throws ShapeError for another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { LPPool2d } from '@nn/layers';
 * console.log(await new LPPool2d(2, [1, 2]).forward(tensor([[[[3, 4]]]])).flatten().array()); // => [5]
 */
export class LPPool2d extends LPPool {
  constructor(order: number, size: number | readonly number[], options: LPPoolOptions = {}) {
    super(2, order, size, options);
  }
}

/**
 * (sum of x^order)^(1/order) over each window: [N, channels, depth, height, width] to [N, channels, depth', height', width'], as PyTorch's
 * `nn.LPPool3d`. Throws ShapeError for another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { LPPool3d } from '@nn/layers';
 * console.log(await new LPPool3d(2, [1, 1, 2]).forward(tensor([[[[[3, 4]]]]])).flatten().array()); // => [5]
 */
export class LPPool3d extends LPPool {
  constructor(order: number, size: number | readonly number[], options: LPPoolOptions = {}) {
    super(3, order, size, options);
  }
}
