/** Pictures and sequences in another size, as a layer. The arithmetic is core's `interpolate`. */
import { checkOptions, type InterpolateOptions, interpolate, type Tensor, ValueError } from '@nn/core';
import type { Layer } from '../layer.ts';

/**
 * [N, channels, ...space] in another size: by `scaleFactor`, or to `size`. The modes are those of core's `interpolate`: nearest
 * (the default), linear, bilinear, bicubic, trilinear, area. As PyTorch's `nn.Upsample`; Keras' `UpSampling1D` to `3D`, whose
 * `interpolation` is `mode`. Throws ShapeError for a mode that belongs to another number of axes.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Upsample } from '@nn/layers';
 * const twice = new Upsample({ scaleFactor: 2, mode: 'linear', alignCorners: true });
 * console.log(await twice.forward(tensor([[[0, 3]]])).array()); // => [[[0, 1, 2, 3]]]
 */
export class Upsample implements Layer {
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    checkOptions('Upsample', options, ['size', 'scaleFactor', 'mode', 'alignCorners', 'antialias']);
    if ((options.size === undefined) === (options.scaleFactor === undefined)) {
      throw new ValueError('Upsample', 'takes size or scaleFactor: give one of them.', { ...options });
    }
    this.options = options;
  }

  forward(input: Tensor): Tensor {
    return interpolate(input, this.options);
  }

  toString(): string {
    const { size, scaleFactor, mode = 'nearest' } = this.options;
    return `Upsample(${size === undefined ? `x${String(scaleFactor)}` : String(size)}, ${mode})`;
  }
}
