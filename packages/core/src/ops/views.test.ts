/** Views by example, as NumPy has them, and what they cost. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { arange, gradients, type Tensor, tensor } from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

const count = (...shape: number[]): Tensor => arange(shape.reduce((a, b) => a * b, 1)).reshape(shape);

describe('at, as in NumPy', () => {
  test.each<[string, Tensor, unknown]>([
    ['x[1]', count(2, 3).at(1), [3, 4, 5]],
    ['x[-1, 0]', count(2, 3).at(-1, 0), 3],
    [
      'x[:, 1:]',
      count(2, 3).at([], [1]),
      [
        [1, 2],
        [4, 5],
      ],
    ],
    ['x[::-1]', count(4).at([null, null, -1]), [3, 2, 1, 0]],
    ['x[5:1:-2]', count(6).at([5, 1, -2]), [5, 3]],
    ['x[-3:-1]', count(5).at([-3, -1]), [2, 3]],
    ['x[1:100]', count(3).at([1, 100]), [1, 2]],
    ['x[-100:2]', count(3).at([-100, 2]), [0, 1]],
    ['x[2:1]', count(3).at([2, 1]), []],
    ['x[::2]', count(5).at([null, null, 2]), [0, 2, 4]],
    ['x[1::3]', count(6).at([1, null, 3]), [1, 4]],
    [
      'x[..., 0]',
      count(2, 2, 2).at('...', 0),
      [
        [0, 2],
        [4, 6],
      ],
    ],
    ['x[0, ..., 1]', count(2, 2, 2).at(0, '...', 1), [1, 3]],
    ['x[None, 1]', count(2, 3).at(null, 1), [[3, 4, 5]]],
    ['x[:, None, 0]', count(2, 2).at([], null, 0), [[0], [2]]],
    ['x[()]', count(2).at(), [0, 1]],
  ])('%s', async (_, x, values) => {
    expect(await x.array()).toEqual(values);
  });
});

describe('views', () => {
  test.each<[string, Tensor, unknown]>([
    ['pad with a number', count(2).pad([[1, 2]], 9), [9, 0, 1, 9, 9]],
    ['pad with -0.5', tensor([1]).pad([[1, 0]], -0.5), [-0.5, 1]],
    [
      'flip',
      count(2, 2).flip(),
      [
        [3, 2],
        [1, 0],
      ],
    ],
    [
      'transpose of three axes',
      count(1, 2, 2).transpose(),
      [
        [
          [0, 2],
          [1, 3],
        ],
      ],
    ],
    ['transpose of the first', count(1, 2, 2).transpose(0, 1), [[[0, 1]], [[2, 3]]]],
    [
      'expand',
      count(2, 1).expand([2, 2, 2]),
      [
        [
          [0, 0],
          [1, 1],
        ],
        [
          [0, 0],
          [1, 1],
        ],
      ],
    ],
    ['squeeze and unsqueeze', count(1, 2, 1).squeeze().unsqueeze(0), [[0, 1]]],
    ['flatten of a scalar', tensor(3).flatten(), [3]],
    [
      'split',
      count(3, 2).split([1, 2])[1] as Tensor,
      [
        [2, 3],
        [4, 5],
      ],
    ],
  ])('%s', async (_, x, values) => {
    expect(await x.array()).toEqual(values);
  });

  test('that change nothing are the same node', () => {
    const x = count(2, 3);
    for (const same of [
      x.reshape([2, 3]),
      x.permute([0, 1]),
      x.expand([2, 3]),
      x.at(),
      x.pad([
        [0, 0],
        [0, 0],
      ]),
      x.at([0, 2], []),
    ]) {
      expect(same.node).toBe(x.node);
    }
  });

  test('a reshape between two others has a gradient', async () => {
    const flat = tensor([
      [1, 2],
      [3, 4],
    ]).reshape([4]);
    const [slope] = gradients(flat.reshape([1, 4]).square().sum(), [flat]);
    expect(await slope.array()).toEqual([2, 4, 6, 8]);
  });
});

describe('values of a moving window', () => {
  test('come from the start that is given, also the last one', async () => {
    const x = count(10);
    for (let start = 0; start <= 7; start++)
      expect(await x.at([start, start + 3]).array()).toEqual([start, start + 1, start + 2]);
  });

  test('go where an update says', async () => {
    let x: Tensor = count(5);
    for (let start = 0; start < 4; start++) x = x.update([start], tensor(Int32Array.of(9, 9)));
    expect(await x.array()).toEqual([9, 9, 9, 9, 9]);
  });
});
