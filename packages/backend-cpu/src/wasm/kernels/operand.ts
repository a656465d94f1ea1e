/**
 * The operands of a product and its sums: where they lie. A load with an affine index is used where it is, half floats too; any
 * other expression is first computed into scratch, densely, by its own loop nest. Sums that are not what is stored go to scratch
 * too, and an epilogue reads them there.
 */
import type { Body, DType, Kernel, Op } from '@nn/core';
import { sizeOf, stridesOf } from '../../shape.ts';
import { align, bytesPerElement } from '../../storage.ts';
import type { I32 } from '../code/assembler.ts';
import { isHalf } from '../code/halves.ts';
import { callVoid, i32 } from '../code/instructions.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { type Analysis, isAlu } from '../loops/analysis.ts';
import { emitNest } from '../loops/emit.ts';
import { kernelParameters, type Phase } from '../loops/nest.ts';
import { type Driver, plus } from './driver.ts';
import type { FactorDType } from './halves.ts';

export interface Operand {
  /** As it lies in memory: functions that read it widen half floats. */
  readonly dtype: FactorDType;
  /** The parameter of the read (see `kernelParameters`), or null for scratch. */
  readonly parameter: number | null;
  /** Bytes from there (or from the start of scratch) to element 0. */
  readonly offset: number;
  /** Elements between neighbours along each axis of the kernel. */
  readonly strides: ReadonlyMap<number, number>;
  readonly phases: readonly Phase[];
  /** The first free byte of scratch after it. */
  readonly scratchEnd: number;
}

/** Where the sums go: to the output itself, or to `offset` in scratch. */
export interface Target {
  readonly inPlace: boolean;
  readonly offset: number;
}

/** The address of the first element of an operand, and of the first sum. */
export const operandAt = ({ scratch, builder }: Driver, { parameter, offset }: Operand): I32 =>
  plus(parameter === null ? scratch : builder.parameter(parameter, 'i32'), offset);
export const sumsAt = ({ out, scratch }: Driver, { inPlace, offset }: Target): I32 =>
  inPlace ? out : plus(scratch, offset);

export function operandOf(
  context: ModuleContext,
  kernel: Kernel,
  analysis: Analysis,
  position: number,
  scratchStart: number,
): Operand {
  const op = analysis.ops[position]!;
  const inner = isAlu(op) && op.op === 'cast' && op.dtype === 'float32' ? analysis.ops[op.args[0]!]! : op;
  const form = inner.op === 'load' ? analysis.forms[inner.index] : null;
  if (inner.op === 'load' && form && [...form.terms.keys()].every((term) => term >= 0)) {
    const dtype = kernel.reads[inner.read]!;
    if (dtype === 'float32' || isHalf(dtype)) {
      const offset = form.constant * bytesPerElement(dtype);
      return { dtype, parameter: 1 + inner.read, offset, strides: form.terms, phases: [], scratchEnd: scratchStart };
    }
  }
  return computedOperand(context, kernel, analysis, position, scratchStart);
}

/** The operand computed into scratch, as float32. */
export function computedOperand(
  context: ModuleContext,
  kernel: Kernel,
  analysis: Analysis,
  position: number,
  scratchStart: number,
): Operand {
  const extents = [...kernel.domain, ...(kernel.reduce?.extents ?? [])];
  const bits = analysis.depends[position]!;
  const axes = extents.map((_, axis) => axis).filter((axis) => (bits >> axis) & 1);
  const domain = axes.map((axis) => extents[axis]!);
  const value = analysis.ops
    .slice(0, position + 1)
    .map(
      (each): Op =>
        each.op === 'axis'
          ? axes.includes(each.axis)
            ? { ...each, axis: axes.indexOf(each.axis) }
            : { dtype: 'int32', op: 'const', value: 0 }
          : each,
    ) as Body;
  const phase = emitNest(context, {
    kernel: { domain, dtype: 'float32', reads: kernel.reads, scalars: kernel.scalars, value },
    outStrides: stridesOf(domain),
    outerAxes: null,
  });
  const strides = stridesOf(domain);
  return {
    dtype: 'float32',
    parameter: null,
    offset: scratchStart,
    strides: new Map(axes.map((axis, at) => [axis, strides[at]!])),
    phases: [redirected(context, kernel, phase, { out: scratchStart })],
    scratchEnd: scratchStart + align(4 * sizeOf(domain)),
  };
}

/**
 * A phase with the parameters of `kernel` that calls another one with its output in scratch (at `out`), or with one more
 * read (in scratch at `extra`, or the output itself).
 */
export function redirected(
  context: ModuleContext,
  kernel: Kernel,
  phase: Phase,
  change: { readonly out: number } | { readonly extra: number | 'out' },
): Phase {
  const parameters = kernelParameters(kernel);
  const reference = context.module.function(null, parameters, [], (builder) => {
    const values = parameters.map((type, at) => builder.parameter(at, type));
    const scratch = builder.parameter(parameters.length - 4, 'i32');
    const inScratch = (offset: number): I32 => i32.add(scratch, i32.const(offset));
    const reads = kernel.reads.length;
    const [out, ...others] = values;
    if ('out' in change) {
      builder.emit(callVoid(phase.reference, inScratch(change.out), ...others));
      return;
    }
    const extra = change.extra === 'out' ? builder.parameter(0, 'i32') : inScratch(change.extra);
    builder.emit(callVoid(phase.reference, out!, ...others.slice(0, reads), extra, ...others.slice(reads)));
  });
  return { ...phase, reference };
}

/** The epilogue of a kernel as a loop nest of its own that reads the finished sums as one more read. */
export function epilogueKernel(kernel: Kernel, sumStrides: readonly number[], dtype: DType = 'float32'): Kernel {
  const ops: Op[] = [];
  let index = -1;
  kernel.domain.forEach((extent, axis) => {
    if (extent === 1) return;
    const at = ops.push({ dtype: 'int32', op: 'axis', axis }) - 1;
    const stride = ops.push({ dtype: 'int32', op: 'const', value: sumStrides[axis]! }) - 1;
    const term = ops.push({ dtype: 'int32', op: 'mul', args: [at, stride] }) - 1;
    index = index < 0 ? term : ops.push({ dtype: 'int32', op: 'add', args: [index, term] }) - 1;
  });
  if (index < 0) index = ops.push({ dtype: 'int32', op: 'const', value: 0 }) - 1;
  const shift = ops.length;
  for (const op of kernel.epilogue ?? ([{ dtype, op: 'accumulator' }] as Body)) {
    if (op.op === 'accumulator') ops.push({ dtype: op.dtype, op: 'load', read: kernel.reads.length, index });
    else if ('args' in op) ops.push({ ...op, args: op.args.map((at) => at + shift) });
    else if (op.op === 'load') ops.push({ ...op, index: op.index + shift });
    else ops.push(op);
  }
  return {
    key: `${kernel.key} epilogue`,
    domain: kernel.domain,
    dtype: kernel.dtype,
    reads: [...kernel.reads, dtype],
    scalars: kernel.scalars,
    value: ops,
  };
}
