/** Running sums, products and extremes in one pass: the domain with the summed axis last, as a scanning nest. */
import type { Hint, Kernel } from '@nn/core';
import type { KernelFunction } from '../host/call.ts';
import type { Making } from '../host/making.ts';
import { extract } from '../nest/body.ts';
import { renumber } from './operand.ts';

type Scan = Extract<Hint, { kind: 'scan' }>;

export function scan(kernel: Kernel, hint: Scan, { placement, dialect, workspace }: Making): KernelFunction | null {
  const { reduce, domain, epilogue } = kernel;
  if (reduce === undefined) return null;
  const others = domain.map((_, axis) => axis).filter((axis) => axis !== hint.axis);
  // In the operand the reduced axis takes the place of the summed one.
  const value = extract(kernel.value, hint.operand, renumber([...others, domain.length]));
  const order = [...others, hint.axis];
  return dialect.nest(
    {
      key: kernel.key,
      domain: order.map((axis) => domain[axis]!),
      extents: [],
      reads: kernel.reads,
      scalars: kernel.scalars,
      offsets: placement.offsets,
      value,
      scan: { op: reduce.op, dtype: reduce.dtype },
      ...(epilogue && { epilogue: extract(epilogue, epilogue.length - 1, renumber(order)) }),
      store: {
        dtype: kernel.dtype,
        strides: order.map((axis) => placement.strides[axis]!),
        based: placement.based,
      },
    },
    workspace,
  );
}
