/**
 * A vitest that stays, in a process of its own with a copy of the repository as its folder: sources that did not change are
 * read and translated once. `sandbox.mjs` starts it, changes files in the copy and sends their names with a test file.
 */
import { join } from 'node:path';
import process from 'node:process';
import { createVitest } from 'vitest/node';

/** @typedef {{ readonly file: string, readonly test: string }} Question */
/** @typedef {{ readonly failed: readonly string[], readonly passed: number, readonly errors: readonly string[] }} Outcome */

const root = process.cwd();
const vitest = await createVitest('test', {
  root,
  watch: false,
  project: ['node'],
  isolate: true, // a process for each run: nothing that was loaded before a change stays
  reporters: [{}],
});

/** As reports say it: the names of the suites around it, and its own. @param {import('vitest/node').TestCase} test */
function fullName(test) {
  const names = [test.name];
  for (let suite = test.parent; suite.type === 'suite'; suite = suite.parent) names.unshift(suite.name);
  return names.join(' ');
}

/** Changed for the last question, and as it was since then. */
let restored = '';

/** @param {Question} question @returns {Promise<Outcome>} */
async function run({ file, test }) {
  for (const changed of [restored, file]) vitest.invalidateFile(join(root, changed));
  restored = file;
  const specifications = await vitest.globTestSpecifications([test]);
  const wanted = specifications.filter(({ moduleId }) => moduleId === join(root, test));
  const { testModules: all, unhandledErrors } = await vitest.runTestSpecifications(wanted);
  // vitest remembers the modules of earlier runs, with what came of them
  const testModules = all.filter(({ moduleId }) => moduleId === join(root, test));
  const tests = testModules.flatMap((module) => [...module.children.allTests()]);
  const inState = (/** @type {string} */ state) => tests.filter((found) => found.result().state === state);
  const errors = [
    ...testModules.flatMap((module) => module.errors().map(({ message }) => message)),
    ...unhandledErrors,
  ];
  return { failed: inState('failed').map(fullName), passed: inState('passed').length, errors: errors.map(String) };
}

process.on('message', async (/** @type {Question} */ question) => {
  process.send?.(await run(question).catch((error) => ({ failed: [], passed: 0, errors: [String(error)] })));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
