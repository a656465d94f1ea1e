/** Tables of byte offsets, as functions that fill them, and the bodies of nests that walk an array by strides. */
import type { Op, Shape } from '@nn/core';
import { stridesOf } from '../../../shape.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import { emitNest } from '../../loops/emit.ts';
import type { Phase } from '../../loops/nest.ts';
import { BodyWriter } from '../body-writer.ts';

/** A body that is `constant + sum of coefficient * axis`, or a load at that index. */
export function affineBody(coefficients: readonly number[], constant: number, read: number | null): Op[] {
  const body = new BodyWriter();
  let sum = body.integer(constant);
  coefficients.forEach((coefficient, axis) => {
    if (coefficient !== 0) sum = body.add(sum, body.times(body.axis(axis), coefficient));
  });
  if (read !== null) body.load(read, sum);
  else if (sum === 0) body.add(0, 0);
  return body.ops;
}

/** A copy of an array of `domain`, from `from` to `to` elements apart: (target, source, scratch, own, begin, end). */
export function copyNest(
  context: ModuleContext,
  domain: Shape,
  from: readonly number[],
  offset: number,
  to: readonly number[],
): Phase {
  const value = affineBody(from, offset, 0);
  return emitNest(context, {
    kernel: { domain, dtype: 'float32', reads: ['float32'], scalars: [], value },
    outStrides: to,
    outerAxes: null,
  });
}

/** A table of byte offsets, as a function that fills it: (target, scratch, own, begin, end). */
export function offsetTable(
  context: ModuleContext,
  domain: Shape,
  coefficients: readonly number[],
  constant = 0,
): Phase {
  const value = affineBody(
    coefficients.map((coefficient) => 4 * coefficient),
    4 * constant,
    null,
  );
  return emitNest(context, {
    kernel: { domain, dtype: 'int32', reads: [], scalars: [], value },
    outStrides: stridesOf(domain),
    outerAxes: null,
  });
}
