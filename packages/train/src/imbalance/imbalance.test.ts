/** Thresholds, intervals, corrected probabilities and deferred weights for rare classes. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor, zeros } from '@nn/core';
import { crossEntropy, Linear, ldam } from '@nn/layers';
import { SGD } from '@nn/optim';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  bootstrapInterval,
  correctPriors,
  DeferredWeights,
  type ThresholdCounts,
  Training,
  tuneThreshold,
} from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('thresholds', () => {
  const scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.3, 0.2];
  const labels = [1, 1, 0, 1, 0, 1, 0, 0];

  it('are chosen of lists of numbers, not of tensors', () => {
    const given: unknown = tensor([0.1, 0.9]);
    expect(() => tuneThreshold(given as number[], [0, 1])).toThrow(
      'tuneThreshold: takes lists of numbers, got Tensor float32 [2]: of a tensor await tensor.data().',
    );
  });

  it('by hand: each goal where it is largest', () => {
    // taken so far: TP 1 2 2 3 . 4 4 4, FP 0 0 1 1 . 2 3 4 (the two of 0.5 come together)
    const f1 = tuneThreshold(scores, labels);
    expect([f1.threshold, f1.value]).toEqual([0.4, 8 / 10]);
    expect(f1.counts).toEqual({ truePositives: 4, falsePositives: 2, trueNegatives: 2, falseNegatives: 0 });
    const balanced = tuneThreshold(scores, labels, { goal: 'balancedAccuracy' });
    expect([balanced.threshold, balanced.value]).toEqual([0.75, 0.75]); // of equal ones the highest
    const mean = tuneThreshold(scores, labels, { goal: 'geometricMean' });
    expect(mean.threshold).toBe(0.55);
    expect(mean.value).toBeCloseTo(Math.sqrt(0.75 * 0.75), 12);
    const matthews = tuneThreshold(scores, labels, { goal: 'matthews' });
    expect(matthews.value).toBeCloseTo((2 * 4 - 0) / Math.sqrt(2 * 4 * 4 * 6), 12);
    // a missed one costs five times a false alarm
    const costs = tuneThreshold(scores, labels, {
      goal: ({ falsePositives, falseNegatives }) => -falsePositives - 5 * falseNegatives,
    });
    expect([costs.threshold, costs.value]).toEqual([0.4, -2]);
  });

  it('what is expected of new samples is less than on those that it was chosen with', () => {
    // noise: no threshold is worth anything, and the best on 40 samples seems to be
    const random = Array.from({ length: 40 }, (_, i) => (Math.sin(i * 12.9898) * 43758.5453) % 1);
    const coin = random.map((_, i) => i % 2);
    const found = tuneThreshold(random, coin, { goal: 'balancedAccuracy', resamples: 300 });
    expect(found.value).toBeGreaterThan(0.55);
    expect(found.expected).toBeLessThan(found.value - 0.05);
    expect(found.expectedInterval.low).toBeLessThan(0.5);
    expect(found.thresholdInterval.low).toBeLessThan(found.thresholdInterval.high);
    const again = tuneThreshold(random, coin, { goal: 'balancedAccuracy', resamples: 300 });
    expect(again).toEqual(found); // by the seed
  });

  it('part scores that are next to each other, or the lowest of all', () => {
    const above = 1 + Number.EPSILON;
    for (const [high, low] of [
      [above, 1],
      [1 + 2 * Number.EPSILON, above],
      [0, -Infinity],
      [Infinity, -Infinity],
      [Number.MAX_VALUE, 0.75 * Number.MAX_VALUE],
    ] as const) {
      const { threshold, value, counts } = tuneThreshold([high, low, high, low], [1, 0, 1, 0]);
      expect({ high, value, ...counts }).toMatchObject({ high, value: 1, truePositives: 2, falsePositives: 0 });
      expect(threshold).toBeLessThanOrEqual(high);
    }
  });

  it('call nothing positive where that costs least', () => {
    const goal = ({ falsePositives, falseNegatives }: ThresholdCounts) => -10 * falsePositives - falseNegatives;
    const { threshold, value, counts } = tuneThreshold([0.9, 0.8, 0.3], [0, 1, 0], { goal });
    expect([threshold, value, counts.falseNegatives, counts.falsePositives]).toEqual([Infinity, -1, 1, 0]);
  });

  it('tell what is wrong', () => {
    expect(() => tuneThreshold([1], [1, 0])).toThrow('tuneThreshold: 1 scores and 2 labels: give one for each sample.');
    expect(() => tuneThreshold([1, 2], [1, 1])).toThrow(
      'tuneThreshold: all 2 labels are alike: samples of both classes are needed.',
    );
    expect(() => tuneThreshold([1, 2], [1, 2])).toThrow('tuneThreshold: label 1 is 2: labels are 0 and 1.');
    expect(() => tuneThreshold([1, Number.NaN], [1, 0])).toThrow('tuneThreshold: score 1 is NaN.');
    expect(() => tuneThreshold([1, undefined as never], [1, 0])).toThrow(
      'tuneThreshold: score 1 is undefined: scores are numbers.',
    );
    expect(() => tuneThreshold([1, 2], [1, 0], { goal: () => undefined as never })).toThrow(
      'tuneThreshold: the goal gave undefined: it returns a number for counts.',
    );
    expect(() => tuneThreshold([1, 2], [1, 0], { goal: 'recall' as never })).toThrow(
      "tuneThreshold: goal is 'recall': it is f1, balancedAccuracy, geometricMean, matthews, or a function of counts.",
    );
  });
});

describe('intervals', () => {
  it('of a mean are those of the normal distribution', () => {
    const values = Array.from({ length: 400 }, (_, i) => i % 4); // mean 1.5, deviation sqrt(1.25)
    const mean = (drawn: Uint32Array): number =>
      values.reduce((sum, value, i) => sum + value * (drawn[i] as number), 0) / values.length;
    const { low, high } = bootstrapInterval(values.length, mean, { resamples: 2000 });
    const reach = (1.96 * Math.sqrt(1.25)) / 20;
    expect(low).toBeCloseTo(1.5 - reach, 1);
    expect(high).toBeCloseTo(1.5 + reach, 1);
    expect(Math.abs(low - (1.5 - reach))).toBeLessThan(0.02);
    expect(() => bootstrapInterval(3, () => Number.NaN)).toThrow(
      'bootstrapInterval: no resample gives a number: is there a sample of each class?',
    );
    expect(() => bootstrapInterval(3, undefined as never)).toThrow('bootstrapInterval: statistic must be a function');
    expect(() => bootstrapInterval(3, (async () => 1) as never)).toThrow(
      'bootstrapInterval: the statistic gave a promise: it returns a number at once, await nothing in it.',
    );
    expect(bootstrapInterval(9, () => Infinity)).toEqual({ low: Infinity, high: Infinity });
    expect(() => bootstrapInterval(0, mean)).toThrow('bootstrapInterval: there are 0 samples: one or more are needed.');
    expect(() => bootstrapInterval(3, mean, { confidence: 95 })).toThrow(
      'bootstrapInterval: confidence is 95: it is a share between 0 and 1.',
    );
  });
});

describe('corrected probabilities', () => {
  it("are Bayes' for the shares that there are", async () => {
    const two = await correctPriors(tensor([0.2, 0.5, 0.9]), { trained: [1, 1], actual: [950, 50] }).data();
    [0.2, 0.5, 0.9].forEach((p, i) => {
      expect(two[i]).toBeCloseTo((p * 0.05) / (p * 0.05 + (1 - p) * 0.95), 6);
    });
    const three = await correctPriors(tensor([[0.2, 0.3, 0.5]]), { trained: [10, 10, 20], actual: [8, 1, 1] }).data();
    const parts = [0.2 * 3.2, 0.3 * 0.4, 0.5 * 0.2];
    parts.forEach((part, i) => {
      expect(three[i]).toBeCloseTo(part / (parts[0]! + parts[1]! + parts[2]!), 6);
    });
    expect(await correctPriors(tensor([0, 1]), { trained: [1, 1], actual: [9, 1] }).array()).toEqual([0, 1]);
    expect(() => correctPriors(zeros([2]), { trained: [1, 1] } as never)).toThrow(
      'correctPriors: actual is undefined: it is a list, a number for each class.',
    );
    expect(() => correctPriors(zeros([2, 3]), { trained: [1, 1], actual: [1, 1, 1] })).toThrow(
      'correctPriors: trained is [1, 1]: give a number above 0 for each of the 3 classes of probabilities [2, 3].',
    );
  });
});

describe('deferred weights', () => {
  it('come for the last fifth, in a training and after a resumption', async () => {
    const deferred = new DeferredWeights([0.5, 4]);
    const model = new Linear(2, 2);
    const seen: number[][] = [];
    const [x, y] = [tensor([[1, 0], [0, 1]]), tensor([0, 1], { dtype: 'int32' })]; // biome-ignore format: rows
    const training = new Training({
      model,
      optimizer: new SGD(model, { learningRate: 0.1 }),
      data: [{ x, y }],
      step: (batch) => ldam(model.forward(batch.x), batch.y, [90, 10], { weight: deferred.weights }),
      epochs: 10,
      callbacks: [
        deferred,
        {
          handle: async ({ type }) => {
            if (type === 'epoch') seen.push(await deferred.weights.array(1));
          },
        },
      ],
    });
    await training.run();
    expect(seen.map(([, rare]) => rare)).toEqual([1, 1, 1, 1, 1, 1, 1, 4, 4, 4]);
    const later = new DeferredWeights([0.5, 4]);
    await later.handle({ type: 'start', epoch: 9, epochs: 10 } as never, {} as never);
    expect([later.isOn, await later.weights.array()]).toEqual([true, [0.5, 4]]);
    const loss = (weight: readonly number[]): Promise<number> =>
      crossEntropy(tensor([[1, 0], [0, 1]]), y, { weight }).item(); // biome-ignore format: rows
    expect(await crossEntropy(tensor([[1, 0], [0, 1]]), y, { weight: later.weights }).item()).toBeCloseTo(await loss([0.5, 4]), 6); // biome-ignore format: rows
  });

  it('come at the epoch that is meant, also where the share times the epochs is a little more in float64', () => {
    const deferred = new DeferredWeights([1, 4], { after: 0.55 });
    deferred.update(55, 100);
    expect(deferred.isOn).toBe(false);
    deferred.update(56, 100);
    expect(deferred.isOn).toBe(true);
  });

  it('tell what is wrong', async () => {
    expect(() => new DeferredWeights(tensor([1, 2]) as never)).toThrow('DeferredWeights: the weights are a list');
    expect(() => new DeferredWeights([1]).update(0, 3)).toThrow(
      'DeferredWeights: epoch 0 of 3: both are whole numbers from 1.',
    );
    expect(() => new DeferredWeights([1, -1])).toThrow(
      'DeferredWeights: the weight of class 1 is -1: it is 0 or more.',
    );
    expect(() => new DeferredWeights([1, 1], { after: 2 })).toThrow(
      'DeferredWeights: after is 2: it is a share of the epochs, 0 to 1.',
    );
    expect(() =>
      new DeferredWeights([1]).handle({ type: 'start', epoch: 1, epochs: null } as never, {} as never),
    ).toThrow('DeferredWeights: the training has no number of epochs to defer by: new Training({ epochs }).');
  });
});
