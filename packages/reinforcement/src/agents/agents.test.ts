import { cpu } from '@nn/backend-cpu';
import { full, parameters, setDefaultBackend, setSeed } from '@nn/core';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { describe, expect, it } from 'vitest';
import type { Environment, Step } from '../environment.ts';
import { CartPole } from '../environments/cart-pole.ts';
import { CliffWalking, GridWorld } from '../environments/grid-world.ts';
import { Pendulum } from '../environments/pendulum.ts';
import { evaluatePolicy } from '../evaluate.ts';
import { ActionValueNetwork, PolicyNetwork } from '../networks.ts';
import { type Box, box, type Discrete, discrete } from '../spaces.ts';
import { VectorEnvironment } from '../vector.ts';
import { A2C, REINFORCE } from './actor-critic.ts';
import { type Learner, learn } from './agent.ts';
import { DQN } from './dqn.ts';
import { PPO } from './ppo.ts';
import { SAC } from './sac.ts';
import { Tabular } from './tabular.ts';

/** One step: the nearer the action is to half of what is seen, the better. */
class Halving implements Environment<Box, Box> {
  readonly name = 'Halving';
  readonly observationSpace: Box = box(-1, 1, [1]);
  readonly actionSpace: Box = box(-1, 3, [1]);
  #seen = 0;
  #at = 0;

