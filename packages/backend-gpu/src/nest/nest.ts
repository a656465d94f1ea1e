/**
 * Owns: rewriting of loop nests into equal ones that are cheaper to print: axes of size 1 dropped, neighbours merged.
 * Does not own: splitting reductions or hints (`plan.ts`); printing (`printer.ts`).
 */
import type { Body, Kernel, Op } from '@nn/core';
import { type Form, Forms, roots, sizes } from './affine.ts';

/** A kernel without its key: what the printer prints. */
export type Nest = Omit<Kernel, 'key' | 'hint'> & {
  /** The single extent runs from one int32 value to another (excluded), both over the domain, within [0, extent]. */
  readonly bounds?: { readonly from: Body; readonly to: Body };
};

/**
 * Merges neighbouring axes (a, b) into one of size A*B where every index takes them as a*B + b, so that most nests end
 * with one axis and their indices need no division. Axes of size 1 go first.
 */
export function collapse(nest: Nest): Nest {
  let result = dropOnes(nest);
  for (let axis = sizes(result).length - 2; axis >= 0; axis--) {
    if (axis + 1 === result.domain.length) continue; // the last domain axis and the first extent stay apart
    if (canMerge(result, axis)) result = merge(result, axis);
  }
  return result;
}

/** Replaces each axis by a form over the axes of a new nest. */
export function substitute(body: Body, forms: readonly Form[]): Body {
  return rewriteAxes(body, (axis, out) => write(out, forms[axis]!));
}

/** The operation with its operands at their new positions. */
export function renumbered(op: Op, moved: readonly number[]): Op {
  if (op.op === 'load') return { ...op, index: moved[op.index]! };
  return 'args' in op ? { ...op, args: op.args.map((arg) => moved[arg]!) } : op;
}

/** Replaces each axis by what `axisAt` appends to the new body; it gives the position of its value. */
export function rewriteAxes(body: Body, axisAt: (axis: number, out: Op[]) => number): Body {
  const out: Op[] = [];
  const moved: number[] = [];
  const axes = new Map<number, number>();
  for (const op of body) {
    if (op.op === 'axis') {
      const at = axes.get(op.axis) ?? axisAt(op.axis, out);
      axes.set(op.axis, at);
      moved.push(at);
    } else moved.push(out.push(renumbered(op, moved)) - 1);
  }
  // The result is the last operation, also where it was an axis.
  const last = moved[moved.length - 1]!;
  if (last !== out.length - 1) out.push({ op: 'add', dtype: 'int32', args: [last, constant(out, 0)] });
  return out;
}

export function constant(out: Op[], value: number): number {
  return out.push({ op: 'const', dtype: 'int32', value }) - 1;
}

/** Appends the operations of a form over axes; gives the position of its value. */
export function write(out: Op[], form: Form): number {
  let sum: number | undefined;
  const add = (position: number): void => {
    sum = sum === undefined ? position : out.push({ op: 'add', dtype: 'int32', args: [sum, position] }) - 1;
  };
  for (const [axis, factor] of form.axes) {
    const index = out.push({ op: 'axis', dtype: 'int32', axis }) - 1;
    add(factor === 1 ? index : out.push({ op: 'mul', dtype: 'int32', args: [index, constant(out, factor)] }) - 1);
  }
  if (form.base !== 0 || sum === undefined) add(constant(out, form.base));
  return sum!;
}

const single = (axis: number, factor = 1): Form => ({ base: 0, axes: new Map([[axis, factor]]), others: new Map() });
const nothing: Form = { base: 0, axes: new Map(), others: new Map() };

function renumber(nest: Nest, domain: readonly number[], extents: readonly number[], forms: readonly Form[]): Nest {
  return {
    ...nest,
    domain,
    ...(nest.reduce === undefined ? {} : { reduce: { ...nest.reduce, extents } }),
    value: substitute(nest.value, forms),
    ...(nest.epilogue === undefined ? {} : { epilogue: substitute(nest.epilogue, forms) }),
  };
}

