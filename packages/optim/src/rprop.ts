/** Rprop: each number has a step size of its own and looks only at the sign of its gradient. */
import { ValueError, where } from '@nn/core';
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface RpropOptions extends OptimizerOptions {
  /** What step sizes are multiplied by where the sign of the gradient changed and where it stayed. Default [0.5, 1.2]. */
  readonly etas?: readonly [number, number];
  /** The smallest and the largest step size. Default [1e-6, 50]. */
  readonly stepSizes?: readonly [number, number];
}

interface RpropRule {
  readonly options: Complete<RpropOptions>;
  readonly numbers: 'initial';
  readonly state: 'stepSize' | 'previousGradient';
  readonly optionalState: never;
}

const defaults: Defaults<RpropOptions> = {
  learningRate: 0.01,
  weightDecay: 0,
  maximize: false,
  etas: [0.5, 1.2],
  stepSizes: [1e-6, 50],
};

/**
 * Rprop, for whole data sets rather than batches: where a gradient keeps its sign, its step size grows by etas[1]; where it
 * changes, the step size shrinks by etas[0] and the parameter waits one step; p -= sign(g) stepSize. (Riedmiller and Braun
 * 1993, without backtracking; PyTorch's `torch.optim.Rprop`.)
 *
 * The learning rate, 0.01 by default, is the first step size; later it has no effect. Throws ValueError unless
 * etas[0] < 1 < etas[1].
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { Rprop } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new Rprop([x], { learningRate: 0.5, etas: [0.5, 2] });
 * for (let step = 0; step < 2; step++) await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [1.5]
 */
export class Rprop extends Optimizer<RpropRule> {
  static override readonly name: string = 'Rprop';

  constructor(source: ParameterSource<RpropOptions>, options: RpropOptions = {}) {
    const all = complete('Rprop', defaults, options);
    const [down, up] = all.etas;
    if (!(down > 0 && down < 1 && up > 1)) {
      throw new ValueError('Rprop', `etas are ${down} and ${up}: one must be between 0 and 1, the other above 1.`, {
        etas: all.etas,
      });
    }
    super(source, all);
  }

  protected override keeps(): { readonly stepSize: true; readonly previousGradient: true } {
    return { stepSize: true, previousGradient: true };
  }

  protected override numbers(
    _options: Complete<RpropOptions>,
    learningRate: number,
    steps: number,
  ): Record<'initial', number> {
    return { initial: steps === 1 ? learningRate : 0 };
  }

  protected override update({
    parameter,
    gradient,
    options,
    numbers,
    state,
  }: UpdateContext<RpropRule>): Update<RpropRule> {
    const [down, up] = options.etas;
    const [smallest, largest] = options.stepSizes;
    // 1 where the sign stayed, -1 where it changed, 0 where one of the two is 0
    const turn = gradient.sign().mul(state.previousGradient.sign());
    const factor = where(turn.greater(0), up, where(turn.less(0), down, turn.mul(0).add(1)));
    const stepSize = state.stepSize.add(numbers.initial).mul(factor).clamp(smallest, largest);
    const previousGradient = where(turn.less(0), 0, gradient);
    return {
      parameter: parameter.sub(previousGradient.sign().mul(stepSize)),
      state: { stepSize, previousGradient },
    };
  }
}
