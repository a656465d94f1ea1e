/** Batches of several layouts in one compiled step: fields by their names, what is no tensor said so, and lists as they are. */
import { cpu } from '@nn/backend-cpu';
import { compile, parameter, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { beforeAll, expect, test } from 'vitest';
import { compiledWork } from './compiled-step.ts';

beforeAll(() => setDefaultBackend(cpu()));

/** Work that adds up what it is given, and counts how often its function ran. */
function summing<B>(termOf: (batch: B) => Tensor) {
  const sum = parameter([0]);
  let traces = 0;
  const work = compiledWork<B, void, void>((batch, share) => {
    traces++;
    sum.assign(sum.add(termOf(batch).mul(share).reshape([1])));
  }, compile);
  return { work, total: async () => (await sum.data())[0], traces: () => traces };
}

type Sample = {
  readonly x: Tensor;
  readonly y?: Tensor;
  readonly more: { readonly z: Tensor };
  readonly count: number;
};

test('takes fields by name, whatever their order and number, and keeps what was compiled for a layout', async () => {
  const { work, total, traces } = summing(({ x, y, more }: Sample) => x.add(more.z.mul(100)).add(y?.mul(10) ?? 0));
  const [one, two] = [tensor(1), tensor(2)];
  const batches: readonly Sample[] = [
    { x: one, y: two, more: { z: one }, count: 1 }, // 121
    { y: two, x: one, count: 3, more: { z: one } }, // 121
    { x: two, more: { z: two }, count: 1 }, // 202
  ];
  for (let round = 0; round < 5; round++) for (const batch of batches) await work(batch, 1, true);
  expect(await total()).toBe(5 * (121 + 121 + 202));
  const before = traces();
  for (const batch of batches) await work(batch, 1, true);
  expect(traces()).toBe(before);
  await work(batches[0]!, 0.5, false);
  expect(await total()).toBe(6 * (121 + 121 + 202) + 60.5);
});

test('a field that is a tensor in one batch and a number in the next is said to be missing there', async () => {
  const { work, total } = summing(({ x }: { readonly x: Tensor }) => x);
  for (let k = 0; k < 3; k++) await work({ x: tensor(k) }, 1, true);
  // the cast: what untyped data may do
  await expect(async () => work({ x: 5 } as unknown as { x: Tensor }, 1, true)).rejects.toThrow(
    'Training: a compiled step cannot use batch.x: it sees the tensors of a batch alone; leave compile out, or make a tensor of it.',
  );
  await work({ x: tensor(4) }, 1, true);
  expect(await total()).toBe(7);
});

test('lists of tensors, and tensors, are batches as well', async () => {
  const pairs = summing(([x, y]: readonly [Tensor, Tensor]) => x.mul(y));
  for (let k = 0; k < 4; k++) await pairs.work([tensor(k), tensor(2)], 1, true);
  expect(await pairs.total()).toBe(12);
  const single = summing((x: Tensor) => x);
  for (let k = 0; k < 4; k++) await single.work(tensor(k), 1, true);
  expect(await single.total()).toBe(6);
});

test('answers without a promise where nothing has to be waited for', async () => {
  const { work, total } = summing(({ x }: { readonly x: Tensor; readonly count: number }) => x);
  const batch = { x: tensor(1), count: 1 };
  for (let k = 0; k < 3; k++) await work(batch, 1, true);
  let calls = 3;
  // on a busy machine the event loop may want its turn first, which a promise waits for
  for (let isAtOnce = false; !isAtOnce && calls < 100; calls++) {
    const answer = work(batch, 1, true);
    isAtOnce = !(answer instanceof Promise);
    await answer;
  }
  expect(calls).toBeLessThan(100);
  expect(await total()).toBe(calls);
});
