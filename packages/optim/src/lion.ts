/** Lion: steps of one size everywhere, in the direction of the sign of a momentum. */
import { decoupledDecay } from './decay.ts';
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface LionOptions extends OptimizerOptions {
  /** Shares of the old momentum that stay: in the step, and in what is kept. Default [0.9, 0.99]. */
  readonly betas?: readonly [number, number];
}

interface LionRule {
  readonly options: Complete<LionOptions>;
  readonly numbers: 'rate' | 'keep';
  readonly state: 'momentum';
  readonly optionalState: never;
}

const defaults: Defaults<LionOptions> = {
  learningRate: 1e-4,
  weightDecay: 0,
  maximize: false,
  betas: [0.9, 0.99],
};

/**
 * Lion: p = (1 - rate decay) p - rate sign(b1 m + (1 - b1) g); m = b2 m + (1 - b2) g. Weight decay is decoupled. Its
 * learning rates are 3 to 10 times smaller than AdamW's, its weight decay as much larger. (Chen et al. 2023; Keras' `Lion`.)
 *
 * The learning rate is 0.0001 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { Lion } from '@nn/optim';
 * const x = parameter([3, -1]);
 * const optimizer = new Lion([x], { learningRate: 0.5 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [2.5, -0.5]
 */
export class Lion extends Optimizer<LionRule> {
  static override readonly name: string = 'Lion';

  constructor(source: ParameterSource<LionOptions>, options: LionOptions = {}) {
    super(source, complete('Lion', defaults, options));
  }

  protected override keeps(): { readonly momentum: true } {
    return { momentum: true };
  }

  protected override numbers(
    { weightDecay }: Complete<LionOptions>,
    learningRate: number,
  ): Record<LionRule['numbers'], number> {
    return { rate: learningRate, keep: 1 - learningRate * weightDecay };
  }

  protected override decay(context: UpdateContext<LionRule>): UpdateContext<LionRule> {
    return decoupledDecay(context);
  }

  protected override update({
    parameter,
    gradient,
    options,
    numbers,
    state,
  }: UpdateContext<LionRule>): Update<LionRule> {
    const [present, kept] = options.betas;
    const way = state.momentum.mul(present).add(gradient.mul(1 - present));
    const momentum = state.momentum.mul(kept).add(gradient.mul(1 - kept));
    return { parameter: parameter.sub(way.sign().mul(numbers.rate)), state: { momentum } };
  }
}
