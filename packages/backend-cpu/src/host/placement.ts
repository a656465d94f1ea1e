/**
 * Where a step writes and how its arrays may touch, as far as the code of the kernel depends on it; and the wrapper that
 * finds the start of a box and copies what lies around it.
 */
import type { Program, Step, TensorData } from '@nn/core';
import { sizeOf, stridesOf } from '../shape.ts';
import type { Call, KernelFunction } from './call.ts';

export interface Placement {
  /** For each read, whether it starts at an offset. */
  readonly offsets: readonly boolean[];
  /** Strides of the written buffer along the domain, and whether the domain is a box inside it. */
  readonly strides: readonly number[];
  readonly based: boolean;
  /** Whether a read shares memory with the written buffer, so that nothing may be written before it was read. */
  readonly aliased: boolean;
  /** Equal for equal placements. */
  readonly key: string;
}

export function placementOf(step: Step, program: Program): Placement {
  const offsets = step.reads.map(({ offset, move = 0 }) => offset !== 0 || move !== 0);
  const slot = program.buffers[step.write]!.slot;
  const aliased = step.reads.some(({ buffer }) => program.buffers[buffer]!.slot === slot);
  const shape = step.into?.shape ?? step.kernel.domain;
  const box = step.into ? `into ${shape.join()}` : step.piece ? 'piece' : '';
  const key = `${offsets.map(Number).join('')} ${box} ${aliased ? 'aliased' : ''}`;
  return {
    offsets,
    strides: stridesOf(shape),
    based: step.into !== undefined || step.piece !== undefined,
    aliased,
    key,
  };
}

/** `kernel` for a step with `into`: sets `call.base`, and copies `call.source` first where that is other memory. */
export function place(step: Step, program: Program, kernel: KernelFunction): KernelFunction {
  const into = step.into;
  if (into === undefined) return kernel;
  const strides = stridesOf(into.shape);
  const { start } = into;
  const copied = into.base !== null && program.buffers[into.base]!.slot !== program.buffers[step.write]!.slot;
  const length = copied ? sizeOf(into.shape) : 0;
  return (call: Call): void => {
    let base = 0;
    for (let axis = 0; axis < strides.length; axis++) {
      const from = start[axis]!;
      base += strides[axis]! * (typeof from === 'number' ? from : Math.trunc(call.scalars[from.scalar]!));
    }
    call.base = base;
    if (length > 0) copy(call.out, call.source, length);
    kernel(call);
  };
}

/** Copies the first `length` elements. */
function copy(out: TensorData, source: TensorData, length: number): void {
  if (length > 64) out.set(source.subarray(0, length));
  else for (let i = 0; i < length; i++) out[i] = source[i]!;
}
