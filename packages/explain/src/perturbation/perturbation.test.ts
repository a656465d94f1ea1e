/** The methods that take parts of the input away: Captum's published numbers, enumerations in Python, scikit-learn's lasso. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed, type Tensor, tensor, uniform } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import golden from '../../fixtures/golden.json';
import {
  exactShapley,
  featureAblation,
  featurePermutation,
  kernelShap,
  lime,
  occlusion,
  permutationImportance,
} from '../index.ts';
import { solvePositive, weightedLasso } from './least-squares.ts';

beforeAll(() => setDefaultBackend(cpu()));

/** BasicModel_MultiLayer of Captum's tests: one layer of ReLU over the sums of the inputs, and its first output. */
const multiLayer = (x: Tensor): Tensor => {
  const hidden = x
    .sum(1, { keepAxes: true })
    .add(tensor([-10, 1, 1, 1]))
    .relu();
  return hidden.sum(1, { keepAxes: true }).add(tensor([-1, 1]));
};
const given = (): Tensor => tensor([[20, 50, 30]]);
const near = (found: readonly number[], wanted: readonly number[], tolerance = 1e-3): void => {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, i) => {
    expect(Math.abs(value - (wanted[i] as number)), `${i}`).toBeLessThan(tolerance);
  });
};
const flat = async (x: Tensor): Promise<number[]> => [...(await x.data())];

/** The game of scripts/golden/explanations.py: with a baseline of 0 a feature that is not there is 0. */
const game = (x: Tensor): Tensor => {
  const [a, b, c, d] = x.split(4, 1) as [Tensor, Tensor, Tensor, Tensor];
  return a.mul(b).add(c.sub(d).relu().mul(a)).add(b.add(c).tanh()).add(d);
};

describe('taking away', () => {
  it("occlusion, ablation: Captum's three-input network", async () => {
    near(await flat(occlusion(multiLayer, given(), { window: [1], target: 0 })), [80, 200, 120]);
    near(await flat(featureAblation(multiLayer, given(), { target: 0 })), [80, 200, 120]);
    near(await flat(featureAblation(multiLayer, given(), { target: 0, groups: [0, 0, 1] })), [280, 280, 120]);
    near(await flat(featureAblation(multiLayer, given(), { target: 0, baseline: tensor([20, 0, 0]) })), [0, 200, 120]);
  });

  it('overlapping windows are averaged, the last one is cut off', async () => {
    const sum = (x: Tensor): Tensor => x.sum(1);
    // windows 0-1, 2-3, 4
    near(await flat(occlusion(sum, tensor([[1, 2, 3, 4, 5]]), { window: [2], strides: 2 })), [3, 3, 7, 7, 5]);
    const picture = (x: Tensor): Tensor => x.sum([1, 2]);
    const found = occlusion(picture, tensor([[[1, 2], [3, 4]]]), { window: [1, 2], strides: [1, 2] }); // biome-ignore format: rows
    near(await flat(found), [3, 3, 7, 7]);
  });

  it('permutation within the batch', async () => {
    setSeed(1);
    const model = (x: Tensor): Tensor => x.mul(tensor([1, 0, 2])).sum(1);
    const x = uniform([50, 3]);
    const found = await featurePermutation(model, x).array(2);
    expect(found.every((row) => row[1] === 0)).toBe(true);
    for (const k of [0, 2]) {
      const drops = found.map((row) => row[k] as number);
      near([drops.reduce((sum, drop) => sum + drop, 0)], [0]); // a permutation keeps the sum
      expect(Math.max(...drops.map(Math.abs))).toBeGreaterThan(0.3);
    }
  });

  it('permutation importance: what a score loses', async () => {
    setSeed(1);
    const x = uniform([200, 3]);
    const labels = x.slice([0, 0], [null, 1]).greater(0.5);
    const accuracy = (y: Tensor): Tensor =>
      y.slice([0, 0], [null, 1]).greater(0.5).equal(labels).cast('float32').mean();
    const { means, standardDeviations } = await permutationImportance(accuracy, x, { repeats: 10 });
    near(means, [0.5, 0, 0], 0.06);
    expect(standardDeviations[0]).toBeGreaterThan(0);
    expect(standardDeviations.slice(1)).toEqual([0, 0]);
  });
});

