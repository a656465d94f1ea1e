/**
 * Additions, or maxima, at computed places: neutral elements first, then one pass over the updates. Where many terms meet at a place they are added
 * up in double precision, in a temporary, and rounded once.
 */
import type { Hint, Kernel } from '@nn/core';
import { Call, type KernelFunction } from '../host/call.ts';
import type { Making } from '../host/making.ts';
import { extractAll } from '../nest/body.ts';
import type { Nest } from '../nest/nest.ts';
import { sizeOf } from '../shape.ts';
import { renumber } from './operand.ts';
import { floatSums, integerSums } from './sums.ts';

/**
 * With more terms than this for each place, on average, sums are kept in doubles: bins of a histogram, not the rows of a
 * vocabulary, where the memory for them would cost more than the digits are worth.
 */
const crowd = 8;

type ScatterAdd = Extract<Hint, { kind: 'scatter' }>;

export function scatterAdd(kernel: Kernel, hint: ScatterAdd, making: Making): KernelFunction | null {
  const { domain, reduce } = kernel;
  if (reduce === undefined) return null;
  const { op, dtype } = reduce;
  if ((op !== 'sum' && op !== 'max') || (dtype !== 'float32' && dtype !== 'int32')) return null;
  const neutral = op === 'sum' ? 0 : dtype === 'float32' ? Number.NEGATIVE_INFINITY : -(2 ** 31);
  const { dialect, workspace, placement } = making;
  const isWide = op === 'sum' && dtype === 'float32' && sizeOf(reduce.extents) > crowd * domain[hint.axis]!;
  const sums = dtype === 'float32' ? floatSums(kernel, making, isWide) : integerSums(kernel, making);
  // The updates run along the reduced axes, and inside along the domain without the scattered axis.
  const others = domain.map((_, axis) => axis).filter((axis) => axis !== hint.axis);
  const order = [...reduce.extents.map((_, axis) => domain.length + axis), ...others];
  const { body, results } = extractAll(kernel.value, [hint.update, hint.index], renumber(order));
  const [update, index] = results as [number, number];
  const common = { reads: kernel.reads, scalars: kernel.scalars, offsets: placement.offsets, extents: [] };
  const add: Nest = {
    ...common,
    key: kernel.key,
    domain: [...reduce.extents, ...others.map((axis) => domain[axis]!)],
    // The value stands last; a cast to its own dtype changes nothing.
    value: [...body, { op: 'cast', dtype, args: [update] }],
    scatter: { op, index, extent: domain[hint.axis]!, stride: sums.strides[hint.axis]!, isWide },
    store: {
      dtype,
      strides: order.map((axis) => (axis < domain.length ? sums.strides[axis]! : 0)),
      based: sums.based,
    },
  };
  const start: Nest = {
    ...common,
    key: `${kernel.key} start`,
    domain,
    value: [{ op: 'const', dtype, value: neutral }],
    store: { dtype, strides: sums.strides, based: true },
  };
  const run = dialect.nest(add, workspace);
  const clear = sums.based ? dialect.nest(start, workspace) : null;
  const size = sizeOf(domain);
  const wide = isWide ? workspace.float64(size) : null;
  const call = new Call(0, [], new Float64Array(0), []);
  return (whole) => {
    call.adopt(whole);
    call.out = sums.array(whole);
    call.base = sums.base(whole);
    if (wide) {
      call.wide = wide.get().fill(0);
      run(call);
      call.out.set(call.wide); // rounds
    } else {
      if (clear) clear(call);
      else call.out.fill(neutral, 0, size);
      run(call);
    }
    sums.finish(whole);
  };
}
