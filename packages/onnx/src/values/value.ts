/**
 * What flows along the edges of a graph: tensors on a device (lazy), numbers on the host (shapes and constants, known
 * without waiting), sequences, and nothing. Owns the way from one to the other; the arithmetic of the host is host.ts.
 */
import { type Tensor, tensor } from '@nn/core';
import { dtypeOf, type ElementType } from '../format/element-types.ts';
import type { Whole } from './whole.ts';

/** Numbers of any type of ONNX; whole ones of 64 bits are doubles, exact up to 2^53. */
export type HostNumbers = Float32Array | Float64Array;

/** A tensor whose elements the host knows. */
export class HostTensor {
  readonly kind = 'host' as const;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: HostNumbers;
  #device: Tensor | null = null;

  constructor(type: ElementType, shape: readonly number[], data: HostNumbers) {
    this.type = type;
    this.shape = shape;
    this.data = data;
  }

  /** The same on the device, made once. Whole numbers past 32 bits are the nearest that int32 holds. */
  get tensor(): Tensor {
    this.#device ??= upload(this);
    return this.#device;
  }
}

function upload({ type, shape, data }: HostTensor): Tensor {
  const dtype = dtypeOf(type) ?? 'float32';
  if (dtype === 'float32') return tensor(data instanceof Float32Array ? data : Float32Array.from(data), { shape });
  if (dtype === 'bool')
    return tensor(
      Uint8Array.from(data, (value) => (value === 0 ? 0 : 1)),
      { shape, dtype },
    );
  return tensor(
    Int32Array.from(data, (value) => Math.max(-2147483648, Math.min(2147483647, value))),
    { shape },
  );
}

/** Texts, which only pass through. */
export class TextTensor {
  readonly kind = 'text' as const;
  readonly type = 'string' as const;
  readonly shape: readonly number[];
  readonly data: readonly string[];

  constructor(shape: readonly number[], data: readonly string[]) {
    this.shape = shape;
    this.data = data;
  }
}

/** A tensor that is computed when somebody reads it. `type` is what the file calls it: int64 is int32 here. */
export class DeviceTensor {
  readonly kind = 'device' as const;
  readonly type: ElementType;
  readonly tensor: Tensor;
  /** The bytes that it is made of, where it is. */
  readonly whole: Whole | null;
  /** Between which numbers all elements lie, where a node has cut them there. */
  readonly bounds: readonly [low: number, high: number] | null;

  constructor(type: ElementType, tensor: Tensor, more: Partial<Pick<DeviceTensor, 'whole' | 'bounds'>> = {}) {
    this.type = type;
    this.tensor = tensor;
    this.whole = more.whole ?? null;
    this.bounds = more.bounds ?? null;
  }

  get shape(): readonly number[] {
    return this.tensor.shape;
  }
}

export interface Sequence {
  readonly kind: 'sequence';
  readonly items: readonly Value[];
}

export type TensorValue = HostTensor | DeviceTensor;
export type Value = TensorValue | TextTensor | Sequence;
/** A value, or nothing: an optional input that was left out, an empty optional. */
export type MaybeValue = Value | null;

export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const axis of shape) size *= axis;
  return size;
}

/** Room for the elements of a type. */
export function allocate(type: ElementType, size: number): HostNumbers {
  return type === 'float32' ? new Float32Array(size) : new Float64Array(size);
}

export function hostTensor(type: ElementType, shape: readonly number[], values: ArrayLike<number>): HostTensor {
  const data = allocate(type, values.length);
  data.set(values);
  return new HostTensor(type, shape, data);
}

/** A list of whole numbers: a shape, axes, lengths. */
export function integers(values: readonly number[]): HostTensor {
  return hostTensor('int64', [values.length], values);
}
