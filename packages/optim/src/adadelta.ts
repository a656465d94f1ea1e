/** Adadelta: steps in the unit of the parameter, from the running sizes of gradients and of steps. */
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface AdadeltaOptions extends OptimizerOptions {
  /** Share of the old mean squares that stays. Default 0.9. */
  readonly rho?: number;
  /** Added under both roots. Default 1e-6. */
  readonly epsilon?: number;
}

interface AdadeltaRule {
  readonly options: Complete<AdadeltaOptions>;
  readonly numbers: 'rate';
  readonly state: 'meanSquare' | 'meanSquareStep';
  readonly optionalState: never;
}

const defaults: Defaults<AdadeltaOptions> = {
  learningRate: 1,
  weightDecay: 0,
  maximize: false,
  rho: 0.9,
  epsilon: 1e-6,
};

/**
 * Adadelta: s = rho s + (1 - rho) g^2; d = sqrt(u + epsilon) / sqrt(s + epsilon) g; u = rho u + (1 - rho) d^2; p -= rate d.
 * (Zeiler 2012; PyTorch's `torch.optim.Adadelta`. Keras' rho is 0.95, its learning rate 0.001.)
 *
 * The learning rate is 1 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { Adadelta } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new Adadelta([x], { epsilon: 0.01 });
 * await optimizer.step(x.square().sum());
 * console.log((await x.item()).toFixed(3)); // => 2.684
 */
export class Adadelta extends Optimizer<AdadeltaRule> {
  static override readonly name: string = 'Adadelta';

  constructor(source: ParameterSource<AdadeltaOptions>, options: AdadeltaOptions = {}) {
    super(source, complete('Adadelta', defaults, options));
  }

  protected override keeps(): { readonly meanSquare: true; readonly meanSquareStep: true } {
    return { meanSquare: true, meanSquareStep: true };
  }

  protected override numbers(_options: Complete<AdadeltaOptions>, learningRate: number): Record<'rate', number> {
    return { rate: learningRate };
  }

  protected override update(context: UpdateContext<AdadeltaRule>): Update<AdadeltaRule> {
    const { parameter, gradient, numbers, state } = context;
    const { rho, epsilon } = context.options;
    const meanSquare = state.meanSquare.mul(rho).add(gradient.square().mul(1 - rho));
    const scale = state.meanSquareStep.add(epsilon).sqrt().div(meanSquare.add(epsilon).sqrt());
    const step = gradient.mul(scale);
    const meanSquareStep = state.meanSquareStep.mul(rho).add(step.square().mul(1 - rho));
    return { parameter: parameter.sub(step.mul(numbers.rate)), state: { meanSquare, meanSquareStep } };
  }
}
