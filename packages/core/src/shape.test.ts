/** Arithmetic on shapes and axes. */
import { describe, expect, test } from 'vitest';
import {
  broadcastShapes,
  checkShape,
  normalizeAxes,
  normalizeAxis,
  sameShape,
  show,
  sizeOf,
  stridesOf,
} from './shape.ts';

test('sizes and strides', () => {
  expect([sizeOf([]), sizeOf([2, 3]), sizeOf([2, 0])]).toEqual([1, 6, 0]);
  expect([stridesOf([]), stridesOf([2, 3, 4])]).toEqual([[], [12, 4, 1]]);
  expect(show([2, 3])).toBe('[2, 3]');
});

test('shapes are compared by their sizes', () => {
  expect([sameShape([2], [2]), sameShape([2], [2, 1]), sameShape([], [])]).toEqual([true, false, true]);
});

describe('broadcasting', () => {
  test.each([
    [[], [], []],
    [[3], [], [3]],
    [[2, 1], [3], [2, 3]],
    [
      [4, 1, 3],
      [2, 1],
      [4, 2, 3],
    ],
    [[1], [0], [0]],
  ])('%j with %j is %j', (a, b, result) => {
    expect(broadcastShapes('add', a, b)).toEqual(result);
    expect(broadcastShapes('add', b, a)).toEqual(result);
  });

  test('names the axis that does not fit', () => {
    expect(() => broadcastShapes('add', [2, 3], [4, 3])).toThrow('sizes 2 and 4 at axis -2 are neither equal nor 1.');
    expect(() => broadcastShapes('add', [2], [0])).toThrow('sizes 2 and 0 at axis -1');
  });
});

describe('axes', () => {
  test('count from either end', () => {
    expect([normalizeAxis('sum', 1, 3), normalizeAxis('sum', -1, 3)]).toEqual([1, 2]);
    expect([normalizeAxes('sum', undefined, 2), normalizeAxes('sum', [-1, 0], 3), normalizeAxes('sum', 1, 2)]).toEqual([
      [0, 1],
      [0, 2],
      [1],
    ]);
  });

  test.each([
    [3, 3],
    [-4, 3],
    [0.5, 3],
    [0, 0],
  ])('%d is none of rank %d', (axis, rank) => {
    expect(() => normalizeAxis('sum', axis, rank)).toThrow('sum: axis');
  });
});

test('a shape is made of whole numbers from 0', () => {
  expect(() => checkShape('zeros', [0, 3])).not.toThrow();
  for (const wrong of [[-1], [1.5], [Number.NaN]]) expect(() => checkShape('zeros', wrong)).toThrow('is not a shape');
});
