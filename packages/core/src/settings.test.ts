/** The switches of a process. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import type { Backend } from './backend.ts';
import {
  BackendError,
  evaluate,
  getDefaultBackend,
  isTraining,
  setDefaultBackend,
  setTraining,
  tensor,
  ValueError,
} from './index.ts';

describe('the default backend', () => {
  test('is asked for where there is none, by a promise that rejects', async () => {
    expect(() => getDefaultBackend()).toThrow(BackendError);
    const reading = tensor([1]).exp().data(); // throws nothing itself
    await expect(reading).rejects.toThrow(
      "No backend is set: import { cpu } from '@nn/backend-cpu'; setDefaultBackend(cpu());",
    );
  });

  test('must be a backend, not the promise of one', () => {
    expect(() => setDefaultBackend(Promise.resolve(reference()) as unknown as Backend)).toThrow(
      'setDefaultBackend: needs a backend, got a promise: await it first: cpu() of @nn/backend-cpu is one.',
    );
    expect(() => setDefaultBackend(undefined as unknown as Backend)).toThrow(ValueError);
  });

  test('computes what names no other', async () => {
    const backend = reference();
    setDefaultBackend(backend);
    const x = tensor([1]).add(1);
    await x.data();
    expect(x.backend).toBe(backend);
    expect(getDefaultBackend()).toBe(backend);
  });
});

describe('training mode', () => {
  test('is on, and off inside evaluate', () => {
    expect([isTraining(), evaluate(isTraining), isTraining()]).toEqual([true, false, true]);
    setTraining(false);
    expect([isTraining(), evaluate(isTraining)]).toEqual([false, false]);
    setTraining(true);
  });

  test('comes back when the function throws', () => {
    expect(() =>
      evaluate(() => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(isTraining()).toBe(true);
  });

  test('ends with the function, so that may not be async', () => {
    expect(() => evaluate(async () => 1)).toThrow(
      'evaluate: the function must not be async: build the tensors inside and await their values outside.',
    );
  });
});
