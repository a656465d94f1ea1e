/** What JavaScript users are told where a type checker would have stopped them: nothing is ignored, nothing fails inside. */
import { reference } from '@nn/conformance';
import { expect, expectTypeOf, test } from 'vitest';
import { compile, evaluate, hostUniform, normal, parameter, type Tensor, tensor, uniform, zeros } from './index.ts';
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
  ['bounds by position', () => call(uniform, [2], -1, 1), 'uniform: takes options by name, { low, high }, got -1.'],
  ['std', () => call(normal, [2], { std: 1 }), 'normal: no option std: mean, standardDeviation.'],
  ['a tensor of tensors', () => call(tensor, [x]), 'tensor: the element at [0] is a Tensor, not a number.'],
  ['64-bit integers', () => call(tensor, new BigInt64Array(1)), 'is a BigInt64Array, not a number.'],
])('%s', (_, make, message) => {
  expect(make).toThrow(message);
});

test.each<[string, () => unknown, string]>([
  [
    'tensor',
    () => call(tensor, [1], { dtype: 'float64' }),
    'tensor: there is no dtype float64: float32, int32, bool, float16, bfloat16, int8, uint8. Use float32.',
  ],
  [
    'zeros',
    () => call(zeros, [1], { dtype: 'double' }),
    'zeros: there is no dtype double: float32, int32, bool, float16, bfloat16, int8, uint8. Use float32.',
  ],
  [
    'cast',
    () => Reflect.apply(x.cast, x, ['int64']),
    'cast: there is no dtype int64: float32, int32, bool, float16, bfloat16, int8, uint8. Use int32.',
  ],
  ['parameter', () => call(parameter, [1], { dtype: 'toString' }), 'parameter: there is no dtype toString: float32,'],
])('a dtype that does not exist is named at once: %s', (_, make, message) => {
  expect(make).toThrow(message);
});

test('what cannot be cloned or sent tells what can', () => {
  const told = 'A tensor cannot be sent or cloned: send await tensor.data(), of a model encodeModel(model). It';
  expect(() => structuredClone(x)).toThrow(told);
  expect(() => structuredClone({ layers: [{ weight: parameter([1]) }] })).toThrow(told);
});

test.each<[string, () => unknown]>([
  ['a tensor', () => x],
  ['a model', () => ({ layers: [{ weight: parameter([1]) }] })],
])('%s as JSON tells what can be', (_, make) => {
  expect(() => JSON.stringify(make())).toThrow(
    'toJSON: a tensor lives on a device, and JSON cannot wait for it: send the array of `await tensor.data()`, of a model the bytes of encodeModel(model) of @nn/serialize.',
  );
});

test('more elements than a tensor can hold are told before they are made', () => {
  expect(() => hostUniform(2 ** 33)).toThrow(
    /^hostUniform: \[8589934592\] has 8589934592 elements \(34\.4 GB\): '.*' holds at most \d+ in one tensor\.$/,
  );
});

test('a compiled function inside of evaluate is told to be put outside', () => {
  const double = compile((value: Tensor) => value.mul(2));
  expect(() => evaluate(() => double(x))).toThrow(
    'evaluate: the function must not be async: build the tensors inside and await their values outside. A compiled function is async too: put evaluate inside of it, compile((x) => evaluate(() => ...)).',
  );
});

test('values have types by dtype and by rank, which are checked', async () => {
  const values: Float32Array = await x.data('float32');
  const rows: number[][] = await x.array(2);
  expectTypeOf(await x.cast('int32').data('int32')).toEqualTypeOf<Int32Array>();
  expectTypeOf(await x.sum().array(0)).toEqualTypeOf<number>();
  expect([values.length, rows]).toEqual([4, await x.array()]);
  await expect(x.data('int32')).rejects.toThrow(
    "data: the tensor is float32, not int32: x.cast('int32').data('int32').",
  );
  await expect(x.array(1)).rejects.toThrow('array: [2, 2] has the rank 2, not 1.');
  await expect(x.greater(0).array(2)).rejects.toThrow(
    "array: the tensor is bool: array() gives booleans, x.cast('int32').array(2) numbers.",
  );
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
