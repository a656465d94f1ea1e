/** The places that the elements of rows take when they are sorted: ascending, stable, NaN last. */
import type { Hint, Kernel } from '@nn/core';
import type { KernelFunction } from '../host/call.ts';
import type { Making } from '../host/making.ts';
import { sizeOf } from '../shape.ts';
import { placesOf } from './contraction.ts';
import { computedOperand } from './operand.ts';
import { integerSums } from './sums.ts';

type Rank = Extract<Hint, { kind: 'rank' }>;

export function rank(kernel: Kernel, hint: Rank, making: Making): KernelFunction | null {
  const { domain, reduce } = kernel;
  if (reduce?.dtype !== 'int32') return null;
  const { workspace } = making;
  const others = domain.map((_, axis) => axis).filter((axis) => axis !== hint.axis);
  const axes = [...others, domain.length];
  const size = sizeOf(domain);
  const float = kernel.value[hint.operand]!.dtype === 'float32';
  const keys = float
    ? computedOperand(kernel, hint.operand, axes, making, 'float32', workspace.float32(size))
    : computedOperand(kernel, hint.operand, axes, making, 'int32', workspace.int32(size));
  const sums = integerSums(kernel, making);
  const length = domain[hint.axis]!;
  const order = workspace.int32(length);
  const spare = workspace.int32(length);
  const rows = placesOf(
    others.map((axis) => domain[axis]!),
    others.map((axis) => sums.strides[axis]!),
  );
  const stride = sums.strides[hint.axis]!;
  return (call) => {
    keys.prepare(call);
    const values = keys.array(call);
    const out = sums.array(call);
    for (let row = 0; row < rows.length; row++) {
      const sorted = sortedOrder(values, row * length, length, order.get(), spare.get());
      const base = sums.base(call) + rows[row]!;
      for (let place = 0; place < length; place++) out[base + sorted[place]! * stride] = place;
    }
    sums.finish(call);
  };
}

/** Runs of this length are sorted by insertion. */
const shortRun = 16;

/** The indices of `count` keys from `base` on, in sorted order: insertion in short runs, then merging; in `a` or `b`. */
export function sortedOrder(
  keys: Float32Array | Int32Array,
  base: number,
  count: number,
  a: Int32Array,
  b: Int32Array,
): Int32Array {
  for (let start = 0; start < count; start += shortRun) {
    const end = Math.min(start + shortRun, count);
    for (let i = start; i < end; i++) {
      const key = keys[base + i]!;
      let j = i - 1;
      for (; j >= start && before(key, keys[base + a[j]!]!); j--) a[j + 1] = a[j]!;
      a[j + 1] = i;
    }
  }
  let from = a;
  let to = b;
  for (let width = shortRun; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      merge(keys, base, from, to, start, Math.min(start + width, count), Math.min(start + 2 * width, count));
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Merges `start` to `middle` with `middle` to `end`; equal keys keep their order. */
function merge(
  keys: Float32Array | Int32Array,
  base: number,
  from: Int32Array,
  to: Int32Array,
  start: number,
  middle: number,
  end: number,
): void {
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const takeRight = left >= middle || (right < end && before(keys[base + from[right]!]!, keys[base + from[left]!]!));
    to[at] = takeRight ? from[right++]! : from[left++]!;
  }
}

/** Whether x comes before y: NaN comes after everything. */
function before(x: number, y: number): boolean {
  return x < y || (Number.isNaN(y) && !Number.isNaN(x));
}
