/**
 * Runs before each test file, in Node and in the browser: a test fails when something is printed that it did not
 * expect. A test that expects output takes it: `vi.spyOn(console, 'warn').mockImplementation(() => {})`.
 */
import { afterEach, beforeEach, vi } from 'vitest';

const methods = ['log', 'info', 'warn', 'error', 'debug', 'trace', 'table'] as const;
let printed: string[] = [];

beforeEach(() => {
  printed = [];
  for (const method of methods) {
    vi.spyOn(console, method).mockImplementation((...values: unknown[]) => {
      printed.push(`console.${method}: ${values.map(String).join(' ')}`);
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  if (printed.length > 0) throw new Error(`The test printed what it did not expect:\n${printed.join('\n')}`);
});
