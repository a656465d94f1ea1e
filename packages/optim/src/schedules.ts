/**
 * Learning rates as plain functions of the step, which counts from 0. Owns the formulas; an optimizer calls the function
 * anew at each step. Formulas and defaults are those of PyTorch's `lr_scheduler`.
 */
import { checkChoices, ValueError } from '@nn/core';
import { checkSchedule, requireFinite, requireSchedules, requireSteps } from './schedule-options.ts';

/** The learning rate for a step; the first step is 0. What makes one throws ValueError for a base or options that give none. */
export type Schedule = (step: number) => number;

/**
 * Multiplies the rate by `factor` (default 0.1) every `every` steps, as PyTorch's `StepLR`.
 *
 * @example
 * import { stepDecay } from '@nn/optim';
 * const rate = stepDecay(1, { every: 10, factor: 0.5 });
 * console.log(rate(9), rate(10), rate(20)); // => 1 0.5 0.25
 */
export function stepDecay(base: number, options: { readonly every: number; readonly factor?: number }): Schedule {
  checkSchedule('stepDecay', base, options, ['every', 'factor']);
  const { every, factor = 0.1 } = options;
  requireSteps('stepDecay', 'every', every);
  return (step) => base * factor ** Math.floor(step / every);
}

/**
 * Multiplies the rate by `factor` (default 0.1) at each of the milestones, as PyTorch's `MultiStepLR`.
 *
 * @example
 * import { multiStepDecay } from '@nn/optim';
 * const rate = multiStepDecay(1, { milestones: [10, 30], factor: 0.5 });
 * console.log(rate(9), rate(10), rate(30)); // => 1 0.5 0.25
 */
export function multiStepDecay(
  base: number,
  options: { readonly milestones: readonly number[]; readonly factor?: number },
): Schedule {
  checkSchedule('multiStepDecay', base, options, ['milestones', 'factor']);
  const { milestones, factor = 0.1 } = options;
  if (!Array.isArray(milestones)) throw new ValueError('multiStepDecay', 'milestones are a list of steps: [30, 60].');
  return (step) => base * factor ** milestones.filter((milestone) => milestone <= step).length;
}

/**
 * Multiplies the rate by `factor` every `steps` (default 1), smoothly or in a `staircase`, as PyTorch's `ExponentialLR` and
 * Keras' `ExponentialDecay`.
 *
 * @example
 * import { exponentialDecay } from '@nn/optim';
 * console.log(exponentialDecay(1, { factor: 0.5 })(3)); // => 0.125
 */
export function exponentialDecay(
  base: number,
  options: { readonly factor: number; readonly steps?: number; readonly staircase?: boolean },
): Schedule {
  checkSchedule('exponentialDecay', base, options, ['factor', 'steps', 'staircase']);
  const { factor, steps = 1, staircase = false } = options;
  requireFinite('exponentialDecay', 'factor', factor);
  requireSteps('exponentialDecay', 'steps', steps);
  return (step) => base * factor ** (staircase ? Math.floor(step / steps) : step / steps);
}

/**
 * Half a cosine from `base` down to `minimum` (default 0) within `steps`, and `minimum` from then on. (Loshchilov and
 * Hutter 2016, without restarts.) `cosineAnnealing` rises again.
 *
 * @example
 * import { cosineDecay } from '@nn/optim';
 * const rate = cosineDecay(1, { steps: 100 });
 * console.log(rate(0), rate(50).toFixed(2), rate(100)); // => 1 0.50 0
 */
export function cosineDecay(base: number, options: { readonly steps: number; readonly minimum?: number }): Schedule {
  checkSchedule('cosineDecay', base, options, ['steps', 'minimum']);
  const { steps, minimum = 0 } = options;
  requireSteps('cosineDecay', 'steps', steps);
  return (step) => minimum + ((base - minimum) * (1 + Math.cos(Math.PI * Math.min(step / steps, 1)))) / 2;
}

/**
 * A cosine from `base` down to `minimum` (default 0) within `steps`, back up to `base` within as many more, and so on:
 * PyTorch's `CosineAnnealingLR`. `cosineDecay` stays at the minimum.
 *
 * @example
 * import { cosineAnnealing } from '@nn/optim';
 * const rate = cosineAnnealing(1, { steps: 100 });
 * console.log(rate(0), rate(100), rate(150).toFixed(2), rate(200)); // => 1 0 0.50 1
 */
