/**
 * What flows between the layers of a Keras model: a tensor that means what Keras means by it (channels last), stored as
 * layers of nn want it (channels first) as long as nobody asks for the order. So pictures pass from convolution to
 * convolution without being turned, and Flatten, Reshape and Dense see Keras' order. Masks of Keras go along.
 */
import type { Tensor } from '@nn/core';

export interface Value {
  readonly tensor: Tensor;
  /** Whether Keras' last axis is stored as axis 1. */
  readonly isMoved: boolean;
  /** Keras' mask: bool [N, steps], true for steps that count; null where all do. */
  readonly mask: Tensor | null;
}

export function asValue(tensor: Tensor, isMoved = false, mask: Tensor | null = null): Value {
  return { tensor, isMoved: isMoved && tensor.rank > 2, mask };
}

/** The tensor in Keras' order. */
export function logical({ tensor, isMoved }: Value): Tensor {
  if (!isMoved) return tensor;
  // [N, C, ...space] to [N, ...space, C]
  return tensor.permute([0, ...tensor.shape.slice(2).map((_, k) => k + 2), 1]);
}

/** The tensor with Keras' last axis at 1: [N, C, ...space]. */
export function channelsFirst({ tensor, isMoved }: Value): Tensor {
  if (isMoved || tensor.rank <= 2) return tensor;
  const last = tensor.rank - 1;
  return tensor.permute([0, last, ...tensor.shape.slice(2).map((_, k) => k + 1)]);
}

/** Keras' shape. */
export function shapeOf({ tensor, isMoved }: Value): readonly number[] {
  const [batch = 1, channels = 1, ...space] = tensor.shape;
  return isMoved ? [batch, ...space, channels] : tensor.shape;
}

/** The same with another tensor of the same layout: what works on each element by itself, or keeps the axes. */
export function withTensor(value: Value, tensor: Tensor): Value {
  return { ...value, tensor };
}

/** Keras' axis, negative from the end, as one of the tensor's; undefined where there is none. */
export function storedAxis({ tensor, isMoved }: Value, axis: number): number | undefined {
  const { rank } = tensor;
  const at = axis < 0 ? axis + rank : axis;
  if (!(at >= 0 && at < rank)) return undefined;
  if (!isMoved || at === 0) return at;
  return at === rank - 1 ? 1 : at + 1;
}
