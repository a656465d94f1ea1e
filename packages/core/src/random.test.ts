/** One stream of random numbers: the same from one seed, everywhere and in any order of evaluation. */
import { reference } from '@nn/conformance';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  bernoulli,
  categorical,
  hostNormal,
  hostNormalLater,
  hostUniform,
  hostUniformLater,
  normal,
  randomInteger,
  randomState,
  setRandomState,
  setSeed,
  type Tensor,
  tensor,
  uniform,
} from './index.ts';
import { recordDraws } from './random.ts';
import { prepare } from './testing.ts';

prepare(reference({ rounding: 'float32' }));
beforeEach(() => setSeed(11));

const data = async (x: Tensor): Promise<number[]> => Array.from(await x.data());

describe('a seed', () => {
  test('gives the same numbers again', async () => {
    const first = [await data(uniform([5])), await data(uniform([5]))];
    setSeed(11);
    expect([await data(uniform([5])), await data(uniform([5]))]).toEqual(first);
    expect(first[0]).not.toEqual(first[1]);
    setSeed(12);
    expect(await data(uniform([5]))).not.toEqual(first[0]);
  });

  test('gives them in any order of evaluation', async () => {
    const [a, b] = [uniform([3]), uniform([3])];
    const later = await data(b);
    const earlier = await data(a);
    setSeed(11);
    expect([await data(uniform([3])), await data(uniform([3]))]).toEqual([earlier, later]);
  });

  test('gives the host what the device draws', async () => {
    const device = await data(uniform([100]));
    setSeed(11);
    expect(Array.from(hostUniform(100))).toEqual(device);
  });

  test('is the same where it is made later, whatever was drawn meanwhile', async () => {
    const [uniforms, normals] = [hostUniformLater(5), hostNormalLater(5, 3)];
    const after = hostUniform(2);
    setSeed(11);
    const [first, second] = [hostUniform(5), hostNormal(5).map((z) => 3 * z)];
    expect(hostUniform(2)).toEqual(after);
    expect([uniforms(), normals(), uniforms()]).toEqual([first, second, first]);
  });

  test('gives devices without exact integers the same, drawn by the host', async () => {
    const device = await data(uniform([4, 25]));
    setSeed(11);
    const coarse = reference({ limits: { exactInt32: false } });
    expect(await data(uniform([4, 25]).add(tensor(0, { backend: coarse })))).toEqual(device);
  });

  test('can be kept and taken up again', async () => {
    hostUniform(3);
    const state = randomState();
    expect(state).toEqual({ seed: 11, counter: 1 });
    const next = await data(uniform([3]));
    setRandomState(state);
    expect(await data(uniform([3]))).toEqual(next);
  });

  test.each([{ seed: 2 ** 40, counter: 0 }, { seed: 1, counter: 0.5 }, {}, null])('is not taken from %j', (state) => {
    const before = randomState();
    expect(() => Reflect.apply(setRandomState, null, [state])).toThrow(
      'setRandomState: the saved state is not a seed and a counter of 32 bits each.',
    );
    expect(randomState()).toEqual(before);
  });

  test('must be a whole number', () => {
    expect(() => setSeed(0.5)).toThrow('setSeed: needs a whole number, got 0.5.');
  });
});

describe('the numbers are', () => {
  const moments = (values: ArrayLike<number>): { mean: number; deviation: number } => {
    const all = Array.from(values);
    const mean = all.reduce((a, b) => a + b) / all.length;
    return { mean, deviation: Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length) };
  };

  test('uniform', async () => {
    const x = await data(uniform([20_000], { low: -1, high: 3 }));
    expect(Math.min(...x)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...x)).toBeLessThan(3);
    expect(moments(x).mean).toBeCloseTo(1, 1);
    expect(moments(x).deviation).toBeCloseTo(4 / Math.sqrt(12), 1);
  });

  test('normal', async () => {
    for (const x of [
      await data(normal([20_000], { mean: 2, standardDeviation: 3 })),
      hostNormal(20_000).map((z) => 2 + 3 * z),
    ]) {
      expect(Math.abs(moments(x).mean - 2)).toBeLessThan(0.1);
      expect(Math.abs(moments(x).deviation - 3)).toBeLessThan(0.1);
    }
  });

  test('ones and zeros in the given proportion', async () => {
    const x = await data(bernoulli([20_000], 0.2));
    expect(new Set(x)).toEqual(new Set([0, 1]));
    expect(Math.abs(moments(x).mean - 0.2)).toBeLessThan(0.02);
    expect(new Set(await data(bernoulli([100], 0)))).toEqual(new Set([0]));
    expect(new Set(await data(bernoulli([100], 1)))).toEqual(new Set([1]));
  });

  test('whole numbers of a range', async () => {
    const x = randomInteger([5000], -2, 3);
    expect(x.dtype).toBe('int32');
    expect(new Set(await data(x))).toEqual(new Set([-2, -1, 0, 1, 2]));
  });

  test('classes with the probabilities of their logits, along any axis', async () => {
    const [shares, draws] = [[0.1, 0.2, 0.7], 20_000];
    const logits = tensor(shares.map((share) => Math.log(share) + 5));
    const x = categorical(logits.expand([draws, 3]));
    expect([x.shape, x.dtype]).toEqual([[draws], 'int32']);
    const counts = [0, 0, 0];
    for (const drawn of await data(x)) counts[drawn] = (counts[drawn] as number) + 1;
    // three standard deviations of a binomial distribution
    shares.forEach((share, k) => {
      const spread = 3 * Math.sqrt((share * (1 - share)) / draws);
      expect(Math.abs((counts[k] as number) / draws - share)).toBeLessThan(spread);
    });
    const never = Number.NEGATIVE_INFINITY;
    const columns = tensor([
      [never, 0],
      [0, never],
    ]);
    expect(await categorical(columns, 0).array()).toEqual([1, 0]);
  });
});

test.each<[string, () => unknown, string]>([
  ['a probability above 1', () => bernoulli([1], 1.5), 'bernoulli: the probability must lie in [0, 1], got 1.5.'],
  [
    'an empty range',
    () => randomInteger([1], 3, 3),
    'randomInteger: [3, 3) is not a range of 1 to 2^24 whole numbers.',
  ],
  [
    'a range beyond what 24 bits can draw from',
    () => randomInteger([1], 0, 2 ** 24 + 1),
    'randomInteger: [0, 16777217) is not a range of 1 to 2^24 whole numbers.',
  ],
  ['a shape that is none', () => uniform([-1]), 'uniform: [-1] is not a shape'],
])('%s is refused', (_, draw, message) => {
  expect(draw).toThrow(message);
});

test('normal numbers are those of Box and Muller, of the next two draws of the stream', async () => {
  const found = await data(normal([50], { mean: 1, standardDeviation: 2 }));
  setSeed(11);
  const [u, v] = [await data(uniform([50])), await data(uniform([50]))];
  found.forEach((value, k) => {
    // log(1 - u), because u may be 0 and 1 - u is not
    const unit = Math.sqrt(-2 * Math.log(1 - (u[k] as number))) * Math.cos(2 * Math.PI * (v[k] as number));
    expect(value).toBeCloseTo(1 + 2 * unit, 4);
  });
});

test('draws that are recorded inside of a recording belong to both', () => {
  const outer = recordDraws(() => {
    uniform([1]);
    return recordDraws(() => uniform([1])).draws;
  });
  expect(outer.draws).toHaveLength(2);
  expect(outer.draws.slice(1)).toEqual(outer.result);
});
