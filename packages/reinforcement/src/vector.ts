/** Many environments as one: a batch of observations, a batch of actions. */
import { FormatError, type Stateful, ValueError } from '@nn/core';
import { checkStep, type Environment } from './environment.ts';
import { type Discrete, type ElementOf, type Space, sizeOf } from './spaces.ts';

/** An episode that has ended. */
export interface Episode {
  /** Which of the environments. */
  readonly environment: number;
  /** The sum of its rewards. */
  readonly total: number;
  readonly steps: number;
  readonly truncated: boolean;
}

export interface VectorStep {
  /** [count, size]: what the next actions answer; of a new episode where one ended. */
  readonly observations: Float32Array;
  readonly rewards: Float32Array;
  /** 1 where the task ended, 1 where a limit ended it. */
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  /** [count, size]: what the actions led to; where an episode ended its last observation. */
  readonly outcomes: Float32Array;
  readonly episodes: readonly Episode[];
}

const describe = (space: Space): string =>
  space.kind === 'discrete' ? `${space.n} choices` : `numbers [${space.shape.join(', ')}]`;

export interface VectorOptions {
  /** Environment i begins with seed + i; 0 by default. */
  readonly seed?: number;
}

/**
 * `count` environments that are stepped together. An episode that has ended begins anew at once, and its last observation is in
 * `outcomes`. Observations are rows of float32; a `Discrete` one is a row of its choices with one 1. Actions and what environments
 * give are checked against their spaces.
 *
 * @example
 * import { CartPole, VectorEnvironment } from '@nn/reinforcement';
 * const environments = new VectorEnvironment(() => new CartPole(), 3, { seed: 1 });
 * environments.reset();
 * const { rewards, observations } = environments.step([0, 1, 0]);
 * console.log(rewards, observations.length); // => Float32Array(3) [ 1, 1, 1 ] 12
 */
export class VectorEnvironment<O extends Space = Space, A extends Space = Space> implements Stateful {
  readonly environments: readonly Environment<O, A>[];
  readonly observationSpace: O;
  readonly actionSpace: A;
  /** Numbers of one observation. */
  readonly size: number;
  readonly #seed: number;
  #observations: Float32Array;
  #totals: Float64Array;
  #steps: Int32Array;
  #isBegun = false;

  constructor(make: (index: number) => Environment<O, A>, count: number, { seed = 0 }: VectorOptions = {}) {
    if (!Number.isInteger(count) || count < 1) {
      throw new ValueError('VectorEnvironment', `${count} is not a number of environments; pass 1 and more.`, {
        count,
      });
    }
    this.environments = Array.from({ length: count }, (_, index) => make(index));
    const [first] = this.environments as [Environment<O, A>];
    if (new Set(this.environments).size < count) {
      throw new ValueError(
        'VectorEnvironment',
        'the function gave one environment twice; it must make a new one each time.',
      );
    }
    for (const name of ['observationSpace', 'actionSpace'] as const) {
      const at = this.environments.findIndex(
        ({ [name]: space }) => space.kind !== first[name].kind || sizeOf(space) !== sizeOf(first[name]),
      );
      if (at < 0) continue;
      throw new ValueError(
        'VectorEnvironment',
        `environment ${at} has another \`${name}\` than environment 0: ${describe(this.environments[at]![name])} and ${describe(first[name])}; all need one.`,
        { environment: at },
      );
    }
    this.observationSpace = first.observationSpace;
    this.actionSpace = first.actionSpace;
    this.size = sizeOf(this.observationSpace);
    this.#seed = seed;
    this.#observations = new Float32Array(count * this.size);
    this.#totals = new Float64Array(count);
    this.#steps = new Int32Array(count);
  }

  get count(): number {
    return this.environments.length;
  }

  /** The observations that the next actions answer, [count, size]; begins the first episodes where none are under way. */
  get observations(): Float32Array {
    return this.#isBegun ? this.#observations : this.reset();
  }

  /** Whether some actions may be forbidden: then `legalActions` tells which. */
  get hasLegalActions(): boolean {
    return this.actionSpace.kind === 'discrete' && this.environments[0]?.legalActions !== undefined;
  }

