/** Adagrad: gradient descent with each gradient divided by the root of all squares so far. */
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface AdagradOptions extends OptimizerOptions {
  /** How much the learning rate falls: it is divided by 1 + steps * learningRateDecay. Default 0. */
  readonly learningRateDecay?: number;
  /** Where the sums of squares start. Default 0. */
  readonly initialAccumulator?: number;
  /** Added to the denominator. Default 1e-10. */
  readonly epsilon?: number;
}

interface AdagradRule {
  readonly options: Complete<AdagradOptions>;
  readonly numbers: 'rate' | 'initial';
  readonly state: 'sumOfSquares';
  readonly optionalState: never;
}

const defaults: Defaults<AdagradOptions> = {
  learningRate: 0.01,
  weightDecay: 0,
  maximize: false,
  learningRateDecay: 0,
  initialAccumulator: 0,
  epsilon: 1e-10,
};

/**
 * Adagrad: s += g^2; p -= rate g / (sqrt(s) + epsilon). (Duchi et al. 2011; PyTorch's `torch.optim.Adagrad`. Keras starts
 * the sums at 0.1 and puts an epsilon of 1e-7 under the root.)
 *
 * The learning rate is 0.01 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { Adagrad } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new Adagrad([x], { learningRate: 0.5 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [2.5]
 */
export class Adagrad extends Optimizer<AdagradRule> {
  static override readonly name: string = 'Adagrad';

  constructor(source: ParameterSource<AdagradOptions>, options: AdagradOptions = {}) {
    super(source, complete('Adagrad', defaults, options));
  }

  protected override keeps(): { readonly sumOfSquares: true } {
    return { sumOfSquares: true };
  }

  protected override numbers(
    { learningRateDecay, initialAccumulator }: Complete<AdagradOptions>,
    learningRate: number,
    steps: number,
  ): Record<AdagradRule['numbers'], number> {
    return {
      rate: learningRate / (1 + (steps - 1) * learningRateDecay),
      initial: steps === 1 ? initialAccumulator : 0,
    };
  }

  protected override update(context: UpdateContext<AdagradRule>): Update<AdagradRule> {
    const { parameter, gradient, numbers, state, options } = context;
    const sumOfSquares = state.sumOfSquares.add(numbers.initial).add(gradient.square());
    const direction = gradient.div(sumOfSquares.sqrt().add(options.epsilon));
    return { parameter: parameter.sub(direction.mul(numbers.rate)), state: { sumOfSquares } };
  }
}
