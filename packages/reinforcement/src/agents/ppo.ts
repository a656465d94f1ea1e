/**
 * Proximal policy optimisation: a rollout is used for several updates, and the policy is kept near the one that made it.
 *
 *     r = p(a | s) / p_old(a | s)
 *     loss = -mean min(r A, clip(r, 1 - epsilon, 1 + epsilon) A) + c_value mean (V - R)^2 / 2 - c_entropy mean H
 *
 * A and R are the advantages and returns of `generalizedAdvantages`. Schulman et al. (2017), "Proximal policy optimization
 * algorithms", with what the implementations agreed on since (Huang et al. 2022, "The 37 implementation details of PPO"): advantages
 * are normalised in each minibatch, gradients clipped to a norm of 0.5, weights begin orthogonal, truncated episodes keep their value.
 */
import { type CompiledFunction, checkOptions, compile, stack, type Tensor, tensor, ValueError } from '@nn/core';
import { Adam, type Schedule } from '@nn/optim';
import { generalizedAdvantages } from '../memory/advantages.ts';
import { type Rollout, RolloutCollector } from '../memory/rollout.ts';
import { type PolicyModel, PolicyNetwork } from '../networks.ts';
import { bounded, drawActions, forbidden, policyTerms, rowsOf } from '../policy.ts';
import { RandomStream, streams } from '../random.ts';
import type { Space } from '../spaces.ts';
import type { VectorEnvironment } from '../vector.ts';
import { AgentProgress, type LearningReport } from './agent.ts';

export interface PPOOptions {
  /** A `PolicyNetwork` by default. */
  readonly model?: PolicyModel;
  /** 3e-4 by default; `linearRamp` of `@nn/optim` from 1 to 0 over `updatesIn(steps)` is usual. */
  readonly learningRate?: number | Schedule;
  /** Steps of each environment before an update; 128 by default. */
  readonly rolloutSteps?: number;
  /** Passes over a rollout; 4 by default. */
  readonly epochs?: number;
  /** Parts into which a rollout is shuffled in each pass; 4 by default. */
  readonly minibatches?: number;
  /** 0.99 by default. */
  readonly discount?: number;
  /** Of the advantages; 0.95 by default. */
  readonly lambda?: number;
  /** How far the ratio may go, epsilon; 0.2 by default. */
  readonly clip?: number;
  /** 0.5 by default. */
  readonly valueWeight?: number;
  /** 0 by default; 0.01 keeps a discrete policy from becoming certain too early. */
  readonly entropyWeight?: number;
  /** The norm to which gradients are clipped; 0.5 by default. */
  readonly gradientNorm?: number;
  /** Leaves a rollout before its last pass when the policy has moved so far (mean of (r - 1) - log r); never by default. */
  readonly targetDivergence?: number;
  /** Of actions and minibatches; 0 by default. */
  readonly seed?: number;
}

const defaults = {
  ...{ learningRate: 3e-4, rolloutSteps: 128, epochs: 4, minibatches: 4, discount: 0.99, lambda: 0.95, clip: 0.2 },
  ...{ valueWeight: 0.5, entropyWeight: 0, gradientNorm: 0.5, targetDivergence: Number.POSITIVE_INFINITY, seed: 0 },
};

/** Tensors of a rollout, [steps x environments, ...]; `legal` is 0 for what is allowed, else `forbidden`. */
interface Experience {
  readonly observations: Tensor;
  readonly actions: Tensor;
  readonly logProbabilities: Tensor;
  readonly advantages: Tensor;
  readonly returns: Tensor;
  readonly legal: Tensor | null;
}

/** @inheritDoc */
export class PPO {
  readonly environments: VectorEnvironment;
  readonly model: PolicyModel;
  readonly optimizer: Adam;
  readonly random: RandomStream;
  readonly progress: AgentProgress = new AgentProgress();
  readonly #options: Required<Omit<PPOOptions, 'model'>>;
  readonly #collector: RolloutCollector;
  readonly #update: CompiledFunction<[Experience, Tensor], Tensor>;

  constructor(environments: VectorEnvironment, options: PPOOptions = {}) {
    checkOptions('PPO', options, ['model', ...Object.keys(defaults)]);
    const { model, ...rest } = options;
    this.#options = { ...defaults, ...rest };
    const { rolloutSteps, minibatches, learningRate, gradientNorm, seed } = this.#options;
    if ((rolloutSteps * environments.count) % minibatches !== 0) {
      throw new ValueError(
        'PPO',
        `a rollout of ${rolloutSteps} steps in ${environments.count} environments does not divide into ${minibatches} minibatches.`,
        { rolloutSteps, environments: environments.count, minibatches },
      );
    }
    this.environments = environments;
    this.model = model ?? new PolicyNetwork(environments);
    this.optimizer = new Adam(this.model, { learningRate, epsilon: 1e-5, clip: { globalNorm: gradientNorm } });
    this.random = new RandomStream(seed, streams.action);
    this.#collector = new RolloutCollector(environments, this.model, this.random);
    this.#update = compile((experience: Experience, rows: Tensor) => this.#step(experience, rows));
  }

