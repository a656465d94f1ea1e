/** The cache of plans: one compilation for one structure, exact comparison, and room for what is used. */
import { recording, reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { parameter, setDefaultBackend, type Tensor, tensor, zeros } from '../index.ts';
import { Momentum, prepare } from '../testing.ts';
import { PlanCache, planBytes, planCapacity } from './plan.ts';
import { traceGraph } from './trace.ts';

prepare(reference());

const fresh = () => {
  const backend = recording(reference());
  setDefaultBackend(backend);
  return backend;
};

const data = (batch: number): Tensor =>
  tensor(
    Array.from({ length: 8 }, (_, i) => Math.sin(i * 3 + batch)),
    { shape: [4, 2] },
  );

describe('one plan', () => {
  test('serves 400 steps of Adam, the first included, whatever the rate and the batch', async () => {
    const backend = fresh();
    const weight = parameter([[0.5], [-0.25]], { name: 'weight' });
    const optimizer = new Momentum([weight]);
    for (let step = 0; step < 400; step++) {
      const loss = data(step).matmul(weight).sub(1).square().mean();
      await optimizer.step(loss, step < 3 ? step : 0.1 / (step + 1));
    }
    expect(backend.counts.compile).toBe(1);
    expect(backend.counts.run).toBe(400);
  });

  test('serves every batch that is cut from the data', async () => {
    const backend = fresh();
    const x = tensor(Array.from({ length: 20 }, (_, i) => i));
    const sums: number[] = [];
    for (let i = 0; i < 5; i++)
      sums.push(
        await x
          .at([4 * i, 4 * i + 4])
          .sum()
          .item(),
      );
    expect(sums).toEqual([6, 22, 38, 54, 70]);
    expect(backend.counts.compile).toBe(1);
  });

  test('is forked by an assignment that is carried along, once', async () => {
    const backend = fresh();
    const x = tensor([1, 2]);
    const count = parameter([0], { trainable: false });
    await x.exp().data();
    for (let turn = 0; turn < 3; turn++) {
      count.assign(count.add(1));
      await tensor([3, 4]).exp().data();
    }
    await tensor([5, 6]).exp().data();
    expect(backend.counts.compile).toBe(2);
    expect(await count.array()).toEqual([3]);
  });
});

test('graphs of equal hash and unequal structure get plans of their own', () => {
  const backend = recording(reference());
  const cache = new PlanCache(backend);
  const x = tensor([1, 2], { backend });
  const first = traceGraph([x.exp().node], false, []);
  const second = { ...traceGraph([x.sin().node], false, []), hash: first.hash };
  const plan = cache.find(first, []);
  expect(cache.find(second, [])).not.toBe(plan);
  expect(cache.find(first, [])).toBe(plan);
  expect(backend.counts.compile).toBe(2);
});

test('past its capacity the cache forgets the plan that was used longest ago, and releases it', async () => {
  const backend = reference();
  const released: number[] = [];
  let made = 0;
  const compile = backend.compile.bind(backend);
  backend.compile = async (program) => {
    const number = made++;
    const executable = await compile(program);
    return { ...executable, release: () => released.push(number) };
  };
  // every length is a structure of its own; small ones, so that no axis looks like changing lengths
  const read = (k: number): Promise<unknown> =>
    zeros(new Array(k % 30).fill(1).concat(1 + Math.floor(k / 30)), { backend })
      .exp()
      .data();
  for (let k = 0; k < planCapacity; k++) await read(k);
  await read(0);
  expect(released).toEqual([]);
  await read(planCapacity);
  expect(released).toEqual([1]);
  await read(0);
  expect(made).toBe(planCapacity + 1);
});

test('the cache is bounded in bytes as well: large programs make room for others before there are many', async () => {
  const backend = fresh();
  const released: number[] = [];
  let made = 0;
  const compile = backend.compile.bind(backend);
  backend.compile = async (program) => {
    const number = made++;
    return { ...(await compile(program)), bytes: planBytes / 4, release: () => released.push(number) };
  };
  for (let k = 1; k < 8; k++) {
    await zeros(new Array(k).fill(1), { backend }).exp().data();
    expect(made - released.length).toBeLessThanOrEqual(4);
  }
});

test('a program that cannot be compiled is not kept', async () => {
  const backend = fresh();
  backend.fail('compile');
  const x = tensor([1]);
  await expect(x.exp().data()).rejects.toThrow('compile: made to fail by a test.');
  expect((await x.exp().data())[0]).toBeCloseTo(Math.E, 6);
});
