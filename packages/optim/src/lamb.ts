/** LAMB: Adam with each parameter's step scaled to the norm of the parameter, for very large batches. */
import { where } from '@nn/core';
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface LAMBOptions extends OptimizerOptions {
  /** Shares of the old first and second moment that stay. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator. Default 1e-6. */
  readonly epsilon?: number;
}

interface LAMBRule {
  readonly options: Complete<LAMBOptions>;
  readonly numbers: 'rate' | 'unbiased' | 'correction';
  readonly state: 'firstMoment' | 'secondMoment';
  readonly optionalState: never;
}

const defaults: Defaults<LAMBOptions> = {
  learningRate: 0.001,
  weightDecay: 0,
  maximize: false,
  betas: [0.9, 0.999],
  epsilon: 1e-6,
};

/**
 * LAMB: with moments m' and v' as in Adam, u = m' / (sqrt(v') + epsilon) + decay p; p -= rate |p| / |u| u, where norms are
 * of the whole parameter and a norm of 0 makes the ratio 1. (You et al. 2019; Keras' `Lamb`.)
 *
 * The learning rate is 0.001 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { LAMB } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new LAMB([x], { learningRate: 0.5 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [1.5]
 */
export class LAMB extends Optimizer<LAMBRule> {
  static override readonly name: string = 'LAMB';

  constructor(source: ParameterSource<LAMBOptions>, options: LAMBOptions = {}) {
    super(source, complete('LAMB', defaults, options));
  }

  protected override keeps(): { readonly firstMoment: true; readonly secondMoment: true } {
    return { firstMoment: true, secondMoment: true };
  }

  protected override numbers(
    { betas }: Complete<LAMBOptions>,
    learningRate: number,
    steps: number,
  ): Record<LAMBRule['numbers'], number> {
    return {
      rate: learningRate,
      unbiased: 1 / (1 - betas[0] ** steps),
      correction: 1 / Math.sqrt(1 - betas[1] ** steps),
    };
  }

  /** Weight decay is part of the direction, below. */
  protected override decay(context: UpdateContext<LAMBRule>): UpdateContext<LAMBRule> {
    return context;
  }

  protected override update(context: UpdateContext<LAMBRule>): Update<LAMBRule> {
    const { parameter, gradient, numbers, state } = context;
    const { betas, epsilon, weightDecay } = context.options;
    const firstMoment = state.firstMoment.mul(betas[0]).add(gradient.mul(1 - betas[0]));
    const secondMoment = state.secondMoment.mul(betas[1]).add(gradient.square().mul(1 - betas[1]));
    const adam = firstMoment.mul(numbers.unbiased).div(secondMoment.sqrt().mul(numbers.correction).add(epsilon));
    const direction = weightDecay === 0 ? adam : adam.add(parameter.mul(weightDecay));
    const [weight, length] = [parameter.norm(), direction.norm()];
    const trust = where(weight.mul(length).greater(0), weight.div(length), 1);
    return {
      parameter: parameter.sub(direction.mul(trust.mul(numbers.rate))),
      state: { firstMoment, secondMoment },
    };
  }
}