describe('Shapley values', () => {
  it("are exact by the kernel where all coalitions are looked at: Captum's network", async () => {
    const wanted = [230 / 3, 590 / 3, 350 / 3]; // 76.6667, 196.6667, 116.6667
    near(await flat((await kernelShap(multiLayer, given(), { target: 0 })).values), wanted);
    const exact = await exactShapley(multiLayer, given(), { target: 0 });
    near(await flat(exact.values), wanted);
    near(await flat(exact.scores.sub(exact.baselineScores)), [390]);
  });

  it('and interactions equal those over all orders', async () => {
    const x = tensor([[3, -1, 2, 0.5], [0, 0, 0, 0]]); // biome-ignore format: rows
    const found = await exactShapley(game, x, { interactions: true });
    near(await flat(found.values), [...golden.shapley, 0, 0, 0, 0], 1e-5);
    near((await flat(found.interactions)).slice(0, 16), golden.interactions, 1e-5);
    near(await flat(found.interactions.sum(2)), await flat(found.values), 1e-5);
    near(await flat((await kernelShap(game, x)).values), [...golden.shapley, 0, 0, 0, 0], 1e-5);
  });

  it('of groups, and over a background', async () => {
    const sum = (x: Tensor): Tensor => x.mul(tensor([1, 2, 3])).sum(1);
    const x = tensor([[1, 1, 1]]);
    const grouped = await exactShapley(sum, x, { groups: [0, 0, 1] });
    expect(await grouped.attributions.array()).toEqual([[3, 3, 3]]);
    expect(await grouped.values.array()).toEqual([[3, 3]]);
    const background = tensor([[0, 0, 0], [2, 4, 0]]); // biome-ignore format: rows
    for (const method of [exactShapley, kernelShap]) {
      const over = await method(sum, x, { background });
      near(await flat(over.values), [0, -2, 3], 1e-4);
      near(await flat(over.baselineScores), [5]);
    }
  });

  it('from drawn coalitions come near, and sum to the difference exactly', async () => {
    setSeed(2);
    const weights = Array.from({ length: 20 }, (_, k) => (k % 5) - 2);
    // pairs of neighbours act together: each has its weight and a half of the pair's product
    const model = (x: Tensor): Tensor => {
      const pairs = x
        .reshape([x.shape[0] as number, 10, 2])
        .prod(2)
        .sum(1);
      return x.mul(tensor(weights)).sum(1).add(pairs);
    };
    const found = await kernelShap(model, tensor([new Array<number>(20).fill(1)]), { samples: 2000 });
    near(
      await flat(found.values),
      weights.map((weight) => weight + 0.5),
      0.1,
    );
    near(await flat(found.values.sum(1)), [10], 1e-3);
  });

  it('tell what is wrong', async () => {
    const sum = (x: Tensor): Tensor => x.sum(1);
    await expect(exactShapley(sum, tensor([new Array<number>(16).fill(1)]))).rejects.toThrow(
      'exactShapley: 16 features have 2^16 coalitions: take kernelShap, or put elements into at most 15 groups.',
    );
    await expect(kernelShap(sum, tensor([new Array<number>(16).fill(1)]), { samples: 8 })).rejects.toThrow(
      'kernelShap: 8 samples do not determine the values of 16 features: take more samples.',
    );
    await expect(kernelShap(sum, tensor([[1, 2]]), { groups: [0] })).rejects.toThrow(
      'kernelShap: groups has 1 numbers, a sample [2] has 2 elements: give one for each.',
    );
    await expect(kernelShap(sum, tensor([[1, 2]]), { groups: [0, -1] })).rejects.toThrow(
      'kernelShap: groups has -1 at element 1: features are numbered 0, 1, 2, ...',
    );
    await expect(kernelShap(sum, tensor([[1, 2]]), { baseline: 0, background: tensor([[1, 2]]) })).rejects.toThrow(
      'kernelShap: there are a baseline and a background: give one of them.',
    );
    expect(() => occlusion(sum, tensor([[1, 2]]), { window: [3] })).toThrow(
      'occlusion: the window [3] and the strides [1] do not fit a sample [2]: give a number for each axis, no larger than it.',
    );
  });
});

describe('Lime', () => {
  it("its fit is scikit-learn's Lasso with weights of samples", () => {
    const { Z, y, w, coefficients, intercept, plain } = golden.lasso;
    const rows = Array.from({ length: 30 }, (_, r) => Uint8Array.from(Z.slice(r * 5, r * 5 + 5)));
    const found = weightedLasso(rows, y, w, 0.05);
    near([...found.coefficients], coefficients, 1e-6);
    near([found.intercept], intercept, 1e-6);
    near([...weightedLasso(rows, y, w, 0).coefficients], plain, 1e-6);
  });

  it('finds the weights of a linear model, and few of many', async () => {
    setSeed(3);
    const model = (x: Tensor): Tensor => x.mul(tensor([4, 0, -3, 0, 0, 0])).sum(1);
    const x = tensor([[1, 1, 1, 1, 1, 1], [2, 1, 1, 1, 1, 1]]); // biome-ignore format: rows
    const found = await lime(model, x, { samples: 200, distance: 'euclidean', width: 3 });
    const table = await found.coefficients.array(2);
    near(table[0] ?? [], [4, 0, -3, 0, 0, 0], 0.1);
    near(table[1] ?? [], [8, 0, -3, 0, 0, 0], 0.1);
    expect(table[0]?.filter((value) => value === 0).length).toBe(4);
    expect(Math.min(...(await flat(found.fidelity)))).toBeGreaterThan(0.99);
  });

  it('a system that is not positive definite is refused', () => {
    expect(solvePositive(Float64Array.of(1, 1, 1, 1), 2, Float64Array.of(1, 1), 1)).toBe(false);
    const b = Float64Array.of(1, 2);
    expect(solvePositive(Float64Array.of(4, 2, 2, 3), 2, b, 1)).toBe(true);
    near([...b], [-1 / 8, 3 / 4], 1e-12);
  });
});
