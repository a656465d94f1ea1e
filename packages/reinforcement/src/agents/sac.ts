/**
 * Soft actor-critic: two values of actions, a policy that is as random as it can afford, learned from a replay.
 *
 *     a = tanh(mean(s) + deviation(s) noise)
 *     y = r + discount (min(Q1', Q2')(s', a') - alpha log p(a' | s'))
 *     values:  mean (Q_i(s, a) - y)^2         policy:  mean (alpha log p(a | s) - min(Q1, Q2)(s, a))
 *     alpha:   mean -alpha (log p + wanted entropy)
 *
 * Haarnoja et al. (2018), "Soft actor-critic algorithms and applications", with the temperature alpha learned.
 */
import {
  type CompiledFunction,
  checkOptions,
  compile,
  concat,
  freeze,
  full,
  normal,
  type Parameter,
  parameter,
  stack,
  type Tensor,
  tensor,
  ValueError,
} from '@nn/core';
import { Adam, type Schedule } from '@nn/optim';
import { NStep } from '../memory/n-step.ts';
import { Replay } from '../memory/replay.ts';
import { follow } from '../memory/target.ts';
import { Mlp, type NetworkOptions, type Spaces } from '../networks.ts';
import { notFinite, rowsOf } from '../policy.ts';
import { RandomStream, streams } from '../random.ts';
import { type Box, sampleOf, sizeOf } from '../spaces.ts';
import type { Episode, VectorEnvironment } from '../vector.ts';
import { AgentProgress, type LearningReport } from './agent.ts';

export interface SACOptions extends NetworkOptions {
  /** Of all three; 1e-3 by default. */
  readonly learningRate?: number | Schedule;
  /** 0.99 by default. */
  readonly discount?: number;
  /** 100,000 by default. */
  readonly capacity?: number;
  /** 256 by default. */
  readonly batchSize?: number;
  /** Environment steps with random actions before the first update; 1,000 by default. */
  readonly warmUp?: number;
  /** Updates after one step of all environments; as many as there are environments by default. */
  readonly updates?: number;
  /** How far the targets move with each update; 0.005 by default. */
  readonly targetRate?: number;
  /** What the policy's entropy should be, in nats; minus the numbers of an action by default. */
  readonly entropy?: number;
  /** Steps of all environments in one iteration; 50 by default. */
  readonly rolloutSteps?: number;
  readonly seed?: number;
}

const defaults = {
  ...{ learningRate: 1e-3, discount: 0.99, capacity: 100_000, batchSize: 256, warmUp: 1000, targetRate: 0.005 },
  ...{ rolloutSteps: 50, seed: 0, hidden: [64, 64] as readonly number[], activation: 'relu' as const },
};

/** Means and logarithms of deviations of actions before tanh. */
class Actor {
  readonly body: Mlp;
  readonly #numbers: number;

