/** A macrotask comes through when the last one is long ago, and only then. */
import { afterEach, expect, test, vi } from 'vitest';
import { breathe } from './breathe.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('a timer does where there is nothing faster, as in the page that Jest plays', async () => {
  vi.spyOn(performance, 'now').mockReturnValue(2e9);
  for (const missing of ['setImmediate', 'MessageChannel']) vi.stubGlobal(missing, undefined);
  const pause = breathe();
  expect(pause).toBeInstanceOf(Promise);
  await pause;
});

test('yields a macrotask after 8 ms, and costs nothing before', async () => {
  const clock = vi.spyOn(performance, 'now');
  clock.mockReturnValue(3e9);
  const pause = breathe();
  expect(pause).toBeInstanceOf(Promise);
  let ran = false;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    ran = true;
    port1.close();
  };
  port2.postMessage(null);
  await pause;
  while (!ran) await new Promise((resolve) => setTimeout(resolve, 0));
  expect(breathe()).toBeUndefined();
  clock.mockReturnValue(3e9 + 7);
  expect(breathe()).toBeUndefined();
  clock.mockReturnValue(3e9 + 9);
  expect(breathe()).toBeInstanceOf(Promise);
});

test('is one turn for all who wait at a time', async () => {
  vi.spyOn(performance, 'now').mockReturnValue(4e9);
  const pause = breathe();
  expect(breathe()).toBe(pause);
  await pause;
  vi.spyOn(performance, 'now').mockReturnValue(5e9);
  expect(breathe()).not.toBe(pause);
  await breathe();
});
