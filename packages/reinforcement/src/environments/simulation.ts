/**
 * What all environments of this package share: the seed, the limit of steps, the checks and the state for checkpoints. An
 * environment itself says how an episode begins, what an action does, and what is seen.
 */
import { checkOptions, FormatError, ValueError } from '@nn/core';
import { checkAction, type Environment, noEpisode, type ResetOptions, type Start, type Step } from '../environment.ts';
import { RandomStream, streams } from '../random.ts';
import type { Scene } from '../render/scene.ts';
import type { ElementOf, Space } from '../spaces.ts';

export interface LimitOptions {
  /** Steps after which an episode is truncated; `Infinity` for none. */
  readonly limit?: number;
}

/** What an action did. */
export interface Outcome {
  readonly reward: number;
  readonly terminated: boolean;
  /** Where the environment itself has a limit besides that of steps. */
  readonly truncated?: boolean;
}

const nothing = {};

export abstract class Simulation<O extends Space, A extends Space> implements Environment<O, A> {
  abstract readonly name: string;
  abstract readonly observationSpace: O;
  abstract readonly actionSpace: A;
  protected readonly random: RandomStream = new RandomStream(0, streams.environment);
  readonly #limit: number;
  #steps = 0;
  #isRunning = false;

  constructor(limit: number) {
    if (!(limit >= 1)) {
      throw new ValueError('limit', `${limit} is not a number of steps; pass 1 or more, or Infinity.`, { limit });
    }
    this.#limit = limit;
  }

  /** Steps of this episode. */
  get steps(): number {
    return this.#steps;
  }

  reset({ seed }: ResetOptions = nothing): Start<O> {
    if (seed !== undefined) this.random.loadHostState(new RandomStream(seed, streams.environment).hostState());
    this.begin();
    this.#steps = 0;
    this.#isRunning = true;
    return { observation: this.observe(), info: this.tell() };
  }

  step(action: ElementOf<A>): Step<O> {
    checkAction<A>(this, action);
    if (!this.#isRunning) throw noEpisode(this.name);
    const { reward, terminated, truncated = false } = this.advance(action);
    this.#steps++;
    const isLate = !terminated && (truncated || this.#steps >= this.#limit);
    this.#isRunning = !terminated && !isLate;
    return { observation: this.observe(), reward, terminated, truncated: isLate, info: this.tell() };
  }

  hostState(): unknown {
    return {
      random: this.random.hostState(),
      variables: this.variables(),
      steps: this.#steps,
      isRunning: this.#isRunning,
    };
  }

  loadHostState(state: unknown): void {
    const { random, variables, steps, isRunning } = (state ?? {}) as Record<string, unknown>;
    const wanted = this.variables().length;
    const isFitting =
      Array.isArray(variables) && variables.length === wanted && variables.every((x) => typeof x === 'number');
    if (!isFitting || !Number.isInteger(steps) || typeof isRunning !== 'boolean') {
      throw new FormatError(this.name, `a state has ${wanted} variables, steps and isRunning.`, { state });
    }
    this.random.loadHostState(random);
    this.restore(variables as number[]);
    this.#steps = steps as number;
    this.#isRunning = isRunning;
  }

  abstract render(): Scene;
  /** Puts everything where an episode begins. */
  protected abstract begin(): void;
  protected abstract advance(action: ElementOf<A>): Outcome;
  /** A new array each time. */
  protected abstract observe(): ElementOf<O>;
  /** All that `observe` and `advance` depend on, as numbers that JSON keeps; as many in each moment. */
  protected abstract variables(): number[];
  protected abstract restore(variables: readonly number[]): void;
  protected tell(): Start['info'] {
    return nothing;
  }
}

/** The limit of the options, which have no other names than these. */
export function limitOf(name: string, options: LimitOptions, limit: number, known: readonly string[] = []): number {
  checkOptions(name, options, ['limit', ...known]);
  return options.limit ?? limit;
}

/** x within [-bound, bound]. */
export const within = (x: number, bound: number): number => Math.min(bound, Math.max(-bound, x));
