/**
 * Owns: sums of products (matrix products with any transposes, batches and several axes) as fast products.
 * Does not own: the product itself (`product.ts`).
 * An operand that lies in memory as the product can read it is read there; any other is first copied into that order,
 * which evaluates whatever was fused into it, and pads to whole groups of four. So a convolution is a contraction too: the
 * copy of its input is the matrix of windows.
 */
import type { Hint, Kernel, Op, Step } from '@nn/core';
import { type Form, Forms, sizes } from '../nest/affine.ts';
import { constant, type Nest, rewriteAxes } from '../nest/nest.ts';
import { type Lowering, lengthOf } from '../program/lowering.ts';
import { finishProduct, multiply, type Operand } from './product.ts';
import { compact } from './reduction.ts';

export type Contraction = Omit<Extract<Hint, { kind: 'contraction' }>, 'kind'>;

/** Below this many products the loop nest is as fast. */
const worthwhile = 1 << 15;
/** Fewer invocations than this leave a device idle. */
const fewTiles = 4096;
/** The largest copy of an operand, in elements. */
const largestCopy = 1 << 27;

/** An operand before it is known where the product reads it. */
interface Source {
  readonly body: readonly Op[];
  readonly used: ReadonlySet<number>;
  /** Where it is one load at a linear index. */
  readonly plain?: { readonly read: number; readonly form: Form };
}

/** Axes that are one run for both operands. */
type Run = readonly number[];

/** False where the loop nest is better. `kernel` may be another view of the step's own. */
export function contract(step: Step, kernel: Nest, roles: Contraction, lowering: Lowering): boolean {
  const { reduce } = kernel;
  if (reduce === undefined || reduce.op !== 'sum' || reduce.dtype !== 'float32' || kernel.dtype !== 'float32')
    return false;
  const all = sizes(kernel);
  const count = (axes: readonly number[]): number => lengthOf(axes.map((axis) => all[axis]!));
  const { rows, columns, inner, batch } = roles;
  const [M, N, K, B] = [rows, columns, inner, batch].map(count) as [number, number, number, number];
  const { always, maxReads, maxLength, maxWrites } = lowering.target;
  if (!always && (M < 4 || N < 4 || K < 4 || M * N * K * B < worthwhile)) return false;
  if (M < 2 || N < 2 || K < 2) return false;
  if (inner.some((axis) => axis < kernel.domain.length)) return false;
  const epilogueReads = new Set((kernel.epilogue ?? []).flatMap((op) => (op.op === 'load' ? [op.read] : [])));
  if (epilogueReads.size + (maxWrites === 1 ? 1 : 8) > maxReads) return false;
  if (B * Math.ceil(M / 4) * Math.ceil(N / 4) * 16 > maxLength) return false;
  if (B * K * Math.ceil(Math.max(M, N) / 4) * 4 > Math.min(maxLength, largestCopy)) return false;

  const left = source(step, kernel, roles.left);
  const right = source(step, kernel, roles.right);
  if (left === undefined || right === undefined) return false;
  // An operand that depends on the other's axes is no operand of a product.
  if (
    columns.some((axis) => left.used.has(axis) && all[axis] !== 1) ||
    rows.some((axis) => right.used.has(axis) && all[axis] !== 1)
  )
    return false;

  const runs = (axes: readonly number[], operands: readonly Source[]): Run[] => {
    const result: number[][] = [];
    for (const axis of axes) {
      if (all[axis] === 1) continue;
      const last = result.at(-1)?.at(-1);
      if (last !== undefined && operands.every((operand) => isRun(operand, last, axis, all))) result.at(-1)?.push(axis);
      else result.push([axis]);
    }
    return result;
  };
  const innerRuns = runs(inner, [left, right]);
  const batchRuns = runs(batch, [left, right]);
  const rowRuns = runs(rows, [left]);
  const columnRuns = runs(columns, [right]);
  const lengths = (list: readonly Run[]): number[] => list.map(count);
  const operands = [
    { from: left, outer: rowRuns, flat: rows },
    { from: right, outer: columnRuns, flat: columns },
  ].map(({ from, outer, flat }): (() => Operand) => {
    const placed = place(step, from, batchRuns, outer, innerRuns, all);
    return () => placed ?? pack(step, kernel, from, batchRuns, flat, innerRuns, lowering);
  });
  const shape = {
    batch: lengths(batchRuns),
    rows: lengths(rowRuns),
    columns: lengths(columnRuns),
    inner: lengths(innerRuns),
  };
  const [a, b] = operands.map((make) => make()) as [Operand, Operand];
  const tileCount = B * Math.ceil(M / 4) * Math.ceil(N / 4);
  const parts = partsOf(shape.inner, tileCount, always === true);
  const length = shape.inner[0]! / parts;
  // Part p of the sum is one more index of the batch.
  const cut = (operand: Operand): Operand => ({
    ...operand,
    batch: [operand.inner[0]! * length, ...operand.batch],
  });
  const cutShape = { ...shape, batch: [parts, ...shape.batch], inner: [length, ...shape.inner.slice(1)] };
  const tiles = parts === 1 ? multiply(lowering, shape, a, b) : multiply(lowering, cutShape, cut(a), cut(b));
  finishProduct(lowering, step, kernel, roles, tiles, parts);
  return true;
}

