/** Transitions over several steps: rewards are summed until the value is asked again. */
import { FormatError, type Stateful, ValueError } from '@nn/core';
import type { Transition } from './replay.ts';

/** A step of one environment. */
export interface SingleStep {
  readonly observation: ArrayLike<number>;
  readonly action: ArrayLike<number>;
  readonly reward: number;
  readonly nextObservation: ArrayLike<number>;
  readonly terminated: boolean;
  readonly truncated: boolean;
}

interface Pending {
  readonly observation: number[];
  readonly action: number[];
  reward: number;
  steps: number;
}

/**
 * Makes n steps one transition (Sutton 1988; Hessel et al. 2018):
 *
 *     reward = r_t + discount r_t+1 + ... + discount^(n-1) r_t+n-1,   discount = discount^n
 *
 * At the end of an episode those that wait are given with the steps that they have; a terminated one with discount 0. One object an
 * environment.
 *
 * @example
 * import { NStep } from '@nn/reinforcement';
 * const steps = new NStep(2, 0.5);
 * const step = { action: [0], reward: 1, terminated: false, truncated: false };
 * console.log(steps.add({ ...step, observation: [0], nextObservation: [1] }).length); // => 0
 * const [one] = steps.add({ ...step, observation: [1], nextObservation: [2] });
 * console.log(one?.reward, one?.discount, one?.nextObservation); // => 1.5 0.25 [2]
 */
export class NStep implements Stateful {
  readonly steps: number;
  readonly discount: number;
  #pending: Pending[] = [];

  constructor(steps: number, discount: number) {
    if (!Number.isInteger(steps) || steps < 1) {
      throw new ValueError('NStep', `${steps} is not a number of steps; pass an integer of 1 and more.`, { steps });
    }
    this.steps = steps;
    this.discount = discount;
  }

  /** The transitions that are whole with this step, in their order. */
  add({ observation, action, reward, nextObservation, terminated, truncated }: SingleStep): Transition[] {
    this.#pending.push({ observation: Array.from(observation), action: Array.from(action), reward: 0, steps: 0 });
    for (const pending of this.#pending) {
      pending.reward += this.discount ** pending.steps * reward;
      pending.steps++;
    }
    const isOver = terminated || truncated;
    const whole = isOver ? this.#pending : this.#pending.filter(({ steps }) => steps === this.steps);
    this.#pending = isOver ? [] : this.#pending.filter(({ steps }) => steps < this.steps);
    return whole.map((pending) => ({
      ...{ observation: pending.observation, action: pending.action, reward: pending.reward, nextObservation },
      discount: terminated ? 0 : this.discount ** pending.steps,
    }));
  }

  hostState(): unknown {
    return this.#pending.map((pending) => ({ ...pending }));
  }

  loadHostState(state: unknown): void {
    if (!Array.isArray(state)) throw new FormatError('NStep', 'a state is the list of what waits.', { state });
    this.#pending = state.map((pending) => ({ ...(pending as Pending) }));
  }
}
