/**
 * The kernels that have a better way than their loop nest: chosen by the hint, null where the loops are as good.
 * It owns the choice only; each way is a file or a room beside it. Convolutions, as long as all other ways together, are
 * fetched when a program has one.
 */
import type { Program } from '@nn/core';
import { Fetched } from '../../fetched.ts';
import type { ModuleContext } from '../code/module-context.ts';
import type { KernelCode } from '../loops/nest.ts';
import { emitContraction } from './contraction.ts';
import { emitRank } from './rank.ts';
import type { SpecialRequest } from './request.ts';
import { emitScan } from './scan.ts';
import { emitScatterAdd } from './scatter-add.ts';
import { emitWindowGradient } from './window-gradient.ts';

const convolutions = /* @__PURE__ */ new Fetched('convolutions', () => import('./conv.ts'));

/** Done when all ways that the program wants are there; null where they are. */
export function fetchWays({ steps }: Program): Promise<void> | null {
  const isThere = convolutions.code !== null || steps.every(({ kernel }) => kernel.hint?.kind !== 'conv');
  return isThere ? null : convolutions.fetch();
}

export function emitSpecial(context: ModuleContext, request: SpecialRequest): KernelCode | null {
  const { hint } = request.kernel;
  if (hint?.kind === 'contraction') return emitContraction(context, request, hint);
  if (hint?.kind === 'conv') return convolutions.code!.emitConvolution(context, request, hint);
  if (hint?.kind === 'scatter') return emitScatterAdd(context, request, hint);
  if (hint?.kind === 'scan') return emitScan(context, request, hint);
  if (hint?.kind === 'rank') return emitRank(context, request, hint);
  return hint ? null : emitWindowGradient(context, request);
}
