import { describe, expect, it } from 'vitest';
import type { Environment, Step } from './environment.ts';
import { CartPole } from './environments/cart-pole.ts';
import { Game2048 } from './environments/game-2048.ts';
import { CliffWalking } from './environments/grid-world.ts';
import { MountainCar } from './environments/mountain-car.ts';
import { Pendulum } from './environments/pendulum.ts';
import { evaluatePolicy } from './evaluate.ts';
import { type Box, box, type Discrete, discrete } from './spaces.ts';
import { VectorEnvironment } from './vector.ts';
import { FrameStack } from './wrappers/frame-stack.ts';
import { NormalizeObservation, NormalizeReward } from './wrappers/normalize.ts';
import { Recorder } from './wrappers/recorder.ts';
import { TimeLimit } from './wrappers/time-limit.ts';

/** Counts to its length; the reward is the action. */
class Counting implements Environment<Box, Discrete> {
  readonly name = 'Counting';
  readonly observationSpace: Box = box(0, 100, [1]);
  readonly actionSpace: Discrete = discrete(3);
  readonly #length: number;
  #at = 0;

  constructor(length: number) {
    this.#length = length;
  }

  reset() {
    this.#at = 0;
    return { observation: Float32Array.of(0), info: {} };
  }

  step(action: number): Step<Box> {
    this.#at++;
    const observation = Float32Array.of(this.#at);
    return { observation, reward: action, terminated: this.#at === this.#length, truncated: false, info: {} };
  }
}

describe('VectorEnvironment', () => {
  it('begins anew where an episode ended, and keeps what it ended with', () => {
    const environments = new VectorEnvironment((i) => new Counting(i + 1), 2);
    expect(environments.observations).toEqual(Float32Array.of(0, 0));
    const first = environments.step([1, 2]);
    expect(first.observations).toEqual(Float32Array.of(0, 1));
    expect(first.outcomes).toEqual(Float32Array.of(1, 1));
    expect(first.terminated).toEqual(Uint8Array.of(1, 0));
    expect(first.episodes).toEqual([{ environment: 0, total: 1, steps: 1, truncated: false }]);
    const second = environments.step([0, 2]);
    expect(second.episodes.map(({ environment, total }) => [environment, total])).toEqual([
      [0, 0],
      [1, 4],
    ]);
    expect(environments.observations).toBe(second.observations);
  });

  it('gives each environment its own seed', () => {
    const environments = new VectorEnvironment(() => new CartPole(), 2, { seed: 5 });
    const rows = environments.reset();
    expect(rows.slice(4)).toEqual(new CartPole().reset({ seed: 6 }).observation);
    expect(rows.slice(0, 4)).not.toEqual(rows.slice(4));
  });

  it('writes choices as rows with one 1', () => {
    const environments = new VectorEnvironment(() => new CliffWalking(), 1);
    expect(environments.observations.indexOf(1)).toBe(36);
    expect(environments.observations.length).toBe(48);
  });

  it('takes rows of actions, and tells their number', () => {
    const environments = new VectorEnvironment(() => new Pendulum(), 2);
    expect(environments.step(Float32Array.of(0, 1)).rewards.length).toBe(2);
    expect(() => environments.step([0])).toThrow('1 numbers of actions were given, 2 environments need 2');
    expect(() => environments.step([0, 5])).toThrow('number 0 is 5, outside of -2 to 2');
  });

  it('knows what is allowed', () => {
    const environments = new VectorEnvironment(() => new Game2048(), 3, { seed: 1 });
    environments.reset();
    expect(environments.hasLegalActions).toBe(true);
    expect(environments.legalActions().length).toBe(12);
    expect(new VectorEnvironment(() => new CartPole(), 1).hasLegalActions).toBe(false);
    const stuck = (legal: Uint8Array) =>
      new VectorEnvironment(() => Object.assign(new Counting(3), { legalActions: () => legal }), 1).legalActions();
    expect(() => stuck(new Uint8Array(3))).toThrow('Counting.legalActions: none of the 3 actions is allowed');
    expect(() => stuck(new Uint8Array(2))).toThrow('Counting.legalActions: it gave 2 numbers for 3 actions.');
  });

  it('goes on from its state', () => {
    const make = () => new VectorEnvironment(() => new FrameStack(new TimeLimit(new CartPole(), 7), 2), 3, { seed: 1 });
    const [a, b] = [make(), make()];
    for (let t = 0; t < 12; t++) a.step([t % 2, 1, 0]);
    b.loadHostState(JSON.parse(JSON.stringify(a.hostState())));
    for (let t = 0; t < 12; t++) expect(b.step([0, t % 2, 1])).toEqual(a.step([0, t % 2, 1]));
    expect(() => new VectorEnvironment(() => new CartPole(), 2).loadHostState(a.hostState())).toThrow('2 environments');
  });

  it('names who cannot be saved, and who gives what it should not', () => {
    expect(() => new VectorEnvironment(() => new Counting(3), 1).hostState()).toThrow("'Counting' cannot be saved");
    const broken = (change: Partial<Step<Box>>) => {
      const environment = new Counting(3);
      const { step } = environment;
      environment.step = (action) => ({ ...step.call(environment, action), ...change });
      return new VectorEnvironment(() => environment, 1);
    };
    expect(() => broken({ reward: Number.NaN }).step([0])).toThrow('Counting.step: the reward is NaN');
    expect(() => broken({ observation: Float32Array.of(-1) }).step([0])).toThrow('number 0 is -1, outside of 0 to 100');
    expect(() => broken({ reward: Number.NEGATIVE_INFINITY }).step([0])).toThrow('the reward is -Infinity');
    expect(() => broken({ observation: Float32Array.of(Number.NaN) }).step([0])).toThrow(
      'Counting.step: the observation is outside of its space: number 0 is NaN',
    );
    expect(() => broken({ observation: Float32Array.of(1, 2) }).step([0])).toThrow(
      'it has 2 numbers, the space [1] has 1',
    );
    expect(() => new VectorEnvironment(() => new CartPole(), 1).step([Number.NaN])).toThrow(
      'CartPole.step: the action is outside of its space: NaN is not one of the 2 choices 0 to 1',
    );
    expect(() => new VectorEnvironment((i): Environment => (i === 0 ? new CartPole() : new Pendulum()), 2)).toThrow(
      'environment 1 has another `observationSpace` than environment 0: numbers [3] and numbers [4]; all need one.',
    );
    const one = new Counting(1);
    expect(() => new VectorEnvironment(() => one, 2)).toThrow('one environment twice');
  });
});

describe('evaluatePolicy', () => {
  it('counts each environment as often, however long its episodes', async () => {
    const environments = new VectorEnvironment((i) => new Counting(i === 0 ? 1 : 10), 2);
    const { returns, mean, steps } = await evaluatePolicy({ act: () => [1, 1] }, environments, 4);
    expect([...returns].sort((a, b) => a - b)).toEqual([1, 1, 10, 10]);
    expect(mean).toBe(5.5);
    expect(steps.length).toBe(4);
    await expect(evaluatePolicy({ act: () => [1, 1] }, environments, 0)).rejects.toThrow(
      '0 is not a number of episodes',
    );
  });
});

describe('wrappers', () => {
  it('a limit truncates, but a task that ends at that step has ended', () => {
    const late = new TimeLimit(new Counting(5), 2);
    late.reset();
    late.step(0);
    expect(late.step(0)).toMatchObject({ truncated: true, terminated: false });
    const done = new TimeLimit(new Counting(2), 2);
    done.reset();
    done.step(0);
    expect(done.step(0)).toMatchObject({ truncated: false, terminated: true });
    expect(() => new TimeLimit(new Counting(2), 0)).toThrow('0 is not a number of steps');
  });

  it('frames are stacked, the oldest first', () => {
    const stack = new FrameStack(new Counting(9), 3);
    expect(stack.reset().observation).toEqual(Float32Array.of(0, 0, 0));
    stack.step(0);
    expect(stack.step(0).observation).toEqual(Float32Array.of(0, 1, 2));
  });

  it('observations are normalised by what was seen, and not in evaluation', () => {
    const normal = new NormalizeObservation(new MountainCar());
    normal.reset({ seed: 1 });
    for (let t = 0; t < 100; t++) normal.step(2);
    const { count } = normal.moments;
    normal.isLearning = false;
    const { observation } = normal.step(2);
    expect(normal.moments.count).toBe(count);
    const raw = (normal.environment.hostState!() as { variables: number[] }).variables;
    const wanted = (raw[0]! - normal.moments.mean[0]!) / Math.sqrt(normal.moments.variance(0));
    expect(observation[0]).toBeCloseTo(wanted, 4);
  });

  it('rewards are brought to size one, with their sign', () => {
    const environment = new NormalizeReward(new Pendulum(), { discount: 0.9 });
    environment.reset({ seed: 1 });
    const rewards = Array.from({ length: 199 }, () => environment.step(Float32Array.of(0)).reward);
    expect(rewards.every((reward) => reward <= 0 && reward >= -10)).toBe(true);
    const other = new NormalizeReward(new Pendulum(), { discount: 0.9 });
    other.loadHostState(JSON.parse(JSON.stringify(environment.hostState())));
    expect(other.step(Float32Array.of(1)).reward).toBe(environment.step(Float32Array.of(1)).reward);
  });

  it('a recorder keeps the best and the last', () => {
    const recorder = new Recorder(new CartPole());
    recorder.reset({ seed: 1 });
    for (let isOver = false, t = 0; !isOver; t++) isOver = recorder.step(t % 2).terminated;
    const first = recorder.last!;
    expect(first.scenes.length).toBe(first.total + 1);
    recorder.reset();
    for (let isOver = false; !isOver; ) isOver = recorder.step(0).terminated;
    expect(recorder.last!.total).toBeLessThan(first.total);
    expect(recorder.best).toBe(first);
  });
});
