/**
 * Half floats as operands of a convolution: they are widened into scratch, which all programs share, before its phases run, and
 * these see float32. What a backend keeps between programs stays half; a convolution reads each element many times.
 */
import { stridesOf } from '../../../shape.ts';
import { align } from '../../../storage.ts';
import { isHalf } from '../../code/halves.ts';
import { callVoid, i32 } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import { emitNest } from '../../loops/emit.ts';
import { type KernelCode, kernelParameters, type Phase } from '../../loops/nest.ts';
import { redirected } from '../operand.ts';
import type { SpecialRequest } from '../request.ts';
import { affineBody } from './tables.ts';

/** The code that `emit` makes of a kernel whose first reads, of so many elements each, are float32. */
export function withWideReads(
  context: ModuleContext,
  request: SpecialRequest,
  sizes: readonly number[],
  emit: (request: SpecialRequest) => KernelCode | null,
): KernelCode | null {
  const { kernel } = request;
  const halves = sizes.flatMap((size, read) => (isHalf(kernel.reads[read] ?? '') ? [{ read, size }] : []));
  if (halves.length === 0) return emit(request);
  const reads = kernel.reads.map((dtype, read) => (halves.some((half) => half.read === read) ? 'float32' : dtype));
  const code = emit({ ...request, kernel: { ...kernel, reads } });
  if (code === null) return null;
  const places = new Map<number, number>();
  let end = 0;
  const widenings = halves.map(({ read, size }) => {
    const nest = emitNest(context, {
      kernel: {
        domain: [size],
        dtype: 'float32',
        reads: kernel.reads,
        scalars: kernel.scalars,
        value: affineBody([1], 0, read),
      },
      outStrides: stridesOf([size]),
      outerAxes: null,
    });
    const place = end;
    places.set(read, place);
    end += align(4 * size);
    return redirected(context, kernel, nest, { out: place });
  });
  const behind = (phase: Phase): Phase => {
    const parameters = kernelParameters(kernel);
    const scratch = parameters.length - 4;
    const reference = context.module.function(null, parameters, [], (builder) => {
      const inScratch = (offset: number) => i32.add(builder.parameter(scratch, 'i32'), i32.const(offset));
      const values = parameters.map((type, at) => {
        const place = places.get(at - 1);
        if (place !== undefined) return inScratch(place);
        return at === scratch ? inScratch(end) : builder.parameter(at, type);
      });
      builder.emit(callVoid(phase.reference, ...values));
    });
    return { ...phase, reference };
  };
  return { ...code, phases: [...widenings, ...code.phases.map(behind)], scratch: end + code.scratch };
}
