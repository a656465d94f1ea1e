/**
 * Owns: running sums, products and extremes in blocks, at the square root of the cost of the loop nest.
 * Does not own: the loops (`printer.ts`).
 */
import type { Hint, Kernel, Op, Step } from '@nn/core';
import { BodyWriter } from '../nest/body-writer.ts';
import { type Nest, neutral, renumbered } from '../nest/nest.ts';
import { type Lowering, lengthOf } from '../program/lowering.ts';
import { reachable } from './contraction.ts';
import { compact } from './reduction.ts';

type Scan = Extract<Hint, { kind: 'scan' }>;
type Reduction = NonNullable<Kernel['reduce']>;

/** The operation of one step. */
const combining = { sum: 'add', product: 'mul', max: 'max', min: 'min' } as const;

/**
 * out[i] = sum (product, maximum, minimum) of x over the axis up to i: the sums of whole blocks first, then what precedes each
 * block, then each element adds what precedes it in its own block. False where the loop nest is better.
 */
export function scan(step: Step, hint: Scan, lowering: Lowering): boolean {
  const { kernel } = step;
  const { reduce, domain } = kernel;
  const rank = domain.length;
  const length = domain[hint.axis]!;
  if (reduce === undefined || reduce.extents.length !== 1) return false;
  if (length < (lowering.target.always ? 2 : 64)) return false;
  if (kernel.reads.length + 1 > lowering.target.maxReads) return false;
  const block = 2 ** Math.ceil(Math.log2(Math.sqrt(length)));
  const { op, dtype } = reduce;
  const operand = reachable(kernel.value, hint.operand);
  const blockDomain = domain.map((size, axis) => (axis === hint.axis ? Math.ceil(length / block) : size));
  const strides = blockDomain.map((_, axis) => lengthOf(blockDomain.slice(axis + 1)));

  // sums[b] = sum over r of x[b * block + r]
  const sums = lowering.temporary(lengthOf(blockDomain), dtype);
  const sumNest: Nest = {
    domain: blockDomain,
    dtype,
    reads: kernel.reads,
    scalars: kernel.scalars,
    reduce: { op, extents: [block], dtype },
    value: within(operand, rank, length, reduce, (body) => ({
      position: body.index([
        [hint.axis, block],
        [rank, 1],
      ]),
    })),
  };
  lowering.nest(...compact(sumNest, step.reads), step.scalars, sums);

  // heads[b] = sum of sums[c] for c < b
  const heads = lowering.temporary(lengthOf(blockDomain), dtype);
  const before = new BodyWriter();
  const blockIndex = before.index(strides.map((stride, axis) => [axis === hint.axis ? rank : axis, stride]));
  const isBefore = before.alu('less', 'bool', before.index([[rank, 1]]), before.index([[hint.axis, 1]]));
  before.alu('where', dtype, isBefore, before.load(0, blockIndex, dtype), before.constant(neutral(reduce), dtype));
  const extents = [blockDomain[hint.axis]!];
  const headNest: Nest = {
    domain: blockDomain,
    dtype,
    reads: [dtype],
    scalars: [],
    reduce: { op, extents, dtype },
    value: before.ops,
  };
  lowering.nest(headNest, [{ buffer: sums, offset: 0 }], [], heads);

  // out[i] = heads[block of i] + sum over r of x[start of the block + r] up to i
  const head = new BodyWriter();
  const own = head.alu('floorDiv', 'int32', head.index([[hint.axis, 1]]), head.integer(block));
  const rest = head.index(
    strides.flatMap((stride, axis): [number, number][] => (axis === hint.axis ? [] : [[axis, stride]])),
  );
  const at = head.alu('add', 'int32', rest, head.alu('mul', 'int32', own, head.integer(strides[hint.axis]!)));
  const total = head.alu(combining[op], dtype, head.load(kernel.reads.length, at, dtype), head.accumulator(dtype));
  const nest: Nest = {
    ...kernel,
    reads: [...kernel.reads, dtype],
    reduce: { op, extents: [block], dtype },
    value: within(operand, rank, length, reduce, (body) => {
      const by = body.integer(block);
      const start = body.alu('mul', 'int32', body.alu('floorDiv', 'int32', body.index([[hint.axis, 1]]), by), by);
      const position = body.alu('add', 'int32', start, body.index([[rank, 1]]));
      return { position, last: body.index([[hint.axis, 1]]) };
    }),
    epilogue: after(head.ops, total, kernel.epilogue ?? []),
  };
  lowering.nest(...compact(nest, [...step.reads, { buffer: heads, offset: 0 }]), step.scalars, step.write);
  return true;
}

/** The operand at `position` along the extent; what changes nothing past the end and past `last`. */
function within(
  operand: Kernel['value'],
  rank: number,
  length: number,
  reduce: Reduction,
  find: (body: BodyWriter) => { readonly position: number; readonly last?: number },
): Kernel['value'] {
  const body = new BodyWriter();
  const { position, last } = find(body);
  const clamped = body.alu('min', 'int32', position, body.integer(length - 1));
  const inRange = body.alu('less', 'bool', position, body.integer(length));
  const allowed = last === undefined ? inRange : body.alu('and', 'bool', inRange, notLess(body, last, position));
  const moved: number[] = [];
  for (const op of operand) {
    if (op.op === 'axis' && op.axis === rank) moved.push(clamped);
    else moved.push(body.ops.push(renumbered(op, moved)) - 1);
  }
  body.alu('where', reduce.dtype, allowed, moved.at(-1)!, body.constant(neutral(reduce), reduce.dtype));
  return body.ops;
}

/** a >= b */
function notLess(body: BodyWriter, a: number, b: number): number {
  return body.alu('equal', 'bool', body.alu('cast', 'int32', body.alu('less', 'bool', a, b)), body.integer(0));
}

/** `first`, then `body` with the value at `total` in the place of its accumulator. */
function after(first: readonly Op[], total: number, body: Kernel['value']): Kernel['value'] {
  const out = [...first];
  const moved: number[] = [];
  for (const op of body) {
    if (op.op === 'accumulator') moved.push(total);
    else moved.push(out.push(renumbered(op, moved)) - 1);
  }
  return out;
}
