/**
 * The kernels that have a better way than their loop nest: chosen by the hint, null where the loops are as good.
 * It owns the choice only; each way is a file in `kernels/`.
 */
import type { Kernel } from '@nn/core';
import { emitContraction } from '../kernels/contraction.ts';
import { emitConvolution } from '../kernels/conv.ts';
import { emitRank } from '../kernels/rank.ts';
import { emitScan } from '../kernels/scan.ts';
import { emitScatterAdd } from '../kernels/scatter-add.ts';
import { emitWindowGradient } from '../kernels/window-gradient.ts';
import type { KernelCode } from './emit.ts';
import type { ModuleContext } from './module-context.ts';

export interface SpecialRequest {
  readonly kernel: Kernel;
  readonly outStrides: readonly number[];
  /** Whether a read may share memory with the output. */
  readonly aliased: boolean;
}

export function emitSpecial(context: ModuleContext, request: SpecialRequest): KernelCode | null {
  const { hint } = request.kernel;
  if (hint?.kind === 'contraction') return emitContraction(context, request, hint);
  if (hint?.kind === 'conv') return emitConvolution(context, request, hint);
  if (hint?.kind === 'scatterAdd') return emitScatterAdd(context, request, hint);
  if (hint?.kind === 'scan') return emitScan(context, request, hint);
  if (hint?.kind === 'rank') return emitRank(context, request, hint);
  return hint ? null : emitWindowGradient(context, request);
}
