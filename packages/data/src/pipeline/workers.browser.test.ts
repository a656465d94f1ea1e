/** Web Workers of a module, as bundlers make them. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { expect, it } from 'vitest';
import { compareWorkers } from './worker-tests.ts';

it('workers make the batches that the page makes', async () => {
  setDefaultBackend(cpu());
  const start = () => new Worker(new URL('./worker-tests.ts', import.meta.url), { type: 'module' });
  const { own, theirs } = await compareWorkers(start);
  expect(own).toHaveLength(6);
  expect(theirs).toEqual(own);
});
