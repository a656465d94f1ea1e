/** Runs one bundled example in a thread of its own, so that examples share no state, and reports its outcomes. */
import { parentPort, workerData } from 'node:worker_threads';

/** @type {string | undefined} */
let error;
try {
  await import(workerData);
} catch (thrown) {
  error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
parentPort?.postMessage({ error, outcomes: Reflect.get(globalThis, Symbol.for('nn/examples')) ?? {} });
