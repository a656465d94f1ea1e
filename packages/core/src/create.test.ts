/** Tensors filled by a rule. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import {
  arange,
  checkIndices,
  eye,
  full,
  linspace,
  oneHot,
  ones,
  onesLike,
  tensor,
  zeros,
  zerosLike,
} from './index.ts';
import { prepare } from './testing.ts';

const backend = prepare(reference());

test.each([
  ['zeros', zeros([2]), 'float32', [0, 0]],
  ['zeros of integers', zeros([2], { dtype: 'int32' }), 'int32', [0, 0]],
  ['ones of bool', ones([2], { dtype: 'bool' }), 'bool', [true, true]],
  ['full', full([2, 1], 7), 'float32', [[7], [7]]],
  ['a full scalar', full([], -1, { dtype: 'int32' }), 'int32', -1],
  ['zerosLike', zerosLike(tensor(Int32Array.of(1))), 'int32', [0]],
  ['onesLike', onesLike(tensor([[true]])), 'bool', [[true]]],
  ['arange to a stop', arange(3), 'int32', [0, 1, 2]],
  ['arange with a start', arange(2, 5), 'int32', [2, 3, 4]],
  ['arange in steps', arange(5, 0, -2), 'int32', [5, 3, 1]],
  ['arange in fractions', arange(0, 1, 0.25), 'float32', [0, 0.25, 0.5, 0.75]],
  ['arange of nothing', arange(3, 3), 'int32', []],
  ['arange as floats', arange(0, 2, 1, { dtype: 'float32' }), 'float32', [0, 1]],
  ['linspace', linspace(0, 1, 3), 'float32', [0, 0.5, 1]],
  ['linspace of one', linspace(4, 9, 1), 'float32', [4]],
  ['linspace of none', linspace(4, 9, 0), 'float32', []],
  [
    'eye',
    eye(2),
    'float32',
    [
      [1, 0],
      [0, 1],
    ],
  ],
  [
    'oneHot',
    oneHot([1, 0], 2),
    'float32',
    [
      [0, 1],
      [1, 0],
    ],
  ],
  ['oneHot of a matrix', oneHot(tensor([[2]], { dtype: 'int32' }), 3), 'float32', [[[0, 0, 1]]]],
])('%s', async (_, x, dtype, values) => {
  expect([x.dtype, await x.array()]).toEqual([dtype, values]);
});

describe('what cannot be filled is named:', () => {
  test.each<[string, () => unknown, string]>([
    [
      'a shape with a fraction',
      () => zeros([1.5]),
      'zeros: [1.5] is not a shape: each size must be a whole number from 0.',
    ],
    ['a negative size', () => ones([-1]), 'ones: [-1] is not a shape'],
    ['a range without end', () => arange(0, 1, 0), 'arange: no finite range goes from 0 to 1 in steps of 0.'],
    ['a count that is none', () => linspace(0, 1, 1.5), 'linspace: the count must be a whole number, got 1.5.'],
    ['no classes', () => oneHot([0], 0), 'oneHot: the number of classes must be a whole number from 1, got 0.'],
    [
      'classes that are floats',
      () => oneHot(tensor([0.5]), 2),
      "oneHot: indices must be int32, got float32: use tensor.cast('int32').",
    ],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

test('a filled tensor lives where it is told to, else where it is needed', async () => {
  const other = reference();
  expect(zeros([1], { backend: other }).backend).toBe(other);
  expect(zeros([1]).backend).toBe(null);
  expect(zeros([1]).add(tensor([1], { backend: other })).backend).toBe(other);
  const x = zeros([1]);
  await x.data();
  expect(x.backend).toBe(backend);
});

test('indices that are no whole numbers are none, unless they were made whole', () => {
  const halves = tensor([0.5, 1]);
  expect(() => checkIndices('myLoss', halves, 2, 'classes')).toThrow(
    'myLoss: 0.5 is no index: 2 classes are chosen by whole numbers.',
  );
  checkIndices('myLoss', halves.cast('int32'), 2, 'classes');
  checkIndices('myLoss', tensor([0, 1]), 2, 'classes');
});

test('a tensor is no number, and is text where text is asked for', () => {
  const loss = tensor(1);
  // what JavaScript does for loss < 0.5, which types forbid
  expect(() => Number(loss)).toThrow('Tensor: a tensor is no number: await loss.item()');
  expect(`${loss}`).toBe('Tensor float32 []');
});
