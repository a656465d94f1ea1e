/** Questions about bodies, and bodies made of bodies. */
import type { Body, Op } from '@nn/core';

/** The positions that an operation reads. */
export function operandsOf(op: Op): readonly number[] {
  if (op.op === 'load') return [op.index];
  return 'args' in op ? op.args : [];
}

/** The operation with its operands at their new positions. */
export function renumbered(op: Op, moved: readonly number[]): Op {
  if (op.op === 'load') return { ...op, index: moved[op.index]! };
  return 'args' in op ? { ...op, args: op.args.map((operand) => moved[operand]!) } : op;
}

/** For each position, whether `results` need it. */
export function reach(body: Body, results: readonly number[]): boolean[] {
  const needed = new Array<boolean>(body.length).fill(false);
  for (const result of results) needed[result] = true;
  for (let position = body.length - 1; position >= 0; position--) {
    if (needed[position]) for (const operand of operandsOf(body[position]!)) needed[operand] = true;
  }
  return needed;
}

/**
 * The part of `body` that computes the value at `result`, which stands last in it, with its axes renumbered by `axisOf`
 * (an axis without a new number is 0 everywhere).
 */
export function extract(body: Body, result: number, axisOf: (axis: number) => number | undefined): Body {
  return extractAll(body, [result], axisOf).body;
}

/** The same for several results: their new positions come along. */
export function extractAll(
  body: Body,
  results: readonly number[],
  axisOf: (axis: number) => number | undefined,
): { readonly body: Body; readonly results: readonly number[] } {
  const needed = reach(body, results);
  const moved = new Array<number>(body.length).fill(-1);
  const extracted: Op[] = [];
  body.forEach((op, position) => {
    if (!needed[position]) return;
    moved[position] = extracted.length;
    if (op.op === 'axis') {
      const axis = axisOf(op.axis);
      extracted.push(axis === undefined ? { dtype: op.dtype, op: 'const', value: 0 } : { ...op, axis });
    } else extracted.push(renumbered(op, moved));
  });
  return { body: extracted, results: results.map((result) => moved[result]!) };
}
