/**
 * Owns: reductions of many elements to few, in two passes, so that more than a few invocations share the work.
 * Does not own: the loops themselves (`printer.ts`).
 */
import type { Kernel, Op, Step } from '@nn/core';
import type { Form } from '../nest/affine.ts';
import { collapse, type Nest, substitute } from '../nest/nest.ts';
import { type Lowering, lengthOf } from '../program/lowering.ts';

/** Fewer invocations than this leave a device idle. */
const enough = 2048;

/**
 * sum over r of v(i, r) = sum over c of (sum over s of v(i, c*S + s)): the first pass gives one number for each chunk c.
 * False where the reduction is not worth it.
 */
export function reduceInTwo(step: Step, lowering: Lowering): boolean {
  const nest: Nest = collapse(step.kernel);
  const { reduce } = nest;
  if (reduce === undefined) return false;
  const outputs = lengthOf(nest.domain);
  const terms = lengthOf(reduce.extents);
  if (outputs >= enough || terms < 4) return false;
  if (!lowering.target.always && (terms < 64 || outputs * terms < 16384)) return false;
  const split = chooseSplit(reduce.extents, outputs);
  if (split === undefined) return false;
  const { axis, chunks } = split;
  const rank = nest.domain.length;
  const length = reduce.extents[axis]! / chunks;

  // The chunk is a new first axis of the domain; the extent keeps what is inside a chunk.
  const forms = [...nest.domain, ...reduce.extents].map((_, at): Form => {
    const axes = new Map([[at + 1, 1]]);
    if (at === rank + axis && chunks > 1) axes.set(0, length);
    return { base: 0, axes, others: new Map() };
  });
  const partial: Nest = {
    domain: [chunks, ...nest.domain],
    dtype: reduce.dtype,
    reads: nest.reads,
    scalars: nest.scalars,
    reduce: { ...reduce, extents: reduce.extents.map((extent, at) => (at === axis ? length : extent)) },
    value: substitute(nest.value, forms),
  };
  const between = lowering.temporary(chunks * outputs, reduce.dtype);
  lowering.nest(partial, step.reads, step.scalars, between);

  // The second pass reads the chunks of its element as the last read, after those of the epilogue.
  const read = nest.reads.length;
  const value: Op[] = [];
  let index = -1;
  const push = (op: Op): number => value.push(op) - 1;
  let stride = 1;
  for (let at = rank; at >= 0; at--) {
    // Chunks run slowest: index = chunk * outputs + element.
    const size = at === 0 ? chunks : nest.domain[at - 1]!;
    const axisValue = push({ op: 'axis', dtype: 'int32', axis: at === 0 ? rank : at - 1 });
    const scaled = push({
      op: 'mul',
      dtype: 'int32',
      args: [axisValue, push({ op: 'const', dtype: 'int32', value: stride })],
    });
    index = index < 0 ? scaled : push({ op: 'add', dtype: 'int32', args: [index, scaled] });
    stride *= size;
  }
  push({ op: 'load', dtype: reduce.dtype, read, index });
  const total: Nest = {
    domain: nest.domain,
    dtype: nest.dtype,
    reads: [...nest.reads, reduce.dtype],
    scalars: nest.scalars,
    reduce: { ...reduce, extents: [chunks] },
    value,
    ...(nest.epilogue === undefined ? {} : { epilogue: nest.epilogue }),
  };
  lowering.nest(...compact(total, [...step.reads, { buffer: between, offset: 0 }]), step.scalars, step.write);
  return true;
}

/** Leaves out the reads that no load names, so that a shader binds no more than it needs. */
export function compact(nest: Nest, reads: Step['reads']): [Nest, Step['reads']] {
  const bodies = [nest.value, nest.epilogue ?? [], nest.bounds?.from ?? [], nest.bounds?.to ?? []];
  const used = new Set(bodies.flatMap((body) => body.flatMap((op) => (op.op === 'load' ? [op.read] : []))));
  const kept = [...used].sort((a, b) => a - b);
  const move = (body: Kernel['value']): Kernel['value'] =>
    body.map((op) => (op.op === 'load' ? { ...op, read: kept.indexOf(op.read) } : op));
  return [
    {
      ...nest,
      reads: kept.map((read) => nest.reads[read]!),
      value: move(nest.value),
      ...(nest.epilogue === undefined ? {} : { epilogue: move(nest.epilogue) }),
      ...(nest.bounds === undefined ? {} : { bounds: { from: move(nest.bounds.from), to: move(nest.bounds.to) } }),
    },
    kept.map((read) => reads[read]!),
  ];
}

/** The extent to cut and into how many chunks: near the square root of all terms, and a divisor. */
function chooseSplit(extents: readonly number[], outputs: number): { axis: number; chunks: number } | undefined {
  const terms = lengthOf(extents);
  const wanted = Math.max(Math.sqrt(terms), Math.min(enough / outputs, terms / 16));
  let best: { axis: number; chunks: number } | undefined;
  let distance = Number.POSITIVE_INFINITY;
  for (const [axis, extent] of extents.entries()) {
    for (let chunks = 2; chunks <= extent; chunks++) {
      if (extent % chunks !== 0) continue;
      // Chunks of a multiple of 4 are read four at a time.
      const isOdd = axis === extents.length - 1 && (extent / chunks) % 4 !== 0 ? 1 : 0;
      const at = Math.abs(Math.log(chunks / wanted)) + isOdd;
      if (at < distance) {
        distance = at;
        best = { axis, chunks };
      }
    }
  }
  return best;
}
