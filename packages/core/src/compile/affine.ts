/** Reads index arithmetic back: whether a position of a body is a sum of axes (and scalars) times constants. */
import type { Body } from '../backend.ts';

export interface AffineForm {
  readonly base: number;
  /** Stride by axis; axes that do not appear have stride 0. */
  readonly strides: ReadonlyMap<number, number>;
  /** Stride by scalar slot. */
  readonly scalars: ReadonlyMap<number, number>;
}

/**
 * The int32 value at `position` as `base + sum of stride * axis + sum of stride * scalar`, or null where it is anything else.
 *
 * @example
 * import { affine } from '@nn/core';
 * const body = [
 *   { op: 'axis', dtype: 'int32', axis: 0 },
 *   { op: 'const', dtype: 'int32', value: 3 },
 *   { op: 'mul', dtype: 'int32', args: [0, 1] },
 * ] as const;
 * console.log(affine(body, 2)?.strides.get(0)); // => 3
 */
export function affine(body: Body, position: number): AffineForm | null {
  let forms = known.get(body);
  if (forms === undefined) {
    forms = [];
    known.set(body, forms);
  }
  const form = forms[position];
  if (form !== undefined) return form;
  const found = read(body, position);
  forms[position] = found;
  return found;
}

/** What was read of a body: many steps share one kernel, and are asked about again and again. */
const known = new WeakMap<Body, (AffineForm | null)[]>();

function read(body: Body, position: number): AffineForm | null {
  const op = body[position]!;
  switch (op.op) {
    case 'const':
      return { base: op.value, strides: new Map(), scalars: new Map() };
    case 'axis':
      return { base: 0, strides: new Map([[op.axis, 1]]), scalars: new Map() };
    case 'scalar':
      return { base: 0, strides: new Map(), scalars: new Map([[op.slot, 1]]) };
    case 'add':
    case 'sub': {
      const left = affine(body, op.args[0]!);
      const right = affine(body, op.args[1]!);
      return left === null || right === null ? null : combine(left, right, op.op === 'add' ? 1 : -1);
    }
    case 'mul': {
      const left = affine(body, op.args[0]!);
      const right = affine(body, op.args[1]!);
      if (left === null || right === null) return null;
      if (isConstant(right)) return combine(zero, left, right.base);
      return isConstant(left) ? combine(zero, right, left.base) : null;
    }
    default:
      return null;
  }
}

const zero: AffineForm = { base: 0, strides: new Map(), scalars: new Map() };

function isConstant(form: AffineForm): boolean {
  return form.strides.size === 0 && form.scalars.size === 0;
}

function combine(a: AffineForm, b: AffineForm, factor: number): AffineForm {
  return {
    base: a.base + factor * b.base,
    strides: merge(a.strides, b.strides, factor),
    scalars: merge(a.scalars, b.scalars, factor),
  };
}

function merge(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>, factor: number): Map<number, number> {
  const sum = new Map(a);
  for (const [key, stride] of b) {
    const total = (sum.get(key) ?? 0) + factor * stride;
    if (total === 0) sum.delete(key);
    else sum.set(key, total);
  }
  return sum;
}
