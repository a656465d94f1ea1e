/** What JavaScript users are told where a type checker would have stopped them: nothing is ignored, nothing fails inside. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { concat, gradients, normal, stack, type Tensor, tensor, uniform, zeros } from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

const x = tensor([
  [1, 2],
  [3, 4],
]);
/** Calls without types: a function, or a method of x by name. */
const call = (what: ((...args: never[]) => unknown) | keyof Tensor, ...args: readonly unknown[]): unknown =>
  Reflect.apply(typeof what === 'function' ? what : Object(x)[what], x, args);

test.each<[string, () => unknown, string]>([
  ['sizes one by one', () => call(zeros, 2, 3), 'zeros: takes a list, [...], got 2.'],
  ['a shape as arguments', () => call('reshape', 4, 1), 'reshape: takes a list, [...], got 4.'],
  ['an order as arguments', () => call('permute', 1, 0), 'permute: takes a list, [...], got 1.'],
  ['an axis as option', () => call('sum', { axis: 1 }), 'sum: takes a list, [...], got [object Object].'],
  ['expand by arguments', () => call('expand', 2, 2), 'expand: takes a list, [...], got 2.'],
  ['a slice by numbers', () => call('slice', 0, 1), 'slice: takes a list, [...], got 0.'],
  ['tensors one by one', () => call(concat, x, x), 'concat: takes a list, [...], got Tensor float32 [2, 2].'],
  ['tensors to stack one by one', () => call(stack, x, x), 'stack: takes a list, [...], got Tensor float32 [2, 2].'],
  ['one tensor to differentiate by', () => call(gradients, x.sum(), x), 'gradients: takes a list, [...], got Tensor'],
  ['keepdim by position', () => call('mean', 1, true), 'sum: there is no option true: it takes { keepAxes }.'],
  ['keepDims', () => call('max', 1, { keepDims: true }), 'max: there is no option keepDims: it takes { keepAxes }.'],
  ['bounds by position', () => call(uniform, [2], -1, 1), 'uniform: there is no option -1: it takes { low, high }.'],
  ['std', () => call(normal, [2], { std: 1 }), 'normal: there is no option std: it takes { mean, standardDeviation }.'],
  [
    'a dtype by position',
    () => call(tensor, [1], 'int32'),
    'tensor: there is no option int32: it takes { shape, dtype',
  ],
  ['a shape by position', () => call(tensor, [1, 2], [2, 1]), 'tensor: there is no option 0: it takes { shape, dtype'],
  ['an unknown dtype', () => call('cast', 'float64'), 'cast: there is no dtype float64: bool, uint8, int8, int32,'],
  ['tensor of dtype int', () => call(tensor, [1], { dtype: 'int' }), 'tensor: there is no dtype int: bool'],
  ['a tensor of tensors', () => call(tensor, [x]), 'tensor: the element at [0] is a Tensor, not a number.'],
  ['64-bit integers', () => call(tensor, new BigInt64Array(1)), 'is a BigInt64Array, not a number.'],
])('%s', (_, make, message) => {
  expect(make).toThrow(message);
});

describe('operators', () => {
  test.each<[string, () => unknown]>([
    ['times', () => Number(x) * 2],
    ['plus', () => Reflect.apply(Object(x)[Symbol.toPrimitive], x, ['default'])],
  ])('%s throws instead of giving NaN or text', (_, compute) => {
    expect(compute).toThrow('There are no operators for tensors: x.add(y), x.mul(2), x.less(y).');
  });

  test('text names type and shape', () => {
    expect(`${x}`).toBe('Tensor float32 [2, 2]');
  });
});

test('doubles become float32, the clamped bytes of a canvas uint8', async () => {
  const doubles = tensor(Float64Array.of(0.1, 2));
  expect([doubles.dtype, await doubles.data()]).toEqual(['float32', Float32Array.of(0.1, 2)]);
  const large = tensor(Float64Array.of(2 ** 30 + 1), { dtype: 'int32' });
  expect(await large.item()).toBe(2 ** 30 + 1);
  const pixels = tensor(Uint8ClampedArray.of(0, 255, 7, 9), { shape: [2, 2] });
  expect([pixels.dtype, await pixels.cast('float32').array()]).toEqual([
    'uint8',
    [
      [0, 255],
      [7, 9],
    ],
  ]);
  expect(await tensor([Float64Array.of(1, 2), Float64Array.of(3, 4)]).array()).toEqual(await x.array());
});
