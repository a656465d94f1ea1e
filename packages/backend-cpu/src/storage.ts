/**
 * The dtypes that only store: float16, bfloat16, int8 and uint8, and the arrays of all dtypes.
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

const word = new Float32Array(1);
const bits = new Int32Array(word.buffer);

/** The number that the bits of a float16 stand for. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the float16 nearest to a float32. */
export function toFloat16(value: number): number {
  word[0] = value;
  const all = bits[0]!;
  const sign = (all >>> 16) & 0x8000;
  const size = all & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  // 65520 and more round to infinity.
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size >= 0x38800000) {
    // Rounding up may carry into the exponent, which is the next number.
    return sign | ((size - 0x38000000 + 0xfff + ((size >> 13) & 1)) >> 13);
  }
  // Below 2^-14 the numbers are multiples of 2^-24: let the addition of 2^23 times that unit round.
  const scaled = Math.abs(word[0]!) * 2 ** 24 + 2 ** 52;
  return sign | (scaled - 2 ** 52);
}

/** The number that the bits of a bfloat16 stand for. */
export function fromBfloat16(half: number): number {
  bits[0] = half << 16;
  return word[0]!;
}

/** The bits of the bfloat16 nearest to a float32. */
export function toBfloat16(value: number): number {
  word[0] = value;
  const all = bits[0]!;
  if ((all & 0x7fffffff) > 0x7f800000) return ((all >>> 16) & 0x8000) | 0x7fc0;
  return ((all + 0x7fff + ((all >>> 16) & 1)) >>> 16) & 0xffff;
}

export function toInt8(value: number): number {
  return value > 127 ? 127 : value < -128 ? -128 : value;
}

export function toUint8(value: number): number {
  return value > 255 ? 255 : value < 0 ? 0 : value;
}
