/** Batches in groups, and what a signal does to them; means over more batches than one window of losses holds. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { beforeAll, expect, it } from 'vitest';
import { grouped, untilSignal } from './batches.ts';
import { validate } from './validate.ts';

beforeAll(() => setDefaultBackend(cpu()));

it('an epoch that is no multiple of the group ends with a smaller one', async () => {
  const groups = [];
  for await (const group of grouped([1, 2, 3, 4, 5], 2)) groups.push([...group]);
  expect(groups).toEqual([[1, 2], [3, 4], [5]]);
});

it('asks for no batch once the signal is aborted, and lets the data end', async () => {
  const controller = new AbortController();
  let [asked, isEnded] = [0, false];
  const data = {
    *[Symbol.iterator]() {
      try {
        for (;;) yield asked++;
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
