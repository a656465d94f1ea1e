/** Observations and rewards brought to a common size by their running moments. */
import type { Environment, ResetOptions, Start, Step } from '../environment.ts';
import { RunningMoments } from '../memory/moments.ts';
import { type Box, box, type ElementOf, type Space } from '../spaces.ts';
import { numbersOf, Wrapper } from './wrapper.ts';

const epsilon = 1e-8;

/**
 * Each number of an observation less its running mean, over its running standard deviation, within [-10, 10]. The moments are shared
 * where an object of them is given, so that all environments of a batch see alike; `isLearning = false` freezes them for evaluation.
 *
 * @example
 * import { NormalizeObservation, Pendulum } from '@nn/reinforcement';
 * const environment = new NormalizeObservation(new Pendulum());
 * environment.reset({ seed: 1 });
 * const seen = [];
 * for (let i = 0; i < 200; i++) seen.push(environment.step(Float32Array.of(0)).observation[0]);
 * console.log(seen.every((x) => x !== undefined && Math.abs(x) < 10)); // => true
 */
export class NormalizeObservation<A extends Space> extends Wrapper<Box, A> {
  readonly observationSpace: Box;
  readonly moments: RunningMoments;
  isLearning = true;

  constructor(environment: Environment<Box, A>, moments?: RunningMoments) {
    super(environment);
    const { low, shape } = environment.observationSpace;
    this.observationSpace = box(-10, 10, shape);
    this.moments = moments ?? new RunningMoments(low.length);
  }

  reset(options?: ResetOptions): Start<Box> {
    const start = this.environment.reset(options);
    return { ...start, observation: this.#normalized(start.observation) };
  }

  step(action: ElementOf<A>): Step<Box> {
    const step = this.environment.step(action);
    return { ...step, observation: this.#normalized(step.observation) };
  }

  #normalized(observation: Float32Array): Float32Array {
    if (this.isLearning) this.moments.update(observation);
    return observation.map((x, i) => {
      const scaled = (x - this.moments.mean[i]!) / Math.sqrt(this.moments.variance(i) + epsilon);
      return Math.min(10, Math.max(-10, scaled));
    });
  }

  protected ownState(): unknown {
    return this.moments.hostState();
  }

  protected loadOwnState(state: unknown): void {
    this.moments.loadHostState(state);
  }
}

/**
 * Rewards over the running standard deviation of the discounted sum of rewards, within [-10, 10], so that values are of size one
 * (Engstrom et al. 2020). The mean is not taken off: that would change what is best.
 *
 * @example
 * import { NormalizeReward, Pendulum } from '@nn/reinforcement';
 * const environment = new NormalizeReward(new Pendulum(), { discount: 0.9 });
 * environment.reset({ seed: 1 });
 * console.log(environment.step(Float32Array.of(0)).reward < 0); // => true
 */
export class NormalizeReward<O extends Space, A extends Space> extends Wrapper<O, A> {
  readonly discount: number;
  readonly moments: RunningMoments;
  isLearning = true;
  #sum = 0;

  constructor(
    environment: Environment<O, A>,
    { discount = 0.99, moments }: { readonly discount?: number; readonly moments?: RunningMoments } = {},
  ) {
    super(environment);
    this.discount = discount;
    this.moments = moments ?? new RunningMoments(1);
  }

  get observationSpace(): O {
    return this.environment.observationSpace;
  }

  reset(options?: ResetOptions): Start<O> {
    this.#sum = 0;
    return this.environment.reset(options);
  }

  step(action: ElementOf<A>): Step<O> {
    const step = this.environment.step(action);
    this.#sum = this.#sum * this.discount + step.reward;
    if (this.isLearning) this.moments.update([this.#sum]);
    const scaled = step.reward / Math.sqrt(this.moments.variance(0) + epsilon);
    return { ...step, reward: Math.min(10, Math.max(-10, scaled)) };
  }

  protected ownState(): unknown {
    return { sum: [this.#sum], moments: this.moments.hostState() };
  }

  protected loadOwnState(state: unknown): void {
    const { sum, moments } = (state ?? {}) as Record<string, unknown>;
    [this.#sum] = numbersOf('NormalizeReward', sum, 1) as [number];
    this.moments.loadHostState(moments);
  }
}
