/**
 * REINFORCE and A2C: the policy's own gradient, once for each rollout.
 *
 *     loss = -mean log p(a | s) A + c_value mean (V - R)^2 / 2 - c_entropy mean H
 *
 * REINFORCE (Williams 1992) is A = the discounted rewards to come less a baseline, `lambda` 1: the network's value here, which makes it
 * steadier and leaves its mean. A2C (Mnih et al. 2016, without the asynchrony) looks a few steps ahead and lets the value say the
 * rest: short rollouts.
 */
import { type CompiledFunction, checkOptions, compile, stack, type Tensor, tensor } from '@nn/core';
import { Adam, type Schedule } from '@nn/optim';
import { generalizedAdvantages } from '../memory/advantages.ts';
import { RolloutCollector } from '../memory/rollout.ts';
import { type PolicyModel, PolicyNetwork } from '../networks.ts';
import { bounded, drawActions, forbidden, policyTerms, rowsOf } from '../policy.ts';
import { RandomStream, streams } from '../random.ts';
import type { VectorEnvironment } from '../vector.ts';
import { AgentProgress, type LearningReport } from './agent.ts';

export interface ActorCriticOptions {
  /** A `PolicyNetwork` by default. */
  readonly model?: PolicyModel;
  /** 7e-4 by default for A2C, 1e-3 for REINFORCE. */
  readonly learningRate?: number | Schedule;
  /** Steps of each environment before an update; 16 by default for A2C, 500 for REINFORCE (whole episodes, where they are short). */
  readonly rolloutSteps?: number;
  /** 0.99 by default. */
  readonly discount?: number;
  /** Of the advantages; 1 by default. */
  readonly lambda?: number;
  /** 0.5 by default. */
  readonly valueWeight?: number;
  /** 0 by default. */
  readonly entropyWeight?: number;
  /** Brings the advantages of a rollout to mean 0 and deviation 1; true by default for REINFORCE. */
  readonly normalize?: boolean;
  /** 0.5 by default. */
  readonly gradientNorm?: number;
  readonly seed?: number;
}

const common = { discount: 0.99, lambda: 1, valueWeight: 0.5, entropyWeight: 0, gradientNorm: 0.5, seed: 0 };
const a2c = { ...common, learningRate: 7e-4, rolloutSteps: 16, normalize: false };
const reinforce = { ...common, learningRate: 1e-3, rolloutSteps: 500, normalize: true };

/** What the two share: all but their usual settings. */
abstract class ActorCritic {
  readonly environments: VectorEnvironment;
  readonly model: PolicyModel;
  readonly optimizer: Adam;
  readonly random: RandomStream;
  readonly progress: AgentProgress = new AgentProgress();
  readonly #options: Required<Omit<ActorCriticOptions, 'model'>>;
  readonly #collector: RolloutCollector;
  readonly #update: CompiledFunction<readonly Tensor[], Tensor>;

  constructor(
    name: string,
    environments: VectorEnvironment,
    options: ActorCriticOptions,
    defaults: Required<Omit<ActorCriticOptions, 'model'>>,
  ) {
    checkOptions(name, options, ['model', ...Object.keys(defaults)]);
    const { model, ...rest } = options;
    this.#options = { ...defaults, ...rest };
    const { learningRate, gradientNorm, seed } = this.#options;
    this.environments = environments;
    this.model = model ?? new PolicyNetwork(environments);
    this.optimizer = new Adam(this.model, { learningRate, epsilon: 1e-5, clip: { globalNorm: gradientNorm } });
    this.random = new RandomStream(seed, streams.action);
    this.#collector = new RolloutCollector(environments, this.model, this.random);
    this.#update = compile((...batch: readonly Tensor[]) => this.#step(batch));
  }

