/**
 * Kernels by the fixed algorithm that their hint names. A nest is right without any, so an engine that is to be small
 * carries none of this and runs plain loops.
 */
import type { KernelFunction } from '../host/call.ts';
import type { Hinted, MadeKernel } from '../host/making.ts';
import { contraction } from './contraction.ts';
import { conv } from './conv.ts';
import { rank } from './rank.ts';
import { scan } from './scan.ts';
import { scatterAdd } from './scatter-add.ts';

/** The kernel, or null where there is no hint, or none that is better than the loops. */
export const hinted: Hinted = (kernel, making) => {
  const { hint } = kernel;
  switch (hint?.kind) {
    case 'contraction':
      return named('packed product', contraction(kernel, hint, making));
    case 'conv':
      return named('packed convolution', conv(kernel, hint, making));
    case 'scatter':
      return named('scatter', scatterAdd(kernel, hint, making));
    case 'scan':
      return named('running sum', scan(kernel, hint, making));
    case 'rank':
      return named('merge sort', rank(kernel, hint, making));
    default:
      return null;
  }
};

function named(path: string, run: KernelFunction | null): MadeKernel | null {
  return run && { run, path };
}
