/** Adafactor: a second moment kept as one number per row and column, so that a matrix costs little memory. */
import type { Parameter, Shape, Tensor } from '@nn/core';
import { decoupledDecay } from './decay.ts';
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface AdafactorOptions extends OptimizerOptions {
  /** The share of the old second moment that stays is 1 - t^decayPower. Default -0.8. */
  readonly decayPower?: number;
  /** The least mean of squares that is divided by. Default 2^-23, as float32 has it between 1 and the next number. */
  readonly epsilon?: number;
  /** The least size of a parameter that its step is relative to. Default 0.001. */
  readonly minimumScale?: number;
  /** The largest root of the mean square that a step may have, before it is scaled. Default 1. */
  readonly clipThreshold?: number;
}

interface AdafactorRule {
  readonly options: Complete<AdafactorOptions>;
  readonly numbers: 'rate' | 'fresh' | 'keep';
  readonly state: never;
  readonly optionalState: 'rowMean' | 'columnMean' | 'meanSquare';
}

const defaults: Defaults<AdafactorOptions> = {
  learningRate: 0.01,
  weightDecay: 0,
  maximize: false,
  decayPower: -0.8,
  epsilon: 2 ** -23,
  minimumScale: 1e-3,
  clipThreshold: 1,
};

/**
 * Adafactor: with b = 1 - t^decayPower, R and C the running means of g^2 over the columns and over the rows of a matrix
 * (the last two axes), V = R C / mean(R); for a vector V is the running mean of g^2. u = g / sqrt(V);
 * p -= max(minimumScale, rms(p)) min(rate, 1 / sqrt(t)) u / max(1, rms(u) / clipThreshold). Weight decay is decoupled.
 * (Shazeer and Stern 2018; PyTorch's `torch.optim.Adafactor`.)
 *
 * The learning rate is 0.01 by default, and relative to the size of each parameter.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { Adafactor } from '@nn/optim';
 * const x = parameter([[3, 3], [3, 3]]);
 * const optimizer = new Adafactor([x], { learningRate: 0.5 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [[1.5, 1.5], [1.5, 1.5]]
 */
export class Adafactor extends Optimizer<AdafactorRule> {
  static override readonly name: string = 'Adafactor';

  constructor(source: ParameterSource<AdafactorOptions>, options: AdafactorOptions = {}) {
    super(source, complete('Adafactor', defaults, options));
  }

  protected override keeps(
    _options: Complete<AdafactorOptions>,
    { shape }: Parameter,
  ): Partial<Record<AdafactorRule['optionalState'], true | Shape>> {
    if (shape.length < 2) return { meanSquare: true };
    const [rows, columns] = [shape.length - 2, shape.length - 1];
    return {
      rowMean: shape.map((length, axis) => (axis === columns ? 1 : length)),
      columnMean: shape.map((length, axis) => (axis === rows ? 1 : length)),
    };
  }

  protected override numbers(
    { decayPower, weightDecay }: Complete<AdafactorOptions>,
    learningRate: number,
    steps: number,
  ): Record<AdafactorRule['numbers'], number> {
    return {
      rate: Math.min(learningRate, 1 / Math.sqrt(steps)),
      fresh: steps ** decayPower,
      keep: 1 - learningRate * weightDecay,
    };
  }

  protected override decay(context: UpdateContext<AdafactorRule>): UpdateContext<AdafactorRule> {
    // the size of the step is that of the parameter before the decay
    return decoupledDecay(context);
  }

  protected override update(context: UpdateContext<AdafactorRule>): Update<AdafactorRule> {
    const { parameter, gradient, numbers, options } = context;
    const { epsilon, minimumScale, clipThreshold } = options;
    const state = this.#moments(context);
    const estimate = estimateOf(state, epsilon);
    const step = gradient.div(estimate.maximum(epsilon ** 2).sqrt());
    const scale = rootMeanSquare(parameter).maximum(minimumScale).mul(numbers.rate);
    const excess = rootMeanSquare(step).div(clipThreshold).maximum(1);
    return { parameter: parameter.sub(step.mul(scale.div(excess))), state };
  }

  #moments({ gradient, numbers, state }: UpdateContext<AdafactorRule>): Update<AdafactorRule>['state'] {
    const square = gradient.square();
    // old + (new - old) fresh
    const moved = (old: Tensor, fresh: Tensor): Tensor => old.add(fresh.sub(old).mul(numbers.fresh));
    const { rowMean, columnMean, meanSquare } = state;
    if (rowMean === undefined || columnMean === undefined) {
      return meanSquare === undefined ? {} : { meanSquare: moved(meanSquare, square) };
    }
    return {
      rowMean: moved(rowMean, square.mean(-1, { keepAxes: true })),
      columnMean: moved(columnMean, square.mean(-2, { keepAxes: true })),
    };
  }
}

/** The second moment: of a vector itself, of a matrix R C / mean(R). */
function estimateOf({ rowMean, columnMean, meanSquare }: Update<AdafactorRule>['state'], epsilon: number): Tensor {
  if (meanSquare !== undefined) return meanSquare;
  if (rowMean === undefined || columnMean === undefined) throw new RangeError('no second moment');
  return rowMean.mul(columnMean).div(rowMean.mean(-2, { keepAxes: true }).maximum(epsilon));
}

function rootMeanSquare(x: Tensor): Tensor {
  return x.norm().div(Math.sqrt(Math.max(1, x.size)));
}
