/** What agents have in common: how far they are, what they tell, and learning as an async iterator. */
import { type AbortSignalLike, FormatError, type Stateful, ValueError } from '@nn/core';
import type { Episode } from '../vector.ts';

/** What one iteration of an agent did. */
export interface LearningReport {
  /** Environment steps since the beginning, over all environments. */
  readonly steps: number;
  readonly iterations: number;
  /** Episodes that ended in this iteration. */
  readonly episodes: readonly Episode[];
  /** The mean return of the last hundred episodes; NaN before the first. */
  readonly meanReturn: number;
  /** Numbers of the update, by name: `policyLoss`, `valueLoss`, `entropy` and the like; those of the last update. */
  readonly values: Readonly<Record<string, number>>;
}

/** How far an agent is. */
export class AgentProgress implements Stateful {
  steps = 0;
  iterations = 0;
  #returns: number[] = [];

  /** Counts an iteration, and says what it did. */
  report(steps: number, episodes: readonly Episode[], values: Readonly<Record<string, number>>): LearningReport {
    this.steps += steps;
    this.iterations++;
    this.#returns = [...this.#returns, ...episodes.map(({ total }) => total)].slice(-100);
    const { length } = this.#returns;
    const meanReturn = length === 0 ? Number.NaN : this.#returns.reduce((sum, x) => sum + x, 0) / length;
    return { steps: this.steps, iterations: this.iterations, episodes, meanReturn, values };
  }

  hostState(): unknown {
    return { steps: this.steps, iterations: this.iterations, returns: this.#returns };
  }

  loadHostState(state: unknown): void {
    const { steps, iterations, returns } = (state ?? {}) as Record<string, unknown>;
    if (!Number.isInteger(steps) || !Number.isInteger(iterations) || !Array.isArray(returns)) {
      throw new FormatError('AgentProgress', 'a state has steps, iterations and returns.', { state });
    }
    this.steps = steps as number;
    this.iterations = iterations as number;
    this.#returns = returns as number[];
  }
}

export interface LearnOptions {
  /** Environment steps in all, those of earlier calls included. */
  readonly steps: number;
  /** Ends the learning after an iteration, whole: it can be saved and gone on with. */
  readonly signal?: AbortSignalLike;
}

/** Whatever learns by iterations. */
export interface Learner {
  readonly progress: AgentProgress;
  iterate(): Promise<LearningReport>;
}

/**
 * Iterations of an agent until it has made so many environment steps. Leave the loop when the agent is good enough; go on with another
 * call.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, setSeed } from '@nn/core';
 * import { CartPole, learn, PPO, VectorEnvironment } from '@nn/reinforcement';
 * setDefaultBackend(cpu());
 * setSeed(1);
 * const agent = new PPO(new VectorEnvironment(() => new CartPole(), 4, { seed: 1 }), { rolloutSteps: 32 });
 * for await (const { steps } of learn(agent, { steps: 256 })) console.log(steps); // => 128 256
 */
export async function* learn(agent: Learner, { steps, signal }: LearnOptions): AsyncGenerator<LearningReport, void> {
  if (!(steps >= 0)) throw new ValueError('learn', `steps ${steps} is not a number of 0 and more.`, { steps });
  while (agent.progress.steps < steps && signal?.aborted !== true) yield await agent.iterate();
}
