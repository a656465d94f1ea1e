/** Keeps episodes to be watched again. */
import type { Environment, ResetOptions, Start, Step } from '../environment.ts';
import type { Scene } from '../render/scene.ts';
import type { ElementOf, Space } from '../spaces.ts';
import { Wrapper } from './wrapper.ts';

export interface Recording {
  /** Of each moment, the beginning included. */
  readonly scenes: readonly Scene[];
  readonly rewards: readonly number[];
  readonly total: number;
}

/**
 * Keeps the scenes and rewards of the best and of the last whole episode.
 *
 * @example
 * import { CartPole, Recorder } from '@nn/reinforcement';
 * const environment = new Recorder(new CartPole());
 * environment.reset({ seed: 1 });
 * for (let isOver = false; !isOver; ) isOver = environment.step(1).terminated;
 * const { scenes, total } = environment.last ?? { scenes: [], total: 0 };
 * console.log(scenes.length === total + 1); // => true
 */
export class Recorder<O extends Space, A extends Space> extends Wrapper<O, A> {
  last: Recording | null = null;
  best: Recording | null = null;
  #scenes: Scene[] = [];
  #rewards: number[] = [];

  constructor(environment: Environment<O, A> & { render(): Scene }) {
    super(environment);
  }

  get observationSpace(): O {
    return this.environment.observationSpace;
  }

  reset(options?: ResetOptions): Start<O> {
    const start = this.environment.reset(options);
    this.#scenes = [this.render()];
    this.#rewards = [];
    return start;
  }

  step(action: ElementOf<A>): Step<O> {
    const step = this.environment.step(action);
    this.#scenes.push(this.render());
    this.#rewards.push(step.reward);
    if (step.terminated || step.truncated) {
      const total = this.#rewards.reduce((sum, reward) => sum + reward, 0);
      this.last = { scenes: this.#scenes, rewards: this.#rewards, total };
      if (this.best === null || total > this.best.total) this.best = this.last;
    }
    return step;
  }

  /** Recordings are no part of a checkpoint. */
  protected ownState(): unknown {
    return [];
  }

  protected loadOwnState(): void {}
}
