/** Convolutions of whole numbers, with sums in int32 and channels last. Own no scale: what the numbers stand for is known elsewhere. */
import { einsum, type Shape, ShapeError, showShape, type Tensor, unfold } from '@nn/core';
import { sizeAt } from '../layer.ts';

export interface WholeConvolutionOptions {
  /** Step between windows, for each axis of space. */
  readonly stride: readonly number[];
  /** Distance between the taps of the kernel, for each axis of space. */
  readonly dilation: readonly number[];
  /** Channels are cut into this many groups that do not mix. Default 1. */
  readonly groups?: number;
}

/**
 * The sums of a convolution of int32 by int32, without padding: [N, ...space, channels] and a weight [outputs, ...kernel, channels /
 * groups] to [N, ...space', outputs]. Where both are casts of bytes, backends multiply the bytes. Throws ShapeError for channels that do
 * not fit.
 *
 * @example
 * import { ones } from '@nn/core';
 * import { wholeConvolution } from '@nn/layers';
 * const [x, weight] = [ones([1, 5, 2], { dtype: 'int32' }), ones([3, 4, 2], { dtype: 'int32' })];
 * console.log(await wholeConvolution(x, weight, { stride: [1], dilation: [1] }).array()); // => [[[8, 8, 8], [8, 8, 8]]]
 */
export function wholeConvolution(
  x: Tensor,
  weight: Tensor,
  { stride, dilation, groups = 1 }: WholeConvolutionOptions,
): Tensor {
  const rank = x.rank - 2;
  const [outputs, channels] = [sizeAt(weight, 0), sizeAt(x, -1)];
  const kernel = weight.shape.slice(1, -1);
  if (kernel.length !== rank || channels !== groups * sizeAt(weight, -1) || outputs % groups !== 0) {
    throw new ShapeError(
      'wholeConvolution',
      `a weight ${showShape(weight.shape)} in ${groups} groups does not fit [N, ...space, channels] = ${showShape(x.shape)}.`,
      { shape: x.shape, weight: weight.shape, groups },
    );
  }
  const space = kernel.map((_, axis) => axis + 1);
  const out = kernel.map((size, axis) => {
    const reach = (size - 1) * dilation[axis]! + 1;
    return Math.floor((sizeAt(x, axis + 1) - reach) / stride[axis]!) + 1;
  });
  // [N, C, ...kernel, ...out], as views of [N, ...space, C]; groups of channels are an axis of their own where there are any
  const first = x.permute([0, rank + 1, ...space]);
  const [group, width] = groups === 1 ? ['', [channels]] : ['g', [groups, channels / groups]];
  const shape: Shape = [sizeAt(x, 0), ...width, ...kernel, ...out];
  const windows = unfold(first, { size: kernel, stride, dilation }).reshape(shape);
  const ends = shape.map((_, axis) => axis).slice(1 + width.length);
  const ordered = windows.permute([
    ...[0, ...ends.slice(rank), ...(groups === 1 ? [] : [1])],
    ...[...ends.slice(0, rank), width.length],
  ]);
  const own = groups === 1 ? weight : weight.reshape([groups, outputs / groups, ...weight.shape.slice(1)]);
  const [taps, places] = ['klm'.slice(0, rank), 'xyz'.slice(0, rank)];
  const sums = einsum(`n${places}${group}${taps}c,${group}o${taps}c->n${places}${group}o`, ordered, own);
  return groups === 1 ? sums : sums.reshape([sizeAt(x, 0), ...out, outputs]);
}
