import { readFileSync } from 'node:fs';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { Linear } from '@nn/layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { bounded, drawActions, policyTerms } from '../policy.ts';
import { RandomStream } from '../random.ts';
import { exponentialSchedule, linearSchedule } from '../schedules.ts';
import { box, discrete, sampleOf, whyOutside } from '../spaces.ts';
import { generalizedAdvantages } from './advantages.ts';
import { RunningMoments } from './moments.ts';
import { NStep } from './n-step.ts';
import { pack, unpack } from './packed.ts';
import { PrioritizedReplay } from './prioritized-replay.ts';
import { Replay } from './replay.ts';
import { follow } from './target.ts';

const { advantages: wanted, probabilities } = JSON.parse(
  readFileSync(new URL('../../fixtures/golden.json', import.meta.url), 'utf8'),
);

beforeAll(() => setDefaultBackend(cpu()));
const near = (a: ArrayLike<number>, b: ArrayLike<number>, error = 1e-5): void => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(error);
};

it('advantages are what their definition says, through ends of both kinds', () => {
  const input = {
    ...{ rewards: Float32Array.from(wanted.rewards), values: Float32Array.from(wanted.values) },
    ...{ nextValues: Float32Array.from(wanted.nextValues), environments: wanted.environments },
    ...{ terminated: Uint8Array.from(wanted.terminated), ended: Uint8Array.from(wanted.ended) },
  };
  const { advantages, returns } = generalizedAdvantages(input, wanted);
  near(advantages, wanted.advantages);
  near(returns, wanted.returns);
  expect(() => generalizedAdvantages({ ...input, environments: 2 })).toThrow('a multiple of 2');
});

describe('a policy', () => {
  it('has the probabilities and entropies of PyTorch', async () => {
    const { discrete: d, box: b } = probabilities;
    const choices = policyTerms(discrete(3), { policy: tensor(d.logits) }, tensor(Int32Array.from(d.actions)));
    near(await choices.logProbability.array(1), d.logProbability);
    near(await choices.entropy.array(1), d.entropy);
    const outputs = { policy: tensor(b.mean), logScale: tensor(b.logScale) };
    const numbers = policyTerms(box(-1, 1, [2]), outputs, tensor(b.actions));
    near(await numbers.logProbability.array(1), b.logProbability);
    near(await numbers.entropy.array(1), b.entropy);
  });

  it('draws on the host what it says on the device', async () => {
    const { discrete: d, box: b } = probabilities;
    const rows = Float32Array.from(d.logits.flat());
    const drawn = drawActions(discrete(3), rows, 4, new RandomStream(1));
    const terms = policyTerms(discrete(3), { policy: tensor(d.logits) }, tensor(drawn.actions as Int32Array));
    near(drawn.logProbabilities, await terms.logProbability.array(1));
    const means = Float32Array.from(b.mean.flatMap((row: number[]) => [...row, ...b.logScale]));
    const numbers = drawActions(box(-1, 1, [2]), means, 4, new RandomStream(1));
    const outputs = { policy: tensor(b.mean), logScale: tensor(b.logScale) };
    const actions = tensor(numbers.actions, { shape: [4, 2] });
    near(numbers.logProbabilities, await policyTerms(box(-1, 1, [2]), outputs, actions).logProbability.array(1));
    expect(bounded(box(-1, 1, [2]), Float32Array.of(5, -5, 0.5, 0))).toEqual(Float32Array.of(1, -1, 0.5, 0));
  });

  it('draws as often as it says, and never what is forbidden', () => {
    const random = new RandomStream(3);
    const rows = Float32Array.of(0, Math.log(3), 5);
    const counts = [0, 0, 0];
    for (let i = 0; i < 4000; i++) {
      const { actions } = drawActions(discrete(3), rows, 1, random, Uint8Array.of(1, 1, 0));
      counts[actions[0]!]!++;
    }
    expect(counts[2]).toBe(0);
    expect(Math.abs(counts[0]! - 1000)).toBeLessThan(110); // four deviations of 27
    expect(drawActions(discrete(3), rows, 1, null, Uint8Array.of(1, 1, 0)).actions[0]).toBe(1);
  });
});

const transition = (x: number) => ({
  ...{ observation: [x], action: [x], reward: x, nextObservation: [x + 1], discount: 0.5 },
});

