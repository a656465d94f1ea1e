import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pace } from './pace.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs programs that take so long, one after the other; the most that were under way at once. */
async function runPrograms(pace: Pace, count: number, milliseconds: number): Promise<number> {
  let underWay = 0;
  let most = 0;
  let last: Promise<void> = Promise.resolve();
  const program = async (before: Promise<void>): Promise<void> => {
    await before;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    underWay--;
  };
  const work = (async () => {
    for (let k = 0; k < count; k++) {
      underWay++;
      most = Math.max(most, underWay);
      last = program(last);
      pace.follow(last);
      await pace.turn();
    }
    await last;
  })();
  await vi.runAllTimersAsync();
  await work;
  return most;
}

test('two long programs are under way, eight short ones', async () => {
  const pace = new Pace();
  expect(await runPrograms(pace, 20, 100)).toBe(2);
  expect(await runPrograms(pace, 40, 1)).toBe(8);
});

test('when programs become long, fewer are begun', async () => {
  const pace = new Pace();
  await runPrograms(pace, 40, 1);
  await runPrograms(pace, 20, 100);
  expect(await runPrograms(pace, 20, 100)).toBe(2);
});

test('a program that fails is over', async () => {
  const pace = new Pace();
  pace.follow(Promise.reject(new Error('lost')));
  pace.follow(new Promise(() => {}));
  await pace.turn();
  expect(pace.turn()).toBeUndefined();
});
