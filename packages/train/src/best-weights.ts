/**
 * A copy of a model's parameters on its device: kept when the model is at its best, given back at the end. Copies share
 * memory with the model until it moves on.
 */
import { FormatError, namedParameters, type Parameter, parameter, replace, type Stateful, ValueError } from '@nn/core';

/**
 * Keeps the parameters of a model, buffers too, as they are at a moment.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { BestWeights } from '@nn/train';
 * const model = { weight: parameter([1, 2]) };
 * const best = new BestWeights(model);
 * await best.keep();
 * model.weight.assign(model.weight.mul(100));
 * await best.restore();
 * console.log(await model.weight.array()); // => [ 1, 2 ]
 */
export class BestWeights implements Stateful {
  static readonly name: string = 'BestWeights';

  /** The copies by the names of the parameters: a part of checkpoints. */
  readonly copies: ReadonlyMap<string, Parameter>;
  readonly #parameters: ReadonlyMap<string, Parameter>;
  /** Whether there is something to restore. A checkpoint restores the copies, and this. */
  isKept = false;

  constructor(model: object) {
    this.#parameters = namedParameters(model);
    if (this.#parameters.size === 0) throw new ValueError('BestWeights', 'the model has no parameters.');
    this.copies = new Map(
      [...this.#parameters].map(([name, { shape, dtype, size }]) => [
        name,
        parameter(new Float32Array(size), { shape, dtype, buffer: true }),
      ]),
    );
  }

  hostState(): unknown {
    return { isKept: this.isKept };
  }

  loadHostState(state: unknown): void {
    const { isKept } = Object(state) as { isKept?: unknown };
    if (typeof isKept !== 'boolean') {
      throw new FormatError('BestWeights', 'the saved state does not say whether anything was kept.');
    }
    this.isKept = isKept;
  }

  async keep(): Promise<void> {
    this.isKept = true;
    await replace([...this.copies].map(([name, copy]) => [copy, this.#parameters.get(name)!]));
  }

  /** Gives the model what was kept. Throws ValueError before the first `keep`. */
  async restore(): Promise<void> {
    if (!this.isKept) throw new ValueError('BestWeights', 'nothing was kept: call keep() first.');
    await replace([...this.#parameters].map(([name, own]) => [own, this.copies.get(name)!]));
  }
}