  /** 1 for each action that is allowed now, [count, n]. */
  legalActions(): Uint8Array {
    const { n } = this.actionSpace as Discrete;
    const legal = new Uint8Array(this.count * n).fill(1);
    this.environments.forEach((environment, i) => {
      if (!environment.legalActions) return;
      const allowed = environment.legalActions();
      if (allowed.length !== n || !allowed.includes(1)) {
        throw new ValueError(
          `${environment.name}.legalActions`,
          allowed.length === n
            ? `none of the ${n} actions is allowed; a state without actions must end its episode.`
            : `it gave ${allowed.length} numbers for ${n} actions.`,
          { given: allowed.length, actions: n },
        );
      }
      legal.set(allowed, i * n);
    });
    return legal;
  }

  /** Begins all episodes anew, with the seeds. */
  reset(): Float32Array {
    this.#observations = new Float32Array(this.count * this.size);
    this.environments.forEach((environment, i) => {
      this.#begin(environment, i, this.#seed + i);
    });
    this.#isBegun = true;
    return this.#observations;
  }

  #begin(environment: Environment<O, A>, i: number, seed?: number): void {
    const start = environment.reset(seed === undefined ? {} : { seed });
    checkStep(environment, { observation: start.observation });
    this.#write(this.#observations, i, start.observation);
    this.#totals[i] = 0;
    this.#steps[i] = 0;
  }

  #write(rows: Float32Array, i: number, observation: ElementOf<O>): void {
    if (typeof observation === 'number') rows[i * this.size + observation] = 1;
    else rows.set(observation as Float32Array, i * this.size);
  }

  /** One action an environment: integers of a `Discrete`, rows [count, size] of a `Box`. */
  step(actions: ArrayLike<number>): VectorStep {
    if (!this.#isBegun) this.reset();
    const { count, size, actionSpace } = this;
    const width = actionSpace.kind === 'discrete' ? 1 : actionSpace.low.length;
    if (actions.length !== count * width) {
      throw new ValueError(
        'VectorEnvironment.step',
        `${actions.length} numbers of actions were given, ${count} environments need ${count * width}.`,
        { actions: actions.length, wanted: count * width },
      );
    }
    const outcomes = new Float32Array(count * size);
    const rewards = new Float32Array(count);
    const [terminated, truncated] = [new Uint8Array(count), new Uint8Array(count)];
    const episodes: Episode[] = [];
    this.#observations = new Float32Array(count * size);
    this.environments.forEach((environment, i) => {
      const action =
        actionSpace.kind === 'discrete'
          ? actions[i]!
          : Float32Array.from({ length: width }, (_, k) => actions[i * width + k]!);
      const step = environment.step(action as ElementOf<A>);
      checkStep(environment, step);
      this.#write(outcomes, i, step.observation);
      rewards[i] = step.reward;
      terminated[i] = step.terminated ? 1 : 0;
      truncated[i] = step.truncated && !step.terminated ? 1 : 0;
      this.#totals[i]! += step.reward;
      this.#steps[i]!++;
      if (!step.terminated && !step.truncated) {
        this.#observations.set(outcomes.subarray(i * size, (i + 1) * size), i * size);
        return;
      }
      const [total, steps] = [this.#totals[i]!, this.#steps[i]!];
      episodes.push({ environment: i, total, steps, truncated: truncated[i] === 1 });
      this.#begin(environment, i);
    });
    return { observations: this.#observations, rewards, terminated, truncated, outcomes, episodes };
  }

  hostState(): unknown {
    return {
      isBegun: this.#isBegun,
      observations: [...this.#observations],
      totals: [...this.#totals],
      steps: [...this.#steps],
      environments: this.environments.map((environment) => {
        if (environment.hostState) return environment.hostState();
        throw new ValueError(
          'VectorEnvironment.hostState',
          `'${environment.name}' cannot be saved in the middle of an episode: give it \`hostState()\` and \`loadHostState(state)\`.`,
        );
      }),
    };
  }

  loadHostState(state: unknown): void {
    const { isBegun, observations, totals, steps, environments } = (state ?? {}) as Record<string, unknown>;
    const fits = (list: unknown, length: number): list is number[] => Array.isArray(list) && list.length === length;
    const { count, size } = this;
    if (
      !fits(environments, count) ||
      !fits(observations, count * size) ||
      !fits(totals, count) ||
      !fits(steps, count)
    ) {
      throw new FormatError(
        'VectorEnvironment',
        `the state is not one of ${count} environments with observations of ${size} numbers.`,
        { count, size },
      );
    }
    this.environments.forEach((environment, i) => {
      environment.loadHostState?.(environments[i]);
    });
    this.#observations = Float32Array.from(observations);
    this.#totals = Float64Array.from(totals);
    this.#steps = Int32Array.from(steps);
    this.#isBegun = isBegun === true;
  }
}
