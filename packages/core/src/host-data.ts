/** Numbers of the host as leaves of the graph: checks nesting, sizes and dtypes, and copies, so that a loader may reuse its arrays. */
import type { Backend, DType, Shape, TensorData } from './backend.ts';
import { allocate, checkDType, dtypeOf, type HostArray, holds, isHostArray } from './dtype.ts';
import { DTypeError, ShapeError, ValueError } from './errors.ts';
import { hostLeaf, type Node } from './graph/node.ts';
import { checkShape, show, sizeOf } from './shape.ts';

/** Numbers or booleans in arrays of arrays, or a typed array; doubles become float32, a canvas's clamped bytes uint8. */
export type NestedNumbers = number | boolean | TensorData | Float64Array | Uint8ClampedArray | readonly NestedNumbers[];

export interface TensorOptions {
  /** For typed arrays and flat arrays: the shape they are read in. */
  readonly shape?: Shape;
  /** By default float32 for numbers, bool for booleans, that of a typed array. */
  readonly dtype?: DType;
  /** By default wherever the tensors that it meets live. */
  readonly backend?: Backend;
  /** Do not copy a typed array: the caller promises not to change it. */
  readonly borrow?: boolean;
  /**
   * The values are the same whenever this line runs, so a compiled function may make the tensor in each call: the second call compares
   * them. A bare number always is one. Default false.
   */
  readonly constant?: boolean;
}

/** A leaf that holds `data`. */
export function hostNode(operation: string, data: NestedNumbers, options: TensorOptions): Node {
  const node = hostValue(operation, data, options);
  if (node.storage !== null) node.storage.isConstant = options.constant ?? typeof data === 'number';
  return node;
}

/** A leaf whose values are made when they are needed. */
export function laterNode(operation: string, make: () => HostArray, options: TensorOptions): Node {
  const { dtype = 'float32', shape, backend = null } = options;
  checkDType(operation, dtype);
  if (shape === undefined) throw new ShapeError(operation, 'a function gives the values later: say their shape.', {});
  checkShape(operation, shape);
  return hostLeaf(() => typedValues(operation, make(), dtype, shape, true), dtype, shape, backend);
}

function hostValue(operation: string, data: NestedNumbers, options: TensorOptions): Node {
  if (options.dtype !== undefined) checkDType(operation, options.dtype);
  if (isHostArray(data)) return typedLeaf(operation, data, options);
  const nested = measure(operation, data);
  const dtype = options.dtype ?? (nested.isBoolean ? 'bool' : 'float32');
  const values = allocate(dtype, sizeOf(nested.shape));
  if (dtype === 'float16' || dtype === 'bfloat16') {
    throw new DTypeError(operation, `${dtype} holds bits: cast a float32 tensor, or hand over a Uint16Array.`);
  }
  fill(values, data, dtype, { at: 0 });
  const shape = options.shape ?? nested.shape;
  checkFits(operation, values.length, shape);
  return hostLeaf(values, dtype, shape, options.backend ?? null);
}

function typedLeaf(operation: string, data: HostArray, options: TensorOptions): Node {
  const { dtype = dtypeOf(data), shape = [data.length], backend = null, borrow = false } = options;
  return hostLeaf(typedValues(operation, data, dtype, shape, borrow), dtype, shape, backend);
}

function typedValues(operation: string, data: HostArray, dtype: DType, shape: Shape, borrow: boolean): TensorData {
  checkFits(operation, data.length, shape);
  let values: TensorData;
  if (holds(data, dtype)) values = borrow ? data : copyOf(data);
  else {
    values = allocate(dtype, data.length);
    fill(values, data, dtype, { at: 0 });
  }
  if (dtype === 'bool') for (let i = 0; i < values.length; i++) if (values[i]! > 1) values[i] = 1;
  return values;
}

/**
 * Where small copies lie, one behind the other: memory of its own takes longer to get, and for the collector to give back, than
 * to fill. It is free when the last tensor in it is, so it is short.
 */
const together = { bytes: 2 ** 15, each: { least: 64, most: 2 ** 12 } };
let shared: ArrayBuffer = /* @__PURE__ */ new ArrayBuffer(0);
let sharedFrom = 0;

function copyOf(data: TensorData): TensorData {
  const size = data.byteLength;
  const { least, most } = together.each;
  if (!(data instanceof Float32Array) || size <= least || size > most) return data.slice();
  if (sharedFrom + size > shared.byteLength) {
    shared = new ArrayBuffer(together.bytes);
    sharedFrom = 0;
  }
  const copy = new Float32Array(shared, sharedFrom, data.length);
  sharedFrom += size;
  copy.set(data);
  return copy;
}

function checkFits(operation: string, length: number, shape: Shape): void {
  checkShape(operation, shape);
  if (sizeOf(shape) !== length) {
    throw new ShapeError(operation, `${show(shape)} holds ${sizeOf(shape)} elements, ${length} were given.`, {
      shape,
      length,
    });
  }
}

/** The shape of nested arrays, which must be even. */
function measure(operation: string, data: NestedNumbers): { shape: number[]; isBoolean: boolean } {
  const shape: number[] = [];
  let first: NestedNumbers | undefined = data;
  while (Array.isArray(first) || isHostArray(first)) {
    shape.push(first.length);
    first = first[0] as NestedNumbers | undefined;
  }
  const check = (value: NestedNumbers, depth: number, path: string): void => {
    const expected = shape[depth];
    if (expected === undefined) {
      if (typeof value !== 'number' && typeof value !== 'boolean') {
        throw new ValueError(operation, `the element at ${path || 'the top'} is ${describe(value)}, not a number.`);
      }
      return;
    }
    const length = Array.isArray(value) || isHostArray(value) ? value.length : undefined;
    if (length !== expected) {
      throw new ShapeError(
        operation,
        `the arrays are uneven: ${length === undefined ? describe(value) : `${length} elements`} at ${path || 'the top'}, ${expected} were expected.`,
      );
    }
    if (isHostArray(value)) return;
    for (const [i, item] of (value as readonly NestedNumbers[]).entries()) check(item, depth + 1, `${path}[${i}]`);
  };
  check(data, 0, '');
  return { shape, isBoolean: typeof first === 'boolean' };
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `a ${typeof value === 'object' ? value.constructor.name : typeof value}`;
}

/** Writes the numbers in row-major order, converted as `cast` does. */
function fill(values: TensorData, data: NestedNumbers, dtype: DType, cursor: { at: number }): void {
  if (typeof data === 'number' || typeof data === 'boolean') {
    values[cursor.at++] = convert(Number(data), dtype);
    return;
  }
  for (const item of data as Iterable<NestedNumbers>) fill(values, item, dtype, cursor);
}

function convert(value: number, dtype: DType): number {
  if (dtype === 'bool') return value === 0 ? 0 : 1;
  if (dtype === 'int32')
    return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), -(2 ** 31)), 2 ** 31 - 1);
  return value;
}
