/** Pooling over all of space, for any number of axes. */
import { checkOptions, ShapeError, showShape, type Tensor } from '@nn/core';
import type { Layer } from '../layer.ts';

export interface GlobalPoolOptions {
  /** Whether the axes of space stay, with size 1. Default false, as in Keras. */
  readonly keepAxes?: boolean;
}

abstract class GlobalPool implements Layer {
  readonly keepAxes: boolean;

  constructor(options: GlobalPoolOptions) {
    checkOptions(String(this), options, ['keepAxes']);
    this.keepAxes = options.keepAxes ?? false;
  }

  forward(input: Tensor): Tensor {
    if (input.rank < 3) {
      throw new ShapeError(
        String(this),
        `takes [N, channels, ...space], got ${showShape(input.shape)}: it has no axis of space.`,
        {
          layer: String(this),
          shape: input.shape,
        },
      );
    }
    const axes = input.shape.map((_, axis) => axis).slice(2);
    return this.pool(input, axes);
  }

  protected abstract pool(input: Tensor, axes: readonly number[]): Tensor;

  abstract toString(): string;
}

/**
 * The mean of each channel: [N, channels, ...space] to [N, channels]. Keras' `GlobalAveragePooling1D` to `3D`; PyTorch's
 * `nn.AdaptiveAvgPool2d(1)` with `keepAxes`. Throws ShapeError where there is no axis of space.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { GlobalAveragePool } from '@nn/layers';
 * console.log(await new GlobalAveragePool().forward(tensor([[[1, 3], [5, 5]]])).array()); // => [[2, 5]]
 */
export class GlobalAveragePool extends GlobalPool {
  constructor(options: GlobalPoolOptions = {}) {
    super(options);
  }

  protected override pool(input: Tensor, axes: readonly number[]): Tensor {
    return input.mean(axes, { keepAxes: this.keepAxes });
  }

  override toString(): string {
    return 'GlobalAveragePool()';
  }
}

/**
 * The largest value of each channel: [N, channels, ...space] to [N, channels]; equal ones share the gradient. Keras'
 * `GlobalMaxPooling1D` to `3D`. Throws ShapeError where there is no axis of space.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { GlobalMaxPool } from '@nn/layers';
 * console.log(await new GlobalMaxPool().forward(tensor([[[1, 3], [5, 5]]])).array()); // => [[3, 5]]
 */
export class GlobalMaxPool extends GlobalPool {
  constructor(options: GlobalPoolOptions = {}) {
    super(options);
  }

  protected override pool(input: Tensor, axes: readonly number[]): Tensor {
    return input.max(axes, { keepAxes: this.keepAxes });
  }

  override toString(): string {
    return 'GlobalMaxPool()';
  }
}
