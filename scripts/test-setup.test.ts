import { expect, test, vi } from 'vitest';

test('a test may take the output that it expects', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  console.warn('expected');
  expect(warn).toHaveBeenCalledExactlyOnceWith('expected');
});

test('tests can collect garbage', () => {
  expect(globalThis.gc).toBeTypeOf('function');
});
