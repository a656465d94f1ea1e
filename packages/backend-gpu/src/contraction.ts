/**
 * Owns: sums of products (matrix products with any transposes, batches and several axes) as fast products.
 * Does not own: the product itself (`product.ts`).
 * An operand that lies in memory as the product can read it is read there; any other is first copied into that order,
 * which evaluates whatever was fused into it, and pads to whole groups of four.
 */
import type { Hint, Op, Step } from '@nn/core';
import { Forms, isMultiple, sizes } from './affine.ts';
import { lengthOf, type Lowering } from './lowering.ts';
import { constant, type Nest, rewriteAxes } from './nest.ts';
import { finishProduct, multiply, type Operand } from './product.ts';
import { compact } from './reduction.ts';

type Contraction = Extract<Hint, { kind: 'contraction' }>;

/** Below this many products the loop nest is as fast. */
const worthwhile = 1 << 15;

/** False where the loop nest is better. */
export function contract(step: Step, hint: Contraction, lowering: Lowering): boolean {
  const { kernel } = step;
  if (kernel.reduce === undefined || kernel.reduce.dtype !== 'float32') return false;
  const all = sizes(kernel);
  const rank = kernel.domain.length;
  const of = (axes: readonly number[]): number[] => axes.map((axis) => all[axis] as number);
  // Axes of size 1 only cost arithmetic.
  const trim = (axes: readonly number[]): readonly number[] => axes.filter((axis) => all[axis] !== 1);
  const batch = trim(hint.batch);
  const rows = trim(hint.rows);
  const columns = trim(hint.columns);
  const inner = trim(hint.inner);
  const [M, N, K, B] = [rows, columns, inner, batch].map((axes) => lengthOf(of(axes))) as [number, number, number, number];
  if (M < 4 || N < 4 || K < 4 || M * N * K * B < worthwhile) return false;
  const epilogueReads = new Set((kernel.epilogue ?? []).flatMap((op) => (op.op === 'load' ? [op.read] : [])));
  if (epilogueReads.size + 4 > lowering.target.maxReads) return false;
  const rowGroups = Math.ceil(M / 4);
  const columnGroups = Math.ceil(N / 4);
  if (B * rowGroups * columnGroups * 16 > lowering.target.maxLength) return false;
  if (B * K * Math.max(rowGroups, columnGroups) * 4 > lowering.target.maxLength) return false;
  if (inner.some((axis) => axis < rank)) return false;

  const left = operand(step, hint.left, batch, rows, inner, lowering);
  const right = operand(step, hint.right, batch, columns, inner, lowering);
  if (left === undefined || right === undefined) return false;
  const shape = { batch: of(batch), rows: of(rows), columns: of(columns), inner: of(inner) };
  const tiles = multiply(lowering, shape, left(), right());
  finishProduct(lowering, step, kernel, { batch, rows, columns }, tiles);
  return true;
}

/** How an operand is read, where it lies or from a copy that the returned function makes. */
function operand(
  step: Step,
  position: number,
  batch: readonly number[],
  outer: readonly number[],
  inner: readonly number[],
  lowering: Lowering,
): (() => Operand) | undefined {
  const { kernel } = step;
  const all = sizes(kernel);
  const body = kernel.value.slice(0, position + 1);
  const op = body[position] as Op;
  if (op.dtype !== 'float32') return undefined;
  if (op.op === 'load' && kernel.reads[op.read] === 'float32') {
    const read = step.reads[op.read] as Step['reads'][number];
    const form = new Forms(body, all).at(op.index);
    if (form.others.size === 0 && read.offset % 4 === 0) {
      const factor = (axis: number): number => form.axes.get(axis) ?? 0;
      const known = new Set([...batch, ...outer, ...inner]);
      const isComplete = [...form.axes.keys()].every((axis) => known.has(axis));
      for (const [along, axis] of [['inner', inner.at(-1)], ['outer', outer.at(-1)]] as const) {
        if (axis === undefined || !isComplete || factor(axis) !== 1 || (all[axis] as number) % 4 !== 0) continue;
        // The other operand may read four terms at once too, so the sum must come in fours if this one does.
        if (!isMultiple(form, 4, axis)) continue;
        return () => ({
          read: { buffer: read.buffer, offset: 0 },
          along,
          base: form.base + read.offset,
          batch: batch.map(factor),
          outer: outer.map(factor),
          inner: inner.map(factor),
        });
      }
    }
  }
  return () => pack(step, position, batch, outer, inner, lowering);
}

