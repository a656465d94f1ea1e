import { cpu } from '@nn/backend-cpu';
import { hostUniform, randomState, setDefaultBackend, setSeed, tensor, ValueError } from '@nn/core';
import { DataLoader, type Fold, kFolds, moons, timeSeriesFolds } from '@nn/data';
import { crossEntropy, Dropout, Linear, relu, Sequential } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { Adam, SGD } from '@nn/optim';
import { encodeCheckpoint } from '@nn/serialize';
import { beforeAll, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { Training } from '../training.ts';
import { findBatchSize } from './batch-size.ts';
import { crossValidate } from './cross-validate.ts';
import { findLearningRate } from './learning-rate.ts';
import { type HalvingSearchOptions, search, searchTable } from './search.ts';
import { choice, drawSettings, gridOf, range } from './space.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('space', () => {
  test('a grid is every combination, ranges at their points', () => {
    const grid = gridOf({
      rate: range(0.001, 0.1, { scale: 'log', points: 3 }),
      size: range(1, 4, { integer: true, points: 2 }),
      rule: choice(['sgd', 'adam']),
    });
    expect(grid.length).toBe(12);
    expect(grid[1]).toEqual({ rate: 0.001, size: 1, rule: 'adam' });
    expect(grid[4]!.rate).toBeCloseTo(0.01, 12);
    expectTypeOf(grid[0]!.rule).toEqualTypeOf<'sgd' | 'adam'>();
    expect(() => gridOf({ rate: range(0, 1) })).toThrow(
      'search: a grid needs the points of rate: range(low, high, { points: 5 }), or choice([...]).',
    );
    expect(() => range(0, 1, { scale: 'log' })).toThrow(
      'range: 0 to 1 is no range of a log scale, which begins above 0',
    );
    expect(() => choice([])).toThrow('choice: there is nothing to choose from');
    // JavaScript: what the compiler would refuse
    expect(() => choice('sgd' as unknown as string[])).toThrow("choice: takes a list, as ['sgd', 'adam'], got sgd.");
  });

  test('draws cover ranges evenly, whole numbers with both ends, and follow from seed and number', () => {
    const space = {
      rate: range(1e-4, 1, { scale: 'log' }),
      size: range(1, 4, { integer: true }),
      on: choice([true, false]),
    };
    const drawn = Array.from({ length: 2000 }, (_, number) => drawSettings(space, 3, number));
    for (const [low, high] of [
      [1e-4, 1e-3],
      [1e-3, 1e-2],
      [1e-2, 1e-1],
      [1e-1, 1],
    ] as const) {
      const inside = drawn.filter(({ rate }) => rate >= low && rate < high).length;
      expect(Math.abs(inside - 500)).toBeLessThan(80); // 4 standard deviations
    }
    for (const size of [1, 2, 3, 4]) {
      expect(Math.abs(drawn.filter((settings) => settings.size === size).length - 500)).toBeLessThan(80);
    }
    expect(drawSettings(space, 3, 17)).toEqual(drawn[17]);
    expect(drawSettings(space, 4, 17)).not.toEqual(drawn[17]);
  });
});

