/** RAdam: Adam that divides by the root of the mean square only once it knows that well enough. */
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface RAdamOptions extends OptimizerOptions {
  /** Shares of the old first and second moment that stay. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  readonly epsilon?: number;
}

interface RAdamRule {
  readonly options: Complete<RAdamOptions>;
  readonly numbers: 'plain' | 'adaptive';
  readonly state: 'firstMoment' | 'secondMoment';
  readonly optionalState: never;
}

const defaults: Defaults<RAdamOptions> = {
  learningRate: 0.001,
  weightDecay: 0,
  maximize: false,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
};

/**
 * RAdam: rho_t = rho - 2 t b2^t / (1 - b2^t), rho = 2 / (1 - b2) - 1, counts the gradients in the second moment. Up to 5 of
 * them p -= rate m'; from there p -= rate r m' / (sqrt(v') + epsilon) with
 * r^2 = (rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t). (Liu et al. 2019; PyTorch's `torch.optim.RAdam`.)
 *
 * The learning rate is 0.001 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { RAdam } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new RAdam([x], { learningRate: 0.25 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [1.5]
 */
export class RAdam extends Optimizer<RAdamRule> {
  static override readonly name: string = 'RAdam';

  constructor(source: ParameterSource<RAdamOptions>, options: RAdamOptions = {}) {
    super(source, complete('RAdam', defaults, options));
  }

  protected override keeps(): { readonly firstMoment: true; readonly secondMoment: true } {
    return { firstMoment: true, secondMoment: true };
  }

  /** Of the two step sizes one is 0, so that the program of a step is the same before and after. */
  protected override numbers(
    { betas }: Complete<RAdamOptions>,
    learningRate: number,
    steps: number,
  ): Record<RAdamRule['numbers'], number> {
    const stepSize = learningRate / (1 - betas[0] ** steps);
    const faded = betas[1] ** steps;
    const most = 2 / (1 - betas[1]) - 1;
    const known = most - (2 * steps * faded) / (1 - faded);
    if (known <= 5) return { plain: stepSize, adaptive: 0 };
    const rectified = Math.sqrt(((known - 4) * (known - 2) * most) / ((most - 4) * (most - 2) * known));
    return { plain: 0, adaptive: stepSize * rectified * Math.sqrt(1 - faded) };
  }

  protected override update(context: UpdateContext<RAdamRule>): Update<RAdamRule> {
    const { parameter, gradient, numbers, state } = context;
    const { betas, epsilon } = context.options;
    const firstMoment = state.firstMoment.mul(betas[0]).add(gradient.mul(1 - betas[0]));
    const secondMoment = state.secondMoment.mul(betas[1]).add(gradient.square().mul(1 - betas[1]));
    const stepSize = secondMoment.sqrt().add(epsilon).reciprocal().mul(numbers.adaptive).add(numbers.plain);
    return { parameter: parameter.sub(firstMoment.mul(stepSize)), state: { firstMoment, secondMoment } };
  }
}
