/**
 * Owns: kernels on half floats as kernels on float32. In memory of the device a half float is a float32 that was rounded to it, so
 * reading one is reading a float32, and only a cast to half floats rounds. After this such casts are all that is left of them.
 * Does not own: the rounding (`numbers.ts`), nor the bits that the host exchanges (`program/half-bits.ts`).
 */
import type { Body, DType, Kernel, Op } from '@nn/core';

export type HalfDType = 'float16' | 'bfloat16';

export const isHalf = (dtype: DType): dtype is HalfDType => dtype === 'float16' || dtype === 'bfloat16';
const wide = (dtype: DType): DType => (isHalf(dtype) ? 'float32' : dtype);

/** The kernel with float32 in place of half floats. */
export function widenHalves(kernel: Kernel): Kernel {
  const { dtype, reads, scalars, reduce, value, epilogue } = kernel;
  const bodies = epilogue ? [...value, ...epilogue] : value;
  if (![dtype, ...reads, ...bodies.map((op) => op.dtype)].some(isHalf)) return kernel;
  const stored = epilogue ?? (reduce ? [{ op: 'accumulator', dtype: reduce.dtype } as const] : value);
  const last = rounded(stored, dtype);
  return {
    ...kernel,
    dtype: wide(dtype),
    reads: reads.map(wide),
    scalars: scalars.map(wide),
    ...(reduce
      ? { reduce: { ...reduce, dtype: wide(reduce.dtype) }, value: widened(value), epilogue: widened(last) }
      : {}),
    ...(reduce ? {} : { value: widened(last) }),
  };
}

/** What is stored as half floats is rounded to them, also where no cast says so. */
function rounded(body: Body, dtype: DType): Body {
  const { length } = body;
  return isHalf(dtype) && body[length - 1]?.dtype !== dtype
    ? [...body, { op: 'cast', dtype, args: [length - 1] }]
    : body;
}

function widened(body: Body): Body {
  return body.map((op): Op => {
    if (op.op === 'cast' && isHalf(op.dtype)) return op;
    const source = op.op === 'cast' && op.dtype === 'float32' ? body[op.args[0]!]! : op;
    // a load that is only widened is that load
    if (source.op === 'load' && (source === op || isHalf(source.dtype)))
      return { ...source, dtype: wide(source.dtype) };
    return { ...op, dtype: wide(op.dtype) };
  });
}
