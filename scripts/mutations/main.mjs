/**
 * Tries mutations: puts one into a copy of the repository, runs its test file, and expects a test to fail. Fails when one
 * survives.
 *
 *   node scripts/mutations/main.mjs [words]          those whose file, place or test has one of the words; all without
 *   ... --sample                                     for a minute, in an order that follows from the commit
 *   ... --check                                      runs nothing: is every place still there, and every test file?
 *   ... --list folder                                another folder of lists
 *   ... --record                                     writes the test that was found into the lists
 *   ... --jobs n                                     so many at once
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { faultsOf, readMutations, root, shuffled } from './mutations.mjs';
import { Sandbox } from './sandbox.mjs';

/** @typedef {import('./mutations.mjs').Mutation} Mutation */

/** No mutation of a sample starts after so many milliseconds. */
const sampleTime = 45_000;

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    sample: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    list: { type: 'string' },
    jobs: { type: 'string', default: '1' },
  },
});
const folder = options.list === undefined ? join(import.meta.dirname, 'lists') : resolve(options.list);

/** The mutations that are asked for, in the order in which they are tried. */
function chosen() {
  const all = readMutations(folder);
  const named = words.length === 0 ? all : all.filter((it) => words.some((word) => JSON.stringify(it).includes(word)));
  if (!options.sample) return named;
  const commit = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim();
  console.log(`In the order of the commit ${commit}.`);
  return shuffled(named, commit);
}

/** @param {Mutation} mutation */
const show = ({ file, find, put }) => `${file}: ${JSON.stringify(find)} -> ${JSON.stringify(put)}`;

/** Writes the names of the tests that were found into the lists. @param {ReadonlyMap<string, string>} found */
function record(found) {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    const path = join(folder, name);
    /** @type {Mutation[]} */
    const list = JSON.parse(readFileSync(path, 'utf8'));
    const changed = list.map((it) => ({ ...it, killedBy: found.get(show(it)) ?? it.killedBy }));
    writeFileSync(path, `${JSON.stringify(changed, null, 2)}\n`);
  }
}

if (options.check) {
  const faults = faultsOf(readMutations(folder));
  for (const fault of faults) console.error(`scripts/mutations/lists: ${fault}`);
  process.exit(faults.length > 0 ? 1 : 0);
}

const queue = chosen();
const total = queue.length;
const started = performance.now();
/** @type {string[]} */
const survivors = [];
/** @type {Map<string, string>} */
const found = new Map();
/** @type {Sandbox[]} */
const sandboxes = [];
let tried = 0;

function close() {
  for (const sandbox of sandboxes) sandbox.close();
}
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    close();
    process.exit(1);
  });
}

/** Takes mutations from the queue until there is none. */
async function work() {
  const sandbox = new Sandbox();
  sandboxes.push(sandbox);
  for (;;) {
    if (options.sample && performance.now() - started > sampleTime) return;
    const mutation = queue.shift();
    if (mutation === undefined) return;
    tried++;
    console.log(`trying    ${show(mutation)}`);
    /** @type {import('./tester.mjs').Outcome} */
    const { failed, passed, errors } = await sandbox
      .try(mutation)
      .catch((error) => ({ failed: [], passed: 0, errors: [String(error)] }));
    const { killedBy = '' } = mutation;
    if (failed.length > 0) {
      // Names change: whichever test of the file fails has noticed, and --record writes it down.
      const name = failed.includes(killedBy) ? killedBy : /** @type {string} */ (failed[0]);
      found.set(show(mutation), name);
      console.log(`killed    ${show(mutation)}\n          by ${name}`);
      continue;
    }
    survivors.push(show(mutation));
    const seen = `${passed} tests of ${mutation.test} pass`;
    console.log(`SURVIVED  ${show(mutation)}\n          ${[seen, ...errors].join('\n          ')}`);
  }
}

try {
  await Promise.all(Array.from({ length: Number(options.jobs) }, work));
} finally {
  close();
}
if (options.record) record(found);
console.log(`${tried} of ${total} tried, ${tried - survivors.length} killed, ${survivors.length} survived.`);
process.exitCode = survivors.length > 0 || tried === 0 ? 1 : 0;
