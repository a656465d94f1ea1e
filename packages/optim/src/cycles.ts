/** Learning rates that rise again and again: cosines with warm restarts, and triangles. Owns the formulas. */
import { checkChoices, ValueError } from '@nn/core';
import { checkSchedule, requireFinite, requireSteps } from './schedule-options.ts';
import type { Schedule } from './schedules.ts';

/**
 * Half a cosine from `base` to `minimum` (default 0) within `steps`, then anew from the top, each time `multiply` (default
 * 1) times as long and `shrink` (default 1) times as high. (Loshchilov and Hutter 2016; PyTorch's
 * `CosineAnnealingWarmRestarts`, Keras' `CosineDecayRestarts`, whose cycles are twice as long each time.)
 *
 * @example
 * import { cosineWarmRestarts } from '@nn/optim';
 * const rate = cosineWarmRestarts(1, { steps: 10, multiply: 2 });
 * console.log(rate(0), rate(5).toFixed(2), rate(10), rate(20).toFixed(2), rate(30)); // => 1 0.50 1 0.50 1
 */
export function cosineWarmRestarts(
  base: number,
  options: { readonly steps: number; readonly multiply?: number; readonly minimum?: number; readonly shrink?: number },
): Schedule {
  checkSchedule('cosineWarmRestarts', base, options, ['steps', 'multiply', 'minimum', 'shrink']);
  const { steps, multiply = 1, minimum = 0, shrink = 1 } = options;
  requireSteps('cosineWarmRestarts', 'steps', steps);
  if (!(multiply >= 1)) {
    throw new ValueError('cosineWarmRestarts', `multiply is ${multiply}: it must be at least 1.`, { multiply });
  }
  return (step) => {
    // cycles before this one: floor of the n with steps (1 + multiply + ... + multiply^(n - 1)) = step
    let [cycle, length, at] = [0, steps, step];
    if (multiply === 1) {
      cycle = Math.floor(step / steps);
      at = step - cycle * steps;
    }
    while (at >= length) {
      at -= length;
      length *= multiply;
      cycle++;
    }
    return minimum + ((base * shrink ** cycle - minimum) * (1 + Math.cos((Math.PI * at) / length))) / 2;
  };
}

/** What `cyclic` takes. */
export interface CyclicOptions {
  /** The highest rate. */
  readonly maximum: number;
  /** Steps from the lowest rate to the highest. Default 2000. */
  readonly up?: number;
  /** Steps back. Default as many. */
  readonly down?: number;
  /** Whether the height stays, halves with each cycle, or is multiplied by `factor` each step. Default 'triangular'. */
  readonly mode?: 'triangular' | 'triangular2' | 'exponential';
  /** For 'exponential'. Default 1. */
  readonly factor?: number;
}

/**
 * Up in a line from `base` to `maximum` and back, again and again. (Smith 2015; PyTorch's `CyclicLR`, which changes
 * momentum too.)
 *
 * @example
 * import { cyclic } from '@nn/optim';
 * const rate = cyclic(0, { maximum: 1, up: 2, mode: 'triangular2' });
 * console.log(rate(0), rate(2), rate(4), rate(6)); // => 0 1 0 0.5
 */
export function cyclic(base: number, options: CyclicOptions): Schedule {
  checkSchedule('cyclic', base, options, ['maximum', 'up', 'down', 'mode', 'factor']);
  checkChoices('cyclic', options, { mode: ['triangular', 'triangular2', 'exponential'] });
  const { maximum, up = 2000, down = up, mode = 'triangular', factor = 1 } = options;
  requireFinite('cyclic', 'maximum', maximum);
  requireSteps('cyclic', 'up', up);
  requireSteps('cyclic', 'down', down);
  return (step) => {
    const cycle = Math.floor(step / (up + down));
    const at = step - cycle * (up + down);
    const share = at <= up ? at / up : (up + down - at) / down;
    const height = mode === 'triangular' ? 1 : mode === 'triangular2' ? 2 ** -cycle : factor ** step;
    return base + (maximum - base) * share * height;
  };
}
