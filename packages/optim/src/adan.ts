/** Adan: Adam with a third moment, of the change of the gradient, which looks ahead as Nesterov's momentum. */
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface AdanOptions extends OptimizerOptions {
  /** Shares of the old moments of gradient, of its change, and of their square that stay. Default [0.98, 0.92, 0.99]. */
  readonly betas?: readonly [number, number, number];
  /** Added to the denominator. Default 1e-8. */
  readonly epsilon?: number;
}

interface AdanRule {
  readonly options: Complete<AdanOptions>;
  readonly numbers: 'first' | 'gradientSize' | 'changeSize' | 'correction' | 'shrink';
  readonly state: 'gradientMoment' | 'changeMoment' | 'secondMoment' | 'previousGradient';
  readonly optionalState: never;
}

const defaults: Defaults<AdanOptions> = {
  learningRate: 0.001,
  weightDecay: 0,
  maximize: false,
  betas: [0.98, 0.92, 0.99],
  epsilon: 1e-8,
};

/**
 * Adan: with c = g - g_before, m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) c; n = b3 n + (1 - b3) (g + b2 c)^2;
 * p = (p - rate (m' + b2 v') / (sqrt(n') + epsilon)) / (1 + rate decay), where m', v', n' are corrected for their start at
 * 0. (Xie et al. 2022; the betas here are shares that stay, as in the authors' code.)
 *
 * The learning rate is 0.001 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { Adan } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new Adan([x], { learningRate: 0.5 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [2.5]
 */
export class Adan extends Optimizer<AdanRule> {
  static override readonly name: string = 'Adan';

  constructor(source: ParameterSource<AdanOptions>, options: AdanOptions = {}) {
    super(source, complete('Adan', defaults, options));
  }

  protected override keeps(): ReturnType<Optimizer<AdanRule>['keeps']> {
    return { gradientMoment: true, changeMoment: true, secondMoment: true, previousGradient: true };
  }

  protected override numbers(
    { betas, weightDecay }: Complete<AdanOptions>,
    learningRate: number,
    steps: number,
  ): Record<AdanRule['numbers'], number> {
    return {
      first: steps === 1 ? 1 : 0,
      gradientSize: learningRate / (1 - betas[0] ** steps),
      changeSize: (learningRate * betas[1]) / (1 - betas[1] ** steps),
      correction: 1 / Math.sqrt(1 - betas[2] ** steps),
      shrink: 1 / (1 + learningRate * weightDecay),
    };
  }

  /** Weight decay is part of the update, below. */
  protected override decay(context: UpdateContext<AdanRule>): UpdateContext<AdanRule> {
    return context;
  }

  protected override update(context: UpdateContext<AdanRule>): Update<AdanRule> {
    const { parameter, gradient, numbers, state } = context;
    const { betas, epsilon } = context.options;
    // no change in the first step
    const change = gradient.sub(state.previousGradient.add(gradient.mul(numbers.first)));
    const gradientMoment = state.gradientMoment.mul(betas[0]).add(gradient.mul(1 - betas[0]));
    const changeMoment = state.changeMoment.mul(betas[1]).add(change.mul(1 - betas[1]));
    const ahead = gradient.add(change.mul(betas[1]));
    const secondMoment = state.secondMoment.mul(betas[2]).add(ahead.square().mul(1 - betas[2]));
    const way = gradientMoment.mul(numbers.gradientSize).add(changeMoment.mul(numbers.changeSize));
    const step = way.div(secondMoment.sqrt().mul(numbers.correction).add(epsilon));
    return {
      parameter: parameter.sub(step).mul(numbers.shrink),
      state: { gradientMoment, changeMoment, secondMoment, previousGradient: gradient },
    };
  }
}
