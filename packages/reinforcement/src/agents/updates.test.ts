/** What agents compute in an update, held against the formulas of their papers in double precision; no learning at length. */
import { cpu } from '@nn/backend-cpu';
import { full, parameters, setDefaultBackend, setSeed, tensor } from '@nn/core';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { describe, expect, it } from 'vitest';
import { CartPole } from '../environments/cart-pole.ts';
import { Pendulum } from '../environments/pendulum.ts';
import { generalizedAdvantages } from '../memory/advantages.ts';
import { type Rollout, RolloutCollector } from '../memory/rollout.ts';
import type { PolicyModel } from '../networks.ts';
import { RandomStream, streams } from '../random.ts';
import type { Space } from '../spaces.ts';
import { VectorEnvironment } from '../vector.ts';
import { A2C, REINFORCE } from './actor-critic.ts';
import { DQN } from './dqn.ts';
import { PPO } from './ppo.ts';
import { SAC } from './sac.ts';

setDefaultBackend(cpu());

const poles = (count = 4) => new VectorEnvironment(() => new CartPole(), count, { seed: 1 });
const pendulums = (count = 4) => new VectorEnvironment(() => new Pendulum(), count, { seed: 1 });
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const spread = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (values.length - 1));
};
const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
const close = (got: number | undefined, wanted: number, by = 2e-4): void =>
  expect(Math.abs(got! - wanted)).toBeLessThan(by * Math.max(1, Math.abs(wanted)));

/** The rollout that an agent with this seed made first, made again. */
async function rolloutOf(environments: VectorEnvironment, model: PolicyModel, steps: number, seed: number) {
  return new RolloutCollector(environments, model, new RandomStream(seed, streams.action)).collect(steps);
}

/** log p of each action, the entropies and the values that a model gives for a rollout now, by the formulas. */
async function judge(model: PolicyModel, space: Space, { observations, actions, rewards }: Rollout) {
  const size = rewards.length;
  const { policy, logScale, value } = model.forward(
    tensor(observations, { shape: [size, observations.length / size] }),
  );
  const [rows, values] = [Array.from(await policy.data('float32')), Array.from(await value.data('float32'))];
  const scales = Array.from((await logScale?.data('float32')) ?? []);
  const width = rows.length / size;
  const terms = range(size).map((i) => {
    const row = rows.slice(i * width, (i + 1) * width);
    if (space.kind === 'discrete') {
      const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
      const logs = row.map((x) => x - total);
      return { logProbability: logs[actions[i]!]!, entropy: -logs.reduce((sum, x) => sum + Math.exp(x) * x, 0) };
    }
    const numbers = row.map((middle, k) => {
      const s = Math.exp(scales[k]!);
      const density = Math.exp(-((actions[i * width + k]! - middle) ** 2) / (2 * s * s)) / (s * Math.sqrt(2 * Math.PI));
      return { logProbability: Math.log(density), entropy: 0.5 * Math.log(2 * Math.PI * Math.E * s * s) };
    });
    const sum = (name: 'logProbability' | 'entropy'): number => numbers.reduce((all, number) => all + number[name], 0);
    return { logProbability: sum('logProbability'), entropy: sum('entropy') };
  });
  return { terms, values };
}

describe.each([
  ['choices', poles],
  ['numbers', pendulums],
] as const)('of actions that are %s', (_, make) => {
  it('PPO clips its ratios, normalises advantages and halves the squares of values', async () => {
    const options = { rolloutSteps: 16, minibatches: 1, learningRate: 0.01, clip: 0.05, entropyWeight: 0.02, seed: 3 };
    setSeed(1);
    const once = new PPO(make(), { ...options, epochs: 1 });
    const rollout = await rolloutOf(make(), once.model, 16, 3);
    await once.iterate();
    // the second pass sees the parameters that the first one left
    const { terms, values } = await judge(once.model, once.environments.actionSpace, rollout);
    setSeed(1);
    const twice = new PPO(make(), { ...options, epochs: 2 });
    const got = (await twice.iterate()).values;
    const { advantages, returns } = generalizedAdvantages(rollout);
    const given = Array.from(advantages);
    const ratios = terms.map(({ logProbability }, i) => Math.exp(logProbability - rollout.logProbabilities[i]!));
    const normal = given.map((advantage) => (advantage - mean(given)) / spread(given));
    const limited = ratios.map((ratio) => Math.min(1.05, Math.max(0.95, ratio)));
    close(
      got.policyLoss,
      -mean(ratios.map((ratio, i) => Math.min(ratio * normal[i]!, limited[i]! * normal[i]!))),
      1e-3,
    );
    close(got.valueLoss, mean(values.map((value, i) => (value - returns[i]!) ** 2)) / 2);
    close(got.entropy, mean(terms.map(({ entropy }) => entropy)));
    close(got.divergence, mean(ratios.map((ratio) => ratio - 1 - Math.log(ratio))), 1e-3);
    close(got.clipped, mean(ratios.map((ratio) => (Math.abs(ratio - 1) > 0.05 ? 1 : 0))));
    expect(got.clipped).toBeGreaterThan(0);
  });

  it.each([
    ['A2C', A2C, 1, false],
    ['REINFORCE', REINFORCE, 1, true],
  ] as const)('%s takes the gradient of log p, weighted by advantages', async (__, Agent, lambda, normalizes) => {
    setSeed(2);
    const agent = new Agent(make(), { rolloutSteps: 12, seed: 5 });
    const rollout = await rolloutOf(make(), agent.model, 12, 5);
    const { terms, values } = await judge(agent.model, agent.environments.actionSpace, rollout);
    const got = (await agent.iterate()).values;
    const { advantages, returns } = generalizedAdvantages(rollout, { lambda });
    const given = Array.from(advantages);
    const weights = normalizes ? given.map((x) => (x - mean(given)) / spread(given)) : given;
    close(got.policyLoss, -mean(terms.map(({ logProbability }, i) => logProbability * weights[i]!)), 1e-3);
    close(got.valueLoss, mean(values.map((value, i) => (value - returns[i]!) ** 2)) / 2);
    close(got.entropy, mean(terms.map(({ entropy }) => entropy)));
  });

  it('A2C moves towards what was better than thought', async () => {
    setSeed(2);
    const agent = new A2C(make(), { rolloutSteps: 12, seed: 5, learningRate: 1e-3, gradientNorm: 100 });
    const rollout = await rolloutOf(make(), agent.model, 12, 5);
    const before = await judge(agent.model, agent.environments.actionSpace, rollout);
    await agent.iterate();
    const after = await judge(agent.model, agent.environments.actionSpace, rollout);
    const { advantages } = generalizedAdvantages(rollout, { lambda: 1 });
    const gain = mean(
      after.terms.map(({ logProbability }, i) => (logProbability - before.terms[i]!.logProbability) * advantages[i]!),
    );
    expect(gain).toBeGreaterThan(0);
  });
});

