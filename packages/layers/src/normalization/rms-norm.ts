/** Norms without a mean: by the root of the mean square, and by what neighbouring channels hold. */
import { checkOptions, type Parameter, type Shape, ShapeError, showShape, type Tensor, ValueError } from '@nn/core';
import { constantParameter, type Layer, requireWhole, sizeAt } from '../layer.ts';

export interface RMSNormOptions {
  /** Added to the mean square. Default 2^-23, the step of float32 at 1, as in PyTorch; Keras has 1e-6. */
  readonly epsilon?: number;
  /** Whether to learn a scale per element. Default true. */
  readonly affine?: boolean;
}

/**
 * Divides each sample by the root of its mean square over its last axes `shape`: [..., ...shape], the shape stays.
 *
 * `weight` (1 at first) has the shape `shape`, as in PyTorch's `nn.RMSNorm`. (Zhang and Sennrich 2019.)
 * Throws ShapeError when the input does not end in `shape`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { RMSNorm } from '@nn/layers';
 * console.log(await new RMSNorm(4, { epsilon: 0 }).forward(tensor([2, 0, 0, 0])).array()); // => [2, 0, 0, 0]
 */
export class RMSNorm implements Layer {
  readonly shape: Shape;
  readonly epsilon: number;
  weight: Parameter | null;

  constructor(shape: number | Shape, options: RMSNormOptions = {}) {
    this.shape = typeof shape === 'number' ? [shape] : [...shape];
    checkOptions(String(this), options, ['epsilon', 'affine']);
    for (const size of this.shape) requireWhole(String(this), 'each size', size);
    this.epsilon = options.epsilon ?? 2 ** -23;
    this.weight = options.affine === false ? null : constantParameter(this.shape, 1);
  }

  forward(input: Tensor): Tensor {
    const { shape } = this;
    const first = input.rank - shape.length;
    if (first < 0 || shape.some((size, axis) => input.shape[first + axis] !== size)) {
      throw new ShapeError(String(this), `the input must end in ${showShape(shape)}, got ${showShape(input.shape)}.`, {
        layer: String(this),
        shape: input.shape,
        expected: shape,
      });
    }
    const axes = shape.map((_, axis) => first + axis);
    const y = input.mul(input.square().mean(axes, { keepAxes: true }).add(this.epsilon).rsqrt());
    return this.weight === null ? y : y.mul(this.weight);
  }

  toString(): string {
    return `RMSNorm(${this.shape.join(', ')})`;
  }
}

export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 1. */
  readonly k?: number;
}

/**
 * Divides each value by (k + alpha * mean square of `size` channels around it)^beta, where channels beyond the ends count as 0:
 * [N, channels, ...], the shape stays. (Krizhevsky et al. 2012; PyTorch's `nn.LocalResponseNorm`.)
 *
 * @example
 * import { ones } from '@nn/core';
 * import { LocalResponseNorm } from '@nn/layers';
 * const layer = new LocalResponseNorm(1, { alpha: 3, beta: 0.5 });
 * console.log(await layer.forward(ones([1, 2, 1])).array()); // => [[[0.5], [0.5]]]
 */
export class LocalResponseNorm implements Layer {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    const name = `LocalResponseNorm(${size})`;
    checkOptions(name, options, ['alpha', 'beta', 'k']);
    requireWhole(name, 'size', size);
    const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
    if (!(k >= 0 && alpha >= 0)) {
      throw new ValueError(name, `k is ${k} and alpha ${alpha}: both must be at least 0.`, { k, alpha });
    }
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }

  forward(input: Tensor): Tensor {
    if (input.rank < 3) {
      throw new ShapeError(
        String(this),
        `takes [N, channels, ...] with an axis of space, got ${showShape(input.shape)}.`,
        {
          shape: input.shape,
        },
      );
    }
    const { size } = this;
    const channels = sizeAt(input, 1);
    const none: readonly [number, number] = [0, 0];
    const around: readonly [number, number] = [Math.floor(size / 2), Math.floor((size - 1) / 2)];
    const squares = input.square().pad(input.shape.map((_, axis) => (axis === 1 ? around : none)));
    const windows = Array.from({ length: size }, (_, offset) => squares.slice([0, offset], [null, offset + channels]));
    const mean = windows.reduce((sum, window) => sum.add(window)).div(size);
    return input.div(mean.mul(this.alpha).add(this.k).pow(this.beta));
  }

  toString(): string {
    return `LocalResponseNorm(${this.size})`;
  }
}
