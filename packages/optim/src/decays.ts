/**
 * Learning rates that fall by a formula: powers, inverse time, pieces, products. Owns the formulas; they compose as those of
 * schedules.ts do.
 */
import { ValueError } from '@nn/core';
import { checkSchedule, requireFinite, requireSteps } from './schedule-options.ts';
import type { Schedule } from './schedules.ts';

/**
 * From `base` down to `minimum` (default 0) within `steps` as (1 - step / steps)^power (default 1), and `minimum` from then
 * on; with `cycle` it starts anew from where twice, three times, ... as many steps would be. PyTorch's `PolynomialLR`,
 * Keras' `PolynomialDecay`.
 *
 * @example
 * import { polynomialDecay } from '@nn/optim';
 * const rate = polynomialDecay(1, { steps: 4, power: 2 });
 * console.log(rate(0), rate(2), rate(4), rate(9)); // => 1 0.25 0 0
 */
export function polynomialDecay(
  base: number,
  options: { readonly steps: number; readonly power?: number; readonly minimum?: number; readonly cycle?: boolean },
): Schedule {
  checkSchedule('polynomialDecay', base, options, ['steps', 'power', 'minimum', 'cycle']);
  const { steps, power = 1, minimum = 0, cycle = false } = options;
  requireSteps('polynomialDecay', 'steps', steps);
  return (step) => {
    const all = cycle ? steps * Math.max(1, Math.ceil(step / steps)) : steps;
    return minimum + (base - minimum) * (1 - Math.min(step / all, 1)) ** power;
  };
}

/**
 * base / (1 + factor step / steps), smoothly or in a `staircase`. Keras' `InverseTimeDecay`.
 *
 * @example
 * import { inverseTimeDecay } from '@nn/optim';
 * const rate = inverseTimeDecay(1, { steps: 10, factor: 1 });
 * console.log(rate(0), rate(10), rate(30)); // => 1 0.5 0.25
 */
export function inverseTimeDecay(
  base: number,
  options: { readonly steps: number; readonly factor: number; readonly staircase?: boolean },
): Schedule {
  checkSchedule('inverseTimeDecay', base, options, ['steps', 'factor', 'staircase']);
  const { steps, factor, staircase = false } = options;
  requireFinite('inverseTimeDecay', 'factor', factor);
  requireSteps('inverseTimeDecay', 'steps', steps);
  return (step) => base / (1 + factor * (staircase ? Math.floor(step / steps) : step / steps));
}

/**
 * One value up to and with each boundary, and one after the last. Keras' `PiecewiseConstantDecay`. Throws ValueError unless
 * there is one more value than boundaries, and boundaries rise.
 *
 * @example
 * import { piecewiseConstant } from '@nn/optim';
 * const rate = piecewiseConstant([10, 20], [1, 0.5, 0.1]);
 * console.log(rate(10), rate(11), rate(21)); // => 1 0.5 0.1
 */
export function piecewiseConstant(boundaries: readonly number[], values: readonly number[]): Schedule {
  const rises = boundaries.every((boundary, i) => i === 0 || boundary > Number(boundaries[i - 1]));
  if (values.length !== boundaries.length + 1 || !rises) {
    throw new ValueError(
      'piecewiseConstant',
      `${boundaries.length} boundaries, which must rise, need ${boundaries.length + 1} values, got [${boundaries.join(', ')}] and ${values.length}.`,
      { boundaries, values },
    );
  }
  return (step) => Number(values[boundaries.filter((boundary) => boundary < step).length]);
}

/**
 * `base` times `factor` (default 1 / 3) for the first `steps` (default 5), then `base`. PyTorch's `ConstantLR`.
 *
 * @example
 * import { constantFactor } from '@nn/optim';
 * const rate = constantFactor(1, { factor: 0.5, steps: 2 });
 * console.log(rate(1), rate(2)); // => 0.5 1
 */
export function constantFactor(
  base: number,
  options: { readonly factor?: number; readonly steps?: number } = {},
): Schedule {
  checkSchedule('constantFactor', base, options, ['factor', 'steps']);
  const { factor = 1 / 3, steps = 5 } = options;
  return (step) => (step < steps ? base * factor : base);
}

/**
 * Each rate is the one before times `factor(step)`. PyTorch's `MultiplicativeLR`.
 *
 * @example
 * import { multiplicativeDecay } from '@nn/optim';
 * const rate = multiplicativeDecay(1, (step) => (step % 2 === 0 ? 0.5 : 1));
 * console.log(rate(0), rate(2), rate(4)); // => 1 0.5 0.25
 */
export function multiplicativeDecay(base: number, factor: (step: number) => number): Schedule {
  requireFinite('multiplicativeDecay', 'base', base);
  let known = { step: 0, rate: base };
  return (step) => {
    if (step < known.step) known = { step: 0, rate: base };
    while (known.step < step) known = { step: known.step + 1, rate: known.rate * factor(known.step + 1) };
    return known.rate;
  };
}

/**
 * base size^-0.5 min(t^-0.5, t warmUpSteps^-1.5) for step t = step + 1: rises in a line, then falls as the root. `size` is
 * the width of the model. (Vaswani et al. 2017, section 5.3, "Noam".)
 *
 * @example
 * import { noam } from '@nn/optim';
 * const rate = noam(1, { size: 4, warmUpSteps: 4 });
 * console.log(rate(0), rate(3), rate(15)); // => 0.0625 0.25 0.125
 */
export function noam(base: number, options: { readonly size: number; readonly warmUpSteps: number }): Schedule {
  checkSchedule('noam', base, options, ['size', 'warmUpSteps']);
  const { size, warmUpSteps } = options;
  requireSteps('noam', 'size', size);
  requireSteps('noam', 'warmUpSteps', warmUpSteps);
  return (step) => (base / Math.sqrt(size)) * Math.min((step + 1) ** -0.5, (step + 1) * warmUpSteps ** -1.5);
}
