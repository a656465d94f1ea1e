/** The clamp of activations. Owns its slope at the bounds: 0, as in PyTorch, where core's clamp takes 1. */
import { stopGradient, type Tensor, where } from '@nn/core';

/** x from `low` to `high`, with no slope at the bounds either. */
export function clampedFlat(x: Tensor, low: number, high: number): Tensor {
  const inside = x.greater(low).logicalAnd(x.less(high));
  return where(inside, x, stopGradient(x.clamp(low, high)));
}
