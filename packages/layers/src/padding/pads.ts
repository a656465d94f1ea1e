/**
 * Padding as layers: zeros, a constant, reflections, the edge, a circle. The arithmetic is core's. Amounts are in the order of
 * the axes, [before, after] for each; PyTorch lists the last axis first. Negative amounts cut off, as Keras' `Cropping`.
 */
import { circularPad, type PadAmounts, reflectionPad, replicationPad, ShapeError, type Tensor } from '@nn/core';
import { type Layer, requireSpace } from '../layer.ts';

/** One number for all sides, or [before, after] for each axis of space, in their order. */
export type Padding = number | PadAmounts;

/** What all pads share: amounts, checks and names. */
abstract class Pad implements Layer {
  readonly amounts: PadAmounts;
  readonly #name: string;

  constructor(name: string, rank: number, padding: Padding) {
    const amounts: PadAmounts =
      typeof padding === 'number' ? Array.from({ length: rank }, () => [padding, padding] as const) : padding;
    const isWhole = Array.isArray(amounts) && amounts.length === rank;
    if (
      !isWhole ||
      !amounts.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(Number.isInteger))
    ) {
      throw new ShapeError(
        name,
        `the padding is ${JSON.stringify(padding)}: give one whole number, or ${rank === 1 ? 'a pair' : `${rank} pairs`} [before, after] of them.`,
        { padding },
      );
    }
    this.amounts = amounts;
    this.#name = name;
  }

  forward(input: Tensor): Tensor {
    requireSpace(String(this), input, this.amounts.length);
    return this.pad(input);
  }

  protected abstract pad(input: Tensor): Tensor;

  toString(): string {
    return `${this.#name}(${this.amounts.map(([before, after]) => (before === after ? before : `${before}+${after}`)).join(', ')})`;
  }
}

abstract class ConstantPad extends Pad {
  readonly value: number;

  constructor(name: string, rank: number, padding: Padding, value: number) {
    super(name, rank, padding);
    this.value = value;
  }

  protected override pad(input: Tensor): Tensor {
    return input.pad([[0, 0], [0, 0], ...this.amounts], this.value);
  }
}

abstract class ReflectionPad extends Pad {
  protected override pad(input: Tensor): Tensor {
    return reflectionPad(input, this.amounts);
  }
}

abstract class ReplicationPad extends Pad {
  protected override pad(input: Tensor): Tensor {
    return replicationPad(input, this.amounts);
  }
}

abstract class CircularPad extends Pad {
  protected override pad(input: Tensor): Tensor {
    return circularPad(input, this.amounts);
  }
}

/**
 * Zeros around a line: [N, channels, length], PyTorch's `nn.ZeroPad1d`. Throws ShapeError for another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ZeroPad1d } from '@nn/layers';
 * console.log(await new ZeroPad1d([[2, 1]]).forward(tensor([[[1, 2, 3]]])).array()); // => [[[0, 0, 1, 2, 3, 0]]]
 */
export class ZeroPad1d extends ConstantPad {
  constructor(padding: Padding) {
    super('ZeroPad1d', 1, padding, 0);
  }
}

/**
 * Zeros around a picture: [N, channels, height, width], PyTorch's `nn.ZeroPad2d`. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ZeroPad2d } from '@nn/layers';
 * console.log(new ZeroPad2d(1).forward(zeros([2, 3, 4, 5])).shape); // => [2, 3, 6, 7]
 */
export class ZeroPad2d extends ConstantPad {
  constructor(padding: Padding) {
    super('ZeroPad2d', 2, padding, 0);
  }
}

/**
 * Zeros around a volume: [N, channels, depth, height, width], PyTorch's `nn.ZeroPad3d`. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ZeroPad3d } from '@nn/layers';
 * console.log(new ZeroPad3d(1).forward(zeros([2, 3, 4, 5, 6])).shape); // => [2, 3, 6, 7, 8]
 */
export class ZeroPad3d extends ConstantPad {
  constructor(padding: Padding) {
    super('ZeroPad3d', 3, padding, 0);
  }
}

/**
 * A constant around a line: [N, channels, length], PyTorch's `nn.ConstantPad1d`. Throws ShapeError for another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ConstantPad1d } from '@nn/layers';
 * console.log(await new ConstantPad1d([[2, 1]], 9).forward(tensor([[[1, 2, 3]]])).array()); // => [[[9, 9, 1, 2, 3, 9]]]
 */
export class ConstantPad1d extends ConstantPad {
  constructor(padding: Padding, value: number) {
    super('ConstantPad1d', 1, padding, value);
  }
}

/**
 * A constant around a picture: [N, channels, height, width], PyTorch's `nn.ConstantPad2d`. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ConstantPad2d } from '@nn/layers';
 * console.log(new ConstantPad2d(1, 9).forward(zeros([2, 3, 4, 5])).shape); // => [2, 3, 6, 7]
 */
export class ConstantPad2d extends ConstantPad {
  constructor(padding: Padding, value: number) {
    super('ConstantPad2d', 2, padding, value);
  }
}