describe('Replay', () => {
  it('keeps the last, and gives whole rows', () => {
    const replay = new Replay(3, { observation: 1, action: 1 });
    for (const x of [0, 1, 2, 3]) replay.add(transition(x));
    const { rewards, observations, nextObservations, actions, discounts } = replay.sample(200, new RandomStream(1));
    expect([...new Set(rewards)].sort()).toEqual([1, 2, 3]);
    rewards.forEach((x, i) => {
      expect([observations[i], actions[i], nextObservations[i], discounts[i]]).toEqual([x, x, x + 1, 0.5]);
    });
  });

  it('goes on from its state, bit for bit', () => {
    const replay = new Replay(5, { observation: 1, action: 1 });
    for (const x of [0.1, Math.PI, -1e-40]) replay.add(transition(x));
    const other = new Replay(5, { observation: 1, action: 1 });
    other.loadHostState(JSON.parse(JSON.stringify(replay.hostState())));
    for (const one of [replay, other]) one.add(transition(7));
    expect(other.sample(50, new RandomStream(2))).toEqual(replay.sample(50, new RandomStream(2)));
    expect(() => other.loadHostState({ count: 3, next: 0, rows: 'AAAA' })).toThrow('at most 5 transitions');
    expect(() => new Replay(2, { observation: 1, action: 1 }).loadHostState(replay.hostState())).toThrow('at most 2');
  });

  it('says that it is empty', () => {
    expect(() => new Replay(3, { observation: 1, action: 1 }).sample(1, new RandomStream(1))).toThrow('it is empty');
  });
});

describe('PrioritizedReplay', () => {
  it('draws in proportion to the priorities, and weighs that away', () => {
    const replay = new PrioritizedReplay(5, { observation: 1, action: 1 }, { alpha: 1, beta: 1 });
    for (const x of [0, 1, 2, 3]) replay.add(transition(x));
    replay.reprioritize([0, 1, 2, 3], [1, 2, 3, 4]);
    const random = new RandomStream(1);
    const counts = [0, 0, 0, 0];
    let weights: number[] = [];
    for (let i = 0; i < 500; i++) {
      const batch = replay.sample(10, random);
      for (const x of batch.rewards) counts[x]!++;
      weights = [
        ...new Set(Array.from(batch.places, (place, k) => `${place}:${(batch.weights[k]! * (place + 1)).toFixed(3)}`)),
      ].map((text) => Number(text.split(':')[1]));
    }
    counts.forEach((count, x) => {
      expect(Math.abs(count - 500 * (x + 1))).toBeLessThan(60); // stratified: less than the deviation of 40 of free draws
    });
    // a weight is one over the priority, but for the largest of the batch
    expect(new Set(weights).size).toBe(1);
  });

  it('goes on from its state', () => {
    const replay = new PrioritizedReplay(4, { observation: 1, action: 1 });
    for (const x of [0, 1, 2]) replay.add(transition(x));
    replay.reprioritize([0, 1], [0.1, 7.3]);
    const other = new PrioritizedReplay(4, { observation: 1, action: 1 });
    other.loadHostState(JSON.parse(JSON.stringify(replay.hostState())));
    for (const one of [replay, other]) one.add(transition(9));
    expect(other.sample(40, new RandomStream(2))).toEqual(replay.sample(40, new RandomStream(2)));
    expect(() => replay.reprioritize([0], [Number.NaN])).toThrow('the error 0 is NaN');
    expect(() => new PrioritizedReplay(4, { observation: 1, action: 1 }, { alpha: 2 })).toThrow('alpha 2');
  });
});

it('steps become one transition, and the end gives what waits', () => {
  const steps = new NStep(3, 0.5);
  const step = (x: number, end: 'terminated' | 'truncated' | null = null) =>
    steps.add({
      ...{ observation: [x], action: [x], reward: 1, nextObservation: [x + 1] },
      ...{ terminated: end === 'terminated', truncated: end === 'truncated' },
    });
  expect([step(0), step(1)]).toEqual([[], []]);
  expect(step(2)).toEqual([{ observation: [0], action: [0], reward: 1.75, nextObservation: [3], discount: 0.125 }]);
  expect(step(3, 'terminated').map(({ reward, discount }) => [reward, discount])).toEqual([
    [1.75, 0],
    [1.5, 0],
    [1, 0],
  ]);
  step(0);
  expect(step(1, 'truncated').map(({ reward, discount }) => [reward, discount])).toEqual([
    [1.5, 0.25],
    [1, 0.5],
  ]);
});

