/** Numbers as little-endian bytes of a type of ONNX. */
import type { ElementType } from './element-types.ts';

type Make = (values: ArrayLike<number>) => ArrayBufferView;

const whole = (values: ArrayLike<number>): bigint[] => Array.from(values, (value) => BigInt(value));

const arrays: Partial<Record<ElementType, Make>> = {
  float32: (values) => Float32Array.from(values),
  float64: (values) => Float64Array.from(values),
  int64: (values) => BigInt64Array.from(whole(values)),
  uint64: (values) => BigUint64Array.from(whole(values)),
  int32: (values) => Int32Array.from(values),
  uint32: (values) => Uint32Array.from(values),
  int16: (values) => Int16Array.from(values),
  uint16: (values) => Uint16Array.from(values),
  int8: (values) => Int8Array.from(values),
  uint8: (values) => Uint8Array.from(values),
  bool: (values) => Uint8Array.from(values),
};

/** The bytes, or null for a type of which none are made here. */
export function bytesOf(type: ElementType, values: ArrayLike<number>): Uint8Array | null {
  const array = arrays[type]?.(values);
  return array === undefined ? null : new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