/**
 * A constant around a volume: [N, channels, depth, height, width], PyTorch's `nn.ConstantPad3d`. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ConstantPad3d } from '@nn/layers';
 * console.log(new ConstantPad3d(1, 9).forward(zeros([2, 3, 4, 5, 6])).shape); // => [2, 3, 6, 7, 8]
 */
export class ConstantPad3d extends ConstantPad {
  constructor(padding: Padding, value: number) {
    super('ConstantPad3d', 3, padding, value);
  }
}

/**
 * Reflections around, the edge itself not repeated, a line: [N, channels, length], PyTorch's `nn.ReflectionPad1d`. At most size - 1 elements. Throws ShapeError for another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ReflectionPad1d } from '@nn/layers';
 * console.log(await new ReflectionPad1d([[2, 1]]).forward(tensor([[[1, 2, 3]]])).array()); // => [[[3, 2, 1, 2, 3, 2]]]
 */
export class ReflectionPad1d extends ReflectionPad {
  constructor(padding: Padding) {
    super('ReflectionPad1d', 1, padding);
  }
}

/**
 * Reflections around, the edge itself not repeated, a picture: [N, channels, height, width], PyTorch's `nn.ReflectionPad2d`. At most size - 1 elements. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ReflectionPad2d } from '@nn/layers';
 * console.log(new ReflectionPad2d(1).forward(zeros([2, 3, 4, 5])).shape); // => [2, 3, 6, 7]
 */
export class ReflectionPad2d extends ReflectionPad {
  constructor(padding: Padding) {
    super('ReflectionPad2d', 2, padding);
  }
}

/**
 * Reflections around, the edge itself not repeated, a volume: [N, channels, depth, height, width], PyTorch's `nn.ReflectionPad3d`. At most size - 1 elements. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ReflectionPad3d } from '@nn/layers';
 * console.log(new ReflectionPad3d(1).forward(zeros([2, 3, 4, 5, 6])).shape); // => [2, 3, 6, 7, 8]
 */
export class ReflectionPad3d extends ReflectionPad {
  constructor(padding: Padding) {
    super('ReflectionPad3d', 3, padding);
  }
}

/**
 * The edge repeated around a line: [N, channels, length], PyTorch's `nn.ReplicationPad1d`. Throws ShapeError for another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ReplicationPad1d } from '@nn/layers';
 * console.log(await new ReplicationPad1d([[2, 1]]).forward(tensor([[[1, 2, 3]]])).array()); // => [[[1, 1, 1, 2, 3, 3]]]
 */
export class ReplicationPad1d extends ReplicationPad {
  constructor(padding: Padding) {
    super('ReplicationPad1d', 1, padding);
  }
}

/**
 * The edge repeated around a picture: [N, channels, height, width], PyTorch's `nn.ReplicationPad2d`. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ReplicationPad2d } from '@nn/layers';
 * console.log(new ReplicationPad2d(1).forward(zeros([2, 3, 4, 5])).shape); // => [2, 3, 6, 7]
 */
export class ReplicationPad2d extends ReplicationPad {
  constructor(padding: Padding) {
    super('ReplicationPad2d', 2, padding);
  }
}

/**
 * The edge repeated around a volume: [N, channels, depth, height, width], PyTorch's `nn.ReplicationPad3d`. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ReplicationPad3d } from '@nn/layers';
 * console.log(new ReplicationPad3d(1).forward(zeros([2, 3, 4, 5, 6])).shape); // => [2, 3, 6, 7, 8]
 */
export class ReplicationPad3d extends ReplicationPad {
  constructor(padding: Padding) {
    super('ReplicationPad3d', 3, padding);
  }
}

/**
 * The other end around, as on a circle, a line: [N, channels, length], PyTorch's `nn.CircularPad1d`. At most the size. Throws ShapeError for another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { CircularPad1d } from '@nn/layers';
 * console.log(await new CircularPad1d([[2, 1]]).forward(tensor([[[1, 2, 3]]])).array()); // => [[[2, 3, 1, 2, 3, 1]]]
 */
export class CircularPad1d extends CircularPad {
  constructor(padding: Padding) {
    super('CircularPad1d', 1, padding);
  }
}

/**
 * The other end around, as on a circle, a picture: [N, channels, height, width], PyTorch's `nn.CircularPad2d`. At most the size. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { CircularPad2d } from '@nn/layers';
 * console.log(new CircularPad2d(1).forward(zeros([2, 3, 4, 5])).shape); // => [2, 3, 6, 7]
 */
export class CircularPad2d extends CircularPad {
  constructor(padding: Padding) {
    super('CircularPad2d', 2, padding);
  }
}

/**
 * The other end around, as on a circle, a volume: [N, channels, depth, height, width], PyTorch's `nn.CircularPad3d`. At most the size. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { CircularPad3d } from '@nn/layers';
 * console.log(new CircularPad3d(1).forward(zeros([2, 3, 4, 5, 6])).shape); // => [2, 3, 6, 7, 8]
 */
export class CircularPad3d extends CircularPad {
  constructor(padding: Padding) {
    super('CircularPad3d', 3, padding);
  }
}
