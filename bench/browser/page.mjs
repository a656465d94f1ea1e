/** The page: a session for each library, asked through `bench.ask`. One page holds them all, so that they can take turns. */
import { session } from '../harness/session.mjs';
import { pageLibraries } from './libraries.mjs';

/** @type {Map<string, ReturnType<typeof session>>} */
const sessions = new Map();

/** @param {string} name of the session @param {string} file of the library @param {Record<string, unknown>} options @param {string} action @param {any} message */
async function ask(name, file, options, action, message) {
  const library = pageLibraries[file];
  if (library === undefined) throw new Error(`The page has no library ${file}.`);
  let found = sessions.get(name);
  if (found === undefined) {
    found = session(library, options);
    sessions.set(name, found);
  }
  if (action !== 'start') await library.activate();
  return found[/** @type {keyof typeof found} */ (action)](message);
}

Object.assign(globalThis, { bench: { ask } });
