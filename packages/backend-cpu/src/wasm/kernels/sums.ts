/**
 * Kernels that compute their sums before the epilogue: where the sums go, and the epilogue as a phase of its own.
 * Shared by convolutions, scatter-add, scans, ranks and the gradients of windows.
 */
import type { Op } from '@nn/core';
import { sizeOf, stridesOf } from '../../shape.ts';
import { align } from '../../storage.ts';
import type { I32 } from '../code/assembler.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { emitNest } from '../loops/emit.ts';
import type { Phase } from '../loops/nest.ts';
import type { Driver } from './driver.ts';
import { epilogueKernel, redirected } from './operand.ts';
import type { SpecialRequest } from './request.ts';

export interface Sums {
  /** The sums are written to the output itself. */
  readonly direct: boolean;
  /** Bytes of scratch, from its start, where they are not. */
  readonly bytes: number;
  readonly epilogue: Phase | null;
}

/** `outerAxes`: the epilogue's units are positions of the first axes. */
export function sumsOf(context: ModuleContext, request: SpecialRequest, outerAxes: number | null = null): Sums {
  const { kernel, outStrides, aliased } = request;
  const dtype = kernel.reduce?.dtype ?? kernel.dtype;
  const dense = stridesOf(kernel.domain);
  const plain = kernel.domain.every((extent, axis) => extent === 1 || dense[axis] === outStrides[axis]);
  const direct = !aliased && kernel.dtype === dtype && plain;
  if (direct && !kernel.epilogue) return { direct, bytes: 0, epilogue: null };
  const nest = epilogueKernel(kernel, dense, dtype);
  const phase = emitNest(context, { kernel: nest, outStrides, outerAxes });
  const epilogue = redirected(context, kernel, phase, { extra: direct ? 'out' : 0 });
  return { direct, bytes: direct ? 0 : align(4 * sizeOf(kernel.domain)), epilogue };
}

/** Where a phase writes the sums. */
export const sumsAt = (sums: Sums, driver: Driver): I32 => (sums.direct ? driver.out : driver.scratch);

/** A body that ends with the operation at `position`, with axes renumbered (null: the axis does not occur). */
export function bodyAt(value: readonly Op[], position: number, axisOf: (axis: number) => number | null): Op[] {
  const renamed = value.map((op): Op => {
    if (op.op !== 'axis') return op;
    const axis = axisOf(op.axis);
    return axis === null ? { dtype: 'int32', op: 'const', value: 0 } : { ...op, axis };
  });
  return [...renamed, renamed[position]!];
}
