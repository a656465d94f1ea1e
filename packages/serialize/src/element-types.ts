/**
 * The element types of safetensors: their sizes, and how their bytes become the arrays that tensors are made of.
 * Widening is exact; what would lose digits (float64) or range (64-bit and unsigned integers) is refused or checked.
 * It knows nothing of files; `safetensors.ts` cuts the bytes.
 */
import type { DType, TensorData } from '@nn/core';
import { excerpt, FormatError } from '@nn/core';

/** The element types by their names in files, in the reference's order: files hold larger positions first. */
export const elementTypes = [
  'BOOL',
  'F4',
  'F6_E2M3',
  'F6_E3M2',
  'U8',
  'I8',
  'F8_E5M2',
  'F8_E4M3',
  'F8_E8M0',
  'F8_E4M3FNUZ',
  'F8_E5M2FNUZ',
  'I16',
  'U16',
  'F16',
  'BF16',
  'I32',
  'U32',
  'F32',
  'C64',
  'F64',
  'I64',
  'U64',
] as const;

export type ElementType = (typeof elementTypes)[number];

/** The bits of one element, from the type's name: F4, I16, F8_E5M2, ... */
export function bitsOf(type: ElementType): number {
  return type === 'BOOL' ? 8 : Number(/\d+/.exec(type)?.[0]);
}

export function isElementType(name: unknown): name is ElementType {
  return elementTypes.some((type) => type === name);
}

/** Why elements of a type are not read; undefined for those that are. */
export function whyUnread(type: string): string | undefined {
  return /^(F4|F6_\w+|C64)$/.test(type)
    ? `is ${type}, which has no counterpart here; convert it to F16 or F32 first`
    : undefined;
}

/** The element type in files of what a tensor stores. */
export const elementTypeOf: Readonly<Record<DType, ElementType>> = {
  float32: 'F32',
  int32: 'I32',
  bool: 'BOOL',
  float16: 'F16',
  bfloat16: 'BF16',
  int8: 'I8',
  uint8: 'U8',
};

/** Values on the host: row-major data of a dtype and a shape. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface DecodeOptions {
  /** Round float64 to float32, and floats to the half floats of a parameter, instead of refusing it. */
  readonly narrow?: boolean;
  /** Whether float16, bfloat16 and 8-bit integers become float32 and int32, in which operations compute; true where not given. */
  readonly widen?: boolean;
}

/** Who decodes, for messages, and whether the bytes are memory that nobody else holds: then they need no copy. */
export interface DecodeContext {
  readonly operation?: string;
  readonly owned?: boolean;
}

/**
 * The elements in `bytes` as an array that a tensor can hold: floats as float32, integers as int32, BOOL as bool.
 * Throws a `FormatError` that names the tensor for integers outside int32, for float64 unless `narrow` is set, for
 * BOOL bytes other than 0 and 1, and for the types that have no meaning here (F4, F6, C64).
 */
