/**
 * The kernels that have a better way than their loop nest: chosen by the hint, null where the loops are as good.
 * It owns the choice only; each way is a file or a room beside it.
 */
import type { ModuleContext } from '../code/module-context.ts';
import type { KernelCode } from '../loops/nest.ts';
import { emitContraction } from './contraction.ts';
import { emitConvolution } from './conv.ts';
import { emitRank } from './rank.ts';
import type { SpecialRequest } from './request.ts';
import { emitScan } from './scan.ts';
import { emitScatterAdd } from './scatter-add.ts';
import { emitWindowGradient } from './window-gradient.ts';

export function emitSpecial(context: ModuleContext, request: SpecialRequest): KernelCode | null {
  const { hint } = request.kernel;
  if (hint?.kind === 'contraction') return emitContraction(context, request, hint);
  if (hint?.kind === 'conv') return emitConvolution(context, request, hint);
  if (hint?.kind === 'scatter') return emitScatterAdd(context, request, hint);
  if (hint?.kind === 'scan') return emitScan(context, request, hint);
  if (hint?.kind === 'rank') return emitRank(context, request, hint);
  return hint ? null : emitWindowGradient(context, request);
}
