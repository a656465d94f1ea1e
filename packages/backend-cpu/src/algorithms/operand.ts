/**
 * A value inside a kernel's body as an array that a fixed algorithm can walk: the buffer itself where the value is a load
 * at a sum of axes, else a temporary that a nest fills first.
 */
import type { DType, Kernel, TensorData } from '@nn/core';
import { fromBfloat16, fromFloat16 } from '../half-floats.ts';
import { Call } from '../host/call.ts';
import type { Making } from '../host/making.ts';
import type { Temporary } from '../host/region.ts';
import { affineForms } from '../nest/affine.ts';
import { analyse } from '../nest/analysis.ts';
import { extract } from '../nest/body.ts';
import { sizeOf, stridesOf } from '../shape.ts';

export interface Operand<A extends TensorData> {
  /** By how much the place moves along an axis of the kernel. */
  stride(axis: number): number;
  /** Computes the operand, where it is not in memory yet. */
  prepare(call: Call): void;
  array(call: Call): A;
  /** The place for index 0 of every axis. */
  base(call: Call): number;
}

/** A read that the kernel says is float32. */
export function floatRead(call: Call, read: number): Float32Array {
  return call.reads[read] as Float32Array;
}

/** A read as float32: half floats are widened into a temporary of `length` when it is asked for. Null for any other dtype. */
export function wideRead(
  kernel: Kernel,
  read: number,
  length: number,
  { workspace }: Making,
): { array(call: Call): Float32Array; base(call: Call): number } | null {
  const dtype = kernel.reads[read];
  if (dtype === 'float32') return { array: (call) => floatRead(call, read), base: (call) => call.offsets[read]! };
  if (dtype !== 'float16' && dtype !== 'bfloat16') return null;
  const widen = dtype === 'float16' ? fromFloat16 : fromBfloat16;
  const temporary = workspace.float32(length);
  return {
    array: (call) => {
      const numbers = temporary.get();
      const [halves, base] = [call.reads[read]!, call.offsets[read]!];
      for (let i = 0; i < length; i++) numbers[i] = widen(halves[base + i]!);
      return numbers;
    },
    base: () => 0,
  };
}

/** The axes among `axes` that the value at `position` depends on. */
function varying(kernel: Kernel, position: number, axes: readonly number[]): number[] {
  const bits = analyse(kernel.value, extentsOf(kernel), [position], 0).axes[position]!;
  return axes.filter((axis) => bits & (1 << axis));
}

function extentsOf(kernel: Kernel): number[] {
  return [...kernel.domain, ...(kernel.reduce?.extents ?? [])];
}

/** The value at `position`, a float32, which varies with none but `axes`. */
export function floatOperand(
  kernel: Kernel,
  position: number,
  axes: readonly number[],
  making: Making,
): Operand<Float32Array> {
  const op = kernel.value[position]!;
  if (op.op === 'load' && kernel.reads[op.read] === 'float32') {
    const { read } = op;
    const { constant, strides, terms } = affineForms(kernel.value, extentsOf(kernel))[op.index]!;
    if (terms.size === 0) {
      return {
        stride: (axis) => strides.get(axis) ?? 0,
        prepare: () => undefined,
        array: (call) => floatRead(call, read),
        base: (call) => constant + call.offsets[read]!,
      };
    }
  }
  const own = varying(kernel, position, axes);
  const length = sizeOf(own.map((axis) => extentsOf(kernel)[axis]!));
  return computedOperand(kernel, position, own, making, 'float32', making.workspace.float32(length));
}

/** The value at `position` along `axes`, row-major in `temporary`, which holds `dtype`. */
export function computedOperand<A extends TensorData>(
  kernel: Kernel,
  position: number,
  axes: readonly number[],
  { placement, dialect, workspace }: Making,
  dtype: DType,
  temporary: Temporary<A>,
): Operand<A> {
  const domain = axes.map((axis) => extentsOf(kernel)[axis]!);
  const strides = stridesOf(domain);
  const nest = dialect.nest(
    {
      key: `${kernel.key} operand ${position}`,
      domain,
      extents: [],
      reads: kernel.reads,
      scalars: kernel.scalars,
      offsets: placement.offsets,
      value: extract(kernel.value, position, renumber(axes)),
      store: { dtype, strides, based: false },
    },
    workspace,
  );
  const call = new Call(0, [], new Float64Array(0), []);
  return {
    stride: (axis) => strides[axes.indexOf(axis)] ?? 0,
    prepare: (whole) => {
      call.adopt(whole);
      call.out = temporary.get();
      nest(call);
    },
    array: () => temporary.get(),
    base: () => 0,
  };
}

/** New numbers for `axes`: their places in the list. */
export function renumber(axes: readonly number[]): (axis: number) => number | undefined {
  return (axis) => {
    const place = axes.indexOf(axis);
    return place < 0 ? undefined : place;
  };
}