export function cosineAnnealing(
  base: number,
  options: { readonly steps: number; readonly minimum?: number },
): Schedule {
  checkSchedule('cosineAnnealing', base, options, ['steps', 'minimum']);
  const { steps, minimum = 0 } = options;
  requireSteps('cosineAnnealing', 'steps', steps);
  return (step) => minimum + ((base - minimum) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}

/**
 * `base` times a factor that goes in a line from `from` (default 0) to `to` (default 1) within `steps`, and stays there;
 * PyTorch's `LinearLR`.
 *
 * @example
 * import { linearRamp } from '@nn/optim';
 * const rate = linearRamp(1, { steps: 4 });
 * console.log(rate(0), rate(1), rate(9)); // => 0 0.25 1
 */
export function linearRamp(
  base: number,
  options: { readonly steps: number; readonly from?: number; readonly to?: number },
): Schedule {
  checkSchedule('linearRamp', base, options, ['steps', 'from', 'to']);
  const { steps, from = 0, to = 1 } = options;
  requireSteps('linearRamp', 'steps', steps);
  return (step) => base * (from + (to - from) * Math.min(step / steps, 1));
}

/**
 * Rises in a line from `from` (a share of the first rate, default 0) to where `then` starts, within `steps`; after that
 * `then` runs from its own step 0.
 *
 * @example
 * import { cosineDecay, warmUp } from '@nn/optim';
 * const rate = warmUp(cosineDecay(1, { steps: 100 }), { steps: 10 });
 * console.log(rate(0), rate(5), rate(10), rate(110)); // => 0 0.5 1 0
 */
export function warmUp(then: Schedule | number, options: { readonly steps: number; readonly from?: number }): Schedule {
  const next = typeof then === 'function' ? then : () => then;
  checkSchedule('warmUp', next(0), options, ['steps', 'from']);
  requireSteps('warmUp', 'steps', options.steps);
  const rise = linearRamp(next(0), options);
  return sequence([rise, next], [options.steps]);
}

/**
 * Runs schedules one after the other, changing at the milestones; each counts from 0 where it starts. PyTorch's `SequentialLR`.
 *
 * @example
 * import { exponentialDecay, sequence } from '@nn/optim';
 * const rate = sequence([() => 1, exponentialDecay(1, { factor: 0.5 })], [10]);
 * console.log(rate(9), rate(10), rate(12)); // => 1 1 0.25
 */
export function sequence(schedules: readonly Schedule[], milestones: readonly number[]): Schedule {
  requireSchedules('sequence', schedules);
  if (schedules.length !== milestones.length + 1) {
    throw new ValueError(
      'sequence',
      `${schedules.length} schedules need ${schedules.length - 1} milestones between them, got ${milestones.length}.`,
      { schedules: schedules.length, milestones },
    );
  }
  if (!milestones.every((milestone, i) => milestone > (milestones[i - 1] ?? 0))) {
    throw new ValueError('sequence', `the milestones [${milestones.join(', ')}] must rise and be above 0.`, {
      milestones,
    });
  }
  return (step) => {
    const at = milestones.filter((milestone) => milestone <= step).length;
    return schedules[at]?.(step - (milestones[at - 1] ?? 0)) ?? Number.NaN;
  };
}

/**
 * The product of schedules, of which usually one is a rate and the others are factors.
 *
 * @example
 * import { linearRamp, product, stepDecay } from '@nn/optim';
 * const rate = product(stepDecay(2, { every: 10, factor: 0.5 }), linearRamp(1, { steps: 4 }));
 * console.log(rate(0), rate(2), rate(10)); // => 0 1 1
 */
export function product(...schedules: readonly Schedule[]): Schedule {
  requireSchedules('product', schedules);
  return (step) => schedules.reduce((rate, schedule) => rate * schedule(step), 1);
}

export interface OneCycleOptions {
  /** All steps of the training. */
  readonly steps: number;
  /** Share of the steps that rise. Default 0.3. */
  readonly rise?: number;
  /** The first rate is maximum / divideStart. Default 25. */
  readonly divideStart?: number;
  /** The last rate is the first / divideEnd. Default 10,000. */
  readonly divideEnd?: number;
  /** Form of rise and fall. Default 'cosine'. */
  readonly anneal?: 'cosine' | 'linear';
  /** Whether to fall back to the first rate as fast as it rose, and from there to the last. Default false. */
  readonly threePhase?: boolean;
}

/**
 * Up to `maximum` and down far below the start, once. (Smith and Topin 2017; PyTorch's `OneCycleLR`.)
 *
 * @example
 * import { oneCycle } from '@nn/optim';
 * const rate = oneCycle(1, { steps: 101 });
 * console.log(rate(0), rate(29).toFixed(3), rate(100).toFixed(6)); // => 0.04 1.000 0.000004
 */
export function oneCycle(maximum: number, options: OneCycleOptions): Schedule {
  const names = ['steps', 'rise', 'divideStart', 'divideEnd', 'anneal', 'threePhase'];
  checkSchedule('oneCycle', maximum, options, names);
  checkChoices('oneCycle', options, { anneal: ['cosine', 'linear'] });
  const { steps, rise = 0.3, divideStart = 25, divideEnd = 1e4, anneal = 'cosine', threePhase = false } = options;
  requireSteps('oneCycle', 'steps', steps);
  const first = maximum / divideStart;
  const last = first / divideEnd;
  const peak = rise * steps - 1;
  const end = steps - 1;
  // [step, rate] at the ends of the phases
  const marks: readonly (readonly [number, number])[] = threePhase
    ? [
        [0, first],
        [peak, maximum],
        [2 * rise * steps - 2, first],
        [end, last],
      ]
    : [
        [0, first],
        [peak, maximum],
        [end, last],
      ];
  return (step) => {
    let [from, rate] = marks[0] ?? [0, first];
    for (const [to, target] of marks.slice(1)) {
      if (step <= to) {
        const share = to === from ? 1 : (step - from) / (to - from);
        if (anneal === 'linear') return rate + (target - rate) * share;
        return target + ((rate - target) / 2) * (1 + Math.cos(Math.PI * share));
      }
      from = to;
      rate = target;
    }
    return last;
  };
}
