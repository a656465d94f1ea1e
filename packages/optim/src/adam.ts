/** Adam and AdamW, which differ in where the weight decay goes. */
import { type Complete, complete, type OptimizerOptions, type ParameterSource } from './groups.ts';
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
  readonly state: 'firstMoment' | 'secondMoment' | 'largestSecondMoment';
}

const defaults: Required<Omit<AdamOptions, 'clip'>> = {
  learningRate: 0.001,
  weightDecay: 0,
  maximize: false,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  amsgrad: false,
};

/** What Adam and AdamW share. */
abstract class AdamFamily extends Optimizer<AdamRule> {
  readonly #decoupled: boolean;

  constructor(source: ParameterSource<AdamOptions>, options: Complete<AdamOptions>, decoupled: boolean) {
    super(source, options);
    this.#decoupled = decoupled;
  }

  protected override stateNames({ amsgrad }: Complete<AdamOptions>): readonly AdamRule['state'][] {
    return amsgrad ? ['firstMoment', 'secondMoment', 'largestSecondMoment'] : ['firstMoment', 'secondMoment'];
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

  protected override update({
    parameter,
    options,
    numbers,
    state,
    ...given
  }: UpdateContext<AdamRule>): Update<AdamRule> {
    const { weightDecay, betas, epsilon } = options;
    const { firstMoment: oldFirst, secondMoment: oldSecond, largestSecondMoment: oldLargest } = state;
    if (oldFirst === undefined || oldSecond === undefined) return { parameter };
    const decays = weightDecay !== 0;
    const gradient = decays && !this.#decoupled ? given.gradient.add(parameter.mul(weightDecay)) : given.gradient;
    const start = decays && this.#decoupled ? parameter.mul(numbers.keep) : parameter;
    const firstMoment = oldFirst.mul(betas[0]).add(gradient.mul(1 - betas[0]));
    const secondMoment = oldSecond.mul(betas[1]).add(gradient.square().mul(1 - betas[1]));
    const largestSecondMoment = oldLargest?.maximum(secondMoment);
    const root = (largestSecondMoment ?? secondMoment).sqrt().mul(numbers.correction);
    return {
      parameter: start.sub(firstMoment.div(root.add(epsilon)).mul(numbers.stepSize)),
      state: { firstMoment, secondMoment, ...(largestSecondMoment === undefined ? {} : { largestSecondMoment }) },
    };
  }
}

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
export class Adam extends AdamFamily {
  constructor(source: ParameterSource<AdamOptions>, options: AdamOptions = {}) {
    super(source, complete('Adam', defaults, options), false);
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
export class AdamW extends AdamFamily {
  constructor(source: ParameterSource<AdamOptions>, options: AdamOptions = {}) {
    super(source, complete('AdamW', { ...defaults, weightDecay: 0.01 }, options), true);
  }
}
