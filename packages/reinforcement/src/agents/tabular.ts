/**
 * Q-learning and SARSA: a table with the value of each action in each state, for worlds that can be counted.
 *
 *     Q(s, a) <- Q(s, a) + rate (r + discount V(s') - Q(s, a))
 *
 * with V(s') = max_a' Q(s', a') for Q-learning (Watkins 1989), the value of the action that is taken next for SARSA (Rummery and
 * Niranjan 1994), and its mean over what the policy may do for expected SARSA. Sutton and Barto (2018), chapter 6.
 */
import { checkOptions, FormatError, type Stateful, ValueError } from '@nn/core';
import { checkStep, type Environment } from '../environment.ts';
import { RandomStream, streams } from '../random.ts';
import type { Discrete } from '../spaces.ts';

export interface TabularOptions {
  /** 'q' by default. */
  readonly rule?: 'q' | 'sarsa' | 'expectedSarsa';
  /** How far a value moves; 0.1 by default. */
  readonly rate?: number;
  /** 0.99 by default. */
  readonly discount?: number;
  /** The probability of a random action, by episodes; 0.1 by default. */
  readonly exploration?: number | ((episode: number) => number);
  /** What all values begin with; 0 by default. High ones make it try everything. */
  readonly initial?: number;
  readonly seed?: number;
}

const defaults = { rule: 'q', rate: 0.1, discount: 0.99, exploration: 0.1, initial: 0, seed: 0 } as const;

/**
 * An agent with a table.
 *
 * @example
 * import { CliffWalking, Tabular } from '@nn/reinforcement';
 * const agent = new Tabular(new CliffWalking({ limit: 1000 }), { rule: 'q', rate: 0.5, discount: 1, seed: 1 });
 * for (let episode = 0; episode < 500; episode++) agent.episode();
 * console.log(agent.episode({ explore: false }).total); // => -13
 */
export class Tabular implements Stateful {
  readonly environment: Environment<Discrete, Discrete>;
  /** [states, actions], row by row. */
  readonly table: Float64Array;
  readonly random: RandomStream;
  readonly #options: Required<TabularOptions>;
  #episodes = 0;

  constructor(environment: Environment<Discrete, Discrete>, options: TabularOptions = {}) {
    checkOptions('Tabular', options, Object.keys(defaults));
    for (const space of [environment.observationSpace, environment.actionSpace]) {
      if (space.kind === 'discrete') continue;
      throw new ValueError(
        'Tabular',
        'a table needs observations and actions that can be counted: two `Discrete` spaces.',
      );
    }
    this.#options = { ...defaults, ...options };
    const { rule, seed, initial } = this.#options;
    if (rule !== 'q' && rule !== 'sarsa' && rule !== 'expectedSarsa') {
      throw new ValueError('Tabular', `rule '${String(rule)}' is none of 'q', 'sarsa', 'expectedSarsa'.`, { rule });
    }
    this.environment = environment;
    this.table = new Float64Array(environment.observationSpace.n * environment.actionSpace.n).fill(initial);
    this.random = new RandomStream(seed, streams.action);
  }

  /** Episodes that it has learned from. */
  get episodes(): number {
    return this.#episodes;
  }

  /** One episode to its end. Without exploring it takes the best actions and learns nothing. */
  episode({ explore = true, seed }: { readonly explore?: boolean; readonly seed?: number } = {}): {
    readonly total: number;
    readonly steps: number;
  } {
    const { rule, rate, discount, exploration } = this.#options;
    const { environment } = this;
    const { n } = environment.actionSpace;
    const share = typeof exploration === 'number' ? exploration : exploration(this.#episodes);
    const chance = explore ? share : 0;
    const start = environment.reset(seed === undefined ? {} : { seed });
    checkStep(environment, start);
    let state = start.observation;
    let action = this.#choose(state, chance);
    let total = 0;
    for (let steps = 1; ; steps++) {
      const step = environment.step(action);
      checkStep(environment, step);
      total += step.reward;
      const next = this.#choose(step.observation, chance);
      if (explore) {
        const best = this.best(step.observation);
        const at = (a: number): number => this.table[step.observation * n + a]!;
        let later = rule === 'sarsa' ? at(next) : at(best);
        if (rule === 'expectedSarsa') {
          let mean = 0;
          for (let a = 0; a < n; a++) mean += at(a) / n;
          later = chance * mean + (1 - chance) * at(best);
        }
        const place = state * n + action;
        const wanted = step.reward + (step.terminated ? 0 : discount * later);
        this.table[place]! += rate * (wanted - this.table[place]!);
      }
      if (step.terminated || step.truncated) {
        if (explore) this.#episodes++;
        return { total, steps };
      }
      state = step.observation;
      action = next;
    }
  }

  /** The best action of a state, the first of equals. */
  best(state: number): number {
    const { n } = this.environment.actionSpace;
    let best = 0;
    for (let a = 1; a < n; a++) if (this.table[state * n + a]! > this.table[state * n + best]!) best = a;
    return best;
  }

  #choose(state: number, chance: number): number {
    if (chance > 0 && this.random.uniform() < chance) return this.random.integer(this.environment.actionSpace.n);
    return this.best(state);
  }

  hostState(): unknown {
    return { table: [...this.table], episodes: this.#episodes, random: this.random.hostState() };
  }

  loadHostState(state: unknown): void {
    const { table, episodes, random } = (state ?? {}) as Record<string, unknown>;
    if (!Array.isArray(table) || table.length !== this.table.length || !Number.isInteger(episodes)) {
      throw new FormatError('Tabular', `a state has a table of ${this.table.length} numbers, and episodes.`, { state });
    }
    this.random.loadHostState(random);
    this.table.set(table as number[]);
    this.#episodes = episodes as number;
  }
}
