/**
 * Owns: which shaders a step of a program becomes: its hint where that is faster, else its loop nest.
 * Does not own: the fast forms themselves (`contraction.ts`, `convolution.ts`, `reduction.ts`, `scatter.ts`).
 */
import { BackendError, type Program, type Step } from '@nn/core';
import { widenHalves } from '../nest/halves.ts';
import type { Lowering } from '../program/lowering.ts';
import { contract } from './contraction.ts';
import { convolve } from './convolution.ts';
import { reduceInTwo } from './reduction.ts';
import { scan } from './scan.ts';
import { scatterAdd } from './scatter.ts';

export function lowerProgram(program: Program, lowering: Lowering): void {
  for (const [index, step] of program.steps.entries()) {
    lowering.step = index;
    lowerStep({ ...step, kernel: widenHalves(step.kernel) }, lowering);
  }
}

function lowerStep(step: Step, lowering: Lowering): void {
  if (step.into !== undefined) {
    throw new BackendError(
      'gpu',
      'a step writes into a part of a buffer, which this device does not do (limits.inPlace is false).',
    );
  }
  const { hint } = step.kernel;
  const { language, maxWrites } = lowering.target;
  // Tiles are several outputs of a shader, or stores; with neither the loop nest is the best product.
  const hasTiles = language.name === 'wgsl' || maxWrites >= 4;
  if (hasTiles && hint?.kind === 'contraction' && contract(step, step.kernel, hint, lowering)) return;
  if (hasTiles && hint?.kind === 'conv' && convolve(step, hint, lowering)) return;
  if (hint?.kind === 'scatter' && scatterAdd(step, hint, lowering)) return;
  if (hint?.kind === 'scan' && scan(step, hint, lowering)) return;
  if (reduceInTwo(step, lowering)) return;
  lowering.nest(step.kernel, step.reads, step.scalars, step.write);
}
