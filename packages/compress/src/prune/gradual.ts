/** Pruning while a model trains: schedules of how much is gone, and scores of where weights move. For any loop. */
import {
  checkOptions,
  gradients,
  type Parameter,
  type ParameterPattern,
  parameter,
  type Tensor,
  ValueError,
} from '@nn/core';
import { chosen, heldParameters } from '../model.ts';
import { type PruneOptions, prune } from './prune.ts';
import { prunables, requirePlain, type Sparsity } from './pruning.ts';

export interface SparsityScheduleOptions {
  /** Gone at the beginning. Default 0. */
  readonly initial?: number;
  /** Gone in the end. */
  readonly final: number;
  /** The first step that prunes, and the last. */
  readonly begin: number;
  readonly end: number;
}

/**
 * The share that is gone at a step: fast at first, while there is much to take, slower towards the end.
 * final + (initial - final) (1 - (step - begin) / (end - begin))^3. (Zhu and Gupta 2017.)
 *
 * @example
 * import { cubicSparsity } from '@nn/compress';
 * const at = cubicSparsity({ final: 0.8, begin: 0, end: 100 });
 * console.log([0, 50, 100, 200].map(at).map((share) => share.toFixed(2))); // => [ '0.00', '0.70', '0.80', '0.80' ]
 */
export function cubicSparsity(options: SparsityScheduleOptions): (step: number) => number {
  checkOptions('cubicSparsity', options, ['initial', 'final', 'begin', 'end']);
  const { initial = 0, final, begin, end } = options;
  if (!(initial >= 0 && initial <= final && final <= 1)) {
    throw new ValueError('cubicSparsity', `initial is ${initial}, final ${final}: they must rise, from 0 to 1.`);
  }
  if (!(begin < end))
    throw new ValueError('cubicSparsity', `begin is ${begin}, end ${end}: it must end after it begins.`);
  return (step) => {
    const left = 1 - Math.min(Math.max((step - begin) / (end - begin), 0), 1);
    return final + (initial - final) * left ** 3;
  };
}

export interface GradualOptions extends Omit<PruneOptions, 'amount' | 'sparsity'> {
  /** How much is gone after a step: `cubicSparsity`, or any function. */
  readonly schedule: (step: number) => number;
  /** Steps between prunings. Default 100. */
  readonly every?: number;
}

/**
 * Prunes while a model trains: `await pruning.step(n)` after step n of a loop, or as a callback of a Training. Every `every` steps
 * as much is gone as the schedule says, and the rest learns to do without.
 *
 * @example
 * import { cubicSparsity, GradualPruning } from '@nn/compress';
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const model = new Linear(10, 10);
 * const pruning = new GradualPruning(model, { schedule: cubicSparsity({ final: 0.9, begin: 0, end: 40 }), every: 10 });
 * for (let step = 1; step <= 40; step++) await pruning.step(step);
 * console.log(pruning.last?.share); // => 0.9
 */
export class GradualPruning {
  /** After the last pruning; null before the first. */
  last: Sparsity | null = null;
  readonly #model: object;
  readonly #options: GradualOptions;

  constructor(model: object, options: GradualOptions) {
    checkOptions('GradualPruning', options, ['schedule', 'every', 'method', 'scores', 'structure', 'scope', 'which']);
    this.#model = model;
    this.#options = options;
  }

  /** After a step, counted from 1. */
  async step(step: number): Promise<void> {
    const { schedule, every = 100, ...options } = this.#options;
    if (step % every !== 0) return;
    const sparsity = schedule(step);
    if (sparsity > 0) this.last = await prune(this.#model, { ...options, sparsity });
  }

  /** The same as a callback. */
  readonly hears: readonly 'step'[] = ['step'];
  readonly handle = async (event: { readonly type: string; readonly step: number }): Promise<void> => {
    if (event.type === 'step') await this.step(event.step);
  };
}

/**
 * Scores of movement: weights that training moves towards 0 go first, whatever their size, which suits fine-tuning. Each `update`
 * adds -weight dLoss/dWeight, and is computed with the step that follows. (Sanh, Wolf and Rush 2020.)
 *
 * @example
 * import { MovementScores, prune } from '@nn/compress';
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, tensor } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const model = new Linear(2, 1, { bias: false });
 * model.weight.assign(tensor([[1, 1]]));
 * const movement = new MovementScores(model);
 * movement.update(model.forward(tensor([[3, -2]])).sum()); // descent makes the first smaller, the second larger
 * console.log(await movement.scores.get('weight')?.array()); // => [[-3, 2]]
 * await prune(model, { amount: 0.5, scores: movement.scores });
 * console.log(await model.weight.mul(1).array()); // => [[0, 1]]
 */
export class MovementScores {
  /** By the names of weights. */
  readonly scores: ReadonlyMap<string, Parameter>;
  readonly #weights: ReadonlyMap<string, Parameter>;

  constructor(model: object, options: { readonly which?: ParameterPattern } = {}) {
    checkOptions('MovementScores', options, ['which']);
    const held = prunables(heldParameters(model)).filter(
      ({ parameter }) => options.which !== undefined || parameter.rank >= 2,
    );
    const names = new Set(chosen('MovementScores', held, options.which).map(({ name }) => name));
    const own = held.filter(({ name }) => names.has(name));
    requirePlain('MovementScores', own);
    this.#weights = new Map(own.map(({ name, parameter }) => [name, parameter]));
    this.scores = new Map(
      own.map(({ name, parameter: { size, shape } }) => [
        name,
        parameter(new Float32Array(size), { shape, buffer: true }),
      ]),
    );
  }

  /** Before the step of the same loss. */
  update(loss: Tensor): void {
    const weights = [...this.#weights.values()];
    const slopes = gradients(loss, weights);
    for (const [k, score] of [...this.scores.values()].entries()) {
      score.assign(score.sub(weights[k]!.mul(slopes[k]!)).stopGradient());
    }
  }
}