describe('search', () => {
  const bowl = { x: range(-1, 3, { points: 9 }), y: choice([0, 1]) };

  test('finds the best of a grid, low or high, and keeps the random state', async () => {
    setSeed(9);
    const before = randomState();
    const low = await search({ space: bowl, strategy: 'grid', trial: ({ x, y }) => (x - 1) ** 2 + y });
    expect(low.best.settings).toEqual({ x: 1, y: 0 });
    expect(low.rows.length).toBe(18);
    expect(randomState()).toEqual(before);
    const high = await search({ space: bowl, strategy: 'grid', higherIsBetter: true, trial: ({ x, y }) => x + y });
    expect(high.best).toMatchObject({ settings: { x: 3, y: 1 }, score: 4, budget: 0, scores: [4], error: null });
  });

  test('every trial has random numbers of its own', async () => {
    const run = (seed: number) =>
      search({ space: bowl, strategy: 'random', trials: 5, seed, trial: () => hostUniform(1)[0]! });
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    const scores = ({ rows }: typeof a): number[] => rows.map(({ score }) => score);
    expect(scores(a)).toEqual(scores(b));
    expect(new Set([...scores(a), ...scores(c)]).size).toBe(10);
    expect(a.rows.map(({ settings }) => settings)).toEqual(b.rows.map(({ settings }) => settings));
  });

  test('halving gives more to the better ones, which go on from their state', async () => {
    const seen: unknown[] = [];
    const { best, rows } = await search({
      space: { x: choice([5, 1, 3, 9, 7, 2, 8, 6, 4]) },
      strategy: 'halving',
      trials: 9,
      budget: { least: 1, most: 9 },
      trial: ({ x }, { budget, state }) => {
        seen.push([x, budget, state]);
        return { score: x / budget, state: `${x} after ${budget}` };
      },
    });
    const budgets = rows.map(({ budget }) => budget);
    expect(budgets).toEqual([9, 3, 3, 1, 1, 1, 1, 1, 1]);
    const lowest = Math.min(...rows.map(({ settings }) => settings.x));
    expect(best).toMatchObject({ settings: { x: lowest }, scores: [lowest, lowest / 3, lowest / 9] });
    expect(seen.length).toBe(13);
    expect(seen.at(-1)).toEqual([lowest, 9, `${lowest} after 3`]);
  });

  test('asha in one thread promotes as soon as a third is better', async () => {
    const order: string[] = [];
    const options = {
      space: { x: range(0, 1) },
      strategy: 'asha',
      trials: 12,
      budget: { least: 1, most: 9 },
      trial: ({ x }, { budget }) => {
        order.push(String(budget));
        return x;
      },
    } satisfies HalvingSearchOptions<{ readonly x: ReturnType<typeof range> }>;
    const { best, rows } = await search(options);
    expect(order.slice(0, 4)).toEqual(['1', '1', '1', '3']);
    expect(order.filter((budget) => budget === '1').length).toBe(12);
    expect(best.budget).toBe(9);
    expect(best.score).toBe(Math.min(...rows.filter(({ budget }) => budget === 9).map(({ score }) => score)));
  });

  test('asha gives the best one the most, however few trials there are', async () => {
    const { best, rows } = await search({
      space: { x: choice([1, 2]) },
      strategy: 'asha',
      trials: 4,
      budget: { least: 1, most: 27 },
      trial: ({ x }, { budget }) => {
        if (x === 1 && budget === 9) throw new Error('no memory');
        return x / budget;
      },
    });
    expect(best).toMatchObject({ settings: { x: 2 }, budget: 27, scores: [2, 2 / 3, 2 / 9, 2 / 27] });
    expect(rows.map(({ settings, error }) => [settings.x, error]).at(-1)).toEqual([1, 'no memory']);
  });

  test('budgets that are shares are not rounded: none is 0, which would be no limit', async () => {
    const seen = new Set<number>();
    await search({
      space: { x: choice([1, 2, 3]) },
      strategy: 'halving',
      trials: 9,
      budget: { least: 1 / 9, most: 1 },
      trial: (_, { budget }) => {
        seen.add(budget);
        return 1;
      },
    });
    expect([...seen]).toEqual([1 / 9, 1 / 3, 1]);
  });

  test('a trial that fails is a row, and all failing is an error', async () => {
    const told: string[] = [];
    const { rows } = await search({
      space: { x: choice([1, 2, 3]) },
      strategy: 'grid',
      trial: ({ x }) => {
        if (x === 1) throw new ValueError('mine', 'no.');
        return x === 2 ? Number.NaN : 7;
      },
      onTrial: ({ settings, error }) => void told.push(`${settings.x} ${error}`),
    });
    expect(told).toEqual(['1 mine: no.', '2 the score is NaN', '3 null']);
    expect(searchTable(rows)).toEqual([
      expect.stringMatching(/^trial +score +budget +seconds +x$/),
      expect.stringMatching(/^ +2 +7 +- +\d+\.\d +3$/),
      expect.stringMatching(/^ +0 +failed +- +\d+\.\d +1 {2}mine: no\.$/),
      expect.stringMatching(/^ +1 +failed +- +\d+\.\d +2 {2}the score is NaN$/),
    ]);
    await expect(search({ space: { x: choice([1]) }, strategy: 'grid', trial: () => Number.NaN })).rejects.toThrow(
      'search: all 1 trials failed, the first with: the score is NaN',
    );
    await expect(search({ space: { x: choice([1]) }, strategy: 'grid' })).rejects.toThrow(
      'search: give a trial, which runs in this thread, or workers that serve trials: one of both.',
    );
    await expect(search({ space: {}, strategy: 'grid', trial: () => 1 })).rejects.toThrow(
      'search: space has nothing to choose: give choice([...]) and range(low, high) by name.',
    );
    const nothing = [undefined, {}] as unknown as Parameters<typeof search>[0][];
    for (const options of nothing) await expect(search(options)).rejects.toThrow(/^search: /);
    const wrong = { space: { x: choice([1]) }, trial: () => 1 };
    await expect(search({ ...wrong, strategy: 'random' })).rejects.toThrow('search: trials is undefined');
    await expect(search({ ...wrong, strategy: 'halving', trials: 3, budget: { least: 3, most: 1 } })).rejects.toThrow(
      'search: budget is from 3 to 1 by 3',
    );
  });

  test('ends with the signal', async () => {
    const controller = new AbortController();
    await expect(
      search({
        space: { x: choice([1, 2]) },
        strategy: 'grid',
        signal: controller.signal,
        trial: () => {
          controller.abort(new Error('enough'));
          return 1;
        },
      }),
    ).rejects.toThrow('enough');
  });

  test('trains: a rate that is far too low loses', async () => {
    const { best } = await search({
      space: { learningRate: choice([1e-6, 0.05]) },
      strategy: 'grid',
      trial: async ({ learningRate }) => {
        const model = new Sequential(new Linear(2, 8), relu, new Linear(8, 2));
        const training = new Training({
          model,
          optimizer: new Adam(model, { learningRate }),
          data: new DataLoader(moons(60, { seed: 1 }), { batchSize: 20 }),
          step: ({ inputs, targets }) => crossEntropy(model.forward(inputs), targets),
          epochs: 5,
        });
        return (await training.run()).history.at(-1)!.values.loss;
      },
    });
    expect(best.settings.learningRate).toBe(0.05);
  });
});

