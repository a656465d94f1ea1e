/** FTRL: the leader so far, regularised, which makes weights of rare features exactly 0. */
import type { Tensor } from '@nn/core';
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface FTRLOptions extends OptimizerOptions {
  /** Rates fall with the sum of squares to this power; 0 keeps them. Default -0.5. */
  readonly learningRatePower?: number;
  /** Where the sums of squares start. Default 0.1. */
  readonly initialAccumulator?: number;
  /** Weight of the sum of sizes: what makes weights 0. Default 0. */
  readonly l1?: number;
  /** Weight of the sum of squares. Default 0. */
  readonly l2?: number;
  /** Weight of the sum of squares, in the gradient only. Default 0. */
  readonly l2Shrinkage?: number;
  /** Added to the root of the sums of squares, as in the paper. Default 0. */
  readonly beta?: number;
}

interface FTRLRule {
  readonly options: Complete<FTRLOptions>;
  readonly numbers: 'initial' | 'perRate' | 'l2';
  readonly state: 'sumOfSquares' | 'linear';
  readonly optionalState: never;
}

const defaults: Defaults<FTRLOptions> = {
  learningRate: 0.001,
  weightDecay: 0,
  maximize: false,
  learningRatePower: -0.5,
  initialAccumulator: 0.1,
  l1: 0,
  l2: 0,
  l2Shrinkage: 0,
  beta: 0,
};

/**
 * FTRL-Proximal: n' = n + g^2; z += g + 2 l2Shrinkage p - (n'^-power - n^-power) / rate p;
 * p = (clamp(z, -l1, l1) - z) / (n'^-power / rate + 2 l2 + beta / rate). (McMahan et al. 2013; Keras' `Ftrl`.)
 *
 * The learning rate is 0.001 by default, and must stay above 0. The first step forgets where the parameter started,
 * except through its gradient.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { FTRL } from '@nn/optim';
 * const x = parameter([0, 0]);
 * const target = [3, 0.25];
 * const optimizer = new FTRL([x], { learningRate: 1, l1: 1, initialAccumulator: 0 });
 * await optimizer.step(x.sub(target).square().sum());
 * console.log((await x.at(0).item()).toFixed(3), await x.at(1).item()); // => 0.833 0
 */
export class FTRL extends Optimizer<FTRLRule> {
  static override readonly name: string = 'FTRL';

  constructor(source: ParameterSource<FTRLOptions>, options: FTRLOptions = {}) {
    super(source, complete('FTRL', defaults, options));
  }

  protected override keeps(): { readonly sumOfSquares: true; readonly linear: true } {
    return { sumOfSquares: true, linear: true };
  }

  protected override numbers(
    { initialAccumulator, l2, beta }: Complete<FTRLOptions>,
    learningRate: number,
    steps: number,
  ): Record<FTRLRule['numbers'], number> {
    return {
      initial: steps === 1 ? initialAccumulator : 0,
      perRate: 1 / learningRate,
      l2: 2 * l2 + beta / learningRate,
    };
  }

  protected override update({
    parameter,
    gradient,
    options,
    numbers,
    state,
  }: UpdateContext<FTRLRule>): Update<FTRLRule> {
    const { learningRatePower, l1, l2Shrinkage } = options;
    const before = state.sumOfSquares.add(numbers.initial);
    const sumOfSquares = before.add(gradient.square());
    const perRate = (sum: Tensor): Tensor =>
      (learningRatePower === -0.5 ? sum.sqrt() : sum.pow(-learningRatePower)).mul(numbers.perRate);
    const [old, fresh] = [perRate(before), perRate(sumOfSquares)];
    const shrunk = l2Shrinkage === 0 ? gradient : gradient.add(parameter.mul(2 * l2Shrinkage));
    const linear = state.linear.add(shrunk).sub(fresh.sub(old).mul(parameter));
    const pull = linear.clamp(-l1, l1).sub(linear);
    return { parameter: pull.div(fresh.add(numbers.l2)), state: { sumOfSquares, linear } };
  }
}
