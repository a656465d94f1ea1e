/** Adamax: Adam with the largest gradient in place of the root of the mean square. */
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface AdamaxOptions extends OptimizerOptions {
  /** Shares of the old first moment and of the old largest gradient that stay. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to each gradient's size. Default 1e-8. */
  readonly epsilon?: number;
}

interface AdamaxRule {
  readonly options: Complete<AdamaxOptions>;
  readonly numbers: 'rate';
  readonly state: 'firstMoment' | 'largest';
  readonly optionalState: never;
}

const defaults: Defaults<AdamaxOptions> = {
  learningRate: 0.002,
  weightDecay: 0,
  maximize: false,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
};

/**
 * Adamax: m = b1 m + (1 - b1) g; u = max(b2 u, |g| + epsilon); p -= rate / (1 - b1^t) m / u. (Kingma and Ba 2014, section
 * 7.1; PyTorch's `torch.optim.Adamax`.)
 *
 * The learning rate is 0.002 by default.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { Adamax } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new Adamax([x], { learningRate: 0.5 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [2.5]
 */
export class Adamax extends Optimizer<AdamaxRule> {
  static override readonly name: string = 'Adamax';

  constructor(source: ParameterSource<AdamaxOptions>, options: AdamaxOptions = {}) {
    super(source, complete('Adamax', defaults, options));
  }

  protected override keeps(): { readonly firstMoment: true; readonly largest: true } {
    return { firstMoment: true, largest: true };
  }

  protected override numbers(
    { betas }: Complete<AdamaxOptions>,
    learningRate: number,
    steps: number,
  ): Record<'rate', number> {
    return { rate: learningRate / (1 - betas[0] ** steps) };
  }

  protected override update(context: UpdateContext<AdamaxRule>): Update<AdamaxRule> {
    const { parameter, gradient, numbers, state } = context;
    const { betas, epsilon } = context.options;
    const firstMoment = state.firstMoment.mul(betas[0]).add(gradient.mul(1 - betas[0]));
    const largest = state.largest.mul(betas[1]).maximum(gradient.abs().add(epsilon));
    return { parameter: parameter.sub(firstMoment.div(largest).mul(numbers.rate)), state: { firstMoment, largest } };
  }
}
