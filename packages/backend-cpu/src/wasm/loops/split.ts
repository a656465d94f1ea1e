/**
 * Splits axes that are only there because of a reshape: where `floorDiv(axis, d)` or `floorMod(axis, d)` occurs and d
 * divides the extent, the axis becomes two, and both expressions become affine (see `divided` in `analysis.ts`).
 * A rewriting of kernels before they are analysed; the meaning and the order of elements stay.
 */
import type { Kernel, Op, Shape } from '@nn/core';
import { renumbered } from '../../nest/body.ts';
import { type Affine, analyse, isAlu } from './analysis.ts';

type Nest = Pick<Kernel, 'domain' | 'dtype' | 'reads' | 'scalars' | 'reduce' | 'value' | 'epilogue'>;

export interface Split<K extends Nest> {
  readonly kernel: K;
  /** Elements between neighbours of the output along each axis. */
  readonly outStrides: readonly number[];
  readonly outerAxes: number | null;
}

/** Splits until nothing is left to split (a few times at most: each split makes an axis shorter). */
export function splitAxes<K extends Nest>(split: Split<K>): Split<K> {
  let current = split;
  for (let turn = 0; turn < 8; turn++) {
    const found = findSplit(current.kernel);
    if (!found) return current;
    current = splitAxis(current, found.axis, found.inner);
  }
  return current;
}

function findSplit(kernel: Nest): { axis: number; inner: number } | null {
  const extents = [...kernel.domain, ...(kernel.reduce?.extents ?? [])];
  if (extents.length > 20) return null;
  const analysis = analyse(kernel);
  for (let position = 0; position < analysis.ops.length; position++) {
    const op = analysis.ops[position]!;
    if (!isAlu(op) || (op.op !== 'floorDiv' && op.op !== 'floorMod') || op.dtype !== 'int32') continue;
    const form = analysis.forms[op.args[0]!] as Affine;
    const divisor = analysis.forms[op.args[1]!] as Affine;
    if (divisor.terms.size > 0 || divisor.constant <= 1 || form.constant !== 0) continue;
    // Only where the axis is all that the divisor does not divide: then both results become affine.
    const undivided = [...form.terms].filter(([, coefficient]) => coefficient % divisor.constant !== 0);
    if (undivided.length !== 1) continue;
    for (const [axis, coefficient] of undivided) {
      if (axis < 0 || coefficient <= 0 || divisor.constant % coefficient !== 0) continue;
      const inner = divisor.constant / coefficient;
      const extent = extents[axis]!;
      if (inner > 1 && inner < extent && extent % inner === 0) return { axis, inner };
    }
  }
  return null;
}

/** Elements beyond which a transposed walk leaves the first cache. */
const tiledFrom = 32768;

/**
 * Walks transposes tile by tile: where a load jumps along the last axis, and its neighbours lie along another one, both
 * axes are cut and their short parts walked innermost, so that each cache line that is fetched is used at once.
 */
export function tileTransposes<K extends Nest>(split: Split<K>): Split<K> {
  const { kernel, outStrides, outerAxes } = split;
  const { domain } = kernel;
  if (kernel.reduce || outerAxes !== null || domain.reduce((a, b) => a * b, 1) < tiledFrom) return split;
  const analysis = analyse(kernel);
  const column = domain.findLastIndex((extent) => extent > 1);
  if (column < 0 || outStrides[column] !== 1) return split;
  let row = -1;
  analysis.ops.forEach((op, position) => {
    if (op.op !== 'load' || !analysis.needed[position]) return;
    const { terms } = analysis.forms[op.index] as Affine;
    const near = [...terms].find(([axis, step]) => axis >= 0 && axis !== column && Math.abs(step) === 1);
    if (near && Math.abs(terms.get(column) ?? 0) >= 16 && domain[near[0]]! >= 16) row = near[0];
  });
  if (row < 0) return split;
  const cutOf = (extent: number): number =>
    [16, 8, 12, 20, 10].find((size) => extent % size === 0 && extent > size) ?? 0;
  let current = split;
  let [rowLow, columnLow] = [row, column];
  const columnCut = domain[column]! > 64 ? cutOf(domain[column]!) : 0;
  if (columnCut > 0) {
    current = splitAxis(current, column, columnCut);
    columnLow = column + 1;
    if (row > column) rowLow += 1;
  }
  const rowCut = cutOf(domain[row]!);
  if (rowCut > 0) {
    current = splitAxis(current, rowLow, rowCut);
    if (columnLow > rowLow) columnLow += 1;
    rowLow += 1;
  }
  const axes = current.kernel.domain.map((_, axis) => axis);
  const order = [...axes.filter((axis) => axis !== rowLow && axis !== columnLow), rowLow, columnLow];
  return permuted(current, order);
}

/** The same nest with its axes walked in another order. */
function permuted<K extends Nest>({ kernel, outStrides, outerAxes }: Split<K>, order: readonly number[]): Split<K> {
  const value = kernel.value.map((op): Op => (op.op === 'axis' ? { ...op, axis: order.indexOf(op.axis) } : op));
  return {
    kernel: { ...kernel, domain: order.map((axis) => kernel.domain[axis]!), value },
    outStrides: order.map((axis) => outStrides[axis]!),
    outerAxes,
  };
}

function splitAxis<K extends Nest>({ kernel, outStrides, outerAxes }: Split<K>, axis: number, inner: number): Split<K> {
  const rank = kernel.domain.length;
  const cut = (shape: Shape, at: number): number[] => [
    ...shape.slice(0, at),
    shape[at]! / inner,
    inner,
    ...shape.slice(at + 1),
  ];
  const inDomain = axis < rank;
  // A unit is a position of the first axes: an axis cut in two counts twice among them.
  const outer = outerAxes !== null && inDomain && axis < outerAxes ? outerAxes + 1 : outerAxes;
  const strides = inDomain
    ? [...outStrides.slice(0, axis), outStrides[axis]! * inner, outStrides[axis]!, ...outStrides.slice(axis + 1)]
    : outStrides;
  const rewrite = (body: readonly Op[]): Op[] => {
    const ops: Op[] = [];
    const moved: number[] = [];
    for (const op of body) {
      if (op.op === 'axis' && op.axis === axis) {
        const high = ops.push({ dtype: 'int32', op: 'axis', axis }) - 1;
        const low = ops.push({ dtype: 'int32', op: 'axis', axis: axis + 1 }) - 1;
        const factor = ops.push({ dtype: 'int32', op: 'const', value: inner }) - 1;
        const scaled = ops.push({ dtype: 'int32', op: 'mul', args: [high, factor] }) - 1;
        moved.push(ops.push({ dtype: 'int32', op: 'add', args: [scaled, low] }) - 1);
        continue;
      }
      const next = op.op === 'axis' && op.axis > axis ? { ...op, axis: op.axis + 1 } : op;
      moved.push(ops.push(renumbered(next, moved)) - 1);
    }
    return ops;
  };
  return {
    kernel: {
      ...kernel,
      domain: inDomain ? cut(kernel.domain, axis) : kernel.domain,
      ...(kernel.reduce && {
        reduce: inDomain ? kernel.reduce : { ...kernel.reduce, extents: cut(kernel.reduce.extents, axis - rank) },
      }),
      value: rewrite(kernel.value),
      ...(kernel.epilogue && { epilogue: rewrite(kernel.epilogue) }),
    },
    outStrides: strides,
    outerAxes: outer,
  };
}
