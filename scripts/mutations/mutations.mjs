/**
 * The list of mutations: small changes of the sources, each of which a named test must notice. Owns reading and checking the
 * list and drawing a sample of it; `sandbox.mjs` has the copy in which they are tried, `main.mjs` the command.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');
const lists = join(import.meta.dirname, 'lists');

/**
 * @typedef {object} Mutation
 * @property {string} file the source that is changed
 * @property {string} find what stands there, exactly once
 * @property {string} put what stands there instead
 * @property {string} test the test file that notices
 * @property {string} killedBy the full name of one of its tests that failed then
 */

/** Every mutation, in the order of the lists. @returns {Mutation[]} */
export function readMutations(folder = lists) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.sort().flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
}

/** The source with the mutation in it; throws where its place is not found exactly once. @param {Mutation} mutation */
export function mutated({ file, find, put }, source = readFileSync(join(root, file), 'utf8')) {
  const pieces = source.split(find);
  if (pieces.length !== 2) {
    throw new Error(
      `${file}: ${JSON.stringify(find)} stands there ${pieces.length - 1} times, not once: change the mutation with the code, or delete it where the code is gone.`,
    );
  }
  return pieces.join(put);
}

/** What is wrong with a list, as one line each. @param {readonly Mutation[]} mutations @returns {string[]} */
export function faultsOf(mutations) {
  /** @type {Set<string>} */
  const seen = new Set();
  return mutations.flatMap((mutation) => {
    const { file, find, put, test, killedBy } = mutation;
    const key = JSON.stringify([file, find, put]);
    if (seen.has(key)) return [`${key} is listed twice.`];
    seen.add(key);
    if (!existsSync(join(root, file))) return [`${file} does not exist.`];
    if (!existsSync(join(root, test))) return [`${test} does not exist.`];
    if (find === put) return [`${file}: ${JSON.stringify(find)} changes nothing.`];
    if (!killedBy) return [`${file}: ${JSON.stringify(find)} names no test: --record finds it.`];
    try {
      mutated(mutation);
      return [];
    } catch (error) {
      return [/** @type {Error} */ (error).message];
    }
  });
}

/** All mutations in an order that follows from `seed`: its beginning is the sample. @param {readonly Mutation[]} mutations @param {string} seed */
export function shuffled(mutations, seed) {
  const place = (/** @type {Mutation} */ { file, find, put }) =>
    createHash('sha256')
      .update(JSON.stringify([seed, file, find, put]))
      .digest('hex');
  return [...mutations].sort((a, b) => (place(a) < place(b) ? -1 : 1));
}
