import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed, type Tensor } from '@nn/core';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  gainOf,
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  orthogonal,
  truncatedNormal,
  xavierNormal,
  xavierUniform,
} from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));
beforeEach(() => setSeed(3));

async function statistics(x: Tensor): Promise<{ mean: number; deviation: number; largest: number }> {
  const values = [...(await x.data())];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return { mean, deviation, largest: Math.max(...values.map(Math.abs)) };
}

// [100, 50, 2, 2]: 20,000 values, fan in 200, fan out 400
const shape = [100, 50, 2, 2];

describe('deviations and bounds follow the formulas', () => {
  const cases: [string, () => Tensor, number, 'uniform' | 'normal'][] = [
    ['xavierUniform', () => xavierUniform(shape), Math.sqrt(2 / 600), 'uniform'],
    ['xavierNormal with gain', () => xavierNormal(shape, { gain: 2 }), 2 * Math.sqrt(2 / 600), 'normal'],
    ['kaimingUniform', () => kaimingUniform(shape), Math.sqrt(2 / 200), 'uniform'],
    ['kaimingNormal, fan out', () => kaimingNormal(shape, { mode: 'fanOut' }), Math.sqrt(2 / 400), 'normal'],
    [
      'kaimingNormal, leaky',
      () => kaimingNormal(shape, { nonlinearity: 'leakyRelu', slope: 1 }),
      Math.sqrt(1 / 200),
      'normal',
    ],
    ['lecunUniform', () => lecunUniform(shape), Math.sqrt(1 / 200), 'uniform'],
    ['lecunNormal', () => lecunNormal(shape), Math.sqrt(1 / 200), 'normal'],
    ['truncatedNormal', () => truncatedNormal(shape), 0.8796, 'normal'],
  ];
  for (const [name, make, deviation, kind] of cases) {
    test(name, async () => {
      const found = await statistics(make());
      // deviations of the estimates: 1 / sqrt(20,000) = 0.7 % and less; five of them are allowed
      expect(Math.abs(found.mean / deviation)).toBeLessThan(0.036);
      expect(Math.abs(found.deviation / deviation - 1)).toBeLessThan(0.026);
      if (kind === 'uniform') expect(found.largest).toBeLessThanOrEqual(deviation * Math.sqrt(3) * 1.000001);
    });
  }
});

describe('truncatedNormal', () => {
  const ranges: [number, number][] = [
    [-2, 2],
    [-0.5, 1],
    [2, 3],
    [-9, -4],
    [-1, 50],
  ];
  for (const [low, high] of ranges) {
    test(`stays within ${low} to ${high}, with the mean of the density there`, async () => {
      const values = [...(await truncatedNormal([20_000], { low, high }).data())];
      expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
      expect(Math.max(...values)).toBeLessThanOrEqual(high);
      // the mean by summing the density on a fine grid
      let [mass, moment] = [0, 0];
      const step = (high - low) / 100_000;
      for (let i = 0; i < 100_000; i++) {
        const x = low + (i + 0.5) * step;
        const density = Math.exp(-(x ** 2) / 2);
        mass += density;
        moment += density * x;
      }
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(Math.abs(mean - moment / mass)).toBeLessThan(0.04);
    });
  }

  test('refuses an empty range', () => {
    expect(() => truncatedNormal([2], { low: 1, high: 1 })).toThrow(
      'truncatedNormal: nothing lies between low 1 and high 1: low must be below high.',
    );
  });
});

describe('orthogonal', () => {
  for (const [rows, columns] of [
    [4, 4],
    [3, 7],
    [7, 3],
  ] as const) {
    test(`of [${rows}, ${columns}] has orthonormal ${rows <= columns ? 'rows' : 'columns'}`, async () => {
      const q = orthogonal([rows, columns], { gain: 2 });
      const product = rows <= columns ? q.matmul(q.transpose()) : q.transpose().matmul(q);
      const least = Math.min(rows, columns);
      const values = [...(await product.data())];
      for (const [i, value] of values.entries()) expect(value).toBeCloseTo(i % (least + 1) === 0 ? 4 : 0, 5);
    });
  }

  test('of a kernel works on [outputs, rest]', async () => {
    const q = orthogonal([4, 2, 3, 3]);
    expect(q.shape).toEqual([4, 2, 3, 3]);
    const rows = q.reshape([4, 18]);
    const values = [...(await rows.matmul(rows.transpose()).data())];
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(i % 5 === 0 ? 1 : 0, 5);
  });
});

test('fans need a weight', () => {
  expect(() => kaimingUniform([3])).toThrow(
    'kaimingUniform: [3] has no fan: it needs the form [outputs, inputs, ...kernel]. For a bias use zeros.',
  );
});

test('gains are those of PyTorch', () => {
  expect([gainOf('linear'), gainOf('sigmoid'), gainOf('tanh'), gainOf('selu')]).toEqual([1, 1, 5 / 3, 0.75]);
  expect(gainOf('relu')).toBeCloseTo(Math.SQRT2);
  expect(gainOf('leakyRelu', 0.2)).toBeCloseTo(Math.sqrt(2 / 1.04));
});
