/**
 * Gradients of strided windows (pooling): `out[i] = sum over taps r of where(stride divides i + c - d r, f(q, r), 0)` with
 * q the quotient. As a loop nest every element tries every tap, and most fail. Turned around, i = stride q + d r - c, each
 * pair (q, r) is visited once and adds to the one element that it belongs to; then all indices are affine.
 * Found by its form (`pattern.ts`), not by a hint; the walks over pairs are in `walk.ts`.
 */
import type { Kernel } from '@nn/core';
import { sizeOf } from '../../shape.ts';
import type { I32 } from '../code/assembler.ts';
import { i32, memory, select, whileLoop } from '../code/instructions.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { emitNest } from '../loops/emit.ts';
import type { KernelCode } from '../loops/nest.ts';
import { phaseOf, plus } from './driver.ts';
import type { SpecialRequest } from './request.ts';
import { sumsAt, sumsOf } from './sums.ts';
import { findWindowGradient } from './window-gradient/pattern.ts';
import { bodyOf, walksOf } from './window-gradient/walk.ts';

/** Bytes of the output that stay in the first-level cache with what is read for them. */
const blockBytes = 2 ** 13;

/** Whether the kernel is one of these: then it is better alone than in a group. */
export const isWindowGradient = (kernel: Kernel): boolean => findWindowGradient(kernel) !== null;

export function emitWindowGradient(context: ModuleContext, request: SpecialRequest): KernelCode | null {
  const { kernel } = request;
  const found = findWindowGradient(kernel);
  if (!found) return null;
  const { domain, reads, scalars } = kernel;
  // Images and channels are apart: a few at a time pass through all nests and the epilogue while they are in the cache.
  const outer = Math.min(...found.pairs.map(({ axis }) => axis));
  const units = sizeOf(domain.slice(0, outer));
  const unitBytes = 4 * sizeOf(domain.slice(outer));
  const sums = sumsOf(context, request, outer);
  const nests = walksOf(kernel, found, outer).map((walk) => ({
    walk,
    nest: emitNest(context, {
      kernel: { domain: walk.domain, dtype: 'float32', reads, scalars, value: bodyOf(kernel, found, walk) },
      outStrides: walk.strides,
      outerAxes: outer,
      ...(!found.single && { accumulate: { kind: 'add' } }),
    }),
  }));
  const visits = nests.reduce((sum, { walk }) => sum + sizeOf(walk.domain), 0);
  const complete = found.single && found.inside && visits === sizeOf(domain);
  const phase = phaseOf(context, kernel, units, visits * 2, (driver) => {
    const { begin, end } = driver;
    const target = sumsAt(sums, driver);
    const next = driver.local();
    const later = plus(begin, Math.max(1, Math.floor(blockBytes / unitBytes)));
    const bytes = (count: I32): I32 => i32.mul(count, i32.const(unitBytes));
    return [
      whileLoop(i32.ltU(begin, end), [
        next.set(select(later, end, i32.ltU(later, end))),
        ...(complete ? [] : [memory.fill(plus(target, bytes(begin)), i32.const(0), bytes(i32.sub(next, begin)))]),
        ...nests.map(({ nest, walk }) => driver.call(nest, begin, next, { out: plus(target, 4 * walk.start) })),
        ...(sums.epilogue ? [driver.call(sums.epilogue, begin, next)] : []),
        begin.set(next),
      ]),
    ];
  });
  return { phases: [phase], scratch: sums.bytes, own: 0, path: 'window gradient' };
}
