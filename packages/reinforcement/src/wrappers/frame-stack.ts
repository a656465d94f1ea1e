/** Observations that hold the last few, so that speed can be seen in pictures. */
import { ValueError } from '@nn/core';
import type { Environment, ResetOptions, Start, Step } from '../environment.ts';
import { type Box, box, type ElementOf, type Space } from '../spaces.ts';
import { numbersOf, Wrapper } from './wrapper.ts';

/**
 * The last `count` observations, the oldest first, along a new first axis: [count, ...shape]. An episode begins with its first
 * observation `count` times (Mnih et al. 2015).
 *
 * @example
 * import { FrameStack, MountainCar } from '@nn/reinforcement';
 * const environment = new FrameStack(new MountainCar(), 4);
 * console.log(environment.observationSpace.shape, environment.reset({ seed: 1 }).observation.length); // => [4, 2] 8
 */
export class FrameStack<A extends Space> extends Wrapper<Box, A> {
  readonly observationSpace: Box;
  readonly #frames: Float32Array;
  readonly #size: number;

  constructor(environment: Environment<Box, A>, count: number) {
    super(environment);
    if (!Number.isInteger(count) || count < 1) {
      throw new ValueError('FrameStack', `${count} is not a number of frames; pass an integer of 1 and more.`, {
        count,
      });
    }
    const { low, high, shape } = environment.observationSpace;
    this.#size = low.length;
    const repeat = (bounds: Float32Array): number[] => Array.from({ length: count }, () => [...bounds]).flat();
    this.observationSpace = box(repeat(low), repeat(high), [count, ...shape]);
    this.#frames = new Float32Array(count * this.#size);
  }

  reset(options?: ResetOptions): Start<Box> {
    const start = this.environment.reset(options);
    for (let at = 0; at < this.#frames.length; at += this.#size) this.#frames.set(start.observation, at);
    return { ...start, observation: this.#frames.slice() };
  }

  step(action: ElementOf<A>): Step<Box> {
    const step = this.environment.step(action);
    this.#frames.copyWithin(0, this.#size);
    this.#frames.set(step.observation, this.#frames.length - this.#size);
    return { ...step, observation: this.#frames.slice() };
  }

  protected ownState(): unknown {
    return [...this.#frames];
  }

  protected loadOwnState(state: unknown): void {
    this.#frames.set(numbersOf('FrameStack', state, this.#frames.length));
  }
}
