/**
 * An agent that learns in many copies of its world by PPO, and what is looked at: the values of states, and episodes that it
 * plays with its best actions. Messages are worker.ts, drawing is agents-place.tsx.
 */
import { type CompiledFunction, compile, concat, setSeed, type Tensor, tensor } from '@nn/core';
import { CartPole, PolicyNetwork, PPO, Snake, VectorEnvironment } from '@nn/reinforcement';
import {
  type AgentFrame,
  type AgentSettings,
  type Axes,
  boardSize,
  type Episode,
  type Moment,
  mapSide,
  quantities,
} from './protocol.ts';
import { allStates } from './snake-states.ts';

/** Settings that suit each world; those of CartPole are of RL Baselines3 Zoo. */
const rollouts = {
  cartpole: { copies: 8, rolloutSteps: 32, epochs: 20, minibatches: 1, lambda: 0.8 },
  snake: { copies: 16, rolloutSteps: 32, epochs: 8, minibatches: 2, lambda: 0.9 },
} as const;
/** Steps after which an episode that is watched ends. */
const longestWatch = { cartpole: 500, snake: 300 } as const;

export class AgentLearner {
  readonly settings: AgentSettings;
  readonly #agent: PPO;
  /** Observations [N, size] to [N, actions + 1]: the probabilities, then the value. */
  readonly #thoughts: CompiledFunction<[Tensor], Tensor>;
  readonly #stage: CartPole | Snake;
  readonly #run: number;
  #axes: Axes;
  #ended: (readonly [number, number, number])[] = [];
  #watched = 0;
  #best = Number.NEGATIVE_INFINITY;
  #mean = Number.NaN;
  #entropy: number;
  #episodes = 0;

  constructor(settings: AgentSettings, run: number) {
    const { world, learningRate, discount, entropyWeight, hidden, seed } = settings;
    const { copies, ...rollout } = rollouts[world];
    setSeed(seed);
    this.settings = settings;
    this.#run = run;
    this.#axes = settings.axes;
    const environments = new VectorEnvironment(() => makeWorld(world), copies, { seed });
    const model = new PolicyNetwork(environments, { hidden: [hidden, hidden] });
    this.#agent = new PPO(environments, { model, learningRate, discount, entropyWeight, seed, ...rollout });
    this.#thoughts = compile((observations: Tensor) => {
      const { policy, value } = model.forward(observations);
      return concat([policy.softmax(1), value.unsqueeze(1)], 1);
    });
    this.#stage = makeWorld(world);
    this.#entropy = Math.log(world === 'snake' ? 3 : 2);
  }

  set axes(axes: Axes) {
    this.#axes = axes;
  }

  /** A rollout and its updates. */
  async turn(): Promise<void> {
    const { steps, episodes, meanReturn, values } = await this.#agent.iterate();
    this.#mean = meanReturn;
    this.#entropy = values.entropy ?? this.#entropy;
    this.#episodes += episodes.length;
    for (const { total } of episodes) {
      this.#best = Math.max(this.#best, total);
      this.#ended.push([steps, total, meanReturn]);
    }
  }

  async look(): Promise<AgentFrame> {
    const ended = this.#ended;
    this.#ended = [];
    const observations = this.settings.world === 'snake' ? allStates() : this.#plane();
    const rows = await this.#think(observations);
    const width = rows.length / (observations.length / this.#agent.environments.size);
    return {
      ...{ steps: this.#agent.progress.steps, episodes: this.#episodes, meanReturn: this.#mean, best: this.#best },
      ...{ ended, entropy: this.#entropy, run: this.#run },
      values: rows.filter((_, i) => i % width === width - 1),
    };
  }

  /** The observations of the map: two quantities vary, the others are 0. */
  #plane(): Float32Array {
    const plane = new Float32Array(mapSide * mapSide * 4);
    const [across, up] = this.#axes;
    const at = (place: number, axis: number): number =>
      ((2 * place + 1) / mapSide - 1) * (quantities[axis]?.reach ?? 1);
    for (let row = 0; row < mapSide; row++) {
      for (let column = 0; column < mapSide; column++) {
        const start = 4 * (row * mapSide + column);
        plane[start + across] = at(column, across);
        plane[start + up] = at(mapSide - 1 - row, up);
      }
    }
    return plane;
  }

  async #think(observations: Float32Array): Promise<Float32Array> {
    const { size } = this.#agent.environments;
    const shape = [observations.length / size, size];
    return (await this.#thoughts(tensor(observations, { shape }))).data('float32');
  }

  /** An episode by the actions that the policy thinks best, from another start each time. */
  async watch(): Promise<Episode> {
    const { world, seed } = this.settings;
    const { steps } = this.#agent.progress;
    const moments: Moment[] = [];
    let total = 0;
    let observation = this.#stage.reset({ seed: 1000 * seed + this.#watched++ }).observation;
    for (let isOver = false; !isOver && moments.length < longestWatch[world]; ) {
      const seen = Float32Array.from(observation);
      const thoughts = await this.#think(seen);
      const probabilities = thoughts.slice(0, -1);
      moments.push({ scene: this.#stage.render(), observation: seen, probabilities, value: thoughts.at(-1) as number });
      const step = this.#stage.step(probabilities.indexOf(Math.max(...probabilities)));
      observation = step.observation;
      total += step.reward;
      isOver = step.terminated || step.truncated;
    }
    return { moments, total, steps };
  }
}

function makeWorld(world: AgentSettings['world']): CartPole | Snake {
  return world === 'cartpole' ? new CartPole() : new Snake({ size: boardSize, observation: 'features' });
}
