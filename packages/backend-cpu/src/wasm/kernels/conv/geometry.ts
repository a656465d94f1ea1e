/**
 * The shapes of a convolution: [N, C, ...] times [O, C / groups, k ...] gives [N, O, ...], and which places of the padded
 * input an output meets: those at stride * output + dilation * tap.
 */
import type { Hint } from '@nn/core';
import { sizeOf } from '../../../shape.ts';

export type ConvHint = Extract<Hint, { kind: 'conv' }>;

/** The numbers that the products are cut by. */
export interface Sizes {
  readonly images: number;
  readonly groups: number;
  /** Of one group: channels of the input and of the output. */
  readonly channels: number;
  readonly filters: number;
  /** Places of one channel of the input and of the output. */
  readonly places: number;
  readonly pixels: number;
  /** Places of a filter, in all channels of a group. */
  readonly taps: number;
  /** Nanoseconds of all products, about. */
  readonly work: number;
}

export function sizesOf({ groups, input, weight, output }: ConvHint): Sizes {
  const [images, outputs, channels] = [input[0]!, output[1]!, weight[1]!];
  const pixels = sizeOf(output.slice(2));
  const taps = channels * sizeOf(weight.slice(2));
  const work = (images * outputs * pixels * taps) / 22;
  return { images, groups, channels, filters: outputs / groups, places: sizeOf(input.slice(2)), pixels, taps, work };
}

/** The extents of the padded input that all taps of all outputs stay in. */
export function neededExtents({ output, weight, stride, dilation }: ConvHint): number[] {
  const taps = weight.slice(2);
  return output.slice(2).map((extent, axis) => (extent - 1) * stride[axis]! + (taps[axis]! - 1) * dilation[axis]! + 1);
}

/** The input gradient with stride 1 as the forward product of the cotangent with filters that are turned around. */
export function turnedHint(hint: ConvHint): ConvHint {
  const { input, weight, output, dilation, groups } = hint;
  const taps = weight.slice(2);
  return {
    ...hint,
    form: 'forward',
    input: output,
    output: input,
    weight: [input[1]!, output[1]! / groups, ...taps],
    padding: taps.map((extent, axis) => dilation[axis]! * (extent - 1) - hint.padding[axis]!),
  };
}