export function decodeElements(
  name: string,
  type: ElementType,
  bytes: Uint8Array,
  options: DecodeOptions = {},
  { operation = 'safetensors', owned = false }: DecodeContext = {},
): { readonly dtype: DType; readonly data: TensorData } {
  const { narrow = false, widen = true } = options;
  // A copy begins at offset 0 of its own memory, so it is aligned for every array kind. (`slice` of a Buffer is no copy.)
  const isWhole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  const mine = (): ArrayBuffer =>
    owned && isWhole && bytes.buffer instanceof ArrayBuffer ? bytes.buffer : new Uint8Array(bytes).buffer;
  switch (type) {
    case 'F32':
      return { dtype: 'float32', data: new Float32Array(mine()) };
    case 'I32':
      return { dtype: 'int32', data: new Int32Array(mine()) };
    case 'BOOL': {
      const at = bytes.findIndex((value) => value > 1);
      if (at >= 0)
        throw new FormatError(
          operation,
          `'${excerpt(name)}' is BOOL, its element ${at} is ${bytes[at]}; only 0 and 1 are.`,
          { name, element: at },
        );
      return { dtype: 'bool', data: new Uint8Array(mine()) };
    }
    case 'F16':
      return widen
        ? { dtype: 'float32', data: floats(new Uint16Array(mine()), float16) }
        : { dtype: 'float16', data: new Uint16Array(mine()) };
    case 'BF16': {
      if (!widen) return { dtype: 'bfloat16', data: new Uint16Array(mine()) };
      // A bfloat16 is the upper half of a float32.
      const halves = new Uint16Array(mine());
      const bits = new Uint32Array(halves.length);
      for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
      return { dtype: 'float32', data: new Float32Array(bits.buffer) };
    }
    case 'F64':
      if (!narrow) {
        throw new FormatError(
          operation,
          `'${excerpt(name)}' is F64, which float32 cannot keep exactly; pass { narrow: true } to round.`,
          { name },
        );
      }
      return { dtype: 'float32', data: new Float32Array(new Float64Array(mine())) };
    case 'I8':
      return widen
        ? { dtype: 'int32', data: new Int32Array(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)) }
        : { dtype: 'int8', data: new Int8Array(mine()) };
    case 'U8':
      return widen ? { dtype: 'int32', data: new Int32Array(bytes) } : { dtype: 'uint8', data: new Uint8Array(mine()) };
    case 'I16':
      return { dtype: 'int32', data: new Int32Array(new Int16Array(mine())) };
    case 'U16':
      return { dtype: 'int32', data: new Int32Array(new Uint16Array(mine())) };
    case 'U32':
      return { dtype: 'int32', data: checkedIntegers(name, type, new Uint32Array(mine()), operation) };
    case 'I64':
      return { dtype: 'int32', data: checkedIntegers(name, type, new BigInt64Array(mine()), operation) };
    case 'U64':
      return { dtype: 'int32', data: checkedIntegers(name, type, new BigUint64Array(mine()), operation) };
    case 'F8_E5M2':
    case 'F8_E4M3':
    case 'F8_E8M0':
    case 'F8_E4M3FNUZ':
    case 'F8_E5M2FNUZ':
      return { dtype: 'float32', data: floats(bytes, float8[type]) };
    default:
      throw new FormatError(operation, `'${excerpt(name)}' ${whyUnread(type)}.`, { name, type });
  }
}

/** What the bits of small floats mean. (`Float32Array.from` would gather all values in a list first.) */
function floats(bits: Uint8Array | Uint16Array, value: (bits: number) => number): Float32Array {
  const result = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) result[i] = value(bits[i]!);
  return result;
}

function checkedIntegers(
  name: string,
  type: ElementType,
  values: Uint32Array | BigInt64Array | BigUint64Array,
  operation: string,
): Int32Array {
  const result = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value > 0x7fffffff || value < -0x80000000) {
      throw new FormatError(
        operation,
        `'${excerpt(name)}' is ${type}, its element ${i} is ${value}; int32 cannot hold it.`,
        {
          name,
          element: i,
        },
      );
    }
    result[i] = Number(value);
  }
  return result;
}

/**
 * The value of a small float of `exponentBits` and `mantissaBits`:
 * (-1)^s 2^(e - bias) (1 + m / 2^M), and for e = 0: (-1)^s 2^(1 - bias) (m / 2^M).
 */
function smallFloat(bits: number, exponentBits: number, mantissaBits: number, bias: number): number {
  const sign = bits >> (exponentBits + mantissaBits) ? -1 : 1;
  const exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1);
  const mantissa = (bits & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  return exponent === 0 ? sign * 2 ** (1 - bias) * mantissa : sign * 2 ** (exponent - bias) * (1 + mantissa);
}

/** IEEE 754 binary16: the largest exponent holds the infinities and NaN. */
function float16(bits: number): number {
  if ((bits & 0x7c00) === 0x7c00) return bits & 0x3ff ? Number.NaN : bits >> 15 ? -Infinity : Infinity;
  return smallFloat(bits, 5, 10, 15);
}

/** The 8-bit floats: Micikevicius et al., "FP8 formats for deep learning" (2022); FNUZ has one NaN, at -0; E8M0 is a power of two. */
const float8 = {
  F8_E5M2: (bits: number): number => float16(bits << 8),
  F8_E4M3: (bits: number): number => ((bits & 0x7f) === 0x7f ? Number.NaN : smallFloat(bits, 4, 3, 7)),
  F8_E8M0: (bits: number): number => (bits === 0xff ? Number.NaN : 2 ** (bits - 127)),
  F8_E4M3FNUZ: (bits: number): number => (bits === 0x80 ? Number.NaN : smallFloat(bits, 4, 3, 8)),
  F8_E5M2FNUZ: (bits: number): number => (bits === 0x80 ? Number.NaN : smallFloat(bits, 5, 2, 16)),
};