/** Into how many parts a long sum for few tiles is cut, so that more invocations share it. */
function partsOf(inner: readonly number[], tiles: number, always: boolean): number {
  const first = inner[0]!;
  const terms = lengthOf(inner);
  if (!always && (tiles >= fewTiles || terms < 256)) return 1;
  const most = always ? 4 : Math.min(16, Math.ceil(fewTiles / tiles), terms / 64);
  for (let parts = Math.floor(most); parts > 1; parts--) {
    if (first % parts === 0 && (inner.length > 1 || (first / parts) % 4 === 0)) return parts;
  }
  return 1;
}

function source(step: Step, kernel: Nest, position: number): Source | undefined {
  const body = reachable(kernel.value, position);
  const op = body.at(-1)!;
  if (op.dtype !== 'float32') return undefined;
  const used = new Set(body.flatMap((at) => (at.op === 'axis' ? [at.axis] : [])));
  if (op.op === 'load' && kernel.reads[op.read] === 'float32') {
    const form = new Forms(body, sizes(kernel)).at(op.index);
    const offset = step.reads[op.read]!.offset;
    if (form.others.size === 0 && (form.base + offset) % 4 === 0) return { body, used, plain: { read: op.read, form } };
  }
  return { body, used };
}

/** Whether walking along `next` and then a step along `axis` is one walk in memory. */
function isRun(operand: Source, axis: number, next: number, all: readonly number[]): boolean {
  const { plain, used } = operand;
  if (plain === undefined) return used.has(axis) === used.has(next);
  return (plain.form.axes.get(axis) ?? 0) === (plain.form.axes.get(next) ?? 0) * all[next]!;
}

/** The operand where it lies, if four neighbours in memory are four terms, or four rows (columns). */
function place(
  step: Step,
  from: Source,
  batch: readonly Run[],
  outer: readonly Run[],
  inner: readonly Run[],
  all: readonly number[],
): Operand | undefined {
  const { plain } = from;
  if (plain === undefined) return undefined;
  const stride = (run: Run): number => plain.form.axes.get(run.at(-1)!) ?? 0;
  for (const [along, runs] of [
    ['inner', inner],
    ['outer', outer],
  ] as const) {
    const last = runs.at(-1)!;
    if (stride(last) !== 1 || lengthOf(last.map((axis) => all[axis]!)) % 4 !== 0) continue;
    if ([...batch, ...outer, ...inner].some((run) => run !== last && stride(run) % 4 !== 0)) continue;
    const { buffer, offset } = step.reads[plain.read]!;
    return {
      read: { buffer, offset: 0 },
      along,
      base: plain.form.base + offset,
      batch: batch.map(stride),
      outer: outer.map(stride),
      inner: inner.map(stride),
    };
  }
  return undefined;
}

/**
 * Copies an operand into the order [batch, inner, outer], the outer index flat and padded to a multiple of 4, or into
 * [batch, outer, inner] where it is read along its terms.
 */
