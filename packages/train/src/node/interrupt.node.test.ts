import { afterEach, expect, test, vi } from 'vitest';
import { watchInterrupts } from './interrupt.ts';

afterEach(() => {
  process.removeAllListeners('SIGTERM');
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
