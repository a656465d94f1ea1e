import { afterEach, expect, test, vi } from 'vitest';
import { watchInterrupts } from './interrupt.ts';

afterEach(() => {
  process.removeAllListeners('SIGTERM');
});

test('what is no function is refused at once, not when the second signal comes', () => {
  // the cast: what JavaScript may give
  expect(() => watchInterrupts({ atOnce: 1 } as unknown as () => void)).toThrow(
    'watchInterrupts: got {"atOnce":1}: give the function to call before the process ends, () => {} where there is none.',
  );
  expect(process.listenerCount('SIGTERM')).toBe(0);
});

test('the first signal asks to stop, the second ends the process at once', () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as typeof process.exit);
  const before = process.listeners('SIGTERM');
  let cleaned = 0;
  const interrupt = watchInterrupts(() => cleaned++);
  const [listener] = process.listeners('SIGTERM').filter((candidate) => !before.includes(candidate));
  expect(interrupt.signal.aborted).toBe(false);
  listener?.('SIGTERM');
  expect([interrupt.signal.aborted, interrupt.exitCode, cleaned]).toEqual([true, 143, 0]);
  expect(exit).not.toHaveBeenCalled();
  listener?.('SIGTERM');
  expect(cleaned).toBe(1);
  expect(exit).toHaveBeenCalledWith(143);
});
