/** What JavaScript users are told where a type checker would have stopped them: nothing is ignored, nothing fails inside. */
import { reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import { normal, tensor, uniform } from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

const x = tensor([
  [1, 2],
  [3, 4],
]);
/** Calls without types. */
const call = (what: (...args: never[]) => unknown, ...args: readonly unknown[]): unknown =>
  Reflect.apply(what, undefined, args);

test.each<[string, () => unknown, string]>([
  ['bounds by position', () => call(uniform, [2], -1, 1), 'uniform: no option -1: low, high.'],
  ['std', () => call(normal, [2], { std: 1 }), 'normal: no option std: mean, standardDeviation.'],
  ['a tensor of tensors', () => call(tensor, [x]), 'tensor: the element at [0] is a Tensor, not a number.'],
  ['64-bit integers', () => call(tensor, new BigInt64Array(1)), 'is a BigInt64Array, not a number.'],
])('%s', (_, make, message) => {
  expect(make).toThrow(message);
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
