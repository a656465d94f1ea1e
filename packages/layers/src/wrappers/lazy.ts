/**
 * Layers that learn the size of their input from the first one. Owns the moment in which they are made; what they are is in the
 * files of the layers.
 */
import { ShapeError, showShape, type Tensor } from '@nn/core';
import { Conv1d, Conv2d, Conv3d, type ConvOptions } from '../convolution/conv.ts';
import {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeOptions,
} from '../convolution/conv-transpose.ts';
import { type Layer, nameChildren, snakeCase } from '../layer.ts';
import { Linear, type LinearOptions } from '../linear.ts';
import type { MaskOptions } from '../mask.ts';
import {
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type InstanceNormOptions,
} from '../normalization/instance-norm.ts';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormOptions } from '../normalization/normalization.ts';

/**
 * Made by its first call, whose input says the size. Until then there are no parameters: call it once, before an optimizer, a
 * checkpoint or `compile` asks for them. `summary(model, inputShape)` is such a call.
 */
abstract class Lazy<L extends Layer> implements Layer {
  readonly #name: string;
  readonly #axis: number;
  readonly #make: (size: number) => L;
  #layer: L | null = null;

  constructor(name: string, axis: number, make: (size: number) => L) {
    this.#name = name;
    this.#axis = axis;
    this.#make = make;
    nameChildren(this, () =>
      Object.fromEntries(Object.entries(this.#layer ?? {}).map(([field, value]) => [snakeCase(field), value])),
    );
  }

  /** The layer, once there was an input. */
  get layer(): L | null {
    return this.#layer;
  }

  forward(input: Tensor, options: MaskOptions = {}): Tensor {
    const layer = this.#made(input);
    // the cast: a layer that takes a mask takes it in second place
    return layer.takesMask === true
      ? (Reflect.apply(layer.forward, layer, [input, options]) as Tensor)
      : layer.forward(input);
  }

  #made(input: Tensor): L {
    if (this.#layer !== null) return this.#layer;
    const size = input.shape[this.#axis < 0 ? this.#axis + input.rank : this.#axis];
    if (size === undefined) {
      throw new ShapeError(
        this.#name,
        `its input says the size by axis ${this.#axis}, got ${showShape(input.shape)}.`,
        {
          shape: input.shape,
        },
      );
    }
    this.#layer = this.#make(size);
    return this.#layer;
  }

  multiplyAdds(inputs: Parameters<NonNullable<Layer['multiplyAdds']>>[0], output: readonly number[]): number {
    return this.#layer?.multiplyAdds?.(inputs, output) ?? 0;
  }

  toString(): string {
    return this.#layer === null ? `${this.#name}()` : String(this.#layer);
  }
}

/**
 * `Linear` whose inputs are those of the first call: `new LazyLinear(outputs)`, as PyTorch's `nn.LazyLinear`.
 *
 * @example
 * import { namedParameters, zeros } from '@nn/core';
 * import { LazyLinear } from '@nn/layers';
 * const layer = new LazyLinear(4);
 * console.log(namedParameters(layer).size); // => 0
 * layer.forward(zeros([2, 3]));
 * console.log(namedParameters(layer).get('weight')?.shape); // => [4, 3]
 */
export class LazyLinear extends Lazy<Linear> {
  constructor(outputs: number, options: LinearOptions = {}) {
    super('LazyLinear', -1, (inputs) => new Linear(inputs, outputs, options));
  }
}

/**
 * `Conv1d` whose input channels are those of the first call, as PyTorch's `nn.LazyConv1d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyConv1d } from '@nn/layers';
 * console.log(new LazyConv1d(4, 3).forward(zeros([2, 3, 9])).shape); // => [2, 4, 7]
 */
export class LazyConv1d extends Lazy<Conv1d> {
  constructor(outputs: number, kernelSize: number | readonly number[], options: ConvOptions = {}) {
    super('LazyConv1d', 1, (inputs) => new Conv1d(inputs, outputs, kernelSize, options));
  }
}

/**
 * `Conv2d` whose input channels are those of the first call, as PyTorch's `nn.LazyConv2d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyConv2d } from '@nn/layers';
 * console.log(new LazyConv2d(4, 3).forward(zeros([2, 3, 9, 8])).shape); // => [2, 4, 7, 6]
 */
export class LazyConv2d extends Lazy<Conv2d> {
  constructor(outputs: number, kernelSize: number | readonly number[], options: ConvOptions = {}) {
    super('LazyConv2d', 1, (inputs) => new Conv2d(inputs, outputs, kernelSize, options));
  }
}

/**
 * `Conv3d` whose input channels are those of the first call, as PyTorch's `nn.LazyConv3d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyConv3d } from '@nn/layers';
 * console.log(new LazyConv3d(4, 3).forward(zeros([2, 3, 9, 8, 7])).shape); // => [2, 4, 7, 6, 5]
 */
export class LazyConv3d extends Lazy<Conv3d> {
  constructor(outputs: number, kernelSize: number | readonly number[], options: ConvOptions = {}) {
    super('LazyConv3d', 1, (inputs) => new Conv3d(inputs, outputs, kernelSize, options));
  }
}

/**
 * `ConvTranspose1d` whose input channels are those of the first call, as PyTorch's `nn.LazyConvTranspose1d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyConvTranspose1d } from '@nn/layers';
 * console.log(new LazyConvTranspose1d(4, 3).forward(zeros([2, 3, 9])).shape); // => [2, 4, 11]
 */
export class LazyConvTranspose1d extends Lazy<ConvTranspose1d> {
  constructor(outputs: number, kernelSize: number | readonly number[], options: ConvTransposeOptions = {}) {
    super('LazyConvTranspose1d', 1, (inputs) => new ConvTranspose1d(inputs, outputs, kernelSize, options));
  }
}

/**
 * `ConvTranspose2d` whose input channels are those of the first call, as PyTorch's `nn.LazyConvTranspose2d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyConvTranspose2d } from '@nn/layers';
 * console.log(new LazyConvTranspose2d(4, 3).forward(zeros([2, 3, 9, 8])).shape); // => [2, 4, 11, 10]
 */
export class LazyConvTranspose2d extends Lazy<ConvTranspose2d> {
  constructor(outputs: number, kernelSize: number | readonly number[], options: ConvTransposeOptions = {}) {
    super('LazyConvTranspose2d', 1, (inputs) => new ConvTranspose2d(inputs, outputs, kernelSize, options));
  }
}

/**
 * `ConvTranspose3d` whose input channels are those of the first call, as PyTorch's `nn.LazyConvTranspose3d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyConvTranspose3d } from '@nn/layers';
 * console.log(new LazyConvTranspose3d(4, 3).forward(zeros([2, 3, 9, 8, 7])).shape); // => [2, 4, 11, 10, 9]
 */
export class LazyConvTranspose3d extends Lazy<ConvTranspose3d> {
  constructor(outputs: number, kernelSize: number | readonly number[], options: ConvTransposeOptions = {}) {
    super('LazyConvTranspose3d', 1, (inputs) => new ConvTranspose3d(inputs, outputs, kernelSize, options));
  }
}

/**
 * `BatchNorm1d` whose channels are those of the first call, as PyTorch's `nn.LazyBatchNorm1d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyBatchNorm1d } from '@nn/layers';
 * console.log(new LazyBatchNorm1d().forward(zeros([2, 3, 4])).shape); // => [2, 3, 4]
 */
export class LazyBatchNorm1d extends Lazy<BatchNorm1d> {
  readonly takesMask: true = true;

  constructor(options: BatchNormOptions = {}) {
    super('LazyBatchNorm1d', 1, (channels) => new BatchNorm1d(channels, options));
  }
}

/**
 * `BatchNorm2d` whose channels are those of the first call, as PyTorch's `nn.LazyBatchNorm2d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyBatchNorm2d } from '@nn/layers';
 * console.log(new LazyBatchNorm2d().forward(zeros([2, 3, 4, 5])).shape); // => [2, 3, 4, 5]
 */
export class LazyBatchNorm2d extends Lazy<BatchNorm2d> {
  readonly takesMask: true = true;

  constructor(options: BatchNormOptions = {}) {
    super('LazyBatchNorm2d', 1, (channels) => new BatchNorm2d(channels, options));
  }
}

/**
 * `BatchNorm3d` whose channels are those of the first call, as PyTorch's `nn.LazyBatchNorm3d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyBatchNorm3d } from '@nn/layers';
 * console.log(new LazyBatchNorm3d().forward(zeros([2, 3, 4, 5, 6])).shape); // => [2, 3, 4, 5, 6]
 */
export class LazyBatchNorm3d extends Lazy<BatchNorm3d> {
  readonly takesMask: true = true;

  constructor(options: BatchNormOptions = {}) {
    super('LazyBatchNorm3d', 1, (channels) => new BatchNorm3d(channels, options));
  }
}

/**
 * `InstanceNorm1d` whose channels are those of the first call, as PyTorch's `nn.LazyInstanceNorm1d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyInstanceNorm1d } from '@nn/layers';
 * console.log(new LazyInstanceNorm1d().forward(zeros([2, 3, 4])).shape); // => [2, 3, 4]
 */
export class LazyInstanceNorm1d extends Lazy<InstanceNorm1d> {
  constructor(options: InstanceNormOptions = {}) {
    super('LazyInstanceNorm1d', 1, (channels) => new InstanceNorm1d(channels, options));
  }
}

/**
 * `InstanceNorm2d` whose channels are those of the first call, as PyTorch's `nn.LazyInstanceNorm2d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyInstanceNorm2d } from '@nn/layers';
 * console.log(new LazyInstanceNorm2d().forward(zeros([2, 3, 4, 5])).shape); // => [2, 3, 4, 5]
 */
export class LazyInstanceNorm2d extends Lazy<InstanceNorm2d> {
  constructor(options: InstanceNormOptions = {}) {
    super('LazyInstanceNorm2d', 1, (channels) => new InstanceNorm2d(channels, options));
  }
}

/**
 * `InstanceNorm3d` whose channels are those of the first call, as PyTorch's `nn.LazyInstanceNorm3d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LazyInstanceNorm3d } from '@nn/layers';
 * console.log(new LazyInstanceNorm3d().forward(zeros([2, 3, 4, 5, 6])).shape); // => [2, 3, 4, 5, 6]
 */
export class LazyInstanceNorm3d extends Lazy<InstanceNorm3d> {
  constructor(options: InstanceNormOptions = {}) {
    super('LazyInstanceNorm3d', 1, (channels) => new InstanceNorm3d(channels, options));
  }
}
