/**
 * What the emitter must know of a loop nest before it writes code: which operations depend on which axes, and which
 * indices are affine, `constant + sum of coefficient * axis`. Arithmetic wraps over 32 bits, so affine forms are exact.
 * It owns the analysis and the merging of axes into loops; the choice of the loop to vectorise is in `schedule.ts`.
 */
import type { Body, Kernel, Op, Shape } from '@nn/core';

/** A term is an axis (its number) or another position of the body (`-1 - position`). */
export interface Affine {
  readonly constant: number;
  readonly terms: ReadonlyMap<number, number>;
}
export const opaqueTerm = (position: number): number => -1 - position;

/** Value and epilogue of a kernel as one list of operations; the epilogue's positions are shifted. */
export interface Analysis {
  readonly ops: Body;
  /** Position of the reduced (or, without reduction, the stored) value. */
  readonly valueRoot: number;
  /** Position of the stored value. */
  readonly root: number;
  /** For int32 operations: the affine form. */
  readonly forms: readonly (Affine | null)[];
  /** For int32 operations: the least and the greatest value, where that is known. */
  readonly ranges: readonly (readonly [number, number] | null)[];
  /** The axes that each operation depends on, as bits. */
  readonly depends: readonly number[];
  /** Operations that must be computed; the others only take part in addresses. */
  readonly needed: readonly boolean[];
  /** Whether an operation needs the finished reduction. */
  readonly late: readonly boolean[];
}

export const isAlu = (op: Op): op is Extract<Op, { args: readonly number[] }> => 'args' in op;

/** The operands that an operation needs as values: for a load only the part of its index that is not affine. */
export function operands(
  analysis: { ops: Body; forms: readonly (Affine | null)[] },
  position: number,
): readonly number[] {
  const op = analysis.ops[position]!;
  if (isAlu(op)) return op.args;
  if (op.op !== 'load') return [];
  const form = analysis.forms[op.index] as Affine;
  return [...form.terms.keys()].filter((term) => term < 0).map((term) => -1 - term);
}

function combine(a: Affine, b: Affine, factor: number): Affine {
  const terms = new Map(a.terms);
  for (const [term, coefficient] of b.terms) {
    const sum = ((terms.get(term) ?? 0) + Math.imul(coefficient, factor)) | 0;
    if (sum === 0) terms.delete(term);
    else terms.set(term, sum);
  }
  return { constant: (a.constant + Math.imul(b.constant, factor)) | 0, terms };
}
const constantForm = (value: number): Affine => ({ constant: value | 0, terms: new Map() });
const zero = constantForm(0);

function affineOf(ops: Body, forms: readonly (Affine | null)[], position: number, extents: Shape): Affine | null {
  const op = ops[position]!;
  if (op.dtype !== 'int32') return null;
  const opaque: Affine = { constant: 0, terms: new Map([[opaqueTerm(position), 1]]) };
  if (op.op === 'const') return constantForm(op.value);
  if (op.op === 'axis') return extents[op.axis] === 1 ? zero : { constant: 0, terms: new Map([[op.axis, 1]]) };
  if (!isAlu(op)) return opaque;
  const a = forms[op.args[0]!];
  const b = forms[op.args[1]!];
  if (op.op === 'cast' && a) return a;
  if (!a || !b) return opaque;
  if (op.op === 'add') return combine(a, b, 1);
  if (op.op === 'sub') return combine(a, b, -1);
  if (op.op === 'mul' && b.terms.size === 0) return combine(zero, a, b.constant);
  if (op.op === 'mul' && a.terms.size === 0) return combine(zero, b, a.constant);
  if (op.op === 'shl' && b.terms.size === 0) return combine(zero, a, 1 << (b.constant & 31));
  if ((op.op === 'floorDiv' || op.op === 'floorMod') && b.terms.size === 0 && b.constant > 0) {
    return divided(op.op, a, b.constant, extents) ?? opaque;
  }
  if ((op.op === 'max' || op.op === 'min') && (a.terms.size === 0 || b.terms.size === 0)) {
    // A bound that never binds.
    const [bound, value] = a.terms.size === 0 ? [a.constant, b] : [b.constant, a];
    const range = rangeOf(value, extents);
    if (range && (op.op === 'max' ? range[0] >= bound : range[1] <= bound)) return value;
  }
  return opaque;
}

/** The least and the greatest value, where only axes take part and nothing wraps. */
function rangeOf(form: Affine, extents: Shape): readonly [number, number] | null {
  let [low, high] = [form.constant, form.constant];
  for (const [term, coefficient] of form.terms) {
    if (term < 0) return null;
    const reach = coefficient * (extents[term]! - 1);
    low += Math.min(0, reach);
    high += Math.max(0, reach);
  }
  return low >= -(2 ** 31) && high < 2 ** 31 ? [low, high] : null;
}

