/** The kit: the list of all cases, and one call that runs them without any test runner. */
import { type Backend, ValueError } from '@nn/core';
import {
  type ConformanceCase,
  type ConformanceGroup,
  type ConformanceOptions,
  conformanceGroups,
  runConformanceCase,
  skipOf,
} from './case.ts';
import { bundleCases } from './cases/bundles.ts';
import { contractCases } from './cases/contract.ts';
import { loopCases } from './cases/loops.ts';
import { primitiveCases } from './cases/primitives.ts';
import { programCases } from './cases/programs.ts';
import { randomGraphCases } from './cases/random.ts';
import { readCases } from './cases/reads.ts';
import { randomCases } from './cases/sources.ts';
import { specialCases } from './cases/special.ts';
import { trainingCases } from './cases/training.ts';

/**
 * Every case, in the order in which a new backend meets them, or those of the options' groups. Throws a ValueError for a group
 * that does not exist: its cases would be none, and all of them passed.
 */
export function conformanceCases(options: ConformanceOptions = {}): readonly ConformanceCase[] {
  const all = [
    ...contractCases(),
    ...primitiveCases(),
    ...randomCases(),
    ...specialCases(),
    ...loopCases(),
    ...programCases(options),
    ...randomGraphCases(options),
    ...readCases(),
    ...bundleCases(),
    ...trainingCases(),
  ];
  const { groups, every = {} } = options;
  checkGroups(groups ?? []);
  checkGroups(Object.keys(every));
  const wrong = Object.entries(every).find(([, nth]) => !(Number.isInteger(nth) && nth >= 1));
  if (wrong !== undefined) {
    throw new ValueError('conformance', `every n-th case of '${wrong[0]}' is ${wrong[1]}: a whole number, 1 or more.`, {
      every,
    });
  }
  const chosen = groups === undefined ? all : all.filter(({ group }) => groups.includes(group));
  const seen = new Map<string, number>();
  return chosen.filter(({ group }) => {
    const place = seen.get(group) ?? 0;
    seen.set(group, place + 1);
    return place % (every[group] ?? 1) === 0;
  });
}

function checkGroups(groups: readonly string[]): void {
  const known: readonly string[] = conformanceGroups;
  const wrong = groups.find((group) => !known.includes(group));
  if (wrong === undefined) return;
  throw new ValueError('conformance', `there is no group '${wrong}': ${known.join(', ')}.`, { group: wrong });
}

export interface Failure {
  readonly group: ConformanceGroup;
  readonly name: string;
  readonly error: unknown;
}

export interface ConformanceReport {
  readonly passed: number;
  /** Cases that ask for what the backend's limits exclude. */
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

/**
 * Runs every case on a backend and reports; for test runners there are `@nn/conformance/vitest` and
 * `@nn/conformance/node-test`.
 *
 * @example
 * import { conformance, reference } from '@nn/conformance';
 * const { failures } = await conformance(reference({ rounding: 'float32' }), { lacks: { profile: 'an oracle has no clock' } });
 * console.log(failures.length); // => 0
 */
export async function conformance(backend: Backend, options: ConformanceOptions = {}): Promise<ConformanceReport> {
  const context = { backend, options };
  const failures: Failure[] = [];
  let passed = 0;
  let skipped = 0;
  for (const conformanceCase of conformanceCases(options)) {
    const { group, name } = conformanceCase;
    if (skipOf(conformanceCase, context) !== null) {
      skipped++;
      continue;
    }
    try {
      await runConformanceCase(conformanceCase, context);
      passed++;
    } catch (error) {
      failures.push({ group, name, error });
    }
  }
  return { passed, skipped, failures };
}
