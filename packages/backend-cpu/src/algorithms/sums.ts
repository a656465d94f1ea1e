/**
 * Where a fixed algorithm puts the finished reductions of a hinted kernel, and what follows: into the written buffer itself
 * where their dtype is its own and no read shares its memory, else into a temporary; then a nest for the epilogue.
 */
import type { DType, Kernel, TensorData } from '@nn/core';
import { sizeOf, stridesOf } from '../checks.ts';
import { Call, type KernelFunction } from '../host/call.ts';
import type { Dialect } from '../host/dialect.ts';
import type { Placement } from '../host/placement.ts';
import type { Temporary, Workspace } from '../host/region.ts';

/** What making a kernel needs, besides the kernel. */
export interface Making {
  readonly placement: Placement;
  readonly dialect: Dialect;
  readonly workspace: Workspace;
}

export interface Sums {
  /** One stride for each axis of the domain. */
  readonly strides: readonly number[];
  /** Whether the box of an `into` begins at `call.base`. */
  readonly based: boolean;
  array(call: Call): TensorData;
  /** The place of element 0. */
  base(call: Call): number;
  /** The epilogue. */
  finish(call: Call): void;
}

export function sumsOf(kernel: Kernel, dtype: 'float32' | 'int32', { placement, dialect, workspace }: Making): Sums {
  const direct = kernel.dtype === dtype && !placement.aliased;
  const { strides, based } = placement;
  const own = direct ? strides : stridesOf(kernel.domain);
  const temporary = direct ? null : temporaryOf(dtype, sizeOf(kernel.domain), workspace);
  const epilogue = kernel.epilogue ?? (direct ? undefined : [{ op: 'accumulator' as const, dtype }]);
  const finish: KernelFunction | undefined =
    epilogue &&
    dialect.nest(
      {
        key: `${kernel.key} epilogue`,
        domain: kernel.domain,
        extents: [],
        reads: kernel.reads,
        scalars: kernel.scalars,
        offsets: placement.offsets,
        value: epilogue,
        store: { dtype: kernel.dtype, strides, based },
        accumulator: { dtype, strides: own, based: direct && based },
      },
      workspace,
    );
  const call = new Call(0, [], new Float64Array(0), []);
  return {
    strides: own,
    based: direct && based,
    array: ({ out }) => temporary?.get() ?? out,
    base: ({ base }) => (direct && based ? base : 0),
    finish: (whole) => {
      if (finish === undefined) return;
      call.adopt(whole);
      call.out = whole.out;
      call.base = whole.base;
      call.accumulator = temporary?.get() ?? whole.out;
      finish(call);
    },
  };
}

function temporaryOf(dtype: DType, length: number, workspace: Workspace): Temporary<TensorData> {
  return dtype === 'float32' ? workspace.float32(length) : workspace.int32(length);
}
