/** Tensors as users hold them: what they say of themselves, and how their values are read. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { arange, compile, isTensor, numberSource, parameter, ShapeError, type Tensor, tensor, zeros } from './index.ts';
import { prepare } from './testing.ts';

const backend = prepare(reference());

test('a tensor says what it is', () => {
  const x = zeros([2, 3]);
  expect([x.shape, x.rank, x.size, x.dtype, x.backend, `${x}`]).toEqual([
    [2, 3],
    2,
    6,
    'float32',
    null,
    'Tensor float32 [2, 3]',
  ]);
  expect([isTensor(x), isTensor(parameter([1])), isTensor([1]), isTensor(null), isTensor(Float32Array.of(1))]).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

describe('values are read', () => {
  test('at once where they are there, and else not at all', async () => {
    const x = tensor([1, 2]);
    const y = x.add(1);
    expect([x.dataAtOnce(), y.dataAtOnce()]).toEqual([Float32Array.of(1, 2), null]);
    x.dataAtOnce()![0] = 9; // a copy, as of data()
    expect(await y.data()).toEqual(Float32Array.of(2, 3));
    expect(zeros([0]).dataAtOnce()).toBeNull();
    const compiled = compile((z: Tensor) => {
      expect(() => z.dataAtOnce()).toThrow('compile');
      return z;
    });
    await compiled(x);
  });

  test('as a typed array of the dtype', async () => {
    expect(await tensor([1.5]).data()).toEqual(Float32Array.of(1.5));
    expect(await tensor(Int32Array.of(1)).add(1).data()).toEqual(Int32Array.of(2));
    expect(await tensor([true]).logicalNot().data()).toEqual(Uint8Array.of(0));
  });

  test('as nested arrays, with truth values for bool', async () => {
    expect(await arange(4).reshape([2, 1, 2]).array()).toEqual([[[0, 1]], [[2, 3]]]);
    expect(
      await tensor([[1], [3]])
        .less(2)
        .array(),
    ).toEqual([[true], [false]]);
    expect(await zeros([2, 0]).array()).toEqual([[], []]);
    expect(await tensor(5).array()).toBe(5);
  });

  test('as one number, where there is one', async () => {
    expect(await tensor([[7]]).item()).toBe(7);
    await expect(zeros([2]).item()).rejects.toThrow(ShapeError);
    await expect(zeros([2]).item()).rejects.toThrow('item: [2] has 2 elements, not one: use data() or array().');
  });

  test('again and again, as copies', async () => {
    const x = tensor([1, 2]);
    const first = await x.data();
    first[0] = 9;
    expect(await x.array()).toEqual([1, 2]);
  });
});

describe('the other side of an operation may be', () => {
  const x = tensor([1, 2]);
  test.each<[string, Tensor, unknown]>([
    ['a number', x.add(1), [2, 3]],
    ['a boolean', x.mul(true), [1, 2]],
    ['a list', x.add([10, 20]), [11, 22]],
    [
      'nested lists',
      x.mul([[1], [2]]),
      [
        [1, 2],
        [2, 4],
      ],
    ],
    ['a typed array', x.sub(Float32Array.of(1, 1)), [0, 1]],
    ['a number that is read anew', x.mul(numberSource(() => 3)), [3, 6]],
    ['a parameter', x.add(parameter([1, 1])), [2, 3]],
  ])('%s', async (_, y, values) => {
    expect(await y.array()).toEqual(values);
  });
});

test('a tensor lives where its operands live', () => {
  const x = tensor([1], { backend });
  expect(x.add(tensor([2])).exp().backend).toBe(backend);
});

test('every method is chained by examples of numbers', async () => {
  const x = tensor([
    [4, -1],
    [0.5, 2],
  ]);
  const values = await Promise.all([
    x.abs().sum().item(),
    x.sign().sum().item(),
    x.clamp(0, 1).sum().item(),
    x.greater(1).cast('int32').sum().item(),
    x.argMax().item(),
    x.argMin(0).array(),
    x.topK(1).values.array(),
    x.sort(0, { descending: true }).indices.array(),
    x.standardDeviation(1, { correction: 0 }).array(),
    x.any().item(),
    x.greaterEqual(0).all(1).array(),
  ]);
  expect(values).toEqual([
    7.5,
    2,
    2.5,
    2,
    0,
    [1, 0],
    [[4], [2]],
    [
      [0, 1],
      [1, 0],
    ],
    [2.5, 0.75],
    1,
    [false, true],
  ]);
});