  constructor({ observationSpace, actionSpace }: Spaces, { hidden = [], activation = 'relu' }: NetworkOptions) {
    this.#numbers = sizeOf(actionSpace);
    this.body = new Mlp([sizeOf(observationSpace), ...hidden, 2 * this.#numbers], { activation });
  }

  forward(observations: Tensor): { readonly mean: Tensor; readonly logScale: Tensor } {
    const [mean, logScale] = this.body.forward(observations).split([this.#numbers, this.#numbers], 1) as [
      Tensor,
      Tensor,
    ];
    return { mean, logScale: logScale.clamp(-20, 2) };
  }
}

/** Two values of an action, learned apart: the smaller one does not overrate. [N, size] and [N, numbers] to two of [N]. */
class Critics {
  readonly first: Mlp;
  readonly second: Mlp;

  constructor({ observationSpace, actionSpace }: Spaces, { hidden = [], activation = 'relu' }: NetworkOptions) {
    const sizes = [sizeOf(observationSpace) + sizeOf(actionSpace), ...hidden, 1];
    this.first = new Mlp(sizes, { activation });
    this.second = new Mlp(sizes, { activation });
  }

  forward(observations: Tensor, actions: Tensor): readonly [Tensor, Tensor] {
    const both = concat([observations, actions], 1);
    return [this.first.forward(both).squeeze(1), this.second.forward(both).squeeze(1)];
  }
}

/** @inheritDoc */
export class SAC {
  readonly environments: VectorEnvironment;
  readonly actor: Actor;
  readonly critics: Critics;
  readonly targets: Critics;
  readonly temperature: { readonly log: Parameter };
  readonly optimizers: { readonly actor: Adam; readonly critics: Adam; readonly temperature: Adam };
  readonly replay: Replay;
  readonly random: { readonly action: RandomStream; readonly replay: RandomStream };
  readonly progress: AgentProgress = new AgentProgress();
  readonly pending: readonly NStep[];
  readonly #options: Required<SACOptions>;
  readonly #policy: CompiledFunction<[Tensor], Tensor>;
  readonly #update: CompiledFunction<readonly Tensor[], Tensor>;
  readonly #follow: (rate: number) => Promise<void>;

  constructor(environments: VectorEnvironment, options: SACOptions = {}) {
    checkOptions('SAC', options, ['updates', 'entropy', ...Object.keys(defaults)]);
    const space = environments.actionSpace;
    const bounds = space.kind === 'box' ? [...space.low, ...space.high] : [Number.NaN];
    if (!bounds.every(Number.isFinite)) {
      throw new ValueError(
        'SAC',
        'it needs actions that are numbers with finite bounds, a `Box`; use DQN or PPO for a `Discrete` space.',
      );
    }
    this.#options = { ...defaults, updates: environments.count, entropy: -sizeOf(space), ...options };
    const { learningRate, capacity, discount, seed } = this.#options;
    this.environments = environments;
    this.actor = new Actor(environments, this.#options);
    this.critics = new Critics(environments, this.#options);
    this.targets = new Critics(environments, this.#options);
    freeze(this.targets);
    this.temperature = { log: parameter(full([], 0)) };
    this.optimizers = {
      actor: new Adam(this.actor, { learningRate }),
      critics: new Adam(this.critics, { learningRate }),
      temperature: new Adam(this.temperature, { learningRate }),
    };
    this.replay = new Replay(capacity, { observation: environments.size, action: sizeOf(space) });
    this.random = { action: new RandomStream(seed, streams.action), replay: new RandomStream(seed, streams.replay) };
    this.pending = Array.from({ length: environments.count }, () => new NStep(1, discount));
    this.#policy = compile((observations: Tensor) => {
      const { mean, logScale } = this.actor.forward(observations);
      return concat([mean, logScale], 1);
    });
    this.#update = compile((...batch: readonly Tensor[]) => this.#step(batch));
    this.#follow = follow(this.targets, this.critics);
  }

  /** Some steps in all environments, each with its updates. */
  async iterate(): Promise<LearningReport> {
    const { rolloutSteps, updates, batchSize, warmUp, targetRate } = this.#options;
    const { count, size, actionSpace } = this.environments;
    const episodes: Episode[] = [];
    if (this.optimizers.critics.stepCount === 0) await this.#follow(1);
    let numbers: Tensor | undefined;
    for (let step = 1; step <= rolloutSteps; step++) {
      episodes.push(...(await this.#explore()));
      if (this.progress.steps + step * count < warmUp) continue;
      for (let update = 0; update < updates; update++) {
        const batch = this.replay.sample(batchSize, this.random.replay);
        const rows = (data: Float32Array, width: number): Tensor => tensor(data, { shape: [batchSize, width] });
        numbers = await this.#update(
          rows(batch.observations, size),
          rows(batch.actions, sizeOf(actionSpace)),
          tensor(batch.rewards),
          rows(batch.nextObservations, size),
          tensor(batch.discounts),
        );
        await this.#follow(targetRate);
      }
    }
    const [valueLoss, meanValue, entropy, temperature] = Array.from((await numbers?.data('float32')) ?? []);
    const values = (numbers ? { valueLoss, meanValue, entropy, temperature } : {}) as Record<string, number>;
    return this.progress.report(rolloutSteps * count, episodes, values);
  }

  async #explore(): Promise<readonly Episode[]> {
    const { environments, random } = this;
    const { count, size } = environments;
    const before = environments.observations;
    const width = sizeOf(environments.actionSpace);
    const isRandom = this.replay.size < this.#options.warmUp;
    const actions = isRandom
      ? Float32Array.from(
          Array.from({ length: count }, () => [
            ...(sampleOf(environments.actionSpace, random.action) as Float32Array),
          ]).flat(),
        )
      : await this.act(before, { explore: true });
    const step = environments.step(actions);
    const row = (rows: Float32Array, i: number): Float32Array => rows.subarray(i * size, (i + 1) * size);
    for (let i = 0; i < count; i++) {
      const [transition] = this.pending[i]!.add({
        observation: row(before, i),
        action: this.#unscaled(actions.subarray(i * width, (i + 1) * width)),
        reward: step.rewards[i]!,
        nextObservation: row(step.outcomes, i),
        terminated: step.terminated[i] === 1,
        truncated: step.truncated[i] === 1,
      });
      if (transition) this.replay.add(transition);
    }
    return step.episodes;
  }

  /** The actions for observations [count, size], within their bounds: the middle of the policy, or drawn from it. */
  async act(
    observations: Float32Array,
    { explore = false }: { readonly explore?: boolean; readonly legal?: never } = {},
  ): Promise<Float32Array> {
    const { size, actionSpace } = this.environments;
    const count = rowsOf(observations, size);
    const rows = await (await this.#policy(tensor(observations, { shape: [count, size] }))).data('float32');
    const width = sizeOf(actionSpace);
    const { low, high } = actionSpace as Box;
    return Float32Array.from({ length: count * width }, (_, at) => {
      const [i, k] = [Math.floor(at / width), at % width];
      const noise = explore ? this.random.action.normal() : 0;
      const squashed = Math.tanh(rows[2 * i * width + k]! + Math.exp(rows[(2 * i + 1) * width + k]!) * noise);
      if (Number.isNaN(squashed)) throw notFinite(i);
      return low[k]! + ((squashed + 1) / 2) * (high[k]! - low[k]!);
    });
  }

  /** Actions from their bounds to [-1, 1], where the networks have them. */
  #unscaled(actions: Float32Array): Float32Array {
    const { low, high } = this.environments.actionSpace as Box;
    return actions.map((x, k) => (2 * (x - low[k]!)) / (high[k]! - low[k]!) - 1);
  }

  /** Actions [N, numbers] in [-1, 1] that the policy draws, differentiable, and log p of them [N]. */
  #drawn(observations: Tensor): { readonly actions: Tensor; readonly logProbability: Tensor } {
    const { mean, logScale } = this.actor.forward(observations);
    const noise = normal(mean.shape);
    const before = mean.add(logScale.exp().mul(noise));
    // log p(tanh u) = log N(u) - log(1 - tanh^2 u), and 1 - tanh^2 u = exp(2 (log 2 - u - softplus(-2u)))
    const gaussian = noise
      .square()
      .mul(-0.5)
      .sub(logScale)
      .sub(0.5 * Math.log(2 * Math.PI));
    const squashing = before.neg().add(Math.LN2).sub(before.mul(-2).softplus()).mul(2);
    return { actions: before.tanh(), logProbability: gaussian.sub(squashing).sum(1) };
  }

  /** One update of all: [value loss, mean value, entropy, alpha]. Each optimizer moves its own part only. */
  #step(batch: readonly Tensor[]): Tensor {
    const [observations, actions, rewards, next, discounts] = batch as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const alpha = this.temperature.log.exp().stopGradient();
    const later = this.#drawn(next);
    const [first, second] = this.targets.forward(next, later.actions);
    const soft = first.minimum(second).sub(alpha.mul(later.logProbability));
    const wanted = rewards.add(discounts.mul(soft)).stopGradient();
    const [a, b] = this.critics.forward(observations, actions);
    const valueLoss = a.sub(wanted).square().mean().add(b.sub(wanted).square().mean());

    const now = this.#drawn(observations);
    const [c, d] = this.critics.forward(observations, now.actions);
    const policyLoss = alpha.mul(now.logProbability).sub(c.minimum(d)).mean();

    const entropy = now.logProbability.mean().neg().stopGradient();
    const temperatureLoss = this.temperature.log.mul(entropy.sub(this.#options.entropy));
    const numbers = stack([valueLoss, a.mean(), entropy, alpha]);
    this.optimizers.actor.step(policyLoss);
    this.optimizers.critics.step(valueLoss);
    this.optimizers.temperature.step(temperatureLoss, numbers);
    return numbers;
  }
}
