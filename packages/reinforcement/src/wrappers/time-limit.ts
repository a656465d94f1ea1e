/** Truncates episodes. */
import { ValueError } from '@nn/core';
import type { Environment, ResetOptions, Start, Step } from '../environment.ts';
import type { ElementOf, Space } from '../spaces.ts';
import { numbersOf, Wrapper } from './wrapper.ts';

/**
 * Ends episodes after a number of steps, as `truncated`: what would have come still has its value. (The environments of this package
 * have a `limit` of their own.)
 *
 * @example
 * import { CliffWalking, TimeLimit } from '@nn/reinforcement';
 * const environment = new TimeLimit(new CliffWalking(), 2);
 * environment.reset();
 * environment.step(0);
 * console.log(environment.step(0).truncated); // => true
 */
export class TimeLimit<O extends Space, A extends Space> extends Wrapper<O, A> {
  readonly steps: number;
  #step = 0;

  constructor(environment: Environment<O, A>, steps: number) {
    super(environment);
    if (!Number.isInteger(steps) || steps < 1) {
      throw new ValueError('TimeLimit', `${steps} is not a number of steps; pass an integer of 1 and more.`, { steps });
    }
    this.steps = steps;
  }

  get observationSpace(): O {
    return this.environment.observationSpace;
  }

  reset(options?: ResetOptions): Start<O> {
    this.#step = 0;
    return this.environment.reset(options);
  }

  step(action: ElementOf<A>): Step<O> {
    const step = this.environment.step(action);
    const isLate = ++this.#step >= this.steps && !step.terminated;
    return isLate ? { ...step, truncated: true } : step;
  }

  protected ownState(): unknown {
    return [this.#step];
  }

  protected loadOwnState(state: unknown): void {
    [this.#step] = numbersOf('TimeLimit', state, 1) as [number];
  }
}
