/**
 * Deep Q-learning: the value of each action is learned from a replay of what happened.
 *
 *     y = r + discount max_a Q_target(s', a)                    (Mnih et al. 2015)
 *     y = r + discount Q_target(s', argmax_a Q(s', a))          double (van Hasselt et al. 2016)
 *     loss = mean w huber(Q(s, a) - y)
 *
 * Its parts can be taken apart and together, as Hessel et al. (2018, "Rainbow") do: `double`, `dueling` (in the network), `priority`
 * (`PrioritizedReplay`), `steps` of rewards in one transition (`NStep`).
 */
import {
  type CompiledFunction,
  checkOptions,
  compile,
  concat,
  freeze,
  oneHot,
  type Tensor,
  tensor,
  ValueError,
} from '@nn/core';
import { huber } from '@nn/layers';
import { Adam, type Schedule } from '@nn/optim';
import { NStep } from '../memory/n-step.ts';
import { PrioritizedReplay, type PriorityOptions } from '../memory/prioritized-replay.ts';
import { Replay, type ReplayBatch } from '../memory/replay.ts';
import { follow } from '../memory/target.ts';
import { type ActionValueModel, ActionValueNetwork } from '../networks.ts';
import { notFinite, rowsOf } from '../policy.ts';
import { RandomStream, streams } from '../random.ts';
import { linearSchedule } from '../schedules.ts';
import type { Discrete } from '../spaces.ts';
import type { Episode, VectorEnvironment } from '../vector.ts';
import { AgentProgress, type LearningReport } from './agent.ts';

export interface DQNOptions {
  /** Makes a network; called twice, for the one that learns and its target. An `ActionValueNetwork` by default. */
  readonly model?: () => ActionValueModel;
  /** 1e-3 by default. */
  readonly learningRate?: number | Schedule;
  /** 0.99 by default. */
  readonly discount?: number;
  /** Transitions that are kept; 50,000 by default. */
  readonly capacity?: number;
  /** Transitions of an update; 64 by default. */
  readonly batchSize?: number;
  /** Environment steps before the first update; 1,000 by default. */
  readonly warmUp?: number;
  /** Steps of each environment before updates; 4 by default. */
  readonly rolloutSteps?: number;
  /** Updates after them; by default as many as there were environment steps, over 2. */
  readonly updates?: number;
  /** The probability of a random action by environment steps; from 1 to 0.05 in 10,000 by default. */
  readonly exploration?: (step: number) => number;
  /** Updates between two moves of the target; 200 by default. */
  readonly targetEvery?: number;
  /** How far the target moves towards the network then, 1 for a copy; 1 by default. With `targetEvery` 1, 0.005 is usual. */
  readonly targetRate?: number;
  /** The network says which action is best, the target what it is worth; true by default. */
  readonly double?: boolean;
  /** Value and advantages apart, in the network that is made here; false by default. */
  readonly dueling?: boolean;
  /** Draws transitions by their errors; uniformly without it. */
  readonly priority?: PriorityOptions;
  /** Steps of rewards in one transition; 1 by default. */
  readonly steps?: number;
  /** The norm to which gradients are clipped; 10 by default. */
  readonly gradientNorm?: number;
  /** 0 by default. */
  readonly seed?: number;
}

const defaults = {
  ...{ learningRate: 1e-3, discount: 0.99, capacity: 50_000, batchSize: 64, warmUp: 1000, rolloutSteps: 4 },
  ...{ targetEvery: 200, targetRate: 1, double: true, dueling: false, steps: 1, gradientNorm: 10, seed: 0 },
  exploration: linearSchedule(1, 0.05, 10_000),
};

/** @inheritDoc */
export class DQN {
  readonly environments: VectorEnvironment;
  readonly model: ActionValueModel;
  readonly target: ActionValueModel;
  readonly optimizer: Adam;
  readonly replay: Replay;
  readonly random: { readonly action: RandomStream; readonly replay: RandomStream };
  readonly progress: AgentProgress = new AgentProgress();
  /** One an environment: what waits for further steps. */
  readonly pending: readonly NStep[];
  readonly #options: Required<Omit<DQNOptions, 'model' | 'priority'>>;
  readonly #values: CompiledFunction<[Tensor], Tensor>;
  readonly #update: CompiledFunction<readonly Tensor[], Tensor>;
  readonly #follow: (rate: number) => Promise<void>;

  constructor(environments: VectorEnvironment, options: DQNOptions = {}) {
    checkOptions('DQN', options, ['model', 'priority', 'updates', ...Object.keys(defaults)]);
    if (environments.actionSpace.kind !== 'discrete') {
      throw new ValueError(
        'DQN',
        'it needs actions that can be counted, a `Discrete` space; use SAC or PPO for a `Box`.',
      );
    }
    const { model, priority, ...rest } = options;
    const updates = Math.max(1, Math.floor(((rest.rolloutSteps ?? defaults.rolloutSteps) * environments.count) / 2));
    this.#options = { ...defaults, updates, ...rest };
    const { learningRate, gradientNorm, seed, capacity, steps, discount, dueling } = this.#options;
    const make = model ?? (() => new ActionValueNetwork(environments, { dueling }));
    this.environments = environments;
    this.model = make();
    this.target = make();
    freeze(this.target);
    this.optimizer = new Adam(this.model, { learningRate, clip: { globalNorm: gradientNorm } });
    const sizes = { observation: environments.size, action: 1 };
    this.replay = priority ? new PrioritizedReplay(capacity, sizes, priority) : new Replay(capacity, sizes);
    this.random = {
      action: new RandomStream(seed, streams.action),
      replay: new RandomStream(seed, streams.replay),
    };
    this.pending = Array.from({ length: environments.count }, () => new NStep(steps, discount));
    this.#values = compile((observations: Tensor) => this.model.forward(observations));
    this.#update = compile((...batch: readonly Tensor[]) => this.#step(batch));
    this.#follow = follow(this.target, this.model);
  }

