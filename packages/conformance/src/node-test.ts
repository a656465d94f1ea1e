/** The conformance kit as tests of Node's own runner: one test a case. */
import { after, before, describe, test } from 'node:test';
import type { Backend } from '@nn/core';
import { type ConformanceOptions, runConformanceCase, skipOf } from './case.ts';
import { conformanceCases } from './conformance.ts';

/**
 * Declares the tests of a backend: call it at the top level of a test file. `make` may be async; it is called once.
 *
 *     testConformance('cpu', () => cpu());
 */
export function testConformance(
  name: string,
  make: () => Backend | Promise<Backend>,
  options: ConformanceOptions & { readonly release?: (backend: Backend) => void | Promise<void> } = {},
): void {
  const cases = conformanceCases(options);
  describe(`${name} conforms`, () => {
    let backend: Backend;
    before(async () => {
      backend = await make();
    });
    after(() => options.release?.(backend));
    for (const group of new Set(cases.map((conformanceCase) => conformanceCase.group))) {
      describe(group, () => {
        for (const conformanceCase of cases.filter((candidate) => candidate.group === group)) {
          test(conformanceCase.name, async (test) => {
            const context = { backend, options };
            const reason = skipOf(conformanceCase, context);
            if (reason === null) await runConformanceCase(conformanceCase, context);
            else test.skip(reason);
          });
        }
      });
    }
  });
}