function pack(
  step: Step,
  kernel: Nest,
  from: Source,
  batch: readonly Run[],
  outer: readonly number[],
  inner: readonly Run[],
  lowering: Lowering,
): Operand {
  const all = sizes(kernel);
  const size = (axis: number): number => all[axis]!;
  const isUsed = (axis: number): boolean => from.used.has(axis);
  const total = lengthOf(outer.map(size));
  const padded = Math.ceil(total / 4) * 4;
  const terms = inner.flat();
  const lastRun = inner.at(-1)!;
  const isAlongTerms =
    lengthOf(lastRun.map(size)) % 4 === 0 &&
    terms.every(isUsed) &&
    outer.every(isUsed) &&
    runsAlong(from, kernel, terms.at(-1), outer.at(-1));
  // The axes of the copy; the last one is the flat outer index where that is padded.
  const isPadded = !isAlongTerms && padded !== total;
  const leading = [
    ...batch.flat(),
    ...(isAlongTerms ? outer : []),
    ...terms,
    ...(isAlongTerms || isPadded ? [] : outer),
  ].filter(isUsed);
  const domain = [...leading.map(size), ...(isPadded ? [padded] : [])];
  const value = rewriteAxes(from.body, (axis, out) => {
    const at = leading.indexOf(axis);
    if (at >= 0) return axisValue(out, at);
    const position = outer.indexOf(axis);
    if (position < 0) return constant(out, 0);
    // The padding repeats the last element, so that every load is in range.
    let flat =
      out.push({ op: 'min', dtype: 'int32', args: [axisValue(out, leading.length), constant(out, total - 1)] }) - 1;
    const after = lengthOf(outer.slice(position + 1).map(size));
    if (after > 1) flat = out.push({ op: 'floorDiv', dtype: 'int32', args: [flat, constant(out, after)] }) - 1;
    if (position > 0) flat = out.push({ op: 'floorMod', dtype: 'int32', args: [flat, constant(out, size(axis))] }) - 1;
    return flat;
  });
  const buffer = lowering.temporary(lengthOf(domain), 'float32');
  const nest: Nest = { domain, dtype: 'float32', reads: kernel.reads, scalars: kernel.scalars, value };
  lowering.nest(...compact(nest, step.reads), step.scalars, buffer);
  const stride = (axis: number | undefined): number => {
    const at = axis === undefined ? -1 : leading.indexOf(axis);
    return at < 0 ? 0 : lengthOf(domain.slice(at + 1));
  };
  const strides = (runs: readonly Run[]): number[] => runs.map((run) => stride(run.at(-1)));
  const read = { buffer, offset: 0 };
  if (!isAlongTerms)
    return { read, along: 'outer', base: 0, batch: strides(batch), outer: 'flat', inner: strides(inner) };
  return {
    read,
    along: 'inner',
    base: 0,
    batch: strides(batch),
    outer: { stride: stride(outer.at(-1)) },
    inner: strides(inner),
  };
}

const axisValue = (out: Op[], axis: number): number => out.push({ op: 'axis', dtype: 'int32', axis }) - 1;

/** Whether loads walk through memory along the terms rather than along the outer index. */
function runsAlong(from: Source, kernel: Nest, term: number | undefined, outer: number | undefined): boolean {
  const forms = new Forms(from.body, sizes(kernel));
  const loads = from.body.flatMap((op) => (op.op === 'load' ? [forms.at(op.index)] : []));
  const count = (axis: number | undefined): number =>
    loads.filter((form) => axis !== undefined && form.axes.get(axis) === 1).length;
  return count(term) > count(outer);
}

/** The operations that `position` needs, itself last. */
export function reachable(body: Kernel['value'], position: number): Kernel['value'] {
  const needed = new Set<number>();
  const visit = (at: number): void => {
    if (needed.has(at)) return;
    needed.add(at);
    const op = body[at]!;
    if (op.op === 'load') visit(op.index);
    else if ('args' in op) for (const arg of op.args) visit(arg);
  };
  visit(position);
  const order = [...needed].sort((a, b) => a - b);
  const moved = new Map(order.map((at, index) => [at, index]));
  return order.map((at): Op => {
    const op = body[at]!;
    if (op.op === 'load') return { ...op, index: moved.get(op.index)! };
    return 'args' in op ? { ...op, args: op.args.map((arg) => moved.get(arg)!) } : op;
  });
}
