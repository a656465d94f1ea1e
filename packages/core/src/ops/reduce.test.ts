/** Reductions by example: axes, ties, NaN, nothing, and the gradients that are easy to get wrong. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { gradients, type Tensor, tensor, zeros } from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

const cube = tensor([
  [
    [1, 2],
    [3, 4],
  ],
  [
    [5, 6],
    [7, 8],
  ],
]);

test.each<[string, Tensor, unknown]>([
  ['sum of all', cube.sum(), 36],
  [
    'sum over one axis',
    cube.sum(1),
    [
      [4, 6],
      [12, 14],
    ],
  ],
  ['sum over two axes', cube.sum([0, 2]), [14, 22]],
  ['keeps reduced axes when asked', cube.sum([0, 2], { keepAxes: true }), [[[14], [22]]]],
  [
    'sum over no axes',
    cube.sum([]),
    [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ],
  ],
  [
    'mean',
    cube.mean(-1),
    [
      [1.5, 3.5],
      [5.5, 7.5],
    ],
  ],
  [
    'prod',
    cube.prod(0),
    [
      [5, 12],
      [21, 32],
    ],
  ],
  ['max', cube.max([0, 1]), [7, 8]],
  [
    'min of bool',
    tensor([
      [true, false],
      [true, true],
    ]).min(1),
    [false, true],
  ],
  ['max of NaN', tensor([1, Number.NaN, 3]).max(), Number.NaN],
  ['argMax is the first', tensor([3, 7, 7, 1]).argMax(), 1],
  ['argMax of a row with NaN is where the NaN is', tensor([1, Number.NaN]).argMax(0), 1],
  [
    'argMin kept',
    tensor([
      [3, 1],
      [0, 2],
    ]).argMin(1, { keepAxes: true }),
    [[1], [0]],
  ],
  ['variance', tensor([1, 2, 3, 4, 5]).variance(), 2.5],
  ['variance of the population', tensor([1, 2, 3, 4]).variance(undefined, { correction: 0 }), 1.25],
  ['variance of one', tensor([1]).variance(0, { correction: 0 }), 0],
  [
    'any and all',
    tensor([0, 2])
      .any()
      .logicalAnd(tensor([0, 2]).all().logicalNot()),
    true,
  ],
  ['sum of nothing', zeros([2, 0]).sum(1), [0, 0]],
  ['prod of nothing', zeros([0]).prod(), 1],
  ['mean of nothing', zeros([0]).mean(), Number.NaN],
  ['norm', tensor([3, -4]).norm(), 5],
  ['norm of order 1', tensor([3, -4]).norm(0, { order: 1 }), 7],
  ['norm of infinite order', tensor([3, -4]).norm(0, { order: Number.POSITIVE_INFINITY }), 4],
  [
    'cumsum',
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]).cumsum(1),
    [
      [1, 3, 6],
      [4, 9, 15],
    ],
  ],
])('%s', async (_, x, values) => {
  const rounded = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(rounded) : typeof value === 'number' ? Math.fround(value) : value;
  expect(await x.array()).toEqual(rounded(values));
});

describe('the gradient', () => {
  const slope = async (f: (x: Tensor) => Tensor, values: readonly number[]): Promise<unknown> => {
    const x = tensor(values);
    return gradients(f(x), [x])[0].array();
  };

  test('of max is shared by ties', async () => {
    expect(await slope((x) => x.max(), [1, 5, 5, 2])).toEqual([0, 0.5, 0.5, 0]);
  });

  test('of a product is right beside zeros', async () => {
    expect(await slope((x) => x.prod(), [2, 0, 3])).toEqual([0, 6, 0]);
    expect(await slope((x) => x.prod(), [0, 0, 3])).toEqual([0, 0, 0]);
  });

  test('of a product is right beside zeros, to the second order', async () => {
    const x = tensor([2, 0, 3]);
    const [first] = gradients(x.prod(), [x]);
    const [second] = gradients(first.sum(), [x]);
    expect(await second.array()).toEqual([3, 5, 2]);
  });

  test('of cumsum counts what comes after', async () => {
    expect(await slope((x) => x.cumsum(0).sum(), [1, 2, 3])).toEqual([3, 2, 1]);
  });
});

test('mean and variance divide: they are the float32 nearest to the quotient, for any count', async () => {
  for (const count of [1, 3, 7, 11, 49, 63]) {
    const x = new Float32Array(count);
    x[0] = 5;
    expect(await tensor(x).mean().item()).toBe(Math.fround(5 / count));
    // deviations of whole numbers, whose squares and sums are exact
    if (count === 1) continue;
    const y = Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? 3 : -3));
    expect(await tensor(y).variance().item()).toBe(Math.fround((18 * count) / (2 * count - 1)));
  }
});
