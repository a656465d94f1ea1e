/** Programs that ran or would run, step by step with the labels of what they compute, forward and backward. */
import { cpu } from '@nn/backend-cpu';
import { afterEach, beforeAll, expect, it } from 'vitest';
import {
  compile,
  debug,
  gradients,
  labelled,
  ones,
  parameter,
  plannedPrograms,
  type RecordedProgram,
  recordPrograms,
  replace,
  setDefaultBackend,
  tensor,
  uniform,
} from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));
afterEach(() => debug({ eager: false }));

/** The labels of the products of a program. */
const products = ({ program, labels }: RecordedProgram): (string | null)[] =>
  labels.filter((_, k) => program.steps[k]?.kernel.hint?.kind === 'contraction');

const [first, second] = [
  parameter(new Float32Array(12), { shape: [3, 4] }),
  parameter(new Float32Array(8), { shape: [4, 2] }),
];
const forward = () => {
  const hidden = labelled('first', () => ones([5, 3]).matmul(first).relu());
  return labelled('second', () => hidden.matmul(second)).sum();
};

it('tells what steps are for, and their gradients', async () => {
  const [plain] = await plannedPrograms(forward);
  expect(products(plain!)).toEqual(['first', 'second']);
  const [trained] = await plannedPrograms(() => gradients(forward(), [first, second]));
  expect(products(trained!).toSorted()).toEqual(['first', 'first', 'second', 'second']);
});

it('plans without running, and records what ran as often as it ran', async () => {
  const counter = parameter([0]);
  const planned = await plannedPrograms(() => {
    counter.assign(counter.add(1));
    return counter.mul(2);
  });
  expect(planned).toHaveLength(1);
  expect(await counter.data()).toEqual(Float32Array.of(0));
  const step = async (): Promise<void> => {
    await replace([[counter, counter.add(1)]]);
  };
  const ran = await recordPrograms(async () => {
    await step();
    await step();
  });
  expect(ran).toHaveLength(2);
  expect(ran[0]?.program).toBe(ran[1]?.program); // one plan
  expect(await counter.data()).toEqual(Float32Array.of(2));
  await step(); // nobody listens any more
  expect(ran).toHaveLength(2);
});

it('knows functions that are compiled while it records, and programs without labels', async () => {
  const x = tensor([1, 2, 3]);
  const double = compile((x: ReturnType<typeof ones>) => labelled('doubled', () => x.mul(2)));
  const ran = await recordPrograms(async () => {
    await (await double(x)).data();
    await (await double(x)).data();
    await uniform([4]).add(1).data();
  });
  expect(ran.map(({ labels }) => labels)).toEqual([['doubled'], ['doubled'], [null]]);
});

it('two recordings may overlap, and both see all', async () => {
  let inner: RecordedProgram[] = [];
  const outer = await recordPrograms(async () => {
    inner = await recordPrograms(() => labelled('inside', () => ones([2]).add(1)).data());
    await labelled('outside', () => ones([3]).add(1)).data();
  });
  expect(inner.map(({ labels }) => labels)).toEqual([['inside']]);
  expect(outer.map(({ labels }) => labels)).toEqual([['inside'], ['outside']]);
});

it('rejects with what went wrong, and listens no longer', async () => {
  await expect(recordPrograms(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
  expect(() => labelled('late', () => Promise.resolve(1))).toThrow('labelled');
});