/** Quotient or remainder: the terms that the divisor divides, and a rest, where the rest lies in [0, divisor). */
function divided(op: 'floorDiv' | 'floorMod', a: Affine, divisor: number, extents: Shape): Affine | null {
  const quotient = new Map<number, number>();
  const rest = new Map<number, number>();
  for (const [term, coefficient] of a.terms) {
    if (coefficient % divisor === 0) quotient.set(term, coefficient / divisor);
    else rest.set(term, coefficient);
  }
  const whole = Math.floor(a.constant / divisor);
  const remainder: Affine = { constant: a.constant - whole * divisor, terms: rest };
  const range = rangeOf(remainder, extents);
  // The quotient is only right if the sum of all terms does not wrap.
  if (!range || range[0] < 0 || range[1] >= divisor || !rangeOf(a, extents)) return null;
  return op === 'floorMod' ? remainder : { constant: whole, terms: quotient };
}

/** `also`: positions of `value` that are needed as values besides the result. */
export function analyse(
  kernel: Pick<Kernel, 'domain' | 'reduce' | 'value' | 'epilogue'>,
  also: readonly number[] = [],
): Analysis {
  const shift = kernel.value.length;
  const ops: Op[] = [...kernel.value];
  const { reduce } = kernel;
  const epilogue: Body = kernel.epilogue ?? (reduce ? [{ dtype: reduce.dtype, op: 'accumulator' }] : []);
  for (const op of epilogue) {
    if (isAlu(op)) ops.push({ ...op, args: op.args.map((position) => position + shift) });
    else if (op.op === 'load') ops.push({ ...op, index: op.index + shift });
    else ops.push(op);
  }
  const extents = [...kernel.domain, ...(kernel.reduce?.extents ?? [])];
  const domainBits = (1 << kernel.domain.length) - 1;
  const forms: (Affine | null)[] = [];
  const depends: number[] = [];
  const late: boolean[] = [];
  ops.forEach((op, position) => {
    const form = affineOf(ops, forms, position, extents);
    forms.push(form);
    let bits = 0;
    let after = op.op === 'accumulator';
    if (after) bits = domainBits;
    else if (op.op === 'axis') bits = form?.terms.size ? 1 << op.axis : 0;
    else if (isAlu(op)) for (const argument of op.args) bits |= depends[argument]!;
    else if (op.op === 'load') {
      for (const term of (forms[op.index] as Affine).terms.keys()) {
        bits |= term >= 0 ? 1 << term : depends[-1 - term]!;
      }
    }
    const inputs = isAlu(op) ? op.args : op.op === 'load' ? [op.index] : [];
    after ||= inputs.some((input) => late[input]);
    depends.push(bits);
    late.push(after);
  });
  const needed = ops.map(() => false);
  const need = (position: number): void => {
    if (needed[position]) return;
    needed[position] = true;
    for (const operand of operands({ ops, forms }, position)) need(operand);
  };
  need(shift - 1);
  need(ops.length - 1);
  for (const position of also) need(position);
  const ranges = forms.map((form) => form && rangeOf(form, extents));
  return { ops, valueRoot: shift - 1, root: ops.length - 1, forms, ranges, depends, needed, late };
}

/** One loop: a run of axes that every index walks as if they were one. */
export interface Loop {
  readonly extent: number;
  readonly reduced: boolean;
  /** The axes that were merged, outermost first. */
  readonly axes: readonly number[];
}

/**
 * Merges neighbouring axes wherever every load (and the output) walks them as one axis and no value depends on them
 * singly. Axes of one element disappear. Never merges over the borders in `fences` (an axis number starts a new loop),
 * nor the axis `alone`.
 */
export function mergeAxes(
  analysis: Analysis,
  domain: Shape,
  extents: Shape,
  outStrides: readonly number[],
  fences: ReadonlySet<number>,
  alone: number | null = null,
): Loop[] {
  const walks: ReadonlyMap<number, number>[] = [new Map(outStrides.map((stride, axis) => [axis, stride]))];
  let fixed = alone === null ? 0 : 1 << alone;
  analysis.ops.forEach((op, position) => {
    if (!analysis.needed[position]) return;
    if (op.op === 'load') {
      const form = analysis.forms[op.index] as Affine;
      walks.push(form.terms);
    } else if (op.op === 'axis') fixed |= 1 << op.axis;
  });
  const loops: Loop[] = [];
  const all = [...domain, ...extents];
  all.forEach((extent, axis) => {
    if (extent === 1) return;
    const reduced = axis >= domain.length;
    const last = loops.at(-1);
    const before = last?.axes.at(-1) ?? -1;
    const fenced = [...fences].some((fence) => before < fence && fence <= axis);
    const joins =
      last !== undefined &&
      last.reduced === reduced &&
      !fenced &&
      ((fixed >> before) & 1) === 0 &&
      ((fixed >> axis) & 1) === 0 &&
      walks.every((walk) => (walk.get(before) ?? 0) === (walk.get(axis) ?? 0) * extent);
    if (joins) loops[loops.length - 1] = { extent: last.extent * extent, reduced, axes: [...last.axes, axis] };
    else loops.push({ extent, reduced, axes: [axis] });
  });
  return loops;
}

/** How far the flat index moves for one step of the loop. */
export function strideAlong(form: Affine, loop: Loop): number {
  return form.terms.get(loop.axes.at(-1)!) ?? 0;
}
