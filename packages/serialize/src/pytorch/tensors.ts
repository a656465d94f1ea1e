/**
 * What PyTorch's pickles say of tensors: storages, views on them, parameters; by the names of the functions that would
 * rebuild them there. It reads no values: `views.ts` does, from the storages that a container of files has.
 */
import { FormatError } from '@nn/core';
import type { ElementType } from '../element-types.ts';
import { PickleGlobal } from './pickle.ts';

/** The elements' type by the names of storage classes and dtypes; both stand in files. */
export const types: ReadonlyMap<string, ElementType> = new Map<string, ElementType>([
  ['FloatStorage', 'F32'],
  ['DoubleStorage', 'F64'],
  ['HalfStorage', 'F16'],
  ['BFloat16Storage', 'BF16'],
  ['LongStorage', 'I64'],
  ['IntStorage', 'I32'],
  ['ShortStorage', 'I16'],
  ['CharStorage', 'I8'],
  ['ByteStorage', 'U8'],
  ['BoolStorage', 'BOOL'],
  ['ComplexFloatStorage', 'C64'],
  ['UntypedStorage', 'U8'],
  ['float32', 'F32'],
  ['float64', 'F64'],
  ['float16', 'F16'],
  ['bfloat16', 'BF16'],
  ['int64', 'I64'],
  ['int32', 'I32'],
  ['int16', 'I16'],
  ['int8', 'I8'],
  ['uint8', 'U8'],
  ['bool', 'BOOL'],
  ['complex64', 'C64'],
  ['uint16', 'U16'],
  ['uint32', 'U32'],
  ['uint64', 'U64'],
  ['float8_e4m3fn', 'F8_E4M3'],
  ['float8_e5m2', 'F8_E5M2'],
  ['float8_e4m3fnuz', 'F8_E4M3FNUZ'],
  ['float8_e5m2fnuz', 'F8_E5M2FNUZ'],
  ['float8_e8m0fnu', 'F8_E8M0'],
]);

/** A block of elements that tensors look into. `type` is undefined for classes that have no counterpart (quantised ones). */
export class TorchStorage {
  readonly key: string;
  readonly className: string;
  readonly type: ElementType | undefined;
  /** The number of its elements, as the file says. */
  readonly count: number;
  /** A view of another storage begins there, in elements (files before 1.6). */
  readonly offset: number;
  constructor(key: string, className: string, count: number, offset = 0) {
    this.key = key;
    this.className = className;
    this.type = types.get(className);
    this.count = count;
    this.offset = offset;
  }
}

/** A tensor: which elements of a storage it has, and in which order. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly type: ElementType | undefined;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(
    storage: TorchStorage,
    type: ElementType | undefined,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage;
    this.type = type;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

export function fail(reason: string, what: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError(`PyTorch/${reason}`, what, data);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** PyTorch has no tensors of more axes. */
const rankLimit = 64;

export function makeTensor(
  storage: unknown,
  offset: unknown,
  shape: unknown,
  strides: unknown,
  dtype?: unknown,
): TorchTensor {
  const found = Array.isArray(storage) ? storageOf(storage) : storage;
  const isSizes = (value: unknown): value is number[] =>
    Array.isArray(value) && value.length <= rankLimit && value.every(isSize);
  if (
    !(found instanceof TorchStorage) ||
    !isSize(offset) ||
    !isSizes(shape) ||
    !isSizes(strides) ||
    shape.length !== strides.length
  ) {
    return fail('tensor', 'a tensor is described by no storage, offset, sizes and strides; the file is damaged.');
  }
  const type = dtype instanceof PickleGlobal ? types.get(dtype.name) : found.type;
  return new TorchTensor(found, type, offset, shape, strides);
}

/** The storage of a persistent identifier: ('storage', class, key, location, count), and a view (key, offset, count) in old files. */
export function storageOf(identifier: unknown): unknown {
  if (!Array.isArray(identifier))
    return fail('identifier', 'a persistent identifier is no tuple; the file is damaged.');
  // ('module', class, file, source): files of whole modules carry their source, which is of no use here.
  if (identifier[0] === 'module') return identifier[1];
  const [kind, type, key, , count, view] = identifier;
  const isKey = typeof key === 'string' || typeof key === 'number';
  if (kind !== 'storage' || !isKey || !isSize(count))
    return fail('identifier', 'a persistent identifier is no storage; the file is damaged.');
  const className = type instanceof PickleGlobal ? type.name : String(type);
  if (!Array.isArray(view)) return new TorchStorage(String(key), className, count);
  const [, offset, viewCount] = view;
  if (!isSize(offset) || !isSize(viewCount))
    return fail('identifier', 'the view of a storage has no offset and size; the file is damaged.');
  return new TorchStorage(String(key), className, viewCount, offset);
}

/** What the calls in files of weights give; undefined for every other name. */
export function call(path: string, args: readonly unknown[]): unknown {
  switch (path) {
    case 'collections.OrderedDict':
    case 'collections.Counter':
    case 'builtins.dict':
    case '__builtin__.dict':
      return dictionary(args[0]);
    case 'collections.defaultdict': // its first argument is the function that makes values
      return new Map();
    case 'builtins.set':
    case '__builtin__.set':
      return new Set(Array.isArray(args[0]) ? args[0] : []);
    case 'torch.Size':
      return args[0];
    case 'torch._utils._rebuild_tensor':
    case 'torch._utils._rebuild_tensor_v2':
      return makeTensor(args[0], args[1], args[2], args[3]);
    case 'torch._utils._rebuild_tensor_v3':
      return makeTensor(args[0], args[1], args[2], args[3], args[6]);
    case 'torch._utils._rebuild_parameter':
    case 'torch._utils._rebuild_parameter_with_state':
    case 'torch.nn.parameter.Parameter':
    case 'torch.nn.parameter.Buffer':
      return args[0] instanceof TorchTensor ? args[0] : undefined;
    case 'torch._tensor._rebuild_from_type_v2': // (function, class, arguments, state): a subclass of Tensor
      return args[0] instanceof PickleGlobal && Array.isArray(args[2]) ? call(args[0].path, args[2]) : undefined;
    default:
      return undefined;
  }
}

/** A dictionary, from nothing or from a list of pairs. */
function dictionary(pairs: unknown): Map<unknown, unknown> {
  const made = new Map<unknown, unknown>();
  if (Array.isArray(pairs))
    for (const pair of pairs) if (Array.isArray(pair) && pair.length === 2) made.set(pair[0], pair[1]);
  if (pairs instanceof Map) for (const [key, value] of pairs) made.set(key, value);
  return made;
}
