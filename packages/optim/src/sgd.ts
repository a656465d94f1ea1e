/** Gradient descent, with momentum. */
import { ValueError } from '@nn/core';
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface SGDOptions extends OptimizerOptions {
  /** Share of the last step's direction that stays. Default 0. */
  readonly momentum?: number;
  /** Share of the gradient that is left out of the direction, from the second step on. Default 0. */
  readonly dampening?: number;
  /** Whether to look ahead along the direction; needs momentum. Default false. */
  readonly nesterov?: boolean;
}

interface SGDRule {
  readonly options: Complete<SGDOptions>;
  readonly numbers: 'rate' | 'fresh';
  readonly state: never;
  readonly optionalState: 'direction';
}

const defaults: Defaults<SGDOptions> = {
  learningRate: 0.01,
  weightDecay: 0,
  maximize: false,
  momentum: 0,
  dampening: 0,
  nesterov: false,
};

/**
 * Stochastic gradient descent: direction = momentum direction + (1 - dampening) gradient; parameter -= rate direction.
 * With `nesterov` the step is gradient + momentum direction. (Sutskever et al. 2013; PyTorch's `torch.optim.SGD`.)
 *
 * The learning rate is 0.01 by default. Throws ValueError for `nesterov` without momentum or with dampening.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { SGD } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new SGD([x], { learningRate: 0.25 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [1.5]
 */
export class SGD extends Optimizer<SGDRule> {
  static override readonly name: string = 'SGD';

  constructor(source: ParameterSource<SGDOptions>, options: SGDOptions = {}) {
    const all = complete('SGD', defaults, options);
    const { momentum, dampening } = all;
    if (all.nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new ValueError(
        'SGD',
        `nesterov needs momentum above 0 and no dampening, got momentum ${momentum} and dampening ${dampening}.`,
        { momentum, dampening },
      );
    }
    super(source, all);
  }

  protected override keeps({ momentum }: Complete<SGDOptions>): { readonly direction: boolean } {
    return { direction: momentum !== 0 };
  }

  protected override numbers(
    options: Complete<SGDOptions>,
    learningRate: number,
    steps: number,
  ): Record<'rate' | 'fresh', number> {
    return { rate: learningRate, fresh: steps === 1 ? 1 : 1 - options.dampening };
  }

  protected override update({ parameter, gradient, options, numbers, state }: UpdateContext<SGDRule>): Update<SGDRule> {
    const { momentum, dampening, nesterov } = options;
    if (state.direction === undefined) return { parameter: parameter.sub(gradient.mul(numbers.rate)), state: {} };
    const fresh = dampening === 0 ? gradient : gradient.mul(numbers.fresh);
    const direction = state.direction.mul(momentum).add(fresh);
    const way = nesterov ? gradient.add(direction.mul(momentum)) : direction;
    return { parameter: parameter.sub(way.mul(numbers.rate)), state: { direction } };
  }
}
