/** RMSprop: gradient descent with each gradient divided by its running magnitude. */
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface RMSpropOptions extends OptimizerOptions {
  /** Share of the old mean square that stays. Default 0.99. */
  readonly alpha?: number;
  /** Added to the denominator. Default 1e-8. */
  readonly epsilon?: number;
  /** Share of the last step's direction that stays. Default 0. */
  readonly momentum?: number;
  /** Whether to divide by the deviation instead of the mean square. Default false. */
  readonly centered?: boolean;
}

interface RMSpropRule {
  readonly options: Complete<RMSpropOptions>;
  readonly numbers: 'rate';
  readonly state: 'meanSquare';
  readonly optionalState: 'direction' | 'meanGradient';
}

const defaults: Defaults<RMSpropOptions> = {
  learningRate: 0.01,
  weightDecay: 0,
  maximize: false,
  alpha: 0.99,
  epsilon: 1e-8,
  momentum: 0,
  centered: false,
};

/**
 * RMSprop: s = alpha s + (1 - alpha) g^2; p -= rate g / (sqrt(s) + epsilon), with momentum on the quotient. `centered`
 * takes the square of the mean gradient off s. (Tieleman and Hinton 2012; PyTorch's `torch.optim.RMSprop`.)
 *
 * The learning rate is 0.01 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { RMSprop } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new RMSprop([x], { learningRate: 0.05, alpha: 0.75 });
 * await optimizer.step(x.square().sum());
 * console.log((await x.item()).toFixed(3)); // => 2.900
 */
export class RMSprop extends Optimizer<RMSpropRule> {
  static override readonly name: string = 'RMSprop';

  constructor(source: ParameterSource<RMSpropOptions>, options: RMSpropOptions = {}) {
    super(source, complete('RMSprop', defaults, options));
  }

  protected override keeps(options: Complete<RMSpropOptions>): ReturnType<Optimizer<RMSpropRule>['keeps']> {
    return { meanSquare: true, direction: options.momentum !== 0, meanGradient: options.centered };
  }

  protected override numbers(_options: Complete<RMSpropOptions>, learningRate: number): Record<'rate', number> {
    return { rate: learningRate };
  }

  protected override update(context: UpdateContext<RMSpropRule>): Update<RMSpropRule> {
    const { parameter, gradient, numbers, state } = context;
    const { alpha, epsilon, momentum } = context.options;
    const meanSquare = state.meanSquare.mul(alpha).add(gradient.square().mul(1 - alpha));
    const meanGradient = state.meanGradient?.mul(alpha).add(gradient.mul(1 - alpha));
    const spread = meanGradient === undefined ? meanSquare : meanSquare.sub(meanGradient.square());
    const quotient = gradient.div(spread.sqrt().add(epsilon));
    const direction = state.direction?.mul(momentum).add(quotient);
    return {
      parameter: parameter.sub((direction ?? quotient).mul(numbers.rate)),
      state: { meanSquare, direction, meanGradient },
    };
  }
}
