/**
 * Kernels that compute their sums as a whole before the epilogue: where the sums go, and the epilogue as a last phase.
 * Shared by scatter-add, scans and ranks.
 */
import type { Kernel, Op } from '@nn/core';
import { sizeOf, stridesOf } from '../shape.ts';
import type { I32, Local, Statement } from '../wasm/assembler.ts';
import { emitNest, kernelParameters, type Phase } from '../wasm/emit.ts';
import { callVoid, i32 } from '../wasm/instructions.ts';
import type { ModuleContext } from '../wasm/module-context.ts';
import type { SpecialRequest } from '../wasm/special.ts';
import { epilogueKernel, redirected } from './operand.ts';

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
  return { direct, bytes: direct ? 0 : Math.ceil(sizeOf(kernel.domain) / 16) * 64, epilogue };
}

/** Where things are in the function of a phase. */
export interface Surroundings {
  readonly sums: I32;
  readonly scratch: I32;
  readonly own: I32;
  /** The units to compute. */
  readonly begin: I32;
  readonly end: I32;
  /** Runs all units of another phase, with its output at `out`. */
  call(phase: Phase, out: I32): Statement;
  local(): Local<'i32'>;
}

/** A phase, of one unit unless `units` says otherwise, from code that is told where the sums and the scratch lie. */
export function wholePhase(
  context: ModuleContext,
  kernel: Kernel,
  sums: Sums,
  grain: number,
  build: (at: Surroundings) => Statement[],
  units = 1,
): Phase {
  const parameters = kernelParameters(kernel);
  const count = parameters.length;
  const reference = context.module.function(null, parameters, [], (builder) => {
    const values = parameters.map((type, at) => builder.parameter(at, type));
    const scratch = builder.parameter(count - 4, 'i32');
    const own = builder.parameter(count - 3, 'i32');
    const target: I32 = sums.direct ? builder.parameter(0, 'i32') : scratch;
    const call = (phase: Phase, out: I32): Statement =>
      callVoid(phase.reference, out, ...values.slice(1, -2), i32.const(0), i32.const(phase.units));
    const [begin, end] = [builder.parameter(count - 2, 'i32'), builder.parameter(count - 1, 'i32')];
    builder.emit(...build({ sums: target, scratch, own, begin, end, call, local: () => builder.local('i32') }));
  });
  return { reference, units, grain };
}

/** A body that ends with the operation at `position`, with axes renumbered (null: the axis does not occur). */
export function bodyAt(value: readonly Op[], position: number, axisOf: (axis: number) => number | null): Op[] {
  const renamed = value.map((op): Op => {
    if (op.op !== 'axis') return op;
    const axis = axisOf(op.axis);
    return axis === null ? { dtype: 'int32', op: 'const', value: 0 } : { ...op, axis };
  });
  return [...renamed, renamed[position] as Op];
}
