/**
 * Indices as sums: constant + stride * axis + factor * term, where a term is any int32 that is not such a sum itself
 * (a loaded index, a scalar, a quotient). Addition and multiplication wrap over 32 bits, which is a ring, so the
 * rearranged sum is the same number.
 */
import type { Body, Op, Shape } from '@nn/core';

export interface Affine {
  readonly constant: number;
  /** The stride of each axis that occurs; axes of extent 1 never do. */
  readonly strides: ReadonlyMap<number, number>;
  /** The factor of each position of the body that occurs. */
  readonly terms: ReadonlyMap<number, number>;
}

/** For each position of `body`, its value as a sum. `extents` are those of all axes. */
export function affineForms(body: Body, extents: Shape): Affine[] {
  const forms: Affine[] = [];
  body.forEach((op, position) => {
    forms.push(formOf(op, forms, extents) ?? { constant: 0, strides: new Map(), terms: new Map([[position, 1]]) });
  });
  return forms;
}

/** The sum, or null where the operation is not one. */
function formOf(op: Op, forms: readonly Affine[], extents: Shape): Affine | null {
  if (op.dtype !== 'int32') return null;
  switch (op.op) {
    case 'const':
      return { constant: op.value | 0, strides: new Map(), terms: new Map() };
    case 'axis':
      return { constant: 0, strides: new Map(extents[op.axis]! > 1 ? [[op.axis, 1]] : []), terms: new Map() };
    case 'add':
    case 'sub':
      return combine(forms[op.args[0]!]!, forms[op.args[1]!]!, op.op === 'add' ? 1 : -1);
    case 'mul': {
      const left = forms[op.args[0]!]!;
      const right = forms[op.args[1]!]!;
      if (isConstant(right)) return combine(nothing, left, right.constant);
      return isConstant(left) ? combine(nothing, right, left.constant) : null;
    }
    default:
      return null;
  }
}

const nothing: Affine = { constant: 0, strides: new Map(), terms: new Map() };

function isConstant(sum: Affine): boolean {
  return sum.strides.size === 0 && sum.terms.size === 0;
}

/** `left + factor * right`, or null where a number leaves the 32 bits. */
function combine(left: Affine, right: Affine, factor: number): Affine | null {
  let small = true;
  const checked = (value: number): number => {
    if (Math.abs(value) > 0x7fffffff) small = false;
    return value;
  };
  const merge = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): Map<number, number> => {
    const merged = new Map(a);
    for (const [key, value] of b) {
      const sum = checked((merged.get(key) ?? 0) + factor * value);
      if (sum === 0) merged.delete(key);
      else merged.set(key, sum);
    }
    return merged;
  };
  const constant = checked(left.constant + factor * right.constant);
  const strides = merge(left.strides, right.strides);
  const terms = merge(left.terms, right.terms);
  return small ? { constant, strides, terms } : null;
}
