/** Promotion, neutral elements that leave no trace, whole powers, and the numbers that are easy to get wrong. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { constant } from '../graph/node.ts';
import { gradients, type Tensor, tensor, where, zeros } from '../index.ts';
import { prepare } from '../testing.ts';
import { add, divide, multiply, subtract } from './arithmetic.ts';

prepare(reference({ rounding: 'float32' }));

const float = tensor([1.5]);
const whole = tensor(Int32Array.of(3));
const truth = tensor([true]);

describe('promotion', () => {
  test.each<[string, Tensor, string]>([
    ['int32 + float32', whole.add(float), 'float32'],
    ['bool + bool counts', truth.add(truth), 'int32'],
    ['bool * float32', truth.mul(float), 'float32'],
    ['bool max bool', truth.maximum(truth), 'bool'],
    ['int32 / int32', whole.div(whole), 'float32'],
    ['int32 + number', whole.add(2), 'int32'],
    ['bool + number', truth.add(2), 'int32'],
    ['bool * boolean', truth.mul(true), 'int32'],
    ['float32 + number', float.add(2), 'float32'],
    ['exp of int32', whole.exp(), 'float32'],
    ['int32 < float32', whole.less(float), 'bool'],
    ['where of int32 and bool', where(truth, whole, truth), 'int32'],
    ['where of two numbers', where(truth, 1, 0), 'float32'],
    ['mean of int32', whole.mean(), 'float32'],
    ['sum of bool', truth.sum(), 'int32'],
    ['pow of int32', whole.pow(float), 'float32'],
  ])('%s', (_, x, dtype) => {
    expect(x.dtype).toBe(dtype);
  });
});

describe('neutral constants of the library leave no node', () => {
  const x = tensor([1, 2]).node;
  const [zero, one] = [constant(0, 'float32'), constant(1, 'float32')];
  test('x + 0, x - 0, x * 1, x / 1', () => {
    for (const same of [
      add(x, zero),
      add(zero, x),
      subtract(x, zero),
      multiply(x, one),
      multiply(one, x),
      divide(x, one),
    ]) {
      expect(same).toBe(x);
    }
  });

  test('but 0 - x, 1 / x, x + -0 and what broadcasts stay', () => {
    const wide = constant(0, 'float32', [3, 2]);
    for (const other of [subtract(zero, x), divide(one, x), add(x, constant(-0, 'float32')), add(x, wide)])
      expect(other).not.toBe(x);
  });

  test('numbers of users stay, because they may change', () => {
    expect(tensor([1, 2]).mul(1).node.primitive.name).toBe('mul');
  });
});

describe('powers', () => {
  test('of whole numbers are exact, also at 0 and below', async () => {
    const x = tensor([-2, 0, 3]);
    expect(await x.pow(3).array()).toEqual([-8, 0, 27]);
    expect(await x.pow(0).array()).toEqual([1, 1, 1]);
    const [slope] = gradients(x.pow(2).sum(), [x]);
    expect(await slope.array()).toEqual([-4, 0, 6]);
  });

  test('of tensors have finite gradients at 0', async () => {
    const [x, y] = [tensor([0, 2]), tensor([2, 0])];
    const slopes = gradients(x.pow(y).sum(), [x, y]);
    expect(await slopes[0].array()).toEqual([0, 0]);
    expect(await slopes[1].array()).toEqual([0, Math.fround(Math.log(2))]);
  });
});

describe('division of integers', () => {
  test.each<[string, (a: Tensor, b: Tensor) => Tensor, number[]]>([
    ['mod has the sign of the dividend', (a, b) => a.mod(b), [1, -1, 1, -1]],
    ['floorMod has the sign of the divisor', (a, b) => a.floorMod(b), [1, 2, -2, -1]],
    ['floorDiv rounds down', (a, b) => a.floorDiv(b), [2, -3, -3, 2]],
  ])('%s', async (_, apply, values) => {
    expect(await apply(tensor(Int32Array.of(7, -7, 7, -7)), tensor(Int32Array.of(3, 3, -3, -3))).array()).toEqual(
      values,
    );
  });
});

test('a tie of two shares the gradient', async () => {
  const [x, y] = [tensor([1, 2]), tensor([1, 1])];
  const slopes = gradients(x.maximum(y).sum(), [x, y]);
  expect([await slopes[0].array(), await slopes[1].array()]).toEqual([
    [0.5, 1],
    [0.5, 0],
  ]);
});

test('functions keep their digits where formulas lose them', async () => {
  const x = tensor([1e-7, -1e-7, 1e-30]);
  const close = async (y: Tensor, f: (v: number) => number) => {
    const [values, inputs] = [await y.data(), await x.data()];
    values.forEach((value, i) => {
      expect(value / f(inputs[i] as number)).toBeCloseTo(1, 5);
    });
  };
  await close(x.log1p(), Math.log1p);
  await close(x.expm1(), Math.expm1);
  expect(await tensor([-200, 0, 200]).softplus().array()).toEqual([0, Math.fround(Math.LN2), 200]);
  expect(await tensor([-200, 200]).sigmoid().array()).toEqual([0, 1]);
  expect(
    await tensor([[1000, 1000]])
      .softmax()
      .array(),
  ).toEqual([[0.5, 0.5]]);
  expect(await tensor([Number.NEGATIVE_INFINITY, 0]).logSumExp().item()).toBe(0);
  expect(await zeros([3]).norm().item()).toBe(0);
});

test('log1p has a second derivative where the first is 0, and keeps a cotangent of 0 at -1', async () => {
  const x = tensor([1, -1]);
  const isFirst = tensor([true, false]);
  // f = (log(1 + x) - log 2)^2, f'' = 2 / (1 + x)^2 at f' = 0
  const f = where(
    isFirst,
    x
      .log1p()
      .sub(tensor([1]).log1p())
      .square(),
    0,
  ).sum();
  const [first] = gradients(f, [x]);
  expect(await first.array()).toEqual([0, 0]);
  expect(await gradients(first.sum(), [x])[0].at(0).item()).toBe(0.5);
});

test('norm and standard deviation have the slope 0 at 0', async () => {
  const x = tensor([2, 2, 2]);
  expect(await gradients(x.sub(2).norm(), [x])[0].array()).toEqual([0, 0, 0]);
  expect(await gradients(x.standardDeviation(), [x])[0].array()).toEqual([0, 0, 0]);
  expect(await x.standardDeviation().item()).toBe(0);
});
