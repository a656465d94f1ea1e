/** Every operation of the tables, alone and between others, with its values and gradients. */
import type { ConformanceCase } from '../case.ts';
import { fusionCase, gradientCase, type Operation, valueCase } from '../operation.ts';
import { functionOperations } from './functions.ts';
import { hostOperations } from './host.ts';
import { indexingOperations } from './indexing.ts';
import { outsideOperations } from './outsiders.ts';
import { productOperations } from './products.ts';
import { reductionOperations } from './reductions.ts';
import { sourceOperations } from './sources.ts';
import { viewOperations } from './views.ts';

export function operations(): Operation[] {
  return [
    ...functionOperations(),
    ...reductionOperations(),
    ...viewOperations(),
    ...indexingOperations(),
    ...productOperations(),
    ...sourceOperations(),
    ...hostOperations(),
    ...outsideOperations(),
  ];
}

export function primitiveCases(): ConformanceCase[] {
  const all = operations();
  return [valueCase, gradientCase, fusionCase].flatMap((make) => all.flatMap((op) => make(op) ?? []));
}
