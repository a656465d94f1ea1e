/** How reductions begin and go on, as text. */
import type { DType, Kernel } from '@nn/core';
import { kindOf } from '../storage.ts';
import { literal } from './expression.ts';

type Reduction = NonNullable<Kernel['reduce']>['op'];

/** The neutral element. */
export function initial(op: Reduction, dtype: DType): string {
  if (op === 'sum' || op === 'product') return literal(op === 'sum' ? 0 : 1, dtype);
  switch (kindOf(dtype)) {
    case 'boolean':
      return op === 'max' ? 'false' : 'true';
    case 'integer':
      return op === 'max' ? '-2147483648' : '2147483647';
    default:
      return op === 'max' ? '-Infinity' : 'Infinity';
  }
}

/** `sum` with one more value. `Math.max` and `Math.min` keep NaN. */
export function accumulate(op: Reduction, dtype: DType, sum: string, value: string): string {
  switch (kindOf(dtype)) {
    case 'boolean':
      return op === 'sum' || op === 'max' ? `${sum} || ${value}` : `${sum} && ${value}`;
    case 'integer':
      if (op === 'sum') return `${sum} + ${value} | 0`;
      return op === 'product' ? `Math.imul(${sum}, ${value})` : `Math.${op}(${sum}, ${value})`;
    default:
      if (op === 'sum') return `${sum} + ${value}`;
      return op === 'product' ? `${sum} * ${value}` : `Math.${op}(${sum}, ${value})`;
  }
}