  /** How many updates the optimizer makes in so many environment steps: the length of a schedule. */
  updatesIn(steps: number): number {
    const { rolloutSteps, epochs, minibatches } = this.#options;
    return Math.ceil(steps / (rolloutSteps * this.environments.count)) * epochs * minibatches;
  }

  /** A rollout, and the updates that it gives. */
  async iterate(): Promise<LearningReport> {
    const { rolloutSteps, epochs, minibatches, discount, lambda, targetDivergence } = this.#options;
    const rollout = await this.#collector.collect(rolloutSteps);
    const experience = this.#experience(rollout, generalizedAdvantages(rollout, { discount, lambda }));
    const size = rollout.rewards.length;
    const part = size / minibatches;
    const order = Int32Array.from({ length: size }, (_, i) => i);
    let numbers: Promise<ArrayLike<number>> = Promise.resolve([]);
    for (let epoch = 0; epoch < epochs; epoch++) {
      this.random.shuffle(order);
      for (let at = 0; at < size; at += part) {
        numbers = (await this.#update(experience, tensor(order.slice(at, at + part)))).data('float32');
      }
      if (targetDivergence < Number.POSITIVE_INFINITY && (await numbers)[3]! > targetDivergence) break;
    }
    const [policyLoss, valueLoss, entropy, divergence, clipped] = Array.from(await numbers) as number[];
    const values = { policyLoss, valueLoss, entropy, divergence, clipped } as Record<string, number>;
    return this.progress.report(size, rollout.episodes, values);
  }

  /** The actions for observations [count, size]: the most probable, or drawn where the agent is to explore. */
  async act(
    observations: Float32Array,
    { explore = false, legal }: { readonly explore?: boolean; readonly legal?: Uint8Array } = {},
  ): Promise<Int32Array | Float32Array> {
    const space: Space = this.environments.actionSpace;
    const count = rowsOf(observations, this.environments.size);
    const { rows } = await this.#collector.outputs(observations, count);
    return bounded(space, drawActions(space, rows, count, explore ? this.random : null, legal).actions);
  }

  /** The values of observations [count, size], as a plot of them needs. */
  async values(observations: Float32Array): Promise<Float32Array> {
    return (await this.#collector.outputs(observations, rowsOf(observations, this.environments.size))).values;
  }

  #experience(rollout: Rollout, { advantages, returns }: ReturnType<typeof generalizedAdvantages>): Experience {
    const size = rollout.rewards.length;
    const rows = (data: Float32Array): Tensor => tensor(data, { shape: [size, data.length / size] });
    const { actions, legal } = rollout;
    return {
      observations: rows(rollout.observations),
      actions: actions instanceof Int32Array ? tensor(actions) : rows(actions),
      logProbabilities: tensor(rollout.logProbabilities),
      advantages: tensor(advantages),
      returns: tensor(returns),
      legal: legal && rows(Float32Array.from(legal, (is) => (is === 1 ? 0 : forbidden))),
    };
  }

  /** One minibatch: the rows of a rollout. Gives [policy loss, value loss, entropy, divergence, share of clipped ratios]. */
  #step(all: Experience, rows: Tensor): Tensor {
    const { clip, valueWeight, entropyWeight } = this.#options;
    const of = (t: Tensor): Tensor => t.gather(rows, 0);
    const outputs = this.model.forward(of(all.observations));
    const policy = all.legal === null ? outputs.policy : outputs.policy.add(of(all.legal));
    const terms = policyTerms(this.environments.actionSpace, { ...outputs, policy }, of(all.actions));
    const advantages = of(all.advantages);
    const normalized = advantages.sub(advantages.mean()).div(advantages.standardDeviation().add(1e-8));
    const logRatio = terms.logProbability.sub(of(all.logProbabilities));
    const ratio = logRatio.exp();
    const limited = ratio.clamp(1 - clip, 1 + clip);
    const policyLoss = ratio.mul(normalized).minimum(limited.mul(normalized)).mean().neg();
    const valueLoss = outputs.value.sub(of(all.returns)).square().mean().mul(0.5);
    const entropy = terms.entropy.mean();
    const loss = policyLoss.add(valueLoss.mul(valueWeight)).sub(entropy.mul(entropyWeight));
    const divergence = ratio.sub(1).sub(logRatio).mean();
    const clipped = ratio.sub(1).abs().greater(clip).cast('float32').mean();
    const numbers = stack([policyLoss, valueLoss, entropy, divergence, clipped]);
    this.optimizer.step(loss, numbers);
    return numbers;
  }
}
