/** Elements in double precision, and the typed arrays that hosts exchange; the narrow floats by arithmetic, not by bits. */
import type { DType, TensorData } from '@nn/core';
import { convert } from './reference-scalar.ts';

interface Format {
  /** Bits of the fraction, and the exponents of the least and the greatest normal number. */
  readonly fraction: number;
  readonly least: number;
  readonly greatest: number;
}

const float16: Format = { fraction: 10, least: -14, greatest: 15 };
const bfloat16: Format = { fraction: 7, least: -126, greatest: 127 };

/** The numbers in `data`. */
export function decode(data: TensorData, dtype: DType): Float64Array {
  if (dtype === 'float16') return Float64Array.from(data, (bits) => fromBits(bits, float16));
  if (dtype === 'bfloat16') return Float64Array.from(data, (bits) => fromBits(bits, bfloat16));
  return Float64Array.from(data, (value) => (dtype === 'bool' ? Number(value !== 0) : value));
}

/** The typed array for `dtype` with these numbers, rounded. */
export function encode(elements: Float64Array, dtype: DType): TensorData {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(elements);
    case 'int32':
      return Int32Array.from(elements);
    case 'int8':
      return Int8Array.from(elements);
    case 'float16':
      return Uint16Array.from(elements, (value) => toBits(value, float16));
    case 'bfloat16':
      return Uint16Array.from(elements, (value) => toBits(value, bfloat16));
    default:
      return Uint8Array.from(elements);
  }
}

/** What remains of a value in a buffer of `dtype`: whole numbers saturate, half floats round; float32 stays exact here. */
export function roundToStorage(value: number, dtype: DType): number {
  if (dtype === 'float32') return value;
  if (dtype === 'float16') return round(value, float16);
  return dtype === 'bfloat16' ? round(value, bfloat16) : convert(value, dtype);
}

/** The nearest number of the format, ties to the even fraction. A device rounds to float32 first, so this does too. */
function round(value: number, format: Format): number {
  const single = Math.fround(value);
  if (!Number.isFinite(single) || single === 0) return single;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(single))), format.least);
  const unit = 2 ** (exponent - format.fraction);
  const units = single / unit;
  const low = Math.floor(units);
  const up = units - low > 0.5 || (units - low === 0.5 && low % 2 !== 0);
  const rounded = (up ? low + 1 : low) * unit;
  const limit = 2 ** format.greatest * (2 - 2 ** -format.fraction);
  if (Math.abs(rounded) > limit) return Math.sign(single) * Infinity;
  // Small negative numbers round to -0.
  return rounded === 0 ? Math.sign(single) * 0 : rounded;
}

function fromBits(bits: number, { fraction, least, greatest }: Format): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const low = bits & (2 ** fraction - 1);
  const exponent = (bits & 0x7fff) >> fraction;
  if (exponent === 0) return sign * low * 2 ** (least - fraction);
  if (exponent - greatest === greatest + 1) return low === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + low * 2 ** -fraction) * 2 ** (exponent + least - 1);
}

function toBits(value: number, format: Format): number {
  const { fraction, least, greatest } = format;
  const top = (2 * greatest + 1) << fraction;
  const rounded = round(value, format);
  if (Number.isNaN(rounded)) return top | (1 << (fraction - 1));
  const sign = rounded < 0 || Object.is(rounded, -0) ? 0x8000 : 0;
  const size = Math.abs(rounded);
  if (size === Infinity) return sign | top;
  if (size < 2 ** least) return sign | (size * 2 ** (fraction - least));
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent - least + 1) << fraction) | ((size * 2 ** -exponent - 1) * 2 ** fraction);
}
