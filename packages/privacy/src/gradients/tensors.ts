/** The tensors inside of what a layer is given or gives: in arrays and plain objects. Owns the walk, there and back. */
import { isTensor, type Tensor } from '@nn/core';

/** The value with each tensor replaced, in one order always. */
export function mapTensors(value: unknown, change: (x: Tensor) => unknown): unknown {
  if (isTensor(value)) return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTensors(item, change));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTensors(item, change)]));
}

/** The tensors of the value, in the order of `mapTensors`. */
export function tensorsOf(value: unknown): Tensor[] {
  const found: Tensor[] = [];
  mapTensors(value, (x) => found.push(x));
  return found;
}
