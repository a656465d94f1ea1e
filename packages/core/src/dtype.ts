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

/** The dtype that holds the numbers of both: bool < int32 < float32. A half float holds those of its own dtype only. */
export function promote(a: DType, b: DType): DType {
  if (a !== b && (isHalf(a) || isHalf(b))) return 'float32';
  return rank[a] >= rank[b] ? a : b;
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'float32';
}

/** What stands for real numbers, through which gradients pass. */
export function isReal(dtype: DType): boolean {
  return isFloat(dtype) || isHalf(dtype);
}

/** Floats of 16 bits: they are rounded where they are stored. */
export function isHalf(dtype: DType): boolean {
  return dtype === 'float16' || dtype === 'bfloat16';
}

/** Whole numbers of 8 bits: what they mean is computed in int32. */
export function isByte(dtype: DType): boolean {
  return dtype === 'int8' || dtype === 'uint8';
}

export function isComputable(dtype: DType): dtype is ComputeDType {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

interface ArrayKind {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): TensorData;
}

const arrayKinds: Readonly<Record<DType, ArrayKind>> = {
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
};

const others: Readonly<Record<string, DType>> = {
  ...{ float64: 'float32', double: 'float32', float: 'float32', number: 'float32', half: 'float16' },
  ...{
    int64: 'int32',
    long: 'int32',
    int: 'int32',
    integer: 'int32',
    int16: 'int32',
    uint32: 'int32',
    boolean: 'bool',
  },
};

/** Throws DTypeError for a dtype that does not exist, where in JavaScript it would be met much later. */
export function checkDType(operation: string, dtype: DType): void {
  if (Object.hasOwn(arrayKinds, dtype)) return;
  const instead = Object.hasOwn(others, dtype) ? ` Use ${others[dtype]}.` : '';
  throw new DTypeError(
    operation,
    `there is no dtype ${String(dtype)}: ${Object.keys(arrayKinds).join(', ')}.${instead}`,
    { operation, dtype },
  );
}

export function bytesPerElement(dtype: DType): number {
  return arrayKinds[dtype].BYTES_PER_ELEMENT;
}

/** A typed array of `length` zeros for `dtype`. */
export function allocate(dtype: DType, length: number): TensorData {
  return new arrayKinds[dtype](length);
}

/** What users may hand over: what holds a dtype, and two that are converted, doubles and the pixels of a canvas. */
export type HostArray = TensorData | Float64Array | Uint8ClampedArray;

/** What each kind of array stands for; by name, for arrays come from other windows, too. */
const dtypes: Readonly<Record<string, DType | null>> = {
  Float32Array: 'float32',
  Float64Array: 'float32',
  Int32Array: 'int32',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Uint16Array: null,
};

export function isHostArray(value: unknown): value is HostArray {
  return ArrayBuffer.isView(value) && Object(value)[Symbol.toStringTag] in dtypes;
}

/** The dtype that a typed array stands for when none is named; bool and the half floats must be named. */
export function dtypeOf(data: HostArray): DType {
  const dtype = dtypes[data[Symbol.toStringTag]];
  if (dtype) return dtype;
  throw new DTypeError('tensor', 'a Uint16Array has no dtype of its own: name it, float16 or bfloat16.');
}

/** The array kind that holds `dtype`, to check what users hand over. */
export function holds(data: HostArray, dtype: DType): data is TensorData {
  return arrayKinds[dtype] === data.constructor;
}
