/**
 * Sums (or maxima) in which each term belongs to one element, known by an index: neutral elements, then one addition for each
 * term, in the order of the terms. As a loop nest every element would look at every term.
 */
import type { Hint } from '@nn/core';
import { sizeOf, stridesOf } from '../../shape.ts';
import { align } from '../../storage.ts';
import { i32, memory } from '../code/instructions.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { emitNest } from '../loops/emit.ts';
import type { KernelCode } from '../loops/nest.ts';
import { phaseOf } from './driver.ts';
import type { SpecialRequest } from './request.ts';
import { bodyAt, sumsAt, sumsOf } from './sums.ts';

/**
 * With more terms than this for each place, on average, what rounding takes is kept and made up for: bins of a histogram, not
 * the rows of a vocabulary, where the memory for it would cost more than the digits are worth.
 */
const crowd = 8;

export function emitScatterAdd(
  context: ModuleContext,
  request: SpecialRequest,
  hint: Extract<Hint, { kind: 'scatter' }>,
): KernelCode | null {
  const { kernel } = request;
  const { reduce, domain } = kernel;
  const op = reduce?.op;
  if ((op !== 'sum' && op !== 'max') || (reduce?.dtype !== 'float32' && reduce?.dtype !== 'int32')) return null;
  const dense = stridesOf(domain);
  const others = domain.map((_, axis) => axis).filter((axis) => axis !== hint.axis);
  const terms = reduce.extents.length;
  // Terms outside, the other axes of the domain inside: these are vectorised where the index does not depend on them.
  const walked = [...reduce.extents, ...others.map((axis) => domain[axis]!)];
  const axisOf = (axis: number): number | null => {
    if (axis >= domain.length) return axis - domain.length;
    return axis === hint.axis ? null : terms + others.indexOf(axis);
  };
  const sums = sumsOf(context, request);
  const bytes = 4 * sizeOf(domain);
  const isCrowded = sizeOf(reduce.extents) > crowd * domain[hint.axis]!;
  const lost = op === 'sum' && reduce.dtype === 'float32' && isCrowded ? align(bytes) : 0;
  const nest = emitNest(context, {
    kernel: {
      domain: walked,
      dtype: reduce.dtype,
      reads: kernel.reads,
      scalars: kernel.scalars,
      value: bodyAt(kernel.value, hint.update, axisOf),
    },
    outStrides: [...reduce.extents.map(() => 0), ...others.map((axis) => dense[axis]!)],
    outerAxes: null,
    accumulate: {
      kind: 'scatter',
      op,
      index: hint.index,
      stride: dense[hint.axis]!,
      limit: domain[hint.axis]!,
      lost: lost > 0 ? sums.bytes : null,
    },
  });
  const lowest = op === 'sum' ? null : emitNest(context, lowestEverywhere(kernel, reduce.dtype));
  const phase = phaseOf(context, kernel, 1, sizeOf(walked), (driver) => [
    lowest === null
      ? memory.fill(sumsAt(sums, driver), i32.const(0), i32.const(bytes))
      : driver.whole(lowest, sumsAt(sums, driver)),
    ...(lost > 0 ? [memory.fill(i32.add(driver.scratch, i32.const(sums.bytes)), i32.const(0), i32.const(lost))] : []),
    driver.whole(nest, sumsAt(sums, driver)),
  ]);
  const phases = sums.epilogue ? [phase, sums.epilogue] : [phase];
  return { phases, scratch: sums.bytes + lost, own: 0, path: 'scatter-add' };
}

/** What every maximum begins with: a nest that reads nothing, with the parameters of the others. */
function lowestEverywhere(
  { domain, reads, scalars }: SpecialRequest['kernel'],
  dtype: 'float32' | 'int32',
): Parameters<typeof emitNest>[1] {
  const value = dtype === 'float32' ? Number.NEGATIVE_INFINITY : -(2 ** 31);
  return {
    kernel: { domain, dtype, reads, scalars, value: [{ op: 'const', dtype, value }] },
    outStrides: stridesOf(domain),
    outerAxes: null,
  };
}
