/** What the tests of core share. */
import { recording, reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import { debug, isTraining, parameter, randomState, setDefaultBackend, setTraining, tensor, uniform } from './index.ts';
import { settings } from './settings.ts';
import { forget, prepare } from './testing.ts';

test('nothing of one test file is left for the next that shares its process', async () => {
  prepare(reference());
  debug({ eager: true });
  await expect(tensor([-1]).log().data()).rejects.toThrow('log made NaN');
  setTraining(false);
  uniform([1]);
  const left = parameter([0], { trainable: false });
  left.assign(left.add(1));
  forget();
  expect([settings.backend, settings.validate, isTraining(), randomState().counter]).toEqual([null, null, true, 0]);
  const backend = recording(reference());
  setDefaultBackend(backend);
  await tensor([1]).exp().data();
  await tensor([2]).exp().data();
  expect(backend.counts.compile).toBe(1); // and not another one with the assignment
});
