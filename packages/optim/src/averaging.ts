/**
 * Optimizers that train one set of weights and mean another to be used: ASGD and schedule-free AdamW. Owns the exchange of
 * the two; what the weights to use are is the optimizer's.
 */
import { FormatError, type Parameter, replace, replayWhile, type Tensor, ValueError } from '@nn/core';
import { counted } from './counted.ts';
import { type Kept, Optimizer, type Rule } from './optimizer.ts';

/** An optimizer with weights to train and weights to use. */
export abstract class AveragingOptimizer<R extends Rule> extends Optimizer<R> {
  /** Holds while the model has the weights to train. */
  readonly #training = { holds: true };

  /** What a parameter, and what is kept for it, is with the weights to use in the model (`isIn`), or to train. */
  protected abstract exchange(kept: Kept<R>, isIn: boolean): readonly (readonly [Parameter, Tensor])[];

  /** Whether the model holds the weights to use at present. */
  get isSwapped(): boolean {
    return !this.#training.holds;
  }

  /** Gives the model the weights to use. Throws ValueError when it has them already, or before the first step. */
  swapIn(): Promise<void> {
    if (this.stepCount === 0) throw new ValueError('swapIn', 'there is no average yet: take a step first.');
    return this.#swap('swapIn', true);
  }

  /** Gives the model the weights to train back. Throws ValueError when it has them. */
  swapOut(): Promise<void> {
    return this.#swap('swapOut', false);
  }

  /** Does `work` with the weights to use in the model, and gives it the weights to train back whatever happens. */
  async during<T>(work: () => T | Promise<T>): Promise<T> {
    await this.swapIn();
    try {
      return await work();
    } finally {
      await this.swapOut();
    }
  }

  #swap(operation: string, isIn: boolean): Promise<void> {
    if (this.isSwapped === isIn) {
      throw new ValueError(operation, `the model holds the weights to ${isIn ? 'use' : 'train'} already.`);
    }
    const count = (): (() => void) => {
      this.#training.holds = !isIn;
      return () => {
        this.#training.holds = isIn;
      };
    };
    const stepped = this.kept().filter((kept, position) => kept !== null && this.stepsOf(position) > 0);
    return counted(count, () => replace(stepped.flatMap((kept) => (kept === null ? [] : this.exchange(kept, isIn)))));
  }

  protected override ready(operation: string): void {
    replayWhile(this.#training, this.#training);
    if (!this.isSwapped) return;
    throw new ValueError(operation, 'the model holds the weights to use: call swapOut before it is trained further.');
  }

  override hostState(): unknown {
    return { optimizer: super.hostState(), isSwapped: this.isSwapped };
  }

  override loadHostState(state: unknown): void {
    const isState = typeof state === 'object' && state !== null && 'optimizer' in state && 'isSwapped' in state;
    if (!isState || typeof state.isSwapped !== 'boolean') {
      throw new FormatError(this.constructor.name, 'the saved state does not say whether the weights were swapped.');
    }
    super.loadHostState(state.optimizer);
    this.#training.holds = !state.isSwapped;
  }
}
