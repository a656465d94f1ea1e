import { describe, expect, it } from 'vitest';
import { Dataset, ragged } from '../samples/dataset.ts';
import { DataLoader } from '../samples/loader.ts';
import { RandomSequence } from '../samples/random.ts';
import type { Sampler } from '../samples/sampler.ts';
import { balancedSampler } from './balanced.ts';
import { lengthSampler } from './length.ts';
import { poissonSampler } from './poisson.ts';
import { weightedSampler } from './weighted.ts';

const size = 103;
const random = new RandomSequence(4);
const targets = Int32Array.from({ length: size }, (_, i) => (i < 70 ? 0 : i < 98 ? 1 : 2));
const lengths = Int32Array.from({ length: size }, () => 1 + random.integer(30));
const data = new Dataset({
  inputs: { data: Float32Array.from({ length: size }, (_, i) => i), shape: [size, 1] },
  targets: { data: targets, shape: [size] },
});
const samplers: Readonly<Record<string, () => Sampler>> = {
  weighted: () => weightedSampler(Float64Array.from({ length: size }, (_, i) => i + 1)),
  'weighted once': () => weightedSampler(lengths, { replacement: false, count: 90 }),
  balanced: () => balancedSampler(targets),
  'square root, progressive': () => balancedSampler(targets, { power: 0.5, progressiveEpochs: 3, count: 40 }),
  poisson: () => poissonSampler(size),
  length: () => lengthSampler(lengths, { window: 3 }),
  steps: () => lengthSampler(lengths, { window: 2, maxSteps: 64 }),
};

/** What a loader hands out in its next `epochs` epochs. */
function handedOut(loader: DataLoader, epochs: number): number[][] {
  const batches: number[][] = [];
  for (let epoch = 0; epoch < epochs; epoch++) for (const { indices } of loader) batches.push([...indices]);
  return batches;
}

describe.each(Object.entries(samplers))('sampler %s', (_, make) => {
  it('is a function of seed and epoch alone', () => {
    const plan = (seed: number, epoch: number) => String(make().plan(seed, epoch, 8).order);
    expect(plan(1, 2)).toBe(plan(1, 2));
    expect(new Set([plan(1, 0), plan(1, 1), plan(2, 0), plan(2, 1)]).size).toBe(4);
  });

  it('goes on from a checkpoint at any batch as if it had not stopped', () => {
    const loader = () => new DataLoader(data, { batchSize: 8, sampler: make(), seed: 5 });
    const whole = handedOut(loader(), 2);
    const batches = loader().length;
    for (let stop = 0; stop < batches; stop += 3) {
      const first = loader();
      const seen: number[][] = [];
      if (stop > 0) {
        for (const { indices } of first) {
          seen.push([...indices]);
          if (seen.length === stop) break;
        }
      }
      const second = loader();
      second.loadHostState(JSON.parse(JSON.stringify(first.hostState())));
      expect([...seen, ...handedOut(second, 2)]).toEqual(whole);
    }
  });

  it.each([1, 2, 3, 5])('is cut into %i slices that make up the whole, whoever goes on', (count) => {
    const loader = (index: number, of: number) =>
      new DataLoader(data, { batchSize: 10, sampler: make(), seed: 9, slice: { index, count: of } });
    const whole = handedOut(loader(0, 1), 1);
    const parts = Array.from({ length: count }, (_, index) => handedOut(loader(index, count), 1));
    expect(whole.map((_, batch) => parts.flatMap((part) => part[batch]!))).toEqual(whole);
    const widths = parts.map((part) => part[0]!.length);
    expect(Math.max(...widths) - Math.min(...widths)).toBeLessThanOrEqual(1);
    const one = loader(0, count);
    for (const { globalCount } of one) {
      expect(globalCount).toBe(whole[0]!.length);
      break;
    }
    const other = loader(0, 1);
    other.loadHostState(one.hostState());
    expect(handedOut(other, 1)).toEqual(whole.slice(1));
  });
});

