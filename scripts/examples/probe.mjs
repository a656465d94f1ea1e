/** What instrumented examples call. The outcomes lie on `globalThis`, where worker.mjs takes them. */
import { format, inspect } from 'node:util';

/** @type {Record<number, string[]>} */
const outcomes = {};
Object.assign(globalThis, { [Symbol.for('nn/examples')]: outcomes });

/** @param {number} id @param {string} text */
function record(id, text) {
  outcomes[id] ??= [];
  outcomes[id].push(text);
}

/** @param {number} id @param {unknown} value */
export function __value(id, value) {
  record(id, inspect(value, { depth: 10, maxArrayLength: 1000, maxStringLength: 10_000, breakLength: Infinity }));
}

/** @param {number} id @param {unknown[]} values */
export function __printed(id, ...values) {
  record(id, format(...values));
}

/** @param {number} id @param {() => Promise<unknown>} run */
export async function __throws(id, run) {
  try {
    await run();
    record(id, 'nothing was thrown');
  } catch (error) {
    record(id, `${error}`);
  }
}
