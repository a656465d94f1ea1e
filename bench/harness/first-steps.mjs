/**
 * The first step of a training in a fresh process, with all that it compiles, and the most memory that five steps took.
 * Libraries take turns here too.
 */
import { findFault } from '../workloads/check.mjs';
import { request } from './interleave.mjs';

/**
 * @typedef {import('../libraries/list.mjs').LibraryEntry} LibraryEntry
 * @typedef {{ first: number[], peak: number[], idle: number[] } | { fault: string }} FirstSteps
 *   milliseconds; bytes after five steps and before the first
 */

/**
 * @param {import('../workloads/list.mjs').Workload} workload @param {readonly LibraryEntry[]} libraries
 * @param {number} repeats @param {number} limit
 * @param {(library: LibraryEntry) => import('./child.mjs').Channel | Promise<import('./child.mjs').Channel>} start
 * @param {number} [steps] whose losses are checked
 * @returns {Promise<Record<string, FirstSteps>>}
 */
export async function firstSteps(workload, libraries, repeats, limit, start, steps) {
  /** @type {Record<string, FirstSteps>} */
  const results = {};
  for (let round = 0; round < repeats; round++) {
    for (const library of libraries) {
      const known = results[library.name];
      if (!library.supports(workload) || library.leftOut?.[workload.name] !== undefined) continue;
      if (known !== undefined && 'fault' in known) continue;
      // What takes this long is told by one try.
      if (known !== undefined && (known.first[0] ?? 0) > 5000) continue;
      const channel = await start(library);
      try {
        await channel.ask('start', {}, limit);
        const { peak: idle } = await channel.ask('memory');
        const { first, result } = await channel.ask('prepare', request(workload, steps), limit);
        const fault = findFault(workload, result, library.variant(workload), steps);
        if (fault !== null) throw new Error(`wrong result: ${fault}`);
        const { peak } = await channel.ask('memory');
        const entry = known ?? { first: [], peak: [], idle: [] };
        entry.first.push(first);
        entry.peak.push(peak);
        entry.idle.push(idle);
        results[library.name] = entry;
      } catch (error) {
        results[library.name] = { fault: error instanceof Error ? error.message : String(error) };
      } finally {
        await channel.end();
      }
    }
  }
  return results;
}
