/** ASGD: gradient descent whose result is the mean of the weights on the way. */
import type { Parameter, Tensor } from '@nn/core';
import { AveragingOptimizer } from './averaging.ts';
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import type { Kept, Update, UpdateContext } from './optimizer.ts';

export interface ASGDOptions extends OptimizerOptions {
  /** How much the parameters and the learning rate decay. Default 1e-4. */
  readonly lambda?: number;
  /** The power with which the learning rate falls. Default 0.75. */
  readonly alpha?: number;
  /** The step from which weights are averaged. Default 1e6. */
  readonly t0?: number;
}

interface ASGDRule {
  readonly options: Complete<ASGDOptions>;
  readonly numbers: 'rate' | 'decay' | 'share';
  readonly state: 'average';
  readonly optionalState: never;
}

const defaults: Defaults<ASGDOptions> = {
  learningRate: 0.01,
  weightDecay: 0,
  maximize: false,
  lambda: 1e-4,
  alpha: 0.75,
  t0: 1e6,
};

/**
 * Averaged stochastic gradient descent: eta_t = rate / (1 + lambda rate (t - 1))^alpha; p = (1 - lambda eta) p - eta g;
 * average += (p - average) / max(1, t - 1 - t0). `swapIn` gives the model the average, `swapOut` the weights to train.
 * (Polyak and Juditsky 1992; Bottou 2010; PyTorch's `torch.optim.ASGD`.)
 *
 * The learning rate is 0.01 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { ASGD } from '@nn/optim';
 * const x = parameter([4]);
 * const optimizer = new ASGD([x], { learningRate: 0.25, lambda: 0, t0: 0 });
 * for (let step = 0; step < 3; step++) await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [0.5]
 * console.log(await optimizer.during(() => x.array())); // => [0.75]
 */
export class ASGD extends AveragingOptimizer<ASGDRule> {
  static override readonly name: string = 'ASGD';

  constructor(source: ParameterSource<ASGDOptions>, options: ASGDOptions = {}) {
    super(source, complete('ASGD', defaults, options));
  }

  protected override keeps(): { readonly average: true } {
    return { average: true };
  }

  protected override numbers(
    { lambda, alpha, t0 }: Complete<ASGDOptions>,
    learningRate: number,
    steps: number,
  ): Record<ASGDRule['numbers'], number> {
    const before = steps - 1;
    const rate = learningRate / (1 + lambda * learningRate * before) ** alpha;
    return { rate, decay: 1 - lambda * rate, share: 1 / Math.max(1, before - t0) };
  }

  protected override update({ parameter, gradient, numbers, state }: UpdateContext<ASGDRule>): Update<ASGDRule> {
    const next = parameter.mul(numbers.decay).sub(gradient.mul(numbers.rate));
    return { parameter: next, state: { average: state.average.add(next.sub(state.average).mul(numbers.share)) } };
  }

  protected override exchange({ parameter, state }: Kept<ASGDRule>): [Parameter, Tensor][] {
    return [
      [parameter, state.average],
      [state.average, parameter],
    ];
  }
}
