/**
 * The dtypes that only store, float16, bfloat16, int8 and uint8 (numbers of half floats: `half-floats.ts`), and the arrays of all dtypes.
 * A load widens the bits to a number, a store rounds (to nearest, ties to even) or saturates.
 */
import type { DType, TensorData } from '@nn/core';

interface ArrayKind {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (bytes: ArrayBuffer, offset: number, length: number): TensorData;
}

/** The typed arrays that hold each dtype, on the host and in memory. */
export const arrayKinds: Readonly<Record<DType, ArrayKind>> = {
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
};

export function bytesPerElement(dtype: DType): number {
  return arrayKinds[dtype].BYTES_PER_ELEMENT;
}

/** Bytes up to whole cache lines, on which everything in memory starts. */
export const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Whether values of this dtype are fractions, whole numbers or truth values while they are computed with. */
export function kindOf(dtype: DType): 'float' | 'integer' | 'boolean' {
  if (dtype === 'bool') return 'boolean';
  return dtype === 'int32' || dtype === 'int8' || dtype === 'uint8' ? 'integer' : 'float';
}

export function toInt8(value: number): number {
  return value > 127 ? 127 : value < -128 ? -128 : value;
}

export function toUint8(value: number): number {
  return value > 255 ? 255 : value < 0 ? 0 : value;
}