  /** Some steps in all environments, and updates from the replay. */
  async iterate(): Promise<LearningReport> {
    const { rolloutSteps, updates, batchSize, warmUp, targetEvery, targetRate } = this.#options;
    const { count } = this.environments;
    const episodes: Episode[] = [];
    if (this.optimizer.stepCount === 0) await this.#follow(1);
    for (let step = 0; step < rolloutSteps; step++) episodes.push(...(await this.#explore(step * count)));
    const steps = rolloutSteps * count;
    let numbers: ArrayLike<number> = [];
    if (this.progress.steps + steps >= warmUp) {
      let result: Tensor | undefined;
      for (let update = 0; update < updates; update++) {
        const batch = this.replay.sample(batchSize, this.random.replay);
        result = await this.#update(...this.#tensors(batch));
        if (this.replay instanceof PrioritizedReplay) {
          const errors = (await result.data('float32')).subarray(2);
          this.replay.reprioritize(batch.places, errors);
        }
        if (this.optimizer.stepCount % targetEvery === 0) await this.#follow(targetRate);
      }
      numbers = (await result?.data('float32')) ?? [];
    }
    const values = numbers.length === 0 ? {} : { loss: numbers[0]!, meanValue: numbers[1]! };
    const exploration = this.#options.exploration(this.progress.steps);
    return this.progress.report(steps, episodes, { ...values, exploration });
  }

  /** One step in all environments. `done`: environment steps of this iteration so far. */
  async #explore(done: number): Promise<readonly Episode[]> {
    const { environments, random } = this;
    const { count, size } = environments;
    const before = environments.observations;
    const chance = this.#options.exploration(this.progress.steps + done);
    const legal = environments.hasLegalActions ? environments.legalActions() : undefined;
    const actions = await this.act(before, legal && { legal });
    const { n } = environments.actionSpace as Discrete;
    for (let i = 0; i < count; i++) {
      if (random.action.uniform() >= chance) continue;
      actions[i] = random.action.choose(legal?.subarray(i * n, (i + 1) * n) ?? new Uint8Array(n).fill(1));
    }
    const step = environments.step(actions);
    const row = (rows: Float32Array, i: number): Float32Array => rows.subarray(i * size, (i + 1) * size);
    for (let i = 0; i < count; i++) {
      const transitions = this.pending[i]!.add({
        observation: row(before, i),
        action: [actions[i]!],
        reward: step.rewards[i]!,
        nextObservation: row(step.outcomes, i),
        terminated: step.terminated[i] === 1,
        truncated: step.truncated[i] === 1,
      });
      for (const transition of transitions) this.replay.add(transition);
    }
    return step.episodes;
  }

  /** The best action for each of the observations [count, size]. `legal` [count, n] forbids some. */
  async act(observations: Float32Array, { legal }: { readonly legal?: Uint8Array } = {}): Promise<Int32Array> {
    const { n } = this.environments.actionSpace as Discrete;
    const values = await this.values(observations);
    return Int32Array.from({ length: values.length / n }, (_, i) => {
      let best = -1;
      for (let k = 0; k < n; k++) {
        if (!Number.isFinite(values[i * n + k])) throw notFinite(i);
        if (legal !== undefined && legal[i * n + k] === 0) continue;
        if (best < 0 || values[i * n + k]! > values[i * n + best]!) best = k;
      }
      return Math.max(0, best);
    });
  }

  /** The values of all actions for observations [count, size]: [count, n]. */
  async values(observations: Float32Array): Promise<Float32Array> {
    const { size } = this.environments;
    const shape = [rowsOf(observations, size), size];
    return (await this.#values(tensor(observations, { shape }))).data('float32');
  }

  #tensors({ observations, actions, rewards, nextObservations, discounts, weights }: ReplayBatch): Tensor[] {
    const shape = [rewards.length, this.environments.size];
    return [
      tensor(observations, { shape }),
      tensor(Int32Array.from(actions)),
      tensor(rewards),
      tensor(nextObservations, { shape }),
      tensor(discounts),
      tensor(weights),
    ];
  }

  /** One update: [loss, mean value, error of each row...]. */
  #step(batch: readonly Tensor[]): Tensor {
    const [observations, actions, rewards, next, discounts, weights] = batch as [
      ...[Tensor, Tensor, Tensor],
      ...[Tensor, Tensor, Tensor],
    ];
    const { n } = this.environments.actionSpace as Discrete;
    const of = (values: Tensor, chosen: Tensor): Tensor => values.mul(oneHot(chosen, n)).sum(1);
    const values = of(this.model.forward(observations), actions);
    const later = this.target.forward(next);
    const best = this.#options.double ? of(later, this.model.forward(next).argMax(1)) : later.max(1);
    const wanted = rewards.add(discounts.mul(best)).stopGradient();
    const loss = huber(values, wanted, { reduction: 'none' }).mul(weights).mean();
    const numbers = concat([loss.reshape([1]), values.mean().reshape([1]), values.sub(wanted)]);
    this.optimizer.step(loss, numbers);
    return numbers;
  }
}
