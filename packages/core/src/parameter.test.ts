/** Parameters, and rule 9 of life: state in forward is immediate in meaning and carried along by every program. */
import { type RecordingBackend, recording, reference } from '@nn/conformance';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  gradients,
  isParameter,
  type Parameter,
  parameter,
  replace,
  setDefaultBackend,
  type Tensor,
  tensor,
  zeros,
} from './index.ts';
import { descend, prepare } from './testing.ts';

prepare(reference());
let backend: RecordingBackend = recording(reference());

beforeEach(() => {
  backend = recording(reference());
  setDefaultBackend(backend);
});

describe('a parameter', () => {
  test('is a tensor with a name', async () => {
    const weight = parameter([[1, 2]], { name: 'weight' });
    expect(isParameter(weight)).toBe(true);
    expect(isParameter(tensor([1]))).toBe(false);
    expect(`${weight}`).toBe('Parameter weight float32 [1, 2]');
    expect(await weight.mul(2).array()).toEqual([[2, 4]]);
  });

  test('has memory of its own, whatever it was made from', async () => {
    const data = Float32Array.of(1, 2);
    const source = tensor(data);
    const [a, b] = [parameter(source), parameter(source)];
    data.fill(9);
    await replace([[a, a.add(1)]]);
    expect([await a.array(), await b.array(), await source.array()]).toEqual([
      [2, 3],
      [1, 2],
      [1, 2],
    ]);
  });

  test('may start as an expression', async () => {
    const weight = parameter(zeros([2]).add(3));
    await replace([[weight, weight.mul(2)]]);
    expect(await weight.array()).toEqual([6, 6]);
  });

  test('may start as a function, which is called when somebody needs the values', async () => {
    let calls = 0;
    const made = (): Float32Array => Float32Array.of(1 + calls++, 2);
    const [loaded, drawn, table] = ['loaded', 'drawn', 'table'].map((name) =>
      parameter(made, { shape: [2], name }),
    ) as [Parameter, Parameter, Parameter];
    expect([loaded.shape, loaded.dtype, `${table}`]).toEqual([[2], 'float32', 'Parameter table float32 [2]']);
    loaded.assign(tensor([5, 6]));
    expect([await loaded.array(), await loaded.mul(2).array(), calls]).toEqual([[5, 6], [10, 12], 0]);
    const sum = drawn.sum();
    expect(calls).toBe(0);
    expect([await sum.item(), await drawn.array(), calls]).toEqual([3, [1, 2], 1]);
    await replace([[table, table.sub(1)]]);
    expect([await table.array(), calls]).toEqual([[1, 1], 2]);
    const flags = parameter(() => Uint8Array.of(7, 0), { shape: [2], dtype: 'bool', buffer: true });
    expect(await flags.array()).toEqual([true, false]);
    expect(await parameter(() => Float64Array.of(1.5), { shape: [1], dtype: 'int32' }).array()).toEqual([1]);
  });

  test('that starts as a function needs a shape, which its values have to fit', async () => {
    expect(() => parameter(() => Float32Array.of(1))).toThrow(
      'parameter: a function gives the values later: say their shape.',
    );
    const short = parameter(() => Float32Array.of(1), { shape: [2] });
    await expect((async () => short.array())()).rejects.toThrow('parameter: [2] holds 2 elements, 1 were given.');
    await expect((async () => short.mul(2).array())()).rejects.toThrow('[2] holds 2 elements, 1 were given.');
  });

  test('keeps its dtype and shape', async () => {
    const count = parameter(Int32Array.of(1), { trainable: false });
    count.assign(count.add(1));
    expect(count.dtype).toBe('int32');
    expect(await count.array()).toEqual([2]);
    const weight = parameter([1, 2], { name: 'w' });
    expect(() => weight.assign(tensor([1]))).toThrow('assign: w has the shape [2], the new value [1].');
  });
});

describe('rule 9: an assignment', () => {
  test('is immediate in meaning', async () => {
    const count = parameter([1], { trainable: false });
    const before = count.mul(10);
    count.assign(count.add(1));
    const after = count.mul(10);
    expect(await Promise.all([before.array(), after.array()])).toEqual([[10], [20]]);
  });

  test('is carried along by the next program, whatever that asks for', async () => {
    const mean = parameter([0], { trainable: false });
    const weight = parameter([4]);
    mean.assign(mean.mul(0.5).add(weight.mul(0.5)));
    await descend(weight.square().sum(), [weight]);
    expect(backend.counts.run).toBe(1);
    expect(mean.node.storage).not.toBe(null);
    expect(await mean.array()).toEqual([2]);
  });

  test('uses the parameters of before the step, in the same program', async () => {
    const mean = parameter([0], { trainable: false });
    const weight = parameter([4]);
    for (let step = 0; step < 3; step++) {
      mean.assign(weight.mul(1));
      await descend(weight.square().sum(), [weight], 0.25);
    }
    expect(await weight.array()).toEqual([0.5]);
    expect(await mean.array()).toEqual([1]);
    expect(backend.counts.run).toBe(3);
    expect(backend.counts.compile).toBeLessThanOrEqual(2);
  });

  test('made twice before a program keeps the last', async () => {
    const count = parameter([1]);
    count.assign(count.add(1));
    count.assign(count.mul(10));
    expect(await count.array()).toEqual([20]);
  });

  test('passes no gradient', () => {
    const [weight, copy] = [parameter([2]), parameter([0])];
    copy.assign(weight.mul(3));
    expect(() => gradients(copy.sum(), [weight])).toThrow('does not depend on');
  });

  test('leaves the parameter differentiable, before and after it is computed', async () => {
    const weight = parameter([2]);
    weight.assign(weight.add(1));
    const loss = weight.square().sum();
    const [early] = gradients(loss, [weight]);
    expect(await early.array()).toEqual([6]);
    const [late] = gradients(loss, [weight]);
    expect(await late.array()).toEqual([6]);
  });

  test('that fails leaves the old value', async () => {
    const count = parameter([1]);
    backend.fail('run');
    count.assign(count.add(1));
    await expect(tensor([1]).exp().data()).rejects.toThrow('run: made to fail');
    expect(await count.array()).toEqual([1]);
  });

  test('keeps the number of live buffers constant', async () => {
    const mean = parameter(new Float32Array(10), { trainable: false });
    const live: number[] = [];
    for (let step = 0; step < 30; step++) {
      mean.assign(mean.mul(0.9).add(step));
      const probe: Tensor = mean.sum();
      await probe.item();
      live.push(backend.live.count);
    }
    expect(new Set(live.slice(5)).size).toBe(1);
  });
});
