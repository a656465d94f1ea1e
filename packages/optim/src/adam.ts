/** Adam and AdamW, which differ in where the weight decay goes. */
import { decoupledDecay } from './decay.ts';
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface AdamOptions extends OptimizerOptions {
  /** Shares of the old first and second moment that stay. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  readonly epsilon?: number;
  /** Whether the second moment never falls. (Reddi et al. 2018.) Default false. */
  readonly amsgrad?: boolean;
}

interface AdamRule {
  readonly options: Complete<AdamOptions>;
  readonly numbers: 'stepSize' | 'correction' | 'keep';
  readonly state: 'firstMoment' | 'secondMoment';
  readonly optionalState: 'largestSecondMoment';
}

const defaults: Defaults<AdamOptions> = {
  learningRate: 0.001,
  weightDecay: 0,
  maximize: false,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  amsgrad: false,
};

/**
 * Adam: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= rate m' / (sqrt(v') + epsilon), where m' and v' are corrected
 * for their start at 0. Weight decay joins the gradient. (Kingma and Ba 2014; PyTorch's `torch.optim.Adam`.)
 *
 * The learning rate is 0.001 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { Adam } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new Adam([x], { learningRate: 0.5 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [2.5]
 */
export class Adam extends Optimizer<AdamRule> {
  static override readonly name: string = 'Adam';

  constructor(source: ParameterSource<AdamOptions>, options: AdamOptions = {}) {
    super(source, complete('Adam', defaults, options));
  }

  protected override keeps({ amsgrad }: Complete<AdamOptions>): ReturnType<Optimizer<AdamRule>['keeps']> {
    return { firstMoment: true, secondMoment: true, largestSecondMoment: amsgrad };
  }

  protected override numbers(
    { betas, weightDecay }: Complete<AdamOptions>,
    learningRate: number,
    steps: number,
  ): Record<AdamRule['numbers'], number> {
    return {
      stepSize: learningRate / (1 - betas[0] ** steps),
      correction: 1 / Math.sqrt(1 - betas[1] ** steps),
      keep: 1 - learningRate * weightDecay,
    };
  }

  protected override update(context: UpdateContext<AdamRule>): Update<AdamRule> {
    const { parameter, gradient, state, numbers } = context;
    const { betas, epsilon } = context.options;
    const firstMoment = state.firstMoment.mul(betas[0]).add(gradient.mul(1 - betas[0]));
    const secondMoment = state.secondMoment.mul(betas[1]).add(gradient.square().mul(1 - betas[1]));
    const largestSecondMoment = state.largestSecondMoment?.maximum(secondMoment);
    const deviation = (largestSecondMoment ?? secondMoment).sqrt().mul(numbers.correction);
    const direction = firstMoment.div(deviation.add(epsilon));
    return {
      parameter: parameter.sub(direction.mul(numbers.stepSize)),
      state: { firstMoment, secondMoment, largestSecondMoment },
    };
  }
}

/**
 * Adam with decoupled weight decay: p *= 1 - rate decay before the step. (Loshchilov and Hutter 2017; PyTorch's
 * `torch.optim.AdamW`.)
 *
 * The learning rate is 0.001 and the weight decay 0.01 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { AdamW } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new AdamW([x], { learningRate: 0.5, weightDecay: 0 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [2.5]
 */
export class AdamW extends Adam {
  static override readonly name: string = 'AdamW';

  constructor(source: ParameterSource<AdamOptions>, options: AdamOptions = {}) {
    super(source, complete('AdamW', { ...defaults, weightDecay: 0.01 }, options));
  }

  protected override decay(context: UpdateContext<AdamRule>): UpdateContext<AdamRule> {
    return decoupledDecay(context);
  }
}
