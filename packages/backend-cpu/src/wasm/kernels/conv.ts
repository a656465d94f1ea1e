/**
 * Convolutions and their two gradients, channels first, of any rank, stride, dilation, padding and groups: which way each
 * goes. The ways are in `conv/`: packed products over patches of the padded image, and affine loops over it where a group
 * has too few channels for a product; and in `winograd/`, where 3x3 taps with stride 1 take fewer products.
 */
import { sizeOf } from '../../shape.ts';
import type { ModuleContext } from '../code/module-context.ts';
import type { KernelCode } from '../loops/nest.ts';
import { emitDepthwise } from './conv/depthwise.ts';
import { emitForward } from './conv/forward.ts';
import { type ConvHint, sizesOf, turnedHint } from './conv/geometry.ts';
import { emitInputGradient } from './conv/input-gradient.ts';
import { emitWeightGradient } from './conv/weight-gradient.ts';
import { withWideReads } from './conv/wide-reads.ts';
import type { SpecialRequest } from './request.ts';
import { winogradForward } from './winograd/forward.ts';
import { winogradFits } from './winograd/tiles.ts';
import { winogradWeight } from './winograd/weight-gradient.ts';

/** Fewer products are left to the loops. */
const fewest = 4096;
/** Rows or columns of a product that is worth packing. */
const narrowest = 4;

export function emitConvolution(context: ModuleContext, request: SpecialRequest, hint: ConvHint): KernelCode | null {
  const { input, weight, output, form } = hint;
  const shapes = { forward: [input, weight], input: [output, weight], weight: [input, output] }[form];
  return withWideReads(context, request, shapes.map(sizeOf), (wide) => emitWide(context, wide, hint));
}

/** Of float32. */
function emitWide(context: ModuleContext, request: SpecialRequest, hint: ConvHint): KernelCode | null {
  const { domain, reads, reduce } = request.kernel;
  // Products that are then summed in float32; anything else (fused operands) is left to the loops.
  if (reduce?.dtype !== 'float32' || reduce.op !== 'sum') return null;
  if (reads[0] !== 'float32' || reads[1] !== 'float32') return null;
  if (sizeOf(domain) * sizeOf(reduce.extents) < fewest) return null;
  const { form } = hint;
  const { channels, filters, taps } = sizesOf(hint);
  const narrow = form === 'forward' ? filters : form === 'input' ? channels : Math.min(filters, taps);
  if (narrow < narrowest) return emitDepthwise(context, request, hint);
  const fits = winogradFits(hint);
  if (form === 'weight')
    return fits ? winogradWeight(context, request, hint) : emitWeightGradient(context, request, hint);
  if (form === 'forward') return fits ? winogradForward(context, request, hint) : emitForward(context, request, hint);
  if (fits) return winogradForward(context, request, turnedHint(hint), true);
  const strided = hint.stride.some((step) => step !== 1);
  return strided ? emitInputGradient(context, request, hint) : emitForward(context, request, turnedHint(hint), hint);
}