describe('DQN', () => {
  it.each([
    ['the highest value of the target', { double: false, dueling: false }],
    ['what the network prefers, worth what the target says', { double: true, dueling: true }],
  ])('learns the reward and %s', async (_, options) => {
    const make = () =>
      new DQN(poles(), { ...options, warmUp: 8, batchSize: 32, rolloutSteps: 8, updates: 1, targetEvery: 1000 });
    setSeed(1);
    const agent = make();
    for (let i = 0; i < 20; i++) await agent.iterate(); // the network leaves its target
    const before = make();
    await loadCheckpoint(await encodeCheckpoint({ agent }), { agent: before });
    const got = (await agent.iterate()).values;
    const random = new RandomStream(0);
    random.loadHostState(before.random.replay.hostState());
    const batch = agent.replay.sample(32, random);
    const [now, preferred] = [await before.values(batch.observations), await before.values(batch.nextObservations)];
    const later = await before.target.forward(tensor(batch.nextObservations, { shape: [32, 4] })).data('float32');
    expect(later).not.toEqual(preferred);
    const errors = range(32).map((i) => {
      const [a, b] = [2 * i, 2 * i + 1];
      const best = options.double ? later[preferred[b]! > preferred[a]! ? b : a]! : Math.max(later[a]!, later[b]!);
      return now[2 * i + batch.actions[i]!]! - (batch.rewards[i]! + batch.discounts[i]! * best);
    });
    close(got.loss, mean(errors.map((error) => (Math.abs(error) < 1 ? error ** 2 / 2 : Math.abs(error) - 0.5))));
    close(got.meanValue, mean(range(32).map((i) => now[2 * i + batch.actions[i]!]!)));
  });

  it('moves its target by a share, or copies it', async () => {
    for (const targetRate of [1, 0.25]) {
      setSeed(1);
      const agent = new DQN(poles(), { warmUp: 0, batchSize: 4, updates: 1, targetEvery: 1, targetRate });
      const read = async (model: object) => {
        const lists = await Promise.all([...parameters(model)].map((parameter) => parameter.data('float32')));
        return lists.flatMap((list) => Array.from(list));
      };
      const start = await read(agent.model);
      await agent.iterate();
      const [network, target] = [await read(agent.model), await read(agent.target)];
      expect(network).not.toEqual(start);
      const wanted = start.map((value, i) => value + targetRate * (network[i]! - value));
      for (const [i, value] of target.entries()) close(value, wanted[i]!, 1e-6);
    }
  });
});

it('SAC knows how random a squashed normal distribution is', async () => {
  setSeed(1);
  const agent = new SAC(pendulums(), {
    warmUp: 4,
    batchSize: 4096,
    rolloutSteps: 1,
    updates: 1,
    hidden: [8],
    entropy: -9,
  });
  for (const parameter of parameters(agent.actor)) parameter.assign(full(parameter.shape, 0));
  const { weight: last, bias } = agent.actor.body.layers.at(-1)!;
  expect(last.shape).toEqual([2, 8]);
  bias!.assign(tensor([0.3, -0.5])); // mean 0.3, deviation e^-0.5
  const { entropy, temperature } = (await agent.iterate()).values;
  // -integral p(a) log p(a) da = integral N(u) (-log N(u) + log(1 - tanh(u)^2)) du
  let wanted = 0;
  for (let x = -8; x < 8; x += 0.001) {
    const density = Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI);
    const u = 0.3 + Math.exp(-0.5) * x;
    wanted += 0.001 * density * (-Math.log(density) - 0.5 + Math.log(1 - Math.tanh(u) ** 2));
  }
  expect(Math.abs(entropy! - wanted)).toBeLessThan(0.05); // 4,096 samples
  expect(temperature).toBe(1);
  // more random than it was asked to be: less is paid for that
  expect(await agent.temperature.log.item()).toBeLessThan(0);
});