function dropOnes(nest: Nest): Nest {
  const all = sizes(nest);
  if (!all.includes(1)) return nest;
  let next = 0;
  const forms = all.map((size) => (size === 1 ? nothing : single(next++)));
  const extents = (nest.reduce?.extents ?? []).filter((size) => size !== 1);
  return renumber(
    nest,
    nest.domain.filter((size) => size !== 1),
    extents,
    forms,
  );
}

function canMerge(nest: Nest, axis: number): boolean {
  const all = sizes(nest);
  const inner = all[axis + 1]!;
  for (const body of nest.epilogue === undefined ? [nest.value] : [nest.value, nest.epilogue]) {
    const forms = new Forms(body, all);
    for (const position of roots(body, forms)) {
      const op = body[position]!;
      if (op.op === 'axis' && (op.axis === axis || op.axis === axis + 1)) return false;
      if (op.dtype !== 'int32' || !forms.isLinear(position)) continue;
      const { axes } = forms.at(position);
      if ((axes.get(axis) ?? 0) !== (axes.get(axis + 1) ?? 0) * inner) return false;
    }
  }
  return true;
}

/** Both axes become one; the form of `a*B + b` is then one factor. Indices are rewritten from their forms. */
function merge(nest: Nest, axis: number): Nest {
  const all = sizes(nest);
  const merged = all.filter((_, at) => at !== axis + 1).map((size, at) => (at === axis ? size * all[axis + 1]! : size));
  const isDomain = axis + 1 < nest.domain.length;
  const count = nest.domain.length - (isDomain ? 1 : 0);
  const rewrite = (body: Body): Body => rewriteForms(body, all, axis);
  return {
    ...nest,
    domain: merged.slice(0, count),
    ...(nest.reduce === undefined ? {} : { reduce: { ...nest.reduce, extents: merged.slice(count) } }),
    value: rewrite(nest.value),
    ...(nest.epilogue === undefined ? {} : { epilogue: rewrite(nest.epilogue) }),
  };
}

function rewriteForms(body: Body, all: readonly number[], axis: number): Body {
  const forms = new Forms(body, all);
  const out: Op[] = [];
  const moved = new Map<number, number>();
  for (const position of roots(body, forms)) {
    const op = body[position]!;
    if (op.dtype === 'int32' && forms.isLinear(position)) {
      const form = forms.at(position);
      const axes = new Map<number, number>();
      // The factor of the merged axis is that of its inner part; later axes move up by one.
      for (const [at, factor] of form.axes) if (at !== axis) axes.set(at > axis ? at - 1 : at, factor);
      let sum = write(out, { base: form.base, axes, others: new Map() });
      for (const [other, factor] of form.others) {
        let part = moved.get(other)!;
        if (factor !== 1) part = out.push({ op: 'mul', dtype: 'int32', args: [part, constant(out, factor)] }) - 1;
        sum = out.push({ op: 'add', dtype: 'int32', args: [sum, part] }) - 1;
      }
      moved.set(position, sum);
    } else {
      const at =
        out.push(
          op.op === 'load'
            ? { ...op, index: moved.get(op.index)! }
            : 'args' in op
              ? { ...op, args: op.args.map((arg) => moved.get(arg)!) }
              : op,
        ) - 1;
      moved.set(position, at);
    }
  }
  const last = moved.get(body.length - 1)!;
  if (last !== out.length - 1) out.push({ op: 'add', dtype: 'int32', args: [last, constant(out, 0)] });
  return out;
}

/** What a reduction starts with, and what changes none of its results. */
export function neutral({ op, dtype }: Pick<NonNullable<Kernel['reduce']>, 'op' | 'dtype'>): number {
  if (op === 'sum' || op === 'product') return op === 'sum' ? 0 : 1;
  const [low, high] = {
    float32: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    bool: [0, 1],
    int32: [-(2 ** 31), 2 ** 31 - 1],
  }[dtype === 'float32' || dtype === 'bool' ? dtype : 'int32'] as [number, number];
  return op === 'max' ? low : high;
}