describe('crossValidate', () => {
  test('trains on each fold: stratified, grouped and in time, with the same result each time', async () => {
    const data = moons(90, { seed: 1 });
    const trial = async ({ train, test: held }: Fold) => {
      const model = new Sequential(new Linear(2, 8), relu, new Linear(8, 2));
      const accuracy = new Accuracy();
      const training = new Training({
        model,
        optimizer: new Adam(model, { learningRate: 0.05 }),
        data: new DataLoader(data.take(train), { batchSize: 20, shuffle: true, seed: 1 }),
        metrics: { accuracy },
        step: ({ inputs, targets }) => {
          const logits = model.forward(inputs);
          accuracy.update(logits, targets);
          return crossEntropy(logits, targets);
        },
        epochs: 15,
      });
      await training.run();
      return training.evaluate(new DataLoader(data.take(held), { batchSize: 30 }));
    };
    const folds = kFolds(data, { folds: 3, stratifyBy: 'targets', shuffle: true, seed: 1 });
    const { rows, mean, deviation } = await crossValidate(folds, { trial, seed: 4 });
    expect(rows.length).toBe(3);
    expect(mean.accuracy).toBeGreaterThan(0.8);
    expect(mean.accuracy).toBeCloseTo(rows.reduce((sum, { accuracy }) => sum + accuracy, 0) / 3, 12);
    const squares = rows.reduce((sum, { accuracy }) => sum + (accuracy - mean.accuracy) ** 2, 0);
    expect(deviation.accuracy).toBeCloseTo(Math.sqrt(squares / 2), 12);
    expect((await crossValidate(folds, { trial, seed: 4 })).rows).toEqual(rows);
    const inTime = await crossValidate(timeSeriesFolds(data, { folds: 2 }), {
      trial: ({ train, test: held }) => ({ before: Number(Math.max(...train) < Math.min(...held)) }),
    });
    expect(inTime.mean).toEqual({ before: 1 });
  });

  test('names the fold that fails', async () => {
    const trial = (fold: number): { value: number } => {
      if (fold === 2) throw new RangeError('mine');
      return { value: fold };
    };
    await expect(crossValidate([1, 2, 3], { trial })).rejects.toThrow('fold 2 of 3: mine');
    await expect(crossValidate([], { trial })).rejects.toThrow('crossValidate: there are no folds');
    await expect(crossValidate(5 as never, { trial })).rejects.toThrow('crossValidate: there are no folds');
    expect((await crossValidate([7], { trial: () => ({ loss: 3 }) })).deviation).toEqual({ loss: Number.NaN });
  });
});