  reset() {
    this.#at = (this.#at + 0.618) % 1;
    this.#seen = 2 * this.#at - 1;
    return { observation: Float32Array.of(this.#seen), info: {} };
  }

  step(action: Float32Array): Step<Box> {
    const reward = -((action[0]! - this.#seen / 2) ** 2);
    return { observation: Float32Array.of(this.#seen), reward, terminated: true, truncated: false, info: {} };
  }

  hostState() {
    return [this.#seen, this.#at];
  }

  loadHostState(state: unknown) {
    [this.#seen, this.#at] = state as [number, number];
  }
}

/** One step: of three actions the one whose number was seen; of them the last is sometimes forbidden. */
class Matching implements Environment<Discrete, Discrete> {
  readonly name = 'Matching';
  readonly observationSpace: Discrete = discrete(3);
  readonly actionSpace: Discrete = discrete(3);
  #seen = 0;
  forbidden = 0;

  reset() {
    this.#seen = (this.#seen + 1) % 3;
    return { observation: this.#seen, info: {} };
  }

  step(action: number): Step<Discrete> {
    if (this.legalActions()[action] === 0) this.forbidden++;
    const reward = action === this.#seen ? 1 : 0;
    return { observation: this.#seen, reward, terminated: true, truncated: false, info: {} };
  }

  legalActions() {
    return Uint8Array.of(1, 1, this.#seen === 2 ? 1 : 0);
  }
}

setDefaultBackend(cpu());
const run = async (agent: Learner, steps: number) => {
  let last: Awaited<ReturnType<Learner['iterate']>> | undefined;
  for await (const report of learn(agent, { steps })) last = report;
  return last!;
};

describe('tables', () => {
  it.each(['q', 'sarsa', 'expectedSarsa'] as const)('%s finds the way over the ice-free lake', (rule) => {
    const agent = new Tabular(new GridWorld(), { rule, rate: 0.5, initial: 1, seed: 1, exploration: 0.2 });
    for (let i = 0; i < 300; i++) agent.episode();
    expect(agent.episode({ explore: false })).toEqual({ total: 1, steps: 6 });
  });

  it('Q-learning walks along the cliff, SARSA keeps away from it (Sutton and Barto, example 6.6)', () => {
    const way = (rule: 'q' | 'sarsa'): number => {
      const agent = new Tabular(new CliffWalking({ limit: 500 }), { rule, rate: 0.5, discount: 1, seed: 2 });
      for (let i = 0; i < 600; i++) agent.episode();
      return agent.episode({ explore: false }).total;
    };
    expect(way('q')).toBe(-13);
    expect(way('sarsa')).toBeLessThan(-13);
  });

  it('goes on from its state', () => {
    const make = () => new Tabular(new GridWorld({ slippery: 0.3 }), { seed: 1, initial: 1 });
    const [a, b] = [make(), make()];
    for (let i = 0; i < 20; i++) a.episode();
    b.loadHostState(JSON.parse(JSON.stringify(a.hostState())));
    b.environment.loadHostState?.(a.environment.hostState?.());
    for (let i = 0; i < 5; i++) expect(b.episode()).toEqual(a.episode());
    expect(() => new Tabular(new CartPole() as never)).toThrow('can be counted');
  });
});

describe('agents learn', () => {
  it('PPO learns numbers within bounds', async () => {
    setSeed(1);
    const agent = new PPO(new VectorEnvironment(() => new Halving(), 16), {
      rolloutSteps: 8,
      minibatches: 1,
      learningRate: 1e-2,
      discount: 0,
    });
    expect((await run(agent, 5000)).meanReturn).toBeGreaterThan(-0.3);
    const actions = await agent.act(Float32Array.of(-1, 0, 1));
    [-0.5, 0, 0.5].forEach((wanted, i) => {
      expect(Math.abs(actions[i]! - wanted)).toBeLessThan(0.3);
    });
  });

  it('PPO and DQN never do what is forbidden', async () => {
    setSeed(1);
    const matching = Array.from({ length: 4 }, () => new Matching());
    const agent = new PPO(new VectorEnvironment((i) => matching[i]!, 4), { rolloutSteps: 16, learningRate: 1e-2 });
    expect((await run(agent, 1600)).meanReturn).toBeGreaterThan(0.9);
    const others = Array.from({ length: 4 }, () => new Matching());
    const dqn = new DQN(new VectorEnvironment((i) => others[i]!, 4), { warmUp: 32, discount: 0, batchSize: 16 });
    await run(dqn, 400);
    for (const environment of [...matching, ...others]) expect(environment.forbidden).toBe(0);
  });

  it.each([
    ['plainly', { double: false }],
    ['with all its parts', { double: true, dueling: true, priority: { alpha: 0.6 }, steps: 3 }],
  ])('DQN finds the way over the lake %s', async (_, options) => {
    setSeed(1);
    const environments = new VectorEnvironment(() => new GridWorld({ limit: 30 }), 4, { seed: 1 });
    const agent = new DQN(environments, {
      ...{ discount: 0.95, warmUp: 200, batchSize: 32, updates: 4, targetEvery: 50, learningRate: 2e-3 },
      ...{ exploration: () => 0.5, ...options },
    });
    await run(agent, 3200);
    const { mean, steps } = await evaluatePolicy(
      agent,
      new VectorEnvironment(() => new GridWorld({ limit: 30 }), 1),
      1,
    );
    expect([mean, steps[0]]).toEqual([1, 6]);
  });

  it('SAC learns numbers within bounds', async () => {
    setSeed(1);
    const agent = new SAC(new VectorEnvironment(() => new Halving(), 8), {
      ...{ warmUp: 64, batchSize: 64, rolloutSteps: 8, updates: 2, hidden: [32], learningRate: 5e-3, targetRate: 0.05 },
    });
    await run(agent, 2400);
    const { mean } = await evaluatePolicy(agent, new VectorEnvironment(() => new Halving(), 4), 20);
    expect(mean).toBeGreaterThan(-0.06);
    const actions = await agent.act(Float32Array.of(-1, 0, 1));
    [-0.5, 0, 0.5].forEach((wanted, i) => {
      expect(Math.abs(actions[i]! - wanted)).toBeLessThan(0.25);
    });
  });
});

describe('agents go on where they were', () => {
  const pole = () => new VectorEnvironment(() => new CartPole(), 3, { seed: 1 });
  const agents: Record<string, () => Learner> = {
    PPO: () => new PPO(pole(), { rolloutSteps: 8, minibatches: 2, epochs: 2 }),
    A2C: () => new A2C(pole(), { rolloutSteps: 5 }),
    REINFORCE: () => new REINFORCE(pole(), { rolloutSteps: 20 }),
    DQN: () => new DQN(pole(), { warmUp: 12, batchSize: 8, steps: 2, priority: {}, targetEvery: 3, capacity: 40 }),
    SAC: () => {
      const environments = new VectorEnvironment(() => new Pendulum(), 2, { seed: 1 });
      return new SAC(environments, { warmUp: 8, batchSize: 8, rolloutSteps: 5, hidden: [8] });
    },
  };

  it.each(Object.keys(agents))('%s, bit for bit', async (name) => {
    setSeed(1);
    const a = agents[name]!();
    for (let i = 0; i < 4; i++) await a.iterate();
    const bytes = await encodeCheckpoint({ agent: a });
    const wanted = [await a.iterate(), await a.iterate()];
    setSeed(99);
    const b = agents[name]!();
    await loadCheckpoint(bytes, { agent: b });
    expect([await b.iterate(), await b.iterate()]).toEqual(wanted);
  });
});

it('agents name what they cannot use', () => {
  const pendulum = () => new VectorEnvironment(() => new Pendulum(), 3);
  expect(() => new DQN(pendulum())).toThrow('use SAC or PPO for a `Box`');
  expect(() => new SAC(new VectorEnvironment(() => new CartPole(), 1))).toThrow('use DQN or PPO');
  expect(() => new PPO(pendulum(), { rolloutSteps: 5, minibatches: 4 })).toThrow('does not divide into 4 minibatches');
  expect(() => new PPO(pendulum(), { learningrate: 1 } as never)).toThrow('learningRate');
});

it('agents name networks that give no numbers, and observations of another size', async () => {
  const broken = (model: object) => {
    for (const parameter of parameters(model)) parameter.assign(full(parameter.shape, Number.NaN));
  };
  const [poles, pendulums] = [
    () => new VectorEnvironment(() => new CartPole(), 2),
    () => new VectorEnvironment(() => new Pendulum(), 2),
  ];
  const [ppo, dqn, numbers, sac] = [
    new PPO(poles(), { model: new PolicyNetwork(poles(), { hidden: [4] }) }),
    new DQN(poles(), { model: () => new ActionValueNetwork(poles(), { hidden: [4] }) }),
    new PPO(pendulums(), { model: new PolicyNetwork(pendulums(), { hidden: [4] }) }),
    new SAC(pendulums(), { hidden: [4] }),
  ];
  for (const [agent, size] of [[ppo, 4] as const, [dqn, 4] as const, [numbers, 3] as const, [sac, 3] as const]) {
    await expect(agent.act(new Float32Array(5))).rejects.toThrow(
      `act: 5 numbers are no rows of ${size}, which is the size of an observation here`,
    );
    broken('actor' in agent ? agent.actor : agent.model);
    await expect(agent.act(new Float32Array(2 * size))).rejects.toThrow(
      'act: the network gives no finite numbers for observation 0: the training has diverged.',
    );
  }
});

it('learning ends with its signal, after an iteration', async () => {
  const agent = new PPO(new VectorEnvironment(() => new CartPole(), 2), { rolloutSteps: 4, minibatches: 1, epochs: 1 });
  const controller = new AbortController();
  let iterations = 0;
  for await (const _ of learn(agent, { steps: 1000, signal: controller.signal }))
    if (++iterations === 3) controller.abort();
  expect(iterations).toBe(3);
  await expect(learn(agent, { steps: -1 }).next()).rejects.toThrow('steps -1');
});
