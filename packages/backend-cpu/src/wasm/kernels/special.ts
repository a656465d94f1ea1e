/**
 * The kernels that have a better way than their loop nest: chosen by the hint, null where the loops are as good.
 * It owns the choice only; each way is a file or a room beside it. Convolutions, as long as all other ways together, are
 * fetched when a program has one, and so are products of bytes, and the conversions of half floats.
 */
import type { Kernel, Program } from '@nn/core';
import { Fetched } from '../../fetched.ts';
import { halves, isHalf } from '../code/halves.ts';
import type { ModuleContext } from '../code/module-context.ts';
import type { KernelCode } from '../loops/nest.ts';
import { emitContraction } from './contraction.ts';
import { emitRank } from './rank.ts';
import type { SpecialRequest } from './request.ts';
import { emitScan } from './scan.ts';
import { emitScatterAdd } from './scatter-add.ts';
import { emitWindowGradient } from './window-gradient.ts';

const convolutions = /* @__PURE__ */ new Fetched('convolutions', () => import('./conv.ts'));
const bytes = /* @__PURE__ */ new Fetched('products of bytes', () => import('./bytes.ts'));

const wantsHalves = ({ dtype, reads }: Kernel): boolean => isHalf(dtype) || reads.some(isHalf);
const wantsBytes = ({ hint, reads }: Kernel): boolean =>
  hint?.kind === 'contraction' && reads.some((dtype) => dtype === 'int8' || dtype === 'uint8');

/** Done when all ways that the program wants are there; null where they are. */
export function fetchWays({ steps }: Program): Promise<void> | null {
  const some = (wants: (kernel: Kernel) => boolean): boolean => steps.some(({ kernel }) => wants(kernel));
  const wanted = [
    ...(some(({ hint }) => hint?.kind === 'conv') ? [convolutions] : []),
    ...(some(wantsBytes) ? [bytes] : []),
    ...(some(wantsHalves) ? [halves] : []),
  ];
  const missing = wanted.filter(({ code }) => code === null);
  return missing.length === 0 ? null : Promise.all(missing.map((code) => code.fetch())).then(() => undefined);
}

export function emitSpecial(context: ModuleContext, request: SpecialRequest): KernelCode | null {
  const { hint } = request.kernel;
  if (hint?.kind === 'contraction') {
    const ofBytes = wantsBytes(request.kernel) ? bytes.code!.emitByteProduct(context, request, hint) : null;
    return ofBytes ?? emitContraction(context, request, hint);
  }
  if (hint?.kind === 'conv') return convolutions.code!.emitConvolution(context, request, hint);
  if (hint?.kind === 'scatter') return emitScatterAdd(context, request, hint);
  if (hint?.kind === 'scan') return emitScan(context, request, hint);
  if (hint?.kind === 'rank') return emitRank(context, request, hint);
  return hint ? null : emitWindowGradient(context, request);
}
