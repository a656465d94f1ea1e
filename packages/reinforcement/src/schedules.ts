/** Numbers that change with the steps: exploration, weights of a loss. */
import { ValueError } from '@nn/core';

/**
 * From one number to another in so many steps, and there from then on.
 *
 * @example
 * import { linearSchedule } from '@nn/reinforcement';
 * const epsilon = linearSchedule(1, 0.1, 100);
 * console.log(epsilon(0), epsilon(50), epsilon(1000)); // => 1 0.55 0.1
 */
export function linearSchedule(from: number, to: number, steps: number): (step: number) => number {
  if (!(steps > 0)) throw new ValueError('linearSchedule', `steps ${steps} is not above 0.`, { steps });
  return (step) => from + (to - from) * Math.min(1, Math.max(0, step / steps));
}

/**
 * Falls by half in every `halfLife` steps, but not below `least`.
 *
 * @example
 * import { exponentialSchedule } from '@nn/reinforcement';
 * const epsilon = exponentialSchedule(1, { halfLife: 10, least: 0.05 });
 * console.log(epsilon(20), epsilon(1000)); // => 0.25 0.05
 */
export function exponentialSchedule(
  from: number,
  { halfLife, least = 0 }: { readonly halfLife: number; readonly least?: number },
): (step: number) => number {
  if (!(halfLife > 0))
    throw new ValueError('exponentialSchedule', `halfLife ${halfLife} is not above 0.`, { halfLife });
  return (step) => Math.max(least, from * 2 ** (-step / halfLife));
}
