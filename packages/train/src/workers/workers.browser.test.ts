/** A training in a Web Worker: the same numbers as in the page, while the page stays free. */
import { cpu } from '@nn/backend-cpu/javascript';
import { setDefaultBackend } from '@nn/core';
import { beforeAll, expect, test } from 'vitest';
import { DivergedError } from '../diverged-error.ts';
import { search } from '../search/search.ts';
import { choice } from '../search/space.ts';
import { trainInWorker } from './run.ts';
import type { served } from './served-tests.ts';
import { giveWeights } from './weights.ts';
import { makeModel, makeTraining } from './worker-tests.ts';

beforeAll(() => setDefaultBackend(cpu()));
const start = (): Worker => new Worker(new URL('./served-tests.ts', import.meta.url), { type: 'module' });

test('trains in a Web Worker to the numbers of the page', async () => {
  const own = await makeTraining({ learningRate: 0.02, epochs: 2 }).run();
  const worker = start();
  const run = trainInWorker<typeof served>(worker, { learningRate: 0.02, epochs: 2 });
  const types = new Set<string>();
  for await (const { type } of run) types.add(type);
  const { history, weights } = await run.outcome;
  expect(history).toEqual(own.history);
  expect([...types]).toEqual(expect.arrayContaining(['start', 'step', 'read', 'epoch', 'stopped']));
  await giveWeights(makeModel(), weights);
  const endless = trainInWorker<typeof served>(worker, { learningRate: 0.02, epochs: 1e6 });
  for await (const { type } of endless) if (type === 'read') endless.abort();
  expect((await endless.outcome).why).toBe('aborted');
  const refused = trainInWorker<typeof served>(worker, { learningRate: -1, epochs: 1 });
  await expect(refused.outcome).rejects.toBeInstanceOf(RangeError);
  const diverged: unknown = await trainInWorker<typeof served>(worker, { learningRate: 1e38, epochs: 9 }).outcome.catch(
    (error) => error,
  );
  expect(diverged).toBeInstanceOf(DivergedError);
  expect(diverged).toMatchObject({ kind: 'value/Training', data: { step: expect.any(Number) } });
  worker.terminate();
});

test('what is asked of a worker whose module still waits is not lost', async () => {
  const late = (): Worker => new Worker(new URL('./served-late-tests.ts', import.meta.url), { type: 'module' });
  const worker = late();
  const run = trainInWorker<typeof served>(worker, { learningRate: 0.02, epochs: 1e6 });
  const weights = run.weights();
  for await (const { type } of run) if (type === 'read') run.abort();
  expect((await run.outcome).why).toBe('aborted');
  expect((await weights).size).toBe(4);
  worker.terminate();
  const space = { learningRate: choice([0.05]) };
  const { rows } = await search({ space, strategy: 'grid', workers: { start: late, count: 1 } });
  expect(rows.map(({ error }) => error)).toEqual([null]);
});

test('searches in Web Workers', async () => {
  const space = { learningRate: choice([1e-5, 0.05]) };
  const { best } = await search({ space, strategy: 'grid', workers: { start, count: 2 } });
  expect(best.settings).toEqual({ learningRate: 0.05 });
});