it('targets follow, and must be alike', async () => {
  const [source, target] = [new Linear(2, 1, { bias: false }), new Linear(2, 1, { bias: false })];
  source.weight.assign(tensor([[8, 4]]));
  target.weight.assign(tensor([[0, 0]]));
  const move = follow(target, source);
  await move(0.25);
  expect(await target.weight.array()).toEqual([[2, 1]]);
  await move(0.5);
  expect(await target.weight.array()).toEqual([[5, 2.5]]);
  await move(1);
  source.weight.assign(tensor([[0, 0]]));
  expect(await target.weight.array()).toEqual([[8, 4]]);
  expect(() => follow(new Linear(3, 1), new Linear(2, 1))).toThrow(
    "'weight' is [1, 3] in the target, in the source [1, 2]",
  );
});

it('moments are those of all that was seen', () => {
  const moments = new RunningMoments(2);
  const rows = [
    [1, 10],
    [2, 30],
    [6, 20],
  ];
  for (const row of rows) moments.update(row);
  expect([...moments.mean]).toEqual([3, 20]);
  expect(moments.variance(0)).toBeCloseTo(14 / 3, 12);
  const other = new RunningMoments(2);
  other.loadHostState(JSON.parse(JSON.stringify(moments.hostState())));
  expect(other.variance(1)).toBe(moments.variance(1));
});

it('numbers go through text bit for bit', () => {
  for (const length of [0, 1, 2, 3, 4, 5000]) {
    const numbers = Float32Array.from({ length }, (_, i) => Math.sin(i) * 10 ** ((i % 60) - 30));
    if (length > 3) numbers.set([Number.NaN, -0, Number.POSITIVE_INFINITY]);
    const text = pack(numbers);
    if (length === 2) expect(text).toBe(Buffer.from(numbers.buffer).toString('base64').replaceAll('=', 'A'));
    const back = unpack(text, 4 * length)!;
    expect(new Uint8Array(back)).toEqual(new Uint8Array(numbers.buffer));
  }
  expect(unpack('AB*D', 3)).toBe(null);
  expect(unpack('ABCD', 4)).toBe(null);
});

describe('a random stream', () => {
  it('goes on from its state, and differs by stream', () => {
    const stream = new RandomStream(5, 1);
    stream.normal();
    const other = new RandomStream(0);
    other.loadHostState(JSON.parse(JSON.stringify(stream.hostState())));
    expect(other.uniform()).toBe(stream.uniform());
    expect(new RandomStream(5, 2).uniform()).not.toBe(new RandomStream(5, 1).uniform());
    expect(() => other.loadHostState([1, 2])).toThrow('three integers');
    expect(() => new RandomStream(0.5)).toThrow('seed 0.5');
  });

  it('chooses by weights, and never what weighs nothing', () => {
    const random = new RandomStream(1);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++) counts[random.choose([1, 0, 3, 0])]!++;
    expect([counts[1], counts[3]]).toEqual([0, 0]);
    expect(Math.abs(counts[0]! - 1000)).toBeLessThan(110);
  });
});

describe('spaces', () => {
  it('say what is outside', () => {
    expect(whyOutside(discrete(3), 2)).toBe(null);
    expect(whyOutside(discrete(3), 3)).toBe('3 is not one of the 3 choices 0 to 2');
    expect(whyOutside(box(-1, 1, [2]), Float32Array.of(0, 1))).toBe(null);
    expect(whyOutside(box(-1, 1, [2]), Float32Array.of(0, 1.5))).toBe('number 1 is 1.5, outside of -1 to 1');
    expect(whyOutside(box(-1, 1, [2]), Float32Array.of(Number.NaN, 1))).toBe('number 0 is NaN');
    expect(whyOutside(box(-1, 1, [2]), Float32Array.of(1))).toBe('it has 1 numbers, the space [2] has 2');
    expect(() => box(2, 1)).toThrow('low 2 at 0 is above high 1');
    expect(() => discrete(0)).toThrow('n = 0');
  });

  it('are sampled inside', () => {
    const random = new RandomStream(1);
    const space = box([0, -Infinity, -1, -Infinity], [1, 0, Infinity, Infinity]);
    for (let i = 0; i < 100; i++) expect(whyOutside(space, sampleOf(space, random))).toBe(null);
  });
});

it('schedules', () => {
  expect([0, 5, 10, 20].map(linearSchedule(1, 0, 10))).toEqual([1, 0.5, 0, 0]);
  expect([0, 10, 100].map(exponentialSchedule(1, { halfLife: 10, least: 0.1 }))).toEqual([1, 0.5, 0.1]);
});
