/** The types of elements that ONNX knows: their numbers in files, their sizes, and what core computes them in. */
import type { DType } from '@nn/core';

/** A type by its name. */
export type ElementType =
  | 'float32'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'string'
  | 'bool'
  | 'float16'
  | 'float64'
  | 'uint32'
  | 'uint64'
  | 'complex64'
  | 'complex128'
  | 'bfloat16'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'uint4'
  | 'int4'
  | 'float4e2m1'
  | 'float8e8m0'
  | 'uint2'
  | 'int2';

/** Of each type: its number, its name, bits, and the dtype that stands for it on a device; null where none does. */
const table: readonly (readonly [code: number, name: ElementType, bits: number, dtype: DType | null])[] = [
  [1, 'float32', 32, 'float32'],
  [2, 'uint8', 8, 'int32'],
  [3, 'int8', 8, 'int32'],
  [4, 'uint16', 16, 'int32'],
  [5, 'int16', 16, 'int32'],
  [6, 'int32', 32, 'int32'],
  [7, 'int64', 64, 'int32'],
  [8, 'string', 0, null],
  [9, 'bool', 8, 'bool'],
  [10, 'float16', 16, 'float32'],
  [11, 'float64', 64, 'float32'],
  [12, 'uint32', 32, 'int32'],
  [13, 'uint64', 64, 'int32'],
  [14, 'complex64', 64, null],
  [15, 'complex128', 128, null],
  [16, 'bfloat16', 16, 'float32'],
  [17, 'float8e4m3fn', 8, null],
  [18, 'float8e4m3fnuz', 8, null],
  [19, 'float8e5m2', 8, null],
  [20, 'float8e5m2fnuz', 8, null],
  [21, 'uint4', 4, 'int32'],
  [22, 'int4', 4, 'int32'],
  [23, 'float4e2m1', 4, null],
  [24, 'float8e8m0', 8, null],
  [25, 'uint2', 2, 'int32'],
  [26, 'int2', 2, 'int32'],
];

interface Facts {
  readonly code: number;
  readonly bits: number;
  readonly dtype: DType | null;
}

const byCode = new Map<number, ElementType>(table.map(([code, name]) => [code, name]));
const byName = new Map<string, Facts>(table.map(([code, name, bits, dtype]) => [name, { code, bits, dtype }]));

/** The type of a number in a file. */
export function elementTypeOf(code: number): ElementType | undefined {
  return byCode.get(code);
}

export function codeOf(type: ElementType): number {
  return byName.get(type)?.code ?? 0;
}

export function bitsOf(type: ElementType): number {
  return byName.get(type)?.bits ?? 0;
}

/** What core computes the type in, or null. */
export function dtypeOf(type: ElementType): DType | null {
  return byName.get(type)?.dtype ?? null;
}

export function isFloat(type: ElementType): boolean {
  return type === 'float32' || type === 'float64' || type === 'float16' || type === 'bfloat16';
}

/** The lowest and highest whole number of a type of at most 32 bits, or null for other types. */
export function rangeOf(type: ElementType): readonly [number, number] | null {
  const bits = bitsOf(type);
  if (type.startsWith('uint')) return [0, 2 ** bits - 1];
  if (type.startsWith('int')) return [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return null;
}
