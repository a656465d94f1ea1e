/** Kernels of equal structure are lowered once; whatever differs in what they compute keeps them apart. */
import { recording, reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import type { Program } from '../backend.ts';
import { concat, setDefaultBackend, stack, type Tensor, tensor } from '../index.ts';
import { prepare } from '../testing.ts';
import { StructureCache } from './structure.ts';

prepare(reference());

async function computed(...tensors: readonly Tensor[]): Promise<{ values: unknown[]; program: Program }> {
  const backend = recording(reference());
  setDefaultBackend(backend);
  const values = await Promise.all(tensors.map((x) => x.array()));
  return { values, program: backend.programs.at(-1) as Program };
}

const kernelsOf = ({ steps }: Program): number => new Set(steps.map(({ kernel }) => kernel)).size;

test('equal kernels over other memory and other numbers are one kernel, and each has its own result', async () => {
  const [a, b, c] = [tensor([1, 2]), tensor([3, 4]), tensor([5, 6])];
  const { values, program } = await computed(a.mul(2).sub(b).exp(), b.mul(3).sub(c).exp(), c.mul(4).sub(a).exp());
  expect(values).toEqual(
    [
      [-1, 0],
      [4, 6],
      [19, 22],
    ].map((row) => row.map((x) => Math.fround(Math.exp(x)))),
  );
  expect(kernelsOf(program)).toBe(1);
});

test('one memory read twice is not two memories', async () => {
  const [a, b] = [tensor([2, 3]), tensor([5, 7])];
  const { values } = await computed(a.mul(a).add(b), a.mul(b).add(b), b.mul(b).add(b), b.mul(a).add(a));
  expect(values).toEqual([
    [9, 16],
    [15, 28],
    [30, 56],
    [12, 24],
  ]);
});

test('constants, attributes, the order of inputs and the kind of reduction keep kernels apart', async () => {
  const x = tensor([
    [4, 1],
    [9, 2],
  ]);
  const { values } = await computed(x.pow(2), x.pow(3), x.sum(0), x.sum(1), x.max(0), x.sum(0).sqrt());
  expect(values).toEqual([
    [
      [16, 1],
      [81, 4],
    ],
    [
      [64, 1],
      [729, 8],
    ],
    [13, 3],
    [5, 11],
    [9, 2],
    [13, 3].map((sum) => Math.fround(Math.sqrt(sum))),
  ]);
  const y = tensor([1, 2]);
  expect((await computed(x.sub(y), y.sub(x))).values).toEqual([
    [
      [3, -1],
      [8, 0],
    ],
    [
      [-3, 1],
      [-8, 0],
    ],
  ]);
});

test('boxes of one shape at other places, behind views that divide an index too', async () => {
  const x = tensor(
    Float32Array.from({ length: 24 }, (_, i) => i),
    { shape: [4, 6] },
  );
  const heads = [0, 1, 2, 3].map((row) => x.at(row).reshape([2, 3]).transpose().reshape([6]));
  const expected = [0, 6, 12, 18].map((start) => [0, 3, 1, 4, 2, 5].map((i) => start + i));
  expect((await computed(stack(heads), concat(heads))).values).toEqual([expected, expected.flat()]);
});

test('a value is found again for the structure that it was kept for', () => {
  const cache = new StructureCache<string>(4);
  const node = (order: number, x: Tensor) => Object.assign(x.node, { order });
  const plan = (order: number, x: Tensor) => {
    const root = node(order, x);
    return { owner: root, root, core: null, permuted: null, box: null };
  };
  const schedule = { kernels: [], stored: [false, false, true, true] };
  const [a, b] = [tensor([1, 2]), tensor([3, 4])];
  node(2, a);
  node(3, b);
  const first = cache.find(plan(0, a.exp()), schedule);
  expect(first.value).toBe(undefined);
  cache.keep('exp');
  expect(cache.find(plan(1, b.exp()), schedule)).toMatchObject({ value: 'exp', nodes: [{}, b.node] });
  expect(cache.find(plan(1, b.sin()), schedule).value).toBe(undefined);
});
