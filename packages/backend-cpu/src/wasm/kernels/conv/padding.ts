/**
 * Images in the middle of zeros. Where an image is copied so once, no tap of a convolution needs a condition: all that it
 * meets lies in the padded array, at offsets that do not depend on the place.
 */
import type { Shape } from '@nn/core';
import { sizeOf, stridesOf } from '../../../shape.ts';
import { align } from '../../../storage.ts';
import type { I32, Statement } from '../../code/assembler.ts';
import { i32, memory } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import type { Phase } from '../../loops/nest.ts';
import { type Driver, plus } from '../driver.ts';
import type { ConvHint } from './geometry.ts';
import { copyNest } from './tables.ts';

export interface Padding {
  /** Strides of the padded space including the channel's, in elements. */
  readonly strides: readonly number[];
  /** Bytes of all padded channels; 0 where the image can be used as it is. */
  readonly bytes: number;
  /** Copies the channels of an image; null where none of it falls inside. */
  readonly copy: Phase | null;
  /** Elements from the start of the padded space to the image's first element. */
  readonly shift: number;
}

/** Bytes of padded channels: vectors may read a little beyond. */
export const paddedBytes = (channels: number, extents: Shape): number => align(4 * channels * sizeOf(extents) + 64);

/** `before` may be negative: then the image is cropped. `step` leaves gaps of zeros between neighbours. */
export function padding(
  context: ModuleContext,
  channels: number,
  space: Shape,
  extents: Shape,
  before: Shape,
  step: Shape = space.map(() => 1),
): Padding {
  const from = stridesOf([channels, ...space]);
  const plain = before.every((zeros, axis) => zeros === 0 && extents[axis]! <= space[axis]!);
  if (plain && step.every((gap) => gap === 1)) return { strides: from, bytes: 0, copy: null, shift: 0 };
  const strides = stridesOf([channels, ...extents]);
  // The part of the image that falls inside: first <= index, before + index * step < extent.
  const first = before.map((zeros, axis) => (zeros < 0 ? Math.ceil(-zeros / step[axis]!) : 0));
  const counts = space.map((extent, axis) => {
    const room = Math.ceil((extents[axis]! - before[axis]!) / step[axis]!);
    return Math.max(0, Math.min(extent, room) - first[axis]!);
  });
  const offset = first.reduce((sum, index, axis) => sum + index * from[axis + 1]!, 0);
  const shift = first.reduce((sum, index, axis) => sum + (before[axis]! + index * step[axis]!) * strides[axis + 1]!, 0);
  const to = strides.map((stride, axis) => (axis === 0 ? stride : stride * step[axis - 1]!));
  const inside = counts.every((count) => count > 0);
  const copy = inside ? copyNest(context, [channels, ...counts], from, offset, to) : null;
  return { strides, bytes: paddedBytes(channels, extents), copy, shift };
}

/** Zeros for images that are copied into them; the copies leave them as they are. */
export const clear = ({ bytes }: Padding, at: I32): Statement[] =>
  bytes > 0 ? [memory.fill(at, i32.const(0), i32.const(bytes))] : [];

/** Copies the image at `from` into the zeros at `to`. */
export const pad = ({ copy, shift }: Padding, driver: Driver, to: I32, from: I32): Statement[] =>
  copy ? [driver.copy(copy, plus(to, 4 * shift), from)] : [];

/** How far apart the places of neighbouring outputs, and of neighbouring taps, are in the padded image. */
export function placesIn({ strides }: Pick<Padding, 'strides'>, hint: ConvHint): { pixels: number[]; taps: number[] } {
  const space = strides.slice(1);
  return {
    pixels: space.map((stride, axis) => stride * hint.stride[axis]!),
    taps: space.map((stride, axis) => stride * hint.dilation[axis]!),
  };
}
