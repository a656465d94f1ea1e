/** What instrumented examples call. The outcomes lie on `globalThis`, where worker.mjs takes them. */
import { format, inspect } from 'node:util';

const log = console.log;

/**
 * The reporters of one example. What it prints later, when another runs, is still its own.
 * @param {string} name @param {boolean} isOutput whether all that it prints is promised, as number -1
 */
export function __probe(name, isOutput) {
  /** @type {Record<number, string[]>} */
  const outcomes = {};
  Object.assign(globalThis, { [Symbol.for(`nn/examples/${name}`)]: outcomes });

  /** @param {number} id @param {string} text */
  function record(id, text) {
    outcomes[id] ??= [];
    outcomes[id].push(text);
  }

  /** @param {number} id @param {unknown} value */
  const __value = (id, value) =>
    record(id, inspect(value, { depth: 10, maxArrayLength: 1000, maxStringLength: 10_000, breakLength: Infinity }));

  /** @param {number} id @param {unknown[]} values */
  const __printed = (id, ...values) => record(id, format(...values));

  /** @param {number} id @param {() => Promise<unknown>} run */
  async function __throws(id, run) {
    try {
      await run();
      record(id, 'nothing was thrown');
    } catch (error) {
      record(id, `${error}`);
    }
  }

  console.log = isOutput ? (...values) => __printed(-1, ...values) : log;
  return { __value, __printed, __throws };
}