describe('weightedSampler', () => {
  it('draws in proportion to the weights', () => {
    const { order } = weightedSampler([1, 0, 2, 5], { count: 40_000 }).plan(3, 0, 1);
    const share = (index: number) => order.filter((value) => value === index).length / order.length;
    // Four standard deviations of a share are under 0.01.
    for (const [index, expected] of [1 / 8, 0, 2 / 8, 5 / 8].entries())
      expect(Math.abs(share(index) - expected)).toBeLessThan(0.01);
  });

  it('draws without replacement as if one after the other', () => {
    const sampler = weightedSampler([1, 2, 5], { replacement: false, count: 2 });
    const seen = new Map<string, number>();
    for (let epoch = 0; epoch < 8000; epoch++) {
      const key = String(sampler.plan(3, epoch, 1).order);
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    // First i with w_i / 8, then j with w_j / (8 - w_i).
    for (const [key, chance] of [
      ['2,1', (5 / 8) * (2 / 3)],
      ['2,0', 5 / 24],
      ['1,2', (2 / 8) * (5 / 6)],
      ['0,1', (1 / 8) * (2 / 7)],
    ] as const) {
      expect(Math.abs(seen.get(key)! / 8000 - chance)).toBeLessThan(0.02);
    }
  });

  it('says what cannot be drawn', () => {
    expect(() => weightedSampler([1, -1])).toThrow(
      'weightedSampler: the weight of sample 1 is -1; weights are numbers, 0 or more.',
    );
    expect(() => weightedSampler(['1', '2'] as unknown as number[])).toThrow(
      'the weight of sample 0 is "1"; weights are',
    );
    expect(() => weightedSampler([0, 0])).toThrow(
      'weightedSampler: no weight is positive, so there is nothing to draw.',
    );
    expect(() => weightedSampler([1e308, 1e308])).toThrow(
      'weightedSampler: the sum of the weights is beyond 1.8e308: divide them by the largest.',
    );
    expect(() => weightedSampler([1, 0, 2], { replacement: false })).toThrow(
      'weightedSampler: 3 samples without replacement, 2 have a positive weight; lower count, or set replacement: true.',
    );
  });
});

describe('balancedSampler', () => {
  const shares = (sampler: Sampler, epoch = 0): number[] => {
    const { order } = sampler.plan(2, epoch, 1);
    return [0, 1, 2].map((kind) => order.filter((index) => targets[index] === kind).length / order.length);
  };

  it('gives the shares that the power says', () => {
    const roots = [70, 28, 5].map(Math.sqrt);
    const sum = roots.reduce((a, b) => a + b);
    for (const [power, expected] of [
      [0, [1 / 3, 1 / 3, 1 / 3]],
      [0.5, roots.map((root) => root / sum)],
      [1, [70, 28, 5].map((n) => n / size)],
    ] as const) {
      const found = shares(balancedSampler(targets, { power, count: 40_000 }));
      for (const kind of [0, 1, 2]) expect(Math.abs(found[kind]! - expected[kind]!)).toBeLessThan(0.012);
    }
  });

  it('goes over to them from epoch to epoch', () => {
    const sampler = balancedSampler(targets, { progressiveEpochs: 4, count: 40_000 });
    for (const epoch of [0, 2, 4, 9]) {
      const t = Math.min(1, epoch / 4);
      const expected = (1 - t) * (5 / size) + t / 3;
      expect(Math.abs(shares(sampler, epoch)[2]! - expected)).toBeLessThan(0.012);
    }
  });
});

describe('poissonSampler', () => {
  it('chooses each sample on its own, by the chance batchSize / size', () => {
    const sampler = poissonSampler(50);
    const counts = new Int32Array(50);
    const sizes: number[] = [];
    for (let epoch = 0; epoch < 400; epoch++) {
      const { order, ends } = sampler.plan(1, epoch, 5);
      for (const index of order) counts[index]!++;
      sizes.push(...Array.from(ends!, (end, i) => end - (i === 0 ? 0 : ends![i - 1]!)));
    }
    // 4,000 coins of 1/10: 400 +- 4 * 19; batches of 5 +- sqrt(4.5).
    for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(80);
    const mean = sizes.reduce((a, b) => a + b) / sizes.length;
    const variance = sizes.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sizes.length;
    expect(Math.abs(mean - 5)).toBeLessThan(0.15);
    expect(Math.abs(variance - 4.5)).toBeLessThan(0.5);
    expect(sizes).toContain(0);
  });

  it('hands out empty batches, and takes all where the chance is one', () => {
    const loader = new DataLoader(data, { batchSize: 1, sampler: poissonSampler(size), padTo: { samples: [4, 8] } });
    const counts = [];
    for (const { count, inputs } of loader) {
      counts.push(count);
      expect(inputs.shape[0]).toBe(count > 4 ? 8 : 4);
    }
    expect(counts.length).toBe(size);
    expect(counts).toContain(0);
    expect(poissonSampler(4).plan(1, 0, 9).order).toEqual(Int32Array.of(0, 1, 2, 3));
  });
});

describe('lengthSampler', () => {
  it('hands out every sequence once, and pads far less than chance', () => {
    const many = Int32Array.from({ length: 4000 }, () => 1 + random.integer(100));
    const { order, ends } = lengthSampler(many).plan(1, 0, 32);
    expect(Int32Array.from(order).sort()).toEqual(Int32Array.from({ length: 4000 }, (_, i) => i));
    let padded = 0;
    ends!.forEach((end, i) => {
      const batch = Array.from(order.subarray(i === 0 ? 0 : ends![i - 1]!, end), (index) => many[index]!);
      padded += Math.max(...batch) * batch.length;
    });
    const steps = many.reduce((a, b) => a + b);
    expect(padded / steps).toBeLessThan(1.05);
  });

  it('keeps batches under maxSteps', () => {
    const { order, ends } = samplers.steps!().plan(3, 1, 8);
    let start = 0;
    for (const end of ends!) {
      const batch = Array.from(order.subarray(start, end), (index) => lengths[index]!);
      expect(Math.max(...batch) * batch.length).toBeLessThanOrEqual(64);
      start = end;
    }
    expect(() => lengthSampler([3, 9], { maxSteps: 8 })).toThrow(
      'lengthSampler: sequence 1 has 9 steps, maxSteps is 8; raise it, or cut the sequence.',
    );
    expect(lengthSampler(ragged([[1, 2], [3]])).size).toBe(2);
  });
});

describe('a loader with a sampler', () => {
  it('refuses what does not fit', () => {
    const sampler = weightedSampler([1, 2]);
    expect(() => new DataLoader(data, { sampler })).toThrow(
      'DataLoader: the sampler was made for 2 samples, the dataset has 103.',
    );
    expect(() => new DataLoader(data, { sampler: poissonSampler(size), shuffle: true })).toThrow(
      'shuffle and sampler both decide the order',
    );
    expect(() => new DataLoader(data, { sampler: poissonSampler(size), dropLast: true })).toThrow(
      'makes batches of its own sizes',
    );
    expect(() => new DataLoader(data, { slice: { index: 2, count: 2 } })).toThrow(
      'DataLoader: slice 2 of 2 does not exist',
    );
  });

  it('refuses the state of another sampler, or of another batch size where that decides', () => {
    const state = new DataLoader(data, { sampler: samplers.weighted!() }).hostState();
    const other = new DataLoader(data, { sampler: samplers.balanced!() });
    expect(() => other.loadHostState(state)).toThrow(
      /belongs to the sampler weighted-[0-9a-f]{8}, this loader has balanced-/,
    );
    const loader = (batchSize: number) => new DataLoader(data, { batchSize, sampler: samplers.length!(), seed: 1 });
    const first = loader(8);
    for (const _ of first) break;
    expect(() => loader(7).loadHostState(first.hostState())).toThrow('has its batchSize changed?');
  });
});
