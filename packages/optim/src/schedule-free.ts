/** Schedule-free AdamW: an average of weights takes the place of a falling learning rate. */
import { type Parameter, type Tensor, ValueError } from '@nn/core';
import { AveragingOptimizer } from './averaging.ts';
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import type { Kept, Update, UpdateContext } from './optimizer.ts';

export interface ScheduleFreeAdamWOptions extends OptimizerOptions {
  /** Where gradients are taken, between the fast weights (0) and their average (1), and the share of the old second moment that stays. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  readonly epsilon?: number;
  /** Steps within which the learning rate rises in a line. Default 0. */
  readonly warmUpSteps?: number;
  /** Steps count in the average as their number to this power. Default 0. */
  readonly averagePower?: number;
  /** Steps count in the average as the largest learning rate so far to this power. Default 2. */
  readonly ratePower?: number;
}

interface ScheduleFreeRule {
  readonly options: Complete<ScheduleFreeAdamWOptions>;
  readonly numbers: 'rate' | 'correction' | 'first' | 'stepWeight';
  readonly state: 'fast' | 'secondMoment' | 'largestRate' | 'weightSum';
  readonly optionalState: never;
}

const defaults: Defaults<ScheduleFreeAdamWOptions> = {
  learningRate: 0.0025,
  weightDecay: 0,
  maximize: false,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  warmUpSteps: 0,
  averagePower: 0,
  ratePower: 2,
};

/**
 * Schedule-free AdamW: the model holds y = (1 - b1) z + b1 x, where gradients are taken; z are fast weights, x their
 * average, which is what to use: evaluate and save between `swapIn` and `swapOut`, or in `during`. With v' as in Adam,
 * u = g / (sqrt(v') + epsilon) + decay y; z -= rate u; x += c (z - x), c = w_t / (w_1 + ... + w_t),
 * w_t = t^averagePower (largest rate so far)^ratePower. (Defazio et al. 2024; Keras' `ScheduleFreeAdamW`.)
 *
 * The learning rate is 0.0025 by default; leave it a constant. Throws ValueError for betas[0] of 0, and in steps between
 * `swapIn` and `swapOut`.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { ScheduleFreeAdamW } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new ScheduleFreeAdamW([x], { learningRate: 0.05 });
 * for (let step = 0; step < 200; step++) await optimizer.step(x.square().sum());
 * console.log((await optimizer.during(() => x.square().sum().item())) < 0.02); // => true
 */
export class ScheduleFreeAdamW extends AveragingOptimizer<ScheduleFreeRule> {
  static override readonly name: string = 'ScheduleFreeAdamW';

  constructor(source: ParameterSource<ScheduleFreeAdamWOptions>, options: ScheduleFreeAdamWOptions = {}) {
    const all = complete('ScheduleFreeAdamW', defaults, options);
    if (all.betas[0] === 0) {
      throw new ValueError('ScheduleFreeAdamW', 'betas[0] is 0, so the average never shows: it must be above 0.');
    }
    super(source, all);
  }

  protected override keeps(): ReturnType<AveragingOptimizer<ScheduleFreeRule>['keeps']> {
    return { fast: true, secondMoment: true, largestRate: [], weightSum: [] };
  }

  protected override numbers(
    { betas, warmUpSteps, averagePower }: Complete<ScheduleFreeAdamWOptions>,
    learningRate: number,
    steps: number,
  ): Record<ScheduleFreeRule['numbers'], number> {
    return {
      rate: learningRate * Math.min(1, steps / Math.max(1, warmUpSteps)),
      correction: 1 / Math.sqrt(1 - betas[1] ** steps),
      first: steps === 1 ? 1 : 0,
      stepWeight: steps ** averagePower,
    };
  }

  /** Weight decay is part of the direction, below. */
  protected override decay(context: UpdateContext<ScheduleFreeRule>): UpdateContext<ScheduleFreeRule> {
    return context;
  }

  protected override update(context: UpdateContext<ScheduleFreeRule>): Update<ScheduleFreeRule> {
    const { parameter, gradient, numbers, state } = context;
    const { betas, epsilon, weightDecay, ratePower } = context.options;
    const secondMoment = state.secondMoment.mul(betas[1]).add(gradient.square().mul(1 - betas[1]));
    const adam = gradient.div(secondMoment.sqrt().mul(numbers.correction).add(epsilon));
    const direction = weightDecay === 0 ? adam : adam.add(parameter.mul(weightDecay));
    const largestRate = state.largestRate.maximum(numbers.rate);
    const weight = largestRate.pow(ratePower).mul(numbers.stepWeight);
    const weightSum = state.weightSum.add(weight);
    const share = weight.div(weightSum.maximum(1e-37)); // a rate of 0 counts nothing
    // z starts where the parameter is; y' = (1 - b1) z' + b1 x' with x taken out of it:
    const fast = state.fast.add(parameter.mul(numbers.first));
    const moved = parameter.add(fast.sub(parameter).mul(share));
    const along = share
      .mul(-betas[0])
      .add(betas[0] - 1)
      .mul(numbers.rate);
    return {
      parameter: moved.add(direction.mul(along)),
      state: { fast: fast.sub(direction.mul(numbers.rate)), secondMoment, largestRate, weightSum },
    };
  }

  protected override exchange(
    { parameter, state, options }: Kept<ScheduleFreeRule>,
    isIn: boolean,
  ): [Parameter, Tensor][] {
    const beta = options.betas[0];
    // x = y + (1 - 1 / b1) (z - y), and back y = x + (1 - b1) (z - x)
    const share = isIn ? 1 - 1 / beta : 1 - beta;
    return [[parameter, parameter.add(state.fast.sub(parameter).mul(share))]];
  }
}
