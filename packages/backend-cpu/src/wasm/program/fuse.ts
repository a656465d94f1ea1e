/**
 * Two steps of a group as one nest: a step that writes numbers, and the next one that reduces them in the order in which
 * they were written. The values are reduced while they are at hand, and stored beside. It makes the kernel and the step;
 * `units.ts` asks for them, `loops/emit.ts` writes the code.
 */
import type { Body, Kernel, Op, Shape, Step } from '@nn/core';
import { renumbered } from '../../nest/body.ts';
import { stridesOf } from '../../shape.ts';
import { type Affine, analyse } from '../loops/analysis.ts';
import type { Beside } from '../loops/nest.ts';
import { makeSchedule } from '../loops/schedule.ts';

export interface Fused {
  readonly step: Step;
  readonly beside: Beside;
}

export function fuseSteps(first: Step, second: Step, outerAxes: number): Fused | null {
  const { kernel: a } = first;
  const { kernel: b } = second;
  if (a.reduce || a.dtype !== 'float32' || !b.reduce || splits(a) || splits(b)) return null;
  const domain = [...b.domain, ...b.reduce.extents];
  const axes = axesBetween(a.domain, domain);
  if (!axes) return null;
  const wanted = second.reads.findIndex(({ buffer }) => buffer === first.write);
  const loads = b.value.filter((op) => op.op === 'load' && op.read === wanted);
  const again = second.reads.some(({ buffer }, read) => buffer === first.write && read !== wanted);
  const late = b.epilogue?.some((op) => op.op === 'load' && op.read === wanted);
  if (loads.length === 0 || again || late || second.reads[wanted]?.offset !== 0) return null;
  const { forms } = analyse(b);
  if (!loads.every((op) => op.op === 'load' && isDense(forms[op.index] as Affine, domain))) return null;

  const shifted = (op: Op): Op => {
    if (op.op === 'load') return { ...op, read: op.read + a.reads.length };
    return op.op === 'scalar' ? { ...op, slot: op.slot + a.scalars.length } : op;
  };
  const value: Op[] = a.value.map((op): Op => {
    if (op.op !== 'axis') return op;
    const axis = axes[op.axis]!;
    return axis < 0 ? { dtype: 'int32', op: 'const', value: 0 } : { ...op, axis };
  });
  const position = value.length - 1;
  const last = b.value.at(-1)!;
  // Where the reduced value is what was written, nothing of the second body is left.
  if (last.op !== 'load' || last.read !== wanted) {
    const moved: number[] = [];
    for (const op of b.value) {
      if (op.op === 'load' && op.read === wanted) moved.push(position);
      else moved.push(value.push(renumbered(shifted(op), moved)) - 1);
    }
  }
  const kernel: Kernel = {
    key: `${a.key} | ${wanted} ${b.key}`,
    domain: b.domain,
    dtype: b.dtype,
    reads: [...a.reads, ...b.reads],
    scalars: [...a.scalars, ...b.scalars],
    reduce: b.reduce,
    value,
    ...(b.epilogue && { epilogue: b.epilogue.map(shifted) as Body }),
  };
  const { order, vector } = makeSchedule(analyse(kernel), {
    domain: b.domain,
    extents: b.reduce.extents,
    outStrides: stridesOf(b.domain),
    outerAxes,
  });
  // Only where the neighbours that are computed together are also neighbours in memory.
  const loop = order[vector];
  if (!loop?.reduced || domain.slice(loop.axes.at(-1)! + 1).some((extent) => extent > 1)) return null;
  return {
    step: {
      kernel,
      write: second.write,
      reads: [...first.reads, ...second.reads],
      scalars: [...first.scalars, ...second.scalars],
    },
    beside: { position, read: a.reads.length + wanted },
  };
}

/** Such indices may become affine by cutting axes, which is not done here. */
const splits = ({ value }: Kernel): boolean => value.some(({ op }) => op === 'floorDiv' || op === 'floorMod');

/** For each axis of `from` the axis of `to` that it is, -1 where it has one element; null if the shapes differ in more than such axes. */
function axesBetween(from: Shape, to: Shape): number[] | null {
  let next = 0;
  const skip = (): void => {
    while (to[next] === 1) next++;
  };
  const axes = from.map((extent) => {
    if (extent === 1) return -1;
    skip();
    return to[next] === extent ? next++ : Number.NaN;
  });
  skip();
  return next === to.length && !axes.some(Number.isNaN) ? axes : null;
}

function isDense({ constant, terms }: Affine, shape: Shape): boolean {
  const strides = stridesOf(shape);
  return (
    constant === 0 &&
    shape.every((extent, axis) => extent === 1 || terms.get(axis) === strides[axis]) &&
    terms.size === shape.filter((extent) => extent > 1).length
  );
}
