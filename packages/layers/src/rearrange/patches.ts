/** Pictures as patches and back, channels as space and back, as layers. The arithmetic is core's. */
import { channelShuffle, checkOptions, fold, pixelShuffle, pixelUnshuffle, type Tensor, unfold } from '@nn/core';
import { type Layer, perAxis, requireWhole } from '../layer.ts';

export interface PatchOptions {
  /** Step between patches. Default 1. */
  readonly stride?: number | readonly number[];
  /** Zeros on both sides of each axis. Default 0. */
  readonly padding?: number | readonly number[];
  /** Distance between the elements of a patch. Default 1. */
  readonly dilation?: number | readonly number[];
}

type Settled = { readonly [Name in 'size' | 'stride' | 'padding' | 'dilation']: number[] };

function settle(name: string, size: number | readonly number[], options: PatchOptions): Settled {
  checkOptions(name, options, ['stride', 'padding', 'dilation']);
  const { stride = 1, padding = 0, dilation = 1 } = options;
  const given = { size, stride, padding, dilation };
  const [sizes, strides, paddings, dilations] = Object.entries(given).map(([what, value]) =>
    perAxis(name, what, value, 2),
  );
  return { size: sizes ?? [], stride: strides ?? [], padding: paddings ?? [], dilation: dilations ?? [] };
}

/**
 * The patches of pictures as columns: [N, channels, height, width] to [N, channels * elements of a patch, patches], as PyTorch's
 * `nn.Unfold` (im2col). Throws ShapeError for sizes that do not fit.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Unfold } from '@nn/layers';
 * console.log(new Unfold([2, 3]).forward(zeros([4, 5, 6, 7])).shape); // => [4, 30, 25]
 */
export class Unfold implements Layer {
  readonly patches: Settled;

  constructor(size: number | readonly number[], options: PatchOptions = {}) {
    this.patches = settle('Unfold', size, options);
  }

  forward(input: Tensor): Tensor {
    return unfold(input, this.patches);
  }

  toString(): string {
    return `Unfold(${this.patches.size.join('x')})`;
  }
}

/**
 * Columns of patches added into pictures, the adjoint of `Unfold`: [N, channels * elements of a patch, patches] to [N, channels,
 * ...outputSize]; what overlaps is summed. As PyTorch's `nn.Fold`. Throws ShapeError for sizes that do not fit.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Fold } from '@nn/layers';
 * console.log(new Fold([6, 7], [2, 3]).forward(zeros([4, 30, 25])).shape); // => [4, 5, 6, 7]
 */
export class Fold implements Layer {
  readonly outputSize: readonly number[];
  readonly patches: Settled;

  constructor(outputSize: number | readonly number[], size: number | readonly number[], options: PatchOptions = {}) {
    this.outputSize = perAxis('Fold', 'outputSize', outputSize, 2);
    this.patches = settle('Fold', size, options);
  }

  forward(input: Tensor): Tensor {
    return fold(input, { ...this.patches, outputSize: this.outputSize });
  }

  toString(): string {
    return `Fold(${this.outputSize.join('x')}, ${this.patches.size.join('x')})`;
  }
}

abstract class ByFactor implements Layer {
  readonly factor: number;
  readonly #name: string;

  constructor(name: string, factor: number) {
    requireWhole(name, 'factor', factor);
    this.factor = factor;
    this.#name = name;
  }

  abstract forward(input: Tensor): Tensor;

  toString(): string {
    return `${this.#name}(${this.factor})`;
  }
}

/**
 * Channels turned into space: [..., channels r^2, height, width] to [..., channels, height r, width r]. (Shi et al. 2016;
 * PyTorch's `nn.PixelShuffle`.) Throws ShapeError for channels that do not divide.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { PixelShuffle } from '@nn/layers';
 * console.log(new PixelShuffle(2).forward(zeros([1, 8, 3, 4])).shape); // => [1, 2, 6, 8]
 */
export class PixelShuffle extends ByFactor {
  constructor(factor: number) {
    super('PixelShuffle', factor);
  }

  forward(input: Tensor): Tensor {
    return pixelShuffle(input, this.factor);
  }
}

/**
 * Space turned into channels, the inverse of `PixelShuffle`: [..., channels, height r, width r] to [..., channels r^2, height,
 * width], as PyTorch's `nn.PixelUnshuffle`. Throws ShapeError for sizes that do not divide.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { PixelUnshuffle } from '@nn/layers';
 * console.log(new PixelUnshuffle(2).forward(zeros([1, 2, 6, 8])).shape); // => [1, 8, 3, 4]
 */
export class PixelUnshuffle extends ByFactor {
  constructor(factor: number) {
    super('PixelUnshuffle', factor);
  }

  forward(input: Tensor): Tensor {
    return pixelUnshuffle(input, this.factor);
  }
}

/**
 * The channels of `groups` groups in turns, so that what follows in groups mixes them: [N, channels, ...], the shape stays.
 * (Zhang et al. 2018; PyTorch's `nn.ChannelShuffle`.) Throws ShapeError for channels that do not divide.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ChannelShuffle } from '@nn/layers';
 * console.log(await new ChannelShuffle(2).forward(tensor([[[1], [2], [3], [4]]])).flatten().array()); // => [1, 3, 2, 4]
 */
export class ChannelShuffle extends ByFactor {
  constructor(groups: number) {
    super('ChannelShuffle', groups);
  }

  forward(input: Tensor): Tensor {
    return channelShuffle(input, this.factor);
  }
}
