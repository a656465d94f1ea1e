import { expect, test } from 'vitest';
import { whenAll } from './index.ts';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

test('what follows is done now where no value is a promise, else when all have come', async () => {
  expect(whenAll([1, 2], sum)).toBe(3);
  expect(whenAll([], sum)).toBe(0);
  const later = whenAll([1, Promise.resolve(2)], sum);
  expect(later).toBeInstanceOf(Promise);
  expect(await later).toBe(3);
  expect(await whenAll([1], async ([one]) => one + 1)).toBe(2);
});

test('errors are thrown now, or reject what was waited for', async () => {
  const fail = (): never => {
    throw new Error('no');
  };
  expect(() => whenAll([1], fail)).toThrow('no');
  await expect(whenAll([Promise.resolve(1)], fail)).rejects.toThrow('no');
  await expect(whenAll([Promise.reject(new Error('lost')), 1], sum)).rejects.toThrow('lost');
});
