/** Dropout of channels, noise, and start values of another structure: what is random is checked by what must hold of it. */
import { cpu } from '@nn/backend-cpu';
import { convTranspose1d, evaluate, gradients, normal, ones, setDefaultBackend, setSeed, type Tensor } from '@nn/core';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as nn from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));
beforeEach(() => setSeed(11));

async function moments(x: Tensor): Promise<{ mean: number; variance: number }> {
  const [mean, variance] = [await x.mean().item(), await x.variance(undefined, { correction: 0 }).item()];
  return { mean, variance };
}

describe('dropout of channels', () => {
  test.each([
    [new nn.Dropout1d(0.25), [40, 50, 3]],
    [new nn.Dropout2d(0.25), [40, 50, 2, 2]],
    [new nn.Dropout3d(0.25), [40, 50, 2, 1, 2]],
  ] as const)('%s drops a channel whole, or not at all', async (layer, shape) => {
    const y = layer.forward(ones(shape)).reshape([2000, -1]);
    const [least, most] = [await y.min(1).data(), await y.max(1).data()];
    expect(least).toEqual(most);
    expect(new Set(least)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    const dropped = least.filter((value) => value === 0).length / 2000;
    expect(Math.abs(dropped - 0.25)).toBeLessThan(0.05); // five deviations of 0.0097
    expect(evaluate(() => layer.forward(ones(shape))).shape).toEqual(shape);
  });

  test('all of it leaves zeros, and other ranks are refused', async () => {
    expect(await new nn.Dropout1d(1).forward(ones([1, 2, 1])).array()).toEqual([[[0], [0]]]);
    expect(() => new nn.Dropout2d().forward(ones([2, 3, 4]))).toThrow(
      'Dropout2d(0.5): takes [N, channels, height, width], got [2, 3, 4]: for a single sample add the axis of the batch: x.unsqueeze(0).',
    );
    expect(() => new nn.Dropout3d(2)).toThrow(
      'Dropout3d: the rate is 2: it is the share of values to drop, from 0 to 1.',
    );
  });
});

describe('noise', () => {
  test('AlphaDropout keeps mean 0 and variance 1', async () => {
    for (const layer of [new nn.AlphaDropout(0.3), new nn.FeatureAlphaDropout(0.3)]) {
      const { mean, variance } = await moments(layer.forward(normal([100, 400])));
      expect(Math.abs(mean)).toBeLessThan(0.025);
      expect(Math.abs(variance - 1)).toBeLessThan(0.035);
    }
  });

  test('AlphaDropout sends gradients only to what it keeps; whole channels fall together', async () => {
    const x = normal([30, 20, 4]);
    const [slope] = gradients(new nn.FeatureAlphaDropout(0.5).forward(x).sum(), [x]);
    const [least, most] = [await slope.min(2).data(), await slope.max(2).data()];
    expect(least).toEqual(most);
    expect(new Set(least).size).toBe(2);
    expect(least).toContain(0);
  });

  test('normal noise has the deviation that it says', async () => {
    const factor = await moments(new nn.GaussianDropout(0.2).forward(ones([40_000])));
    expect(Math.abs(factor.mean - 1)).toBeLessThan(0.0125);
    expect(Math.abs(factor.variance - 0.25)).toBeLessThan(0.01);
    const added = await moments(new nn.GaussianNoise(0.5).forward(ones([40_000])));
    expect(Math.abs(added.mean - 1)).toBeLessThan(0.0125);
    expect(Math.abs(added.variance - 0.25)).toBeLessThan(0.01);
  });

  test('does nothing in evaluation', async () => {
    const layers = [new nn.AlphaDropout(), new nn.GaussianDropout(), new nn.GaussianNoise(1), new nn.RReLU()];
    for (const layer of layers) expect(await evaluate(() => layer.forward(ones([2]))).array()).toEqual([1, 1]);
    expect(() => new nn.GaussianDropout(1)).toThrow('GaussianDropout: the rate is 1: the noise would be infinite');
    expect(() => new nn.GaussianNoise(-1)).toThrow(
      'GaussianNoise: the standard deviation is -1: it must be at least 0.',
    );
  });

  test('RReLU draws slopes between its bounds in training', async () => {
    const values = await new nn.RReLU({ lower: 0.25, upper: 0.5 }).forward(ones([1000]).neg()).data();
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.5);
    expect(Math.max(...values)).toBeLessThanOrEqual(-0.25);
    expect(new Set(values).size).toBeGreaterThan(900);
  });
});

describe('start values', () => {
  const shape = [100, 50, 2, 2];
  test.each([
    [{ scale: 2 }, 2 / 200],
    [{ mode: 'fanOut', distribution: 'normal' }, 1 / 400],
    [{ mode: 'fanAverage', distribution: 'uniform' }, 1 / 300],
  ] as const)('varianceScaling(%o) has its variance', async (options, wanted) => {
    const { mean, variance } = await moments(nn.varianceScaling(shape, options));
    expect(Math.abs(mean / Math.sqrt(wanted))).toBeLessThan(0.036);
    expect(Math.abs(variance / wanted - 1)).toBeLessThan(0.06);
  });

  test('dirac lets channels through, in each group', async () => {
    const x = normal([2, 3, 5]);
    const layer = new nn.Conv1d(3, 3, 3, { padding: 1, bias: false });
    layer.weight.assign(nn.dirac([3, 3, 3]));
    expect(await layer.forward(x).data()).toEqual(await x.data());
    const groups = await nn.dirac([4, 2, 1], { groups: 2 }).array();
    expect(groups).toEqual([
      [[1], [0]],
      [[0], [1]],
      [[1], [0]],
      [[0], [1]],
    ]);
    expect(convTranspose1d(x, nn.dirac([3, 3, 1])).shape).toEqual([2, 3, 5]);
    expect(() => nn.dirac([2, 2])).toThrow(
      'dirac: [2, 2] is no kernel: it needs the form [outputs, inputs, ...kernel].',
    );
  });

  test('sparse has its zeros in every column', async () => {
    const values = await nn.sparse([7, 5], { sparsity: 0.5 }).data();
    for (let column = 0; column < 5; column++) {
      expect(values.filter((value, i) => i % 5 === column && value === 0).length).toBe(4);
    }
    expect(() => nn.sparse([7], { sparsity: 0.5 })).toThrow('sparse: [7] is no matrix [rows, columns].');
    expect(() => nn.sparse([7, 5], { sparsity: 2 })).toThrow('sparse: the sparsity is 2');
  });
});
