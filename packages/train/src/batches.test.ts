/** Batches in groups, and what a signal does to them; means over more batches than one window of losses holds. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { beforeAll, expect, it } from 'vitest';
import { type Batches, BatchWalk, untilSignal } from './batches.ts';
import { validate } from './validate.ts';

beforeAll(() => setDefaultBackend(cpu()));

async function groupsOf<B>(data: Batches<B>, size: number, signal?: AbortSignal): Promise<(readonly B[])[]> {
  const [groups, walk] = [[] as (readonly B[])[], new BatchWalk(data, signal)];
  try {
    for (;;) {
      const group = await walk.next(size);
      if (group.length === 0) return groups;
      groups.push([...group]);
    }
  } finally {
    walk.end();
  }
}

it('an epoch that is no multiple of the group ends with a smaller one, whether the data waits or not', async () => {
  const expected = [[1, 2], [3, 4], [5]];
  /** Of its end it tells once: who asks on would ask for ever. */
  function late() {
    let asked = 0;
    const next = async () => {
      if (++asked > 6) throw new Error('asked after its end');
      return { value: asked, done: asked === 6 };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }
  expect(await groupsOf([1, 2, 3, 4, 5], 2)).toEqual(expected);
  expect(await groupsOf(late(), 2)).toEqual(expected);
  expect(
    await groupsOf(
      [1, 2, 3, 4, 5].map((value) => Promise.resolve(value)),
      2,
    ),
  ).toEqual(expected);
  expect(new BatchWalk([1, 2, 3]).next(2)).toEqual([1, 2]);
  expect([await groupsOf([], 3), await groupsOf([1, 2], 2)]).toEqual([[], [[1, 2]]]);
});

it('a signal ends the waiting for a group, and data that is left may end itself', async () => {
  const controller = new AbortController();
  let isEnded = false;
  async function* slow() {
    try {
      yield 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield 2;
    } finally {
      isEnded = true;
    }
  }
  setTimeout(() => controller.abort(new Error('enough')), 5);
  await expect(groupsOf(slow(), 3, controller.signal)).rejects.toThrow('enough');
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(isEnded).toBe(true);
  expect(() => new BatchWalk([1], controller.signal).next(1)).toThrow('enough');
});

it('asks for no batch once the signal is aborted, and lets the data end', async () => {
  const controller = new AbortController();
  let [asked, isEnded] = [0, false];
  const data = {
    *[Symbol.iterator]() {
      try {
        while (asked < 100) yield asked++;
      } finally {
        isEnded = true;
      }
    },
  };
  const seen: number[] = [];
  const walk = async (): Promise<void> => {
    for await (const batch of untilSignal(data, controller.signal)) {
      seen.push(batch);
      if (batch === 2) controller.abort(new Error('enough'));
    }
  };
  await expect(walk()).rejects.toThrow('enough');
  expect([seen, asked, isEnded]).toEqual([[0, 1, 2], 3, true]);
});

it('validates over any number of batches', async () => {
  const values = Array.from({ length: 150 }, (_, k) => k);
  expect(await validate(values, (value) => tensor(value))).toEqual({ loss: 74.5 });
});