  /** A rollout, and its update. */
  async iterate(): Promise<LearningReport> {
    const { rolloutSteps, discount, lambda } = this.#options;
    const rollout = await this.#collector.collect(rolloutSteps);
    const { advantages, returns } = generalizedAdvantages(rollout, { discount, lambda });
    const size = rollout.rewards.length;
    const rows = (data: Float32Array): Tensor => tensor(data, { shape: [size, data.length / size] });
    const { actions, legal } = rollout;
    const numbers = await this.#update(
      rows(rollout.observations),
      actions instanceof Int32Array ? tensor(actions) : rows(actions),
      tensor(advantages),
      tensor(returns),
      ...(legal ? [rows(Float32Array.from(legal, (is) => (is === 1 ? 0 : forbidden)))] : []),
    );
    const [policyLoss, valueLoss, entropy] = Array.from(await numbers.data('float32'));
    const values = { policyLoss, valueLoss, entropy } as Record<string, number>;
    return this.progress.report(size, rollout.episodes, values);
  }

  /** The actions for observations [count, size]: the most probable, or drawn where the agent is to explore. */
  async act(
    observations: Float32Array,
    { explore = false, legal }: { readonly explore?: boolean; readonly legal?: Uint8Array } = {},
  ): Promise<Int32Array | Float32Array> {
    const space = this.environments.actionSpace;
    const count = rowsOf(observations, this.environments.size);
    const { rows } = await this.#collector.outputs(observations, count);
    return bounded(space, drawActions(space, rows, count, explore ? this.random : null, legal).actions);
  }

  #step(batch: readonly Tensor[]): Tensor {
    const [observations, actions, given, returns, legal] = batch as [Tensor, Tensor, Tensor, Tensor, Tensor?];
    const { valueWeight, entropyWeight, normalize } = this.#options;
    const outputs = this.model.forward(observations);
    const policy = legal === undefined ? outputs.policy : outputs.policy.add(legal);
    const terms = policyTerms(this.environments.actionSpace, { ...outputs, policy }, actions);
    const advantages = normalize ? given.sub(given.mean()).div(given.standardDeviation().add(1e-8)) : given;
    const policyLoss = terms.logProbability.mul(advantages).mean().neg();
    const valueLoss = outputs.value.sub(returns).square().mean().mul(0.5);
    const entropy = terms.entropy.mean();
    const numbers = stack([policyLoss, valueLoss, entropy]);
    this.optimizer.step(policyLoss.add(valueLoss.mul(valueWeight)).sub(entropy.mul(entropyWeight)), numbers);
    return numbers;
  }
}

/**
 * Advantage actor-critic: short rollouts, one update each.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, setSeed } from '@nn/core';
 * import { A2C, CartPole, learn, VectorEnvironment } from '@nn/reinforcement';
 * setDefaultBackend(cpu());
 * setSeed(1);
 * const agent = new A2C(new VectorEnvironment(() => new CartPole(), 8, { seed: 1 }), { seed: 1 });
 * for await (const { iterations } of learn(agent, { steps: 256 })) console.log(iterations); // => 1 2
 */
export class A2C extends ActorCritic {
  constructor(environments: VectorEnvironment, options: ActorCriticOptions = {}) {
    super('A2C', environments, options, a2c);
  }
}

/**
 * REINFORCE with the network's value as its baseline: long rollouts, one update each.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, setSeed } from '@nn/core';
 * import { CartPole, learn, REINFORCE, VectorEnvironment } from '@nn/reinforcement';
 * setDefaultBackend(cpu());
 * setSeed(1);
 * const agent = new REINFORCE(new VectorEnvironment(() => new CartPole(), 2, { seed: 1 }), { rolloutSteps: 100 });
 * for await (const { steps } of learn(agent, { steps: 200 })) console.log(steps); // => 200
 */
export class REINFORCE extends ActorCritic {
  constructor(environments: VectorEnvironment, options: ActorCriticOptions = {}) {
    super('REINFORCE', environments, options, reinforce);
  }
}
