/**
 * What a dialect must know of a body before it orders the loops: which operations are computed at all (indices that
 * are sums of axes are not, pointers replace them), on which axes each depends, how often each is used, and the range
 * of the integers.
 */
import type { Body, Op, Shape } from '@nn/core';
import { type Affine, affineForms } from './affine.ts';

export interface Analysis {
  readonly body: Body;
  readonly extents: Shape;
  /** Positions that are computed as values. */
  readonly computed: readonly boolean[];
  /** How many computed operations (and pointers and results) use the value. */
  readonly uses: readonly number[];
  /** For each position, a bit for each axis on which its value depends. */
  readonly axes: readonly number[];
  /** A bit for each axis whose index is itself a value, so that it must stay a loop of its own. */
  readonly pinned: number;
  /** For each position that is a computed load: its index as a sum. */
  readonly indices: ReadonlyMap<number, Affine>;
  /** The least and the greatest value of each int32 position. */
  readonly ranges: readonly Range[];
}

type Range = readonly [low: number, high: number];

const everything: Range = [-0x80000000, 0x7fffffff];

/** `results` are the positions that someone asks for; `accumulatorAxes` the bits of the axes that an accumulator depends on. */
export function analyse(body: Body, extents: Shape, results: readonly number[], accumulatorAxes: number): Analysis {
  const computed = new Array<boolean>(body.length).fill(false);
  const uses = new Array<number>(body.length).fill(0);
  const indices = new Map<number, Affine>();
  const forms = affineForms(body, extents);
  let pinned = 0;
  for (const result of results) {
    computed[result] = true;
    uses[result]! += 1;
  }
  const use = (position: number): void => {
    computed[position] = true;
    uses[position]! += 1;
  };
  for (let position = body.length - 1; position >= 0; position--) {
    if (!computed[position]) continue;
    const op = body[position]!;
    if (op.op === 'load') {
      const index = forms[op.index]!;
      indices.set(position, index);
      for (const term of index.terms.keys()) use(term);
    } else if (op.op === 'axis') {
      if (extents[op.axis]! > 1) pinned |= 1 << op.axis;
    } else if ('args' in op) {
      for (const operand of op.args) use(operand);
    }
  }
  const axes: number[] = [];
  const ranges: Range[] = [];
  body.forEach((op, position) => {
    axes.push(axesOf(op, axes, extents, accumulatorAxes));
    ranges.push(
      op.dtype === 'int32' ? rangeOf(body, position, ranges, extents) : op.dtype === 'bool' ? [0, 1] : everything,
    );
  });
  return { body, extents, computed, uses, axes, pinned, indices, ranges };
}

function axesOf(op: Op, axes: readonly number[], extents: Shape, accumulatorAxes: number): number {
  if (op.op === 'axis') return extents[op.axis]! > 1 ? 1 << op.axis : 0;
  if (op.op === 'accumulator') return accumulatorAxes;
  if (op.op === 'load') return axes[op.index]!;
  return 'args' in op ? op.args.reduce((bits, operand) => bits | axes[operand]!, 0) : 0;
}

/** Interval arithmetic; whatever may wrap can be anything. */
function rangeOf(body: Body, position: number, ranges: readonly Range[], extents: Shape): Range {
  const op = body[position]!;
  if (op.op === 'const') return [op.value | 0, op.value | 0];
  if (op.op === 'axis') return [0, Math.max(extents[op.axis]! - 1, 0)];
  if (!('args' in op)) return everything;
  const [a, b, c] = op.args.map((operand) => ranges[operand]!) as [Range, Range, Range];
  switch (op.op) {
    case 'add':
      return within(a[0] + b[0], a[1] + b[1]);
    case 'sub':
      return within(a[0] - b[1], a[1] - b[0]);
    case 'mul': {
      const products = [a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]];
      return within(Math.min(...products), Math.max(...products));
    }
    case 'max':
      return [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
    case 'min':
      return [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
    case 'floorDiv':
      return b[0] > 0
        ? within(Math.floor(a[0] / (a[0] < 0 ? b[0] : b[1])), Math.floor(a[1] / (a[1] < 0 ? b[1] : b[0])))
        : everything;
    case 'floorMod':
      return b[0] > 0 ? [0, b[1] - 1] : everything;
    case 'mod':
      return b[0] > 0 ? [a[0] < 0 ? 1 - b[1] : 0, b[1] - 1] : everything;
    case 'where':
      return [Math.min(b[0], c[0]), Math.max(b[1], c[1])];
    case 'cast':
      return body[op.args[0]!]!.dtype === 'int32' || body[op.args[0]!]!.dtype === 'bool' ? a : everything;
    default:
      return everything;
  }
}

function within(low: number, high: number): Range {
  return low >= everything[0] && high <= everything[1] ? [low, high] : everything;
}
