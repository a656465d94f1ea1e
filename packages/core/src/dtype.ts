/** Element types: which compute, how they promote, and the typed arrays that hold them on the host. */
import type { DType, TensorData } from './backend.ts';
import { DTypeError } from './errors.ts';

/** The dtypes that operations compute in, in the order of promotion. */
export type ComputeDType = 'bool' | 'int32' | 'float32';

const rank: Readonly<Record<DType, number>> = {
  bool: 0,
  uint8: 1,
  int8: 1,
  int32: 2,
  float16: 3,
  bfloat16: 3,
  float32: 4,
};

/** The dtype in which a binary operation on `a` and `b` computes: bool < int32 < float32. */
export function promote(a: DType, b: DType): DType {
  return rank[a] >= rank[b] ? a : b;
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'float32';
}

export function isComputable(dtype: DType): dtype is ComputeDType {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

export const bytesPerElement: Readonly<Record<DType, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  uint8: 1,
};

/** A typed array of `length` zeros for `dtype`. */
export function allocate(dtype: DType, length: number): TensorData {
  switch (dtype) {
    case 'float32':
      return new Float32Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'int8':
      return new Int8Array(length);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(length);
    default:
      return new Uint8Array(length);
  }
}

/** The dtype that a typed array stands for when none is named; bool and the half floats must be named. */
export function dtypeOf(data: TensorData): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint8Array) return 'uint8';
  throw new DTypeError(
    `tensor: a ${(data as object).constructor.name} has no dtype of its own; name one: { dtype: 'float16' } or { dtype: 'bfloat16' }.`,
  );
}

/** The array kind that holds `dtype`, to check what users hand over. */
export function holds(data: TensorData, dtype: DType): boolean {
  return allocate(dtype, 0).constructor === data.constructor;
}

export function isTensorData(value: unknown): value is TensorData {
  return (
    value instanceof Float32Array ||
    value instanceof Int32Array ||
    value instanceof Uint8Array ||
    value instanceof Int8Array ||
    value instanceof Uint16Array
  );
}
