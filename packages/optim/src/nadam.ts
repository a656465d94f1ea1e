/** NAdam: Adam that looks ahead along its momentum, as Nesterov's. */
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface NAdamOptions extends OptimizerOptions {
  /** Shares of the old first and second moment that stay. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator. Default 1e-8. */
  readonly epsilon?: number;
  /** How slowly the momentum of the look ahead rises to betas[0]: larger is faster. Default 0.004. */
  readonly momentumDecay?: number;
}

interface NAdamRule {
  readonly options: Complete<NAdamOptions>;
  readonly numbers: 'rate' | 'momentum' | 'nextMomentum' | 'first' | 'correction';
  readonly state: 'firstMoment' | 'secondMoment' | 'momentumProduct';
  readonly optionalState: never;
}

const defaults: Defaults<NAdamOptions> = {
  learningRate: 0.002,
  weightDecay: 0,
  maximize: false,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  momentumDecay: 0.004,
};

/**
 * NAdam: with mu_t = b1 (1 - 0.96^(t momentumDecay) / 2) and P_t = mu_1 ... mu_t, and moments m and v as in Adam,
 * p -= rate ((1 - mu_t) / (1 - P_t) g + mu_t+1 / (1 - P_t+1) m) / (sqrt(v') + epsilon). (Dozat 2016; PyTorch's
 * `torch.optim.NAdam`, which up to 1.13 had mu_t twice in P_t+1.)
 *
 * The learning rate is 0.002 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { NAdam } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new NAdam([x], { learningRate: 0.5 });
 * await optimizer.step(x.square().sum());
 * console.log((await x.item()).toFixed(3)); // => 2.472
 */
export class NAdam extends Optimizer<NAdamRule> {
  static override readonly name: string = 'NAdam';

  constructor(source: ParameterSource<NAdamOptions>, options: NAdamOptions = {}) {
    super(source, complete('NAdam', defaults, options));
  }

  protected override keeps(): ReturnType<Optimizer<NAdamRule>['keeps']> {
    return { firstMoment: true, secondMoment: true, momentumProduct: [] };
  }

  protected override numbers(
    { betas, momentumDecay }: Complete<NAdamOptions>,
    learningRate: number,
    steps: number,
  ): Record<NAdamRule['numbers'], number> {
    const momentumAt = (t: number): number => betas[0] * (1 - 0.5 * 0.96 ** (t * momentumDecay));
    return {
      rate: learningRate,
      momentum: momentumAt(steps),
      nextMomentum: momentumAt(steps + 1),
      first: steps === 1 ? 1 : 0,
      correction: 1 / Math.sqrt(1 - betas[1] ** steps),
    };
  }

  protected override update(context: UpdateContext<NAdamRule>): Update<NAdamRule> {
    const { parameter, gradient, numbers, state } = context;
    const { betas, epsilon } = context.options;
    const firstMoment = state.firstMoment.mul(betas[0]).add(gradient.mul(1 - betas[0]));
    const secondMoment = state.secondMoment.mul(betas[1]).add(gradient.square().mul(1 - betas[1]));
    // the product of the momenta so far; kept as 0 before the first step, where it means 1
    const momentumProduct = state.momentumProduct.add(numbers.first).mul(numbers.momentum);
    const one = momentumProduct.mul(0).add(1);
    const present = one.sub(numbers.momentum).div(one.sub(momentumProduct));
    const ahead = one.mul(numbers.nextMomentum).div(one.sub(momentumProduct.mul(numbers.nextMomentum)));
    const way = gradient.mul(present).add(firstMoment.mul(ahead));
    const direction = way.div(secondMoment.sqrt().mul(numbers.correction).add(epsilon));
    return {
      parameter: parameter.sub(direction.mul(numbers.rate)),
      state: { firstMoment, secondMoment, momentumProduct },
    };
  }
}
