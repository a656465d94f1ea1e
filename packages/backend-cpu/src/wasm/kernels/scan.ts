/** Running sums, products and extremes: each element is its term and the element before it, instead of all terms up to it. */
import type { Hint } from '@nn/core';
import { sizeOf, stridesOf } from '../../shape.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { emitNest } from '../loops/emit.ts';
import type { KernelCode } from '../loops/nest.ts';
import { phaseOf } from './driver.ts';
import { redirected } from './operand.ts';
import type { SpecialRequest } from './request.ts';
import { bodyAt, sumsAt, sumsOf } from './sums.ts';

export function emitScan(
  context: ModuleContext,
  request: SpecialRequest,
  hint: Extract<Hint, { kind: 'scan' }>,
): KernelCode | null {
  const { kernel } = request;
  const { reduce, domain } = kernel;
  if (reduce?.dtype !== 'float32' && reduce?.dtype !== 'int32') return null;
  const sums = sumsOf(context, request);
  // Units are positions of the axes before it, which have sums of their own; where there are none, all is one unit.
  const rows = sizeOf(domain.slice(0, hint.axis));
  // The reduced axis takes the place of the axis that it runs along.
  const axisOf = (axis: number): number | null =>
    axis === domain.length ? hint.axis : axis === hint.axis ? null : axis;
  const nest = emitNest(context, {
    kernel: {
      domain,
      dtype: reduce.dtype,
      reads: kernel.reads,
      scalars: kernel.scalars,
      value: bodyAt(kernel.value, hint.operand, axisOf),
    },
    outStrides: stridesOf(domain),
    outerAxes: rows > 1 ? hint.axis : null,
    accumulate: { kind: 'scan', axis: hint.axis, op: reduce.op },
  });
  let phase = nest;
  if (rows === 1)
    phase = phaseOf(context, kernel, 1, sizeOf(domain), (driver) => [driver.whole(nest, sumsAt(sums, driver))]);
  else if (!sums.direct) phase = redirected(context, kernel, nest, { out: 0 });
  const phases = sums.epilogue ? [phase, sums.epilogue] : [phase];
  // what rounding takes, for each position behind the axis
  const own = 4 * sizeOf(domain.slice(hint.axis + 1));
  return { phases, scratch: sums.bytes, own, path: 'scan' };
}
