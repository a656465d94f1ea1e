/**
 * Where a fixed algorithm puts the finished reductions of a hinted kernel, and what follows: into the written buffer itself
 * where their dtype is its own and no read shares its memory, else into a temporary; then a nest for the epilogue.
 */
import type { Kernel, TensorData } from '@nn/core';
import { Call, type KernelFunction } from '../host/call.ts';
import type { Making } from '../host/making.ts';
import type { Temporary } from '../host/region.ts';
import { sizeOf, stridesOf } from '../shape.ts';

export interface Sums<A extends TensorData> {
  /** One stride for each axis of the domain. */
  readonly strides: readonly number[];
  /** Whether the box of an `into` begins at `call.base`. */
  readonly based: boolean;
  array(call: Call): A;
  /** The place of element 0. */
  base(call: Call): number;
  /** The epilogue. */
  finish(call: Call): void;
}

/** `isApart`: the sums are dense in a temporary in any case. */
export function floatSums(kernel: Kernel, making: Making, isApart = false): Sums<Float32Array> {
  return sumsOf(kernel, 'float32', making, making.workspace.float32.bind(making.workspace), isApart);
}

export function integerSums(kernel: Kernel, making: Making): Sums<Int32Array> {
  return sumsOf(kernel, 'int32', making, making.workspace.int32.bind(making.workspace));
}

function sumsOf<A extends TensorData>(
  kernel: Kernel,
  dtype: 'float32' | 'int32',
  { placement, dialect, workspace }: Making,
  claim: (length: number) => Temporary<A>,
  isApart = false,
): Sums<A> {
  const direct = !isApart && kernel.dtype === dtype && !placement.aliased;
  const { strides, based } = placement;
  const own = direct ? strides : stridesOf(kernel.domain);
  const temporary = direct ? null : claim(sizeOf(kernel.domain));
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
    // Direct sums are of the dtype of the written buffer, so its array is an A.
    array: ({ out }) => temporary?.get() ?? (out as A),
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
