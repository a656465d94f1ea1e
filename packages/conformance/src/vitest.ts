/** The conformance kit as tests of vitest: one test a case. */
import type { Backend } from '@nn/core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type ConformanceOptions, runConformanceCase, skipOf } from './case.ts';
import { conformanceCases } from './conformance.ts';

/**
 * Declares the tests of a backend: call it at the top level of a test file. `make` may be async; it is called once.
 *
 *     testConformance('cpu', () => cpu());
 *     testConformance('gpu', () => gpu(), { lacks: { subnormal: 'this GPU flushes them to zero' } });
 */
export function testConformance(
  name: string,
  make: () => Backend | Promise<Backend>,
  options: ConformanceOptions & { readonly release?: (backend: Backend) => void | Promise<void> } = {},
): void {
  const all = conformanceCases(options);
  describe(`${name} conforms`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await make();
    });
    afterAll(() => options.release?.(backend));
    for (const group of new Set(all.map((conformanceCase) => conformanceCase.group))) {
      describe(group, () => {
        for (const conformanceCase of all.filter((candidate) => candidate.group === group)) {
          test(conformanceCase.name, async ({ skip }) => {
            const context = { backend, options };
            const reason = skipOf(conformanceCase, context);
            if (reason !== null) skip(reason);
            await runConformanceCase(conformanceCase, context);
          });
        }
      });
    }
  });
}
