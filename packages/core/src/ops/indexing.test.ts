/** Gather, scatter, update, join and sort by example. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { concat, gradients, stack, type Tensor, tensor } from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

const table = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
]);

test.each<[string, Tensor, unknown]>([
  [
    'gather rows',
    table.gather([2, 0]),
    [
      [5, 6],
      [1, 2],
    ],
  ],
  ['gather columns', table.gather([1], 1), [[2], [4], [6]]],
  [
    'gather by a matrix',
    tensor([10, 20]).gather([
      [0, 1],
      [1, 1],
    ]),
    [
      [10, 20],
      [20, 20],
    ],
  ],
  ['gather clamps what is computed', tensor([10, 20]).gather(tensor([-5, 5]).mul(1).cast('int32')), [10, 20]],
  ['gather from nothing to nothing', table.gather(tensor(new Int32Array(0))), []],
  ['takeAlong', table.takeAlong([[1], [0], [1]], 1), [[2], [3], [6]]],
  ['scatterAdd adds up', tensor([0, 0, 0]).scatterAdd([1, 1, 2], [1, 2, 3]), [0, 3, 3]],
  ['scatterAdd ignores what is outside', tensor([0, 0]).scatterAdd([-1, 2, 0], [1, 2, 3]), [3, 0]],
  [
    'update',
    table.update([1, 0], [[9, 9]]),
    [
      [1, 2],
      [9, 9],
      [5, 6],
    ],
  ],
  ['concat of three', concat([tensor([1]), tensor([2, 3]), tensor([4])]), [1, 2, 3, 4]],
  ['concat promotes', concat([tensor([true]), tensor(Int32Array.of(5))]), [1, 5]],
  ['concat drops what is empty', concat([tensor([]), tensor([1])]), [1]],
  [
    'stack',
    stack([tensor([1, 2]), tensor([3, 4])], 1),
    [
      [1, 3],
      [2, 4],
    ],
  ],
  ['sort', tensor([3, 1, 2]).sort().values, [1, 2, 3]],
  ['sort is stable', tensor([1, 0, 1, 0]).argSort(), [1, 3, 0, 2]],
  ['sort is stable when it descends', tensor([1, 0, 1, 0]).argSort(0, { descending: true }), [0, 2, 1, 3]],
  [
    'NaN comes last',
    tensor([Number.NaN, 2, Number.NEGATIVE_INFINITY]).sort().values,
    [Number.NEGATIVE_INFINITY, 2, Number.NaN],
  ],
  [
    'infinities sort with the others',
    tensor([0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]).argSort(),
    [2, 0, 1],
  ],
  [
    'the smallest integer sorts descending',
    tensor(Int32Array.of(-(2 ** 31), 5)).sort(0, { descending: true }).values,
    [5, -(2 ** 31)],
  ],
  ['topK', tensor([[1, 5, 3]]).topK(2).indices, [[1, 2]]],
  ['topK of the smallest', tensor([4, 1, 3]).topK(2, 0, { largest: false }).values, [1, 3]],
  ['topK of none', tensor([4, 1]).topK(0).values, []],
])('%s', async (_, x, values) => {
  expect(await x.array()).toEqual(values);
});

describe('gradients go back', () => {
  test('to the elements that were gathered, as often as they were', async () => {
    const [slope] = gradients(table.gather([2, 2, 0]).sum(), [table]);
    expect(await slope.array()).toEqual([
      [1, 1],
      [0, 0],
      [2, 2],
    ]);
  });

  test('to the nearest element, where an index was outside', async () => {
    const x = tensor([1, 2, 3]);
    const [slope] = gradients(x.gather(tensor([-4, 9, 9], { dtype: 'int32' }).add(0)).sum(), [x]);
    expect(await slope.array()).toEqual([1, 0, 2]);
  });

  test('to updates, but not to those that went nowhere', async () => {
    const [base, updates] = [tensor([1, 2]), tensor([5, 6, 7])];
    const slopes = gradients(
      base
        .scatterAdd([0, 9, 0], updates)
        .mul(tensor([3, 4]))
        .sum(),
      [base, updates],
    );
    expect([await slopes[0].array(), await slopes[1].array()]).toEqual([
      [3, 4],
      [3, 0, 3],
    ]);
  });

  test('to a box and to what is around it', async () => {
    const [base, box] = [tensor([1, 2, 3]), tensor([9])];
    const slopes = gradients(base.update([1], box).square().sum(), [base, box]);
    expect([await slopes[0].array(), await slopes[1].array()]).toEqual([[2, 0, 6], [18]]);
  });

  test('to the places that were sorted', async () => {
    const x = tensor([3, 1, 2]);
    const [slope] = gradients(
      x
        .sort()
        .values.mul(tensor([1, 10, 100]))
        .sum(),
      [x],
    );
    expect(await slope.array()).toEqual([100, 1, 10]);
  });
});

test('a box made of other parts of its base does not write over them before they are read', async () => {
  const sums = tensor([1, 1, 1, 1, 1, 1]).cumsum(0);
  expect(await sums.update([2], sums.at([0, 4]).mul(10)).array()).toEqual([1, 2, 10, 20, 30, 40]);
});
