/** Sums of products, through the one matrix product: every batch, row, column and inner axis becomes a table of places. */
import type { Hint, Kernel } from '@nn/core';
import type { KernelFunction } from '../host/call.ts';
import type { Making } from '../host/making.ts';
import { sizeOf } from '../shape.ts';
import { Gemm } from './gemm.ts';
import { floatOperand } from './operand.ts';
import { floatSums } from './sums.ts';

type Contraction = Extract<Hint, { kind: 'contraction' }>;

/** The kernel, or null where plain loops are as good: for integers, and where packing costs more than it saves. */
export function contraction(kernel: Kernel, hint: Contraction, making: Making): KernelFunction | null {
  const { batch, rows, columns, inner } = hint;
  const extents = [...kernel.domain, ...(kernel.reduce?.extents ?? [])];
  const size = (axes: readonly number[]): number => sizeOf(axes.map((axis) => extents[axis]!));
  const float = [kernel.value[hint.left]!, kernel.value[hint.right]!, kernel.reduce].every(
    (part) => part?.dtype === 'float32',
  );
  if (!float || kernel.reduce?.op !== 'sum') return null;
  if (size(rows) < 4 || size(columns) < 4 || size(inner) < 4) return null;
  if (size(rows) * size(columns) * size(inner) < 4096) return null;

  const left = floatOperand(kernel, hint.left, [...batch, ...rows, ...inner], making);
  const right = floatOperand(kernel, hint.right, [...batch, ...columns, ...inner], making);
  const sums = floatSums(kernel, making);
  const out = { stride: (axis: number): number => sums.strides[axis]! };
  const places = (axes: readonly number[], of: { stride(axis: number): number }): Int32Array =>
    placesOf(
      axes.map((axis) => extents[axis]!),
      axes.map((axis) => of.stride(axis)),
    );
  const gemm = new Gemm(
    {
      leftRows: places(rows, left),
      leftInner: places(inner, left),
      rightColumns: places(columns, right),
      rightInner: places(inner, right),
      outRows: places(rows, out),
      outColumns: places(columns, out),
    },
    making.workspace,
  );
  const leftBatch = places(batch, left);
  const rightBatch = places(batch, right);
  const outBatch = places(batch, out);
  return (call) => {
    left.prepare(call);
    right.prepare(call);
    const a = left.array(call);
    const b = right.array(call);
    const c = sums.array(call);
    for (let i = 0; i < outBatch.length; i++) {
      const place = sums.base(call) + outBatch[i]!;
      gemm.run(a, left.base(call) + leftBatch[i]!, b, right.base(call) + rightBatch[i]!, c, place, false);
    }
    sums.finish(call);
  };
}

/** The places of all indices of `extents`, in row-major order. */
export function placesOf(extents: readonly number[], strides: readonly number[]): Int32Array {
  let places = new Int32Array(1);
  extents.forEach((extent, axis) => {
    const next = new Int32Array(places.length * extent);
    for (let i = 0; i < next.length; i++) {
      next[i] = places[Math.floor(i / extent)]! + (i % extent) * strides[axis]!;
    }
    places = next;
  });
  return places;
}