test('a space that is none, and folds without figures, are told', async () => {
  // the casts: what JavaScript lets through
  const space = { x: [1, 2] } as never;
  for (const strategy of ['grid', 'random'] as const) {
    await expect(search({ space, strategy, trials: 2, trial: () => 1 } as never)).rejects.toThrow(
      'search: x in space must be choice([1, 2]) or range(0, 1).',
    );
  }
  await expect(crossValidate([1, 2], { trial: () => undefined as never })).rejects.toThrow(
    'crossValidate: fold 1 of 2 gave undefined: return numbers by name',
  );
  await expect(crossValidate([1, 2], { trial: () => 20 as never })).rejects.toThrow(
    'crossValidate: fold 1 of 2 gave 20: return numbers by name, the same names for each fold, { loss: 0.5 }.',
  );
  await expect(
    crossValidate([1, 2], { trial: (fold): Record<string, number> => (fold === 1 ? { a: 1 } : { b: 1 }) }),
  ).rejects.toThrow('crossValidate: fold 2 of 2 gave {"b":1}: return numbers by name');
});

describe('findLearningRate', () => {
  test('a training after it is the one without it: data in mid-epoch, metrics and random numbers too', async () => {
    const train = async (finds: boolean) => {
      setSeed(2);
      const model = new Sequential(new Linear(2, 8), relu, new Dropout(0.5), new Linear(8, 2));
      const optimizer = new Adam(model, { learningRate: 0.01 });
      const data = new DataLoader(moons(100, { seed: 1 }), { batchSize: 10, shuffle: true, seed: 1 });
      const accuracy = new Accuracy();
      const step = ({ inputs, targets }: ReturnType<typeof data.peek>) => {
        const logits = model.forward(inputs);
        accuracy.update(logits, targets);
        return crossEntropy(logits, targets);
      };
      const metrics = { accuracy };
      if (finds) await findLearningRate({ model, optimizer, data, step, metrics, steps: 13 });
      return (await new Training({ model, optimizer, data, step, metrics, epochs: 2 }).run()).history;
    };
    expect(await train(true)).toEqual(await train(false));
  });

  test('finds a rate that learns, and leaves everything as it was', async () => {
    setSeed(1);
    const model = new Sequential(new Linear(2, 16), relu, new Linear(16, 2));
    const optimizer = new SGD(
      [{ parameters: model.layers[0] as Linear, learningRate: 0.1 }, { parameters: model.layers[2] as Linear }],
      {
        learningRate: (step) => 1 / (1 + step),
        momentum: 0.9,
      },
    );
    const data = new DataLoader(moons(100, { seed: 1 }), { batchSize: 25, shuffle: true, seed: 1 });
    const step = ({ inputs, targets }: ReturnType<typeof data.peek>) => crossEntropy(model.forward(inputs), targets);
    await optimizer.step(step(data.peek()));
    const before = await encodeCheckpoint({ model, optimizer });
    const finding = await findLearningRate({ model, optimizer, data, step, from: 1e-4, to: 1000 });
    expect(await encodeCheckpoint({ model, optimizer })).toEqual(before);
    expect(optimizer.learningRates).toEqual([0.1, 0.5]);
    expect(optimizer.groups[1]!.schedule).not.toBeNull();
    expect(finding.hasDiverged).toBe(true);
    expect(finding.rates.length).toBe(finding.losses.length);
    expect(finding.suggestion).toBeGreaterThan(1e-3);
    expect(finding.suggestion).toBeLessThan(5);
    expect(finding.rates[1]! / finding.rates[0]!).toBeCloseTo(1e7 ** (1 / 99), 6);
    await expect(findLearningRate({ model, optimizer, data, step, from: 0 })).rejects.toThrow(
      'findLearningRate: from is 0, to 10, steps 100',
    );
    expect(() => range(0.2, 0.8, { integer: true })).toThrow('range: there is no whole number from 0.2 to 0.8.');
    await expect(findBatchSize({ step: () => Promise.resolve() } as never)).rejects.toThrow(
      'findBatchSize: give step, which makes one of so many samples, and parts to bring back, { model, optimizer }.',
    );
    await expect(findLearningRate({ optimizer, data, step } as never)).rejects.toThrow(
      'findLearningRate: give the model and its optimizer: both are brought back afterwards.',
    );
    await expect(findLearningRate({ model, optimizer, data } as never)).rejects.toThrow(
      'findLearningRate: step must be a function of a batch.',
    );
    await expect(findLearningRate({ model, optimizer, data: [], step })).rejects.toThrow(
      'findLearningRate: the data gave no batch',
    );
  });

  test('the suggestion is where a known curve falls fastest', async () => {
    // gradient descent on x^2 / 2: the loss falls most where the rate is about 1, and grows from 2 on
    const { parameter } = await import('@nn/core');
    const x = parameter([3]);
    const optimizer = new SGD([x], { learningRate: 1 });
    const { suggestion, cautious, hasDiverged } = await findLearningRate({
      model: { x },
      optimizer,
      data: [{}],
      step: () => x.square().sum().mul(0.5),
      from: 1e-3,
      to: 1000,
    });
    expect(suggestion).toBeGreaterThan(0.01);
    expect(suggestion).toBeLessThan(2);
    expect(cautious).toBeLessThanOrEqual(suggestion);
    expect(hasDiverged).toBe(true);
    expect(await x.array()).toEqual([3]);
  });
});

