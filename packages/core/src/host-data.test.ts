/** Rule 3 of life: tensor(data) copies at creation. And what numbers of the host may look like. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { DTypeError, ShapeError, tensor, ValueError } from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

describe('rule 3: a tensor', () => {
  test('keeps its values when the array is used again', async () => {
    const data = Float32Array.of(1, 2);
    const x = tensor(data);
    data.fill(9);
    expect(await x.array()).toEqual([1, 2]);
    const y = tensor(data).mul(2);
    data.fill(5);
    expect(await y.array()).toEqual([18, 18]);
  });

  test('keeps its values beside many others of a few kilobytes, whose copies share memory', async () => {
    const data = new Float32Array(300);
    const all = Array.from({ length: 90 }, (_, k) => tensor(data.fill(k).subarray(0, 20 + 3 * k)));
    data.fill(-1);
    for (const [k, x] of all.entries()) expect(await x.array()).toEqual(new Array(20 + 3 * k).fill(k));
    const read = await all[3]!.data();
    expect(read.buffer.byteLength).toBe(read.byteLength);
  });

  test('borrows the array where that is asked for', async () => {
    const data = Float32Array.of(1, 2);
    const x = tensor(data, { borrow: true });
    data.fill(9);
    expect(await x.array()).toEqual([9, 9]);
  });
});

describe('numbers', () => {
  test.each<[string, Parameters<typeof tensor>, string, readonly number[], unknown]>([
    ['a number', [2.5], 'float32', [], 2.5],
    ['a boolean', [true], 'bool', [], true],
    ['a list', [[1, 2]], 'float32', [2], [1, 2]],
    [
      'nested lists',
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
      'float32',
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['booleans', [[[true], [false]]], 'bool', [2, 1], [[true], [false]]],
    ['an empty list', [[]], 'float32', [0], []],
    ['a list of empty lists', [[[], []]], 'float32', [2, 0], [[], []]],
    ['an Int32Array', [Int32Array.of(1, 2)], 'int32', [2], [1, 2]],
    [
      'typed arrays in a list',
      [[Float32Array.of(1, 2), Float32Array.of(3, 4)]],
      'float32',
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'a flat list with a shape',
      [[1, 2, 3, 4], { shape: [2, 2] }],
      'float32',
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['numbers as int32, towards zero', [[1.9, -1.9, 3e9], { dtype: 'int32' }], 'int32', [3], [1, -1, 2147483647]],
    ['numbers as bool', [[0, 2, -1], { dtype: 'bool' }], 'bool', [3], [false, true, true]],
    ['bytes as bool', [Uint8Array.of(0, 7), { dtype: 'bool' }], 'bool', [2], [false, true]],
  ])('%s', async (_, args, dtype, shape, values) => {
    const x = tensor(...args);
    expect([x.dtype, x.shape, await x.array()]).toEqual([dtype, shape, values]);
  });
});

describe('what is wrong with numbers is named:', () => {
  test.each<[string, () => unknown, new (...args: never) => Error, string]>([
    [
      'uneven lists',
      () => tensor([[1, 2], [3]]),
      ShapeError,
      'tensor: the arrays are uneven: 1 elements at [1], 2 were expected.',
    ],
    [
      'a number beside lists',
      () => tensor([[1], 2]),
      ShapeError,
      'tensor: the arrays are uneven: a number at [1], 1 were expected.',
    ],
    [
      'a string',
      () => tensor([1, 'two'] as never),
      ValueError,
      'tensor: the element at [1] is a string, not a number.',
    ],
    [
      'nothing',
      () => tensor([1, undefined] as never),
      ValueError,
      'tensor: the element at [1] is undefined, not a number.',
    ],
    [
      'a shape of another size',
      () => tensor([1, 2, 3], { shape: [2, 2] }),
      ShapeError,
      'tensor: [2, 2] holds 4 elements, 3 were given.',
    ],
    [
      'a shape that is none',
      () => tensor([1], { shape: [1.5] }),
      ShapeError,
      'tensor: [1.5] is not a shape: each size must be a whole number from 0.',
    ],
    [
      'bits without a dtype',
      () => tensor(Uint16Array.of(1)),
      DTypeError,
      'tensor: a Uint16Array has no dtype of its own: name it, float16 or bfloat16.',
    ],
    [
      'half floats from numbers',
      () => tensor([1], { dtype: 'float16' }),
      DTypeError,
      'tensor: float16 holds bits: cast a float32 tensor, or hand over a Uint16Array.',
    ],
  ])('%s', (_, make, type, message) => {
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });
});
