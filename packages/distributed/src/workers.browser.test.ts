/** Ranks in an isolated page: workers over shared memory, with the numbers of one; and the page itself, which must not wait. */
import { expect, test } from 'vitest';
import { workers } from './index.ts';
import type { Told } from './page-ranks-tests.ts';

/** Starts the program in a worker, which starts those of the other ranks. */
async function run(ranks: number): Promise<Told> {
  const url = new URL('./page-ranks-tests.ts', import.meta.url);
  url.searchParams.set('ranks', String(ranks));
  const worker = new Worker(url, { type: 'module' });
  try {
    return await new Promise<Told>((resolve, reject) => {
      let told: Told | null = null;
      worker.addEventListener('message', ({ data }) => {
        if ('told' in Object(data)) told = data.told;
        // the other workers have left, too
        if ('closed' in Object(data) && told !== null) resolve(told);
      });
      worker.addEventListener('error', ({ message }) => reject(new Error(message)));
    });
  } finally {
    worker.terminate();
  }
}

test('three workers of an isolated page train as one does, and leave', { timeout: 180_000 }, async () => {
  expect(crossOriginIsolated).toBe(true);
  const [three, one] = [await run(3), await run(1)];
  expect([three.size, three.name, one.size, one.name]).toEqual([3, 'workers', 1, 'alone']);
  expect([three.sums, three.gathered]).toEqual([
    [3, 6, 9],
    [0, 1, 2],
  ]);
  expect(three.values).toEqual(one.values.map((value) => expect.closeTo(value, 5)));
  expect(three.loss).toBeCloseTo(one.loss, 5);
});

test('the page itself must not wait, and says what to do', async () => {
  await expect(workers(2)).rejects.toThrow(
    'workers: a page must not wait for threads: start the program in a worker of its own.',
  );
});