describe('findBatchSize', () => {
  const model = { linear: new Linear(1, 1) };

  test('doubles until memory ends, refines, and takes the smallest that is as fast', async () => {
    let clock = 0;
    const tried: number[] = [];
    const finding = await findBatchSize({
      step: async (batchSize) => {
        if (tried.at(-1) !== batchSize) tried.push(batchSize);
        if (batchSize > 100) throw new RangeError('Array buffer allocation failed');
        clock += Math.max(8, batchSize); // no faster above 8
      },
      parts: { model },
      refine: true,
      now: () => clock,
    });
    expect(tried).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 96, 112, 104]);
    expect(finding).toMatchObject({ largest: 96, suggestion: 8, limit: 'memory' });
    expect(finding.failure).toBe('Array buffer allocation failed');
    expect(finding.rows.find(({ batchSize }) => batchSize === 16)).toEqual({
      batchSize: 16,
      millisecondsPerStep: 16,
      samplesPerSecond: 1000,
    });
  });

  test('says nothing of the sizes that it tries itself', async () => {
    setDefaultBackend(cpu()); // warnings are said once for a device
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const own = new Linear(4, 1);
    const optimizer = new SGD(own, { learningRate: 0.1 });
    const { largest } = await findBatchSize({
      step: (batchSize) => {
        const batch = tensor(new Float32Array(4 * batchSize).fill(1), { shape: [batchSize, 4] });
        return optimizer.step(own.forward(batch).square().mean());
      },
      parts: { model: own, optimizer },
      most: 600,
      repeats: 1,
    });
    expect(largest).toBe(600);
    expect(warn.mock.calls).toEqual([]);
  });

  test('throws what is not about memory, and where nothing fits', async () => {
    const fail = (error: Error) => findBatchSize({ step: () => Promise.reject(error), parts: { model } });
    await expect(fail(new TypeError('mine'))).rejects.toThrow('mine');
    await expect(fail(new RangeError('Invalid array length'))).rejects.toThrow(
      'findBatchSize: not even a batch of 1 fits: Invalid array length',
    );
  });
});
