/** Muon: momentum whose matrix is made orthogonal, so that a step moves all directions alike. */
import { type Parameter, ShapeError, type Tensor, ValueError } from '@nn/core';
import { decoupledDecay } from './decay.ts';
import { type Complete, complete, type Defaults, type OptimizerOptions, type ParameterSource } from './groups.ts';
import { Optimizer, type Update, type UpdateContext } from './optimizer.ts';

export interface MuonOptions extends OptimizerOptions {
  /** Share of the old momentum that stays. Default 0.95. */
  readonly momentum?: number;
  /** Whether to look ahead along the momentum. Default true. */
  readonly nesterov?: boolean;
  /** Steps of the iteration that makes a matrix orthogonal. Default 5. */
  readonly iterations?: number;
  /** a, b, c of the iteration X = a X + (b X X^T + c (X X^T)^2) X. Default [3.4445, -4.775, 2.0315]. */
  readonly coefficients?: readonly [number, number, number];
  /** The least norm that a matrix is divided by. Default 1e-7. */
  readonly epsilon?: number;
  /**
   * How the rate of a matrix [rows, columns] depends on its shape: 'original' sqrt(max(1, rows / columns)), 'adamw'
   * 0.2 sqrt(max(rows, columns)), so that learning rates are those of AdamW. Default 'original'.
   */
  readonly adjust?: 'original' | 'adamw';
}

interface MuonRule {
  readonly options: Complete<MuonOptions>;
  readonly numbers: 'rate' | 'keep';
  readonly state: 'momentum';
  readonly optionalState: never;
}

const defaults: Defaults<MuonOptions> = {
  learningRate: 0.001,
  weightDecay: 0.1,
  maximize: false,
  momentum: 0.95,
  nesterov: true,
  iterations: 5,
  coefficients: [3.4445, -4.775, 2.0315],
  epsilon: 1e-7,
  adjust: 'original',
};

/**
 * Muon: m = b m + (1 - b) g; u = b m + (1 - b) g with `nesterov`, else m; p = (1 - rate decay) p - rate adjust orthogonal(u),
 * where orthogonal(U S V^T) is U V^T to within 0.3 of each singular value, by an iteration of matrix products. Kernels of
 * convolutions count as matrices [outputs, rest]. (Jordan et al. 2024; PyTorch's `torch.optim.Muon`, which iterates in
 * bfloat16.)
 *
 * For the matrices inside of a network: give biases, embeddings and the last layer to AdamW. The learning rate is 0.001
 * and the weight decay 0.1 by default. Throws ShapeError for parameters of fewer than two axes.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { Muon } from '@nn/optim';
 * const x = parameter([[2, 0], [0, 1]]);
 * const optimizer = new Muon([x], { learningRate: 0.5, weightDecay: 0 });
 * await optimizer.step(x.square().sum());
 * const [[first = 0] = [], [, second = 0] = []] = (await x.array()) as number[][];
 * console.log(first.toFixed(1), second.toFixed(1)); // => 1.7 0.4
 */
export class Muon extends Optimizer<MuonRule> {
  static override readonly name: string = 'Muon';

  constructor(source: ParameterSource<MuonOptions>, options: MuonOptions = {}) {
    const all = complete('Muon', defaults, options);
    if (!Number.isInteger(all.iterations)) {
      throw new ValueError('Muon', `iterations is ${all.iterations}: it must be a whole number.`);
    }
    if (all.adjust !== 'original' && all.adjust !== 'adamw') {
      throw new ValueError('Muon', `adjust is ${String(all.adjust)}: it must be 'original' or 'adamw'.`);
    }
    super(source, all);
  }

  protected override keeps(_options: Complete<MuonOptions>, { name, shape }: Parameter): { readonly momentum: true } {
    if (shape.length >= 2) return { momentum: true };
    throw new ShapeError(
      'Muon',
      `${name || 'a parameter'} is [${shape.join(', ')}], and only matrices can be made orthogonal: give it to AdamW.`,
      { parameter: name, shape },
    );
  }

  protected override numbers(
    { weightDecay }: Complete<MuonOptions>,
    learningRate: number,
  ): Record<MuonRule['numbers'], number> {
    return { rate: learningRate, keep: 1 - learningRate * weightDecay };
  }

  protected override decay(context: UpdateContext<MuonRule>): UpdateContext<MuonRule> {
    return decoupledDecay(context);
  }

  protected override update(context: UpdateContext<MuonRule>): Update<MuonRule> {
    const { parameter, gradient, options, numbers, state } = context;
    const { momentum: stays, nesterov, adjust } = options;
    const momentum = state.momentum.mul(stays).add(gradient.mul(1 - stays));
    const way = nesterov ? momentum.mul(stays).add(gradient.mul(1 - stays)) : momentum;
    const rows = parameter.shape[0] ?? 1;
    const columns = parameter.size / Math.max(1, rows);
    const factor =
      adjust === 'adamw' ? 0.2 * Math.sqrt(Math.max(rows, columns)) : Math.sqrt(Math.max(1, rows / columns));
    const direction = orthogonal(way.reshape([rows, columns]), options)
      .mul(factor)
      .reshape(parameter.shape);
    return { parameter: parameter.sub(direction.mul(numbers.rate)), state: { momentum } };
  }
}

/**
 * Nearly U V^T of a matrix U S V^T: divided by its norm, so that no singular value is above 1, each iteration sends all of
 * them towards 1 by s = a s + b s^3 + c s^5 (Newton and Schulz). Products are of the smaller side.
 */
function orthogonal(matrix: Tensor, { coefficients, iterations, epsilon }: Complete<MuonOptions>): Tensor {
  const [a, b, c] = coefficients;
  const [rows = 0, columns = 0] = matrix.shape;
  const isTall = rows > columns;
  const wide = isTall ? matrix.transpose() : matrix;
  let x = wide.div(wide.norm().maximum(epsilon));
  for (let k = 0; k < iterations; k++) {
    const square = x.matmul(x.transpose());
    const polynomial = square.mul(b).add(square.matmul(square).mul(c));
    x = x.mul(a).add(polynomial.matmul(x));
  }
  return isTall ? x.transpose() : x;
}
