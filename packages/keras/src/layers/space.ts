/**
 * Windows over space as Keras lays them: which axes are space, and what 'same' pads. Keras pads so that the result has
 * ceil(size / stride) places, the odd row at the end; PyTorch has no such padding.
 */
import type { Tensor } from '@nn/core';
import type { Settings } from '../config/settings.ts';
import { asValue, channelsFirst, logical, type Value } from '../value.ts';
import { requireRank } from './layer.ts';

/** Whether Keras' channels come first in this layer: then nothing is turned. */
export function hasChannelsFirst(settings: Settings): boolean {
  return (
    settings.has('data_format') &&
    settings.word('data_format', ['channels_first', 'channels_last']) === 'channels_first'
  );
}

/** The input as [N, C, ...space]. */
export function toSpace(settings: Settings, value: Value, rank: number): Tensor {
  requireRank(settings, value, rank + 2);
  return hasChannelsFirst(settings) ? logical(value) : channelsFirst(value);
}

/** A result [N, C, ...space] as a value of Keras. */
export function fromSpace(settings: Settings, tensor: Tensor, mask: Tensor | null = null): Value {
  return asValue(tensor, !hasChannelsFirst(settings), mask);
}

export type Padding = 'valid' | 'same' | 'causal';

export interface Windows {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: Padding;
}

/** What stands before and after each axis of space of these sizes. */
export function paddingOf({ size, stride, dilation, padding }: Windows, space: readonly number[]): [number, number][] {
  return space.map((length, k) => {
    const reach = (size[k]! - 1) * dilation[k]! + 1;
    if (padding === 'valid') return [0, 0];
    if (padding === 'causal') return [reach - 1, 0];
    const total = Math.max((Math.ceil(length / stride[k]!) - 1) * stride[k]! + reach - length, 0);
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  });
}

/** Padding that is the same on both sides of inputs of every size, as layers of nn have it; null where there is none such. */
export function evenPadding({ size, stride, dilation, padding }: Windows): number[] | null {
  if (padding === 'valid') return size.map(() => 0);
  if (padding === 'causal' || stride.some((step) => step !== 1)) return null;
  const totals = size.map((length, k) => (length - 1) * dilation[k]!);
  return totals.every((total) => total % 2 === 0) ? totals.map((total) => total / 2) : null;
}

/** [N, C, ...space] with its space padded. */
export function padSpace(x: Tensor, amounts: readonly (readonly [number, number])[], value = 0): Tensor {
  if (amounts.every(([before, after]) => before === 0 && after === 0)) return x;
  return x.pad([[0, 0], [0, 0], ...amounts], value);
}