/** Copies an operand into the order [batch, inner, outer], the outer index flat and padded to a multiple of 4. */
function pack(
  step: Step,
  position: number,
  batch: readonly number[],
  outer: readonly number[],
  inner: readonly number[],
  lowering: Lowering,
): Operand {
  const { kernel } = step;
  const all = sizes(kernel);
  const body = kernel.value.slice(0, position + 1);
  const used = axesOf(body, position);
  const batchUsed = batch.filter((axis) => used.has(axis));
  const innerUsed = inner.filter((axis) => used.has(axis));
  const total = lengthOf(outer.map((axis) => all[axis] as number));
  const padded = Math.ceil(total / 4) * 4;
  const leading = [...batchUsed, ...innerUsed];
  const domain = [...leading.map((axis) => all[axis] as number), padded];
  const last = leading.length;
  const value = rewriteAxes(reachable(body, position), (axis, out) => {
    const at = leading.indexOf(axis);
    const axisValue = (index: number): number => out.push({ op: 'axis', dtype: 'int32', axis: index }) - 1;
    if (at >= 0) return axisValue(at);
    const place = outer.indexOf(axis);
    if (place < 0) return constant(out, 0);
    // The padding repeats the last element, so that every load is in range.
    let flat = axisValue(last);
    if (padded !== total) flat = out.push({ op: 'min', dtype: 'int32', args: [flat, constant(out, total - 1)] }) - 1;
    const after = lengthOf(outer.slice(place + 1).map((a) => all[a] as number));
    if (after > 1) flat = out.push({ op: 'floorDiv', dtype: 'int32', args: [flat, constant(out, after)] }) - 1;
    if (place > 0) flat = out.push({ op: 'floorMod', dtype: 'int32', args: [flat, constant(out, all[axis] as number)] }) - 1;
    return flat;
  });
  const buffer = lowering.temporary(lengthOf(domain), 'float32');
  const nest: Nest = { domain, dtype: 'float32', reads: kernel.reads, scalars: kernel.scalars, value };
  lowering.nest(...compact(nest, step.reads), step.scalars, buffer);
  const stride = (axis: number): number => {
    const at = leading.indexOf(axis);
    return at < 0 ? 0 : lengthOf(domain.slice(at + 1));
  };
  return { read: { buffer, offset: 0 }, along: 'outer', base: 0, batch: batch.map(stride), outer: 'flat', inner: inner.map(stride) };
}

/** The operations that `position` needs, itself last. */
export function reachable(body: readonly Op[], position: number): readonly Op[] {
  const needed = new Set<number>();
  const visit = (at: number): void => {
    if (needed.has(at)) return;
    needed.add(at);
    const op = body[at] as Op;
    if (op.op === 'load') visit(op.index);
    else if ('args' in op) for (const arg of op.args) visit(arg);
  };
  visit(position);
  const order = [...needed].sort((a, b) => a - b);
  const moved = new Map(order.map((at, index) => [at, index]));
  return order.map((at): Op => {
    const op = body[at] as Op;
    if (op.op === 'load') return { ...op, index: moved.get(op.index) as number };
    return 'args' in op ? { ...op, args: op.args.map((arg) => moved.get(arg) as number) } : op;
  });
}

function axesOf(body: readonly Op[], position: number): Set<number> {
  return new Set(reachable(body, position).flatMap((op) => (op.op === 'axis' ? [op.axis] : [])));
}
