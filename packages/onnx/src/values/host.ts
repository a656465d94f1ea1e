/**
 * Arithmetic and movement of numbers that the host knows, in double precision: what graphs do with shapes. Small by nature,
 * so it is written for clearness. Owns no operator: those choose between this and the device.
 */
import type { ElementType } from '../format/element-types.ts';
import { bitsOf, isFloat, rangeOf } from '../format/element-types.ts';
import { allocate, type HostNumbers, HostTensor, sizeOf } from './value.ts';

/** The distance between neighbours along each axis. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** The shape that two shapes are spread to, or null where they do not fit. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let k = 0; k < rank; k++) {
    const x = a[k - rank + a.length] ?? 1;
    const y = b[k - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return null;
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

/** The elements at `start + sum(index * stride)` for every index of `shape`. */
export function strided(x: HostTensor, shape: readonly number[], strides: readonly number[], start = 0): HostTensor {
  const size = sizeOf(shape);
  const data = allocate(x.type, size);
  const index = new Array<number>(shape.length).fill(0);
  let from = start;
  for (let i = 0; i < size; i++) {
    data[i] = x.data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      from += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return new HostTensor(x.type, shape, data);
}

/** x spread to a shape. */
export function expand(x: HostTensor, shape: readonly number[]): HostTensor {
  if (x.shape.length === shape.length && x.shape.every((size, axis) => size === shape[axis])) return x;
  const own = stridesOf(x.shape);
  const more = shape.length - x.shape.length;
  const strides = shape.map((_, axis) => (axis < more || x.shape[axis - more] === 1 ? 0 : own[axis - more]!));
  return strided(x, shape, strides);
}

/** x with its axes in another order. */
export function permute(x: HostTensor, axes: readonly number[]): HostTensor {
  const own = stridesOf(x.shape);
  return strided(
    x,
    axes.map((axis) => x.shape[axis]!),
    axes.map((axis) => own[axis]!),
  );
}

export function reshape(x: HostTensor, shape: readonly number[]): HostTensor {
  return new HostTensor(x.type, shape, x.data);
}

/** Rows of an axis, chosen by number. The indices are inside. */
export function take(x: HostTensor, indices: ArrayLike<number>, axis: number): HostTensor {
  const before = sizeOf(x.shape.slice(0, axis));
  const size = x.shape[axis]!;
  const row = sizeOf(x.shape.slice(axis + 1));
  const shape = [...x.shape.slice(0, axis), indices.length, ...x.shape.slice(axis + 1)];
  const data = allocate(x.type, before * indices.length * row);
  let to = 0;
  for (let b = 0; b < before; b++) {
    for (let k = 0; k < indices.length; k++) {
      const from = (b * size + indices[k]!) * row;
      data.set(x.data.subarray(from, from + row), to);
      to += row;
    }
  }
  return new HostTensor(x.type, shape, data);
}

export function concat(parts: readonly HostTensor[], axis: number): HostTensor {
  const first = parts[0]!;
  const total = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const before = sizeOf(first.shape.slice(0, axis));
  const shape = first.shape.with(axis, total);
  const data = allocate(first.type, sizeOf(shape));
  let to = 0;
  for (let b = 0; b < before; b++) {
    for (const part of parts) {
      const row = sizeOf(part.shape.slice(axis));
      data.set(part.data.subarray(b * row, (b + 1) * row), to);
      to += row;
    }
  }
  return new HostTensor(first.type, shape, data);
}

/** A function of each element. Results of whole types wrap as the type does. */
export function map(x: HostTensor, type: ElementType, f: (value: number) => number): HostTensor {
  const data = allocate(type, x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = f(x.data[i]!);
  return new HostTensor(type, x.shape, wrapped(type, data));
}

/** A function of pairs of elements, spread to `shape`. */
export function combine(
  a: HostTensor,
  b: HostTensor,
  shape: readonly number[],
  type: ElementType,
  f: (x: number, y: number) => number,
): HostTensor {
  const x = expand(a, shape);
  const y = expand(b, shape);
  const data = allocate(type, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = f(x.data[i]!, y.data[i]!);
  return new HostTensor(type, shape, wrapped(type, data));
}

/** Whole numbers of at most 32 bits wrap around, those of 64 are cut at 2^53 by being doubles. */
function wrapped(type: ElementType, data: HostNumbers): HostNumbers {
  if (isFloat(type) || type === 'bool' || bitsOf(type) > 32) return data;
  for (let i = 0; i < data.length; i++) data[i] = wrap(type, data[i]!);
  return data;
}

/** A whole number as its type holds it. */
export function wrap(type: ElementType, value: number): number {
  const range = rangeOf(type);
  if (range === null || bitsOf(type) > 32 || (value >= range[0] && value <= range[1])) return value;
  const bits = bitsOf(type);
  const modulus = 2 ** bits;
  const rest = ((value % modulus) + modulus) % modulus;
  return type.startsWith('int') && rest >= modulus / 2 ? rest - modulus : rest;
}

/** Sums, products and extremes over axes; the others stay in order. */
export function reduce(
  x: HostTensor,
  axes: readonly number[],
  keepAxes: boolean,
  start: number,
  f: (total: number, value: number) => number,
): HostTensor {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const shape = keepAxes ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
  const data = allocate(x.type, sizeOf(kept)).fill(start);
  const own = stridesOf(kept).map((stride, axis) => (kept[axis] === 1 ? 0 : stride));
  const index = new Array<number>(x.shape.length).fill(0);
  let to = 0;
  for (const value of x.data) {
    data[to] = f(data[to]!, value);
    for (let axis = x.shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      to += own[axis]!;
      if (index[axis]! < x.shape[axis]!) break;
      to -= own[axis]! * x.shape[axis]!;
      index[axis] = 0;
    }
  }
  return new HostTensor(x.type, shape, data);
}
