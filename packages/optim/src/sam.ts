/** SAM: the gradient is taken where the loss nearby is highest, which leads to flat minima. Wraps any optimizer. */
import { checkOptions, gradientsOrNull, type Tensor, ValueError } from '@nn/core';
import { globalNorm } from './clipping.ts';
import type { Optimizer, Rule } from './optimizer.ts';

export interface SAMOptions {
  /** How far away the loss is looked at. Default 0.05; 10 times as much with `adaptive`. */
  readonly rho?: number;
  /** Whether the distance is relative to each weight (ASAM, Kwon et al. 2021). Default false. */
  readonly adaptive?: boolean;
}

/**
 * Sharpness-aware minimisation: with e = rho g / |g| over all weights p, the optimizer's step from p uses the gradient at
 * p + e. `step` takes a function that makes the loss, and calls it twice, in one program: random layers draw twice and
 * running statistics move twice. State is the optimizer's alone. (Foret et al. 2020.)
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { SAM, SGD } from '@nn/optim';
 * const x = parameter([3]);
 * const sam = new SAM(new SGD([x], { learningRate: 0.25 }), { rho: 1 });
 * await sam.step(() => x.square().sum());
 * console.log(await x.array(), await sam.loss.item()); // => [1] 9
 */
export class SAM<R extends Rule> {
  readonly optimizer: Optimizer<R>;
  readonly #rho: number;
  readonly #adaptive: boolean;
  #loss: Tensor | null = null;

  /** Throws ValueError unless `rho` is a number above 0. */
  constructor(optimizer: Optimizer<R>, options: SAMOptions = {}) {
    checkOptions('SAM', options, ['rho', 'adaptive']);
    const { adaptive = false, rho = adaptive ? 0.5 : 0.05 } = options;
    if (!(rho > 0 && rho < Number.POSITIVE_INFINITY)) {
      throw new ValueError('SAM', `rho is ${rho}: it must be a finite number above 0.`, { rho });
    }
    this.optimizer = optimizer;
    this.#rho = rho;
    this.#adaptive = adaptive;
  }

  /** The loss of the last step, at the weights before it. Throws ValueError before the first. */
  get loss(): Tensor {
    if (this.#loss !== null) return this.#loss;
    throw new ValueError('SAM', 'there is no loss yet: call step first.');
  }

  /** A step of the optimizer with the gradient of `loss()` nearby. May stand inside of a compiled function. */
  step(loss: () => Tensor): Promise<void> {
    const members = this.optimizer.parameters.filter(({ trainable }) => trainable);
    const here = loss();
    const slopes = gradientsOrNull(here, members);
    const reached = members.flatMap((member, k) => {
      const slope = slopes[k];
      if (slope === null || slope === undefined) return [];
      return [{ member, before: member.mul(1), slope: this.#adaptive ? slope.mul(member.abs()) : slope }];
    });
    if (reached.length === 0) return this.optimizer.step(here); // which says what is wrong
    const scale = globalNorm(reached.map(({ slope }) => slope))
      .add(1e-12)
      .reciprocal()
      .mul(this.#rho);
    const moves = reached.map(({ member, slope }) => (this.#adaptive ? slope.mul(member.abs()) : slope).mul(scale));
    try {
      reached.forEach(({ member, before }, k) => {
        const move = moves[k];
        if (move !== undefined) member.assign(before.add(move));
      });
      const found = gradientsOrNull(loss(), members);
      for (const { member, before } of reached) member.assign(before);
      const gradients = this.optimizer.parameters.map((member) => found[members.indexOf(member)] ?? null);
      this.#loss = here;
      return this.optimizer.apply(gradients, here);
    } catch (error) {
      for (const { member, before } of reached) member.assign(before);
      throw error;
    }
  }
}
