/**
 * Runs bundled examples, one after the other, in a thread of its own, and reports the outcomes of each. What they load is loaded
 * once, and is fast from the second one on: with a thread for each, all took twice as long. `prelude.ts` keeps them apart.
 */
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', async (/** @type {{ name: string, url: string }} */ { name, url }) => {
  /** @type {string | undefined} */
  let error;
  try {
    await import(url);
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
  parentPort?.postMessage({ error, outcomes: Reflect.get(globalThis, Symbol.for(`nn/examples/${name}`)) ?? {} });
});
