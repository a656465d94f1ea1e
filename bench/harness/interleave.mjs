/**
 * One workload in all libraries: prepared and checked one after the other, then measured in turn, a short batch each, so
 * that a slow minute of the machine meets all of them. Knows channels, not processes.
 */
import { findFault } from '../workloads/check.mjs';
import { modelSpec } from '../workloads/models.mjs';
import { checkedSteps, samplePlaces } from '../workloads/operations.mjs';
import { median } from './statistics.mjs';

/**
 * @typedef {import('../workloads/list.mjs').Workload} Workload
 * @typedef {import('../libraries/list.mjs').LibraryEntry} LibraryEntry
 * @typedef {{ library: LibraryEntry, channel: import('./child.mjs').Channel, count: number, samples: number[], spent: number }} Runner
 * @typedef {{ median: number, least: number, samples: number[], count: number } | { fault: string }} Measured
 *   milliseconds for one repetition; `count` repetitions a sample
 * @typedef {{ rounds: number, leastRounds: number, batch: number, budget: number, limit: number }} Effort
 *   `batch`: milliseconds of a sample; `budget`: of all samples of a library; `limit`: for an answer
 */

const sleep = (/** @type {number} */ milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What a library needs to know to prepare. @param {Workload} workload @param {number} [steps] of a training, to be checked */
export function request(workload, steps = checkedSteps) {
  const spec = workload.model === '' ? null : modelSpec(workload.model);
  return { workload, spec, places: spec === null ? samplePlaces(workload) : [], steps };
}

/**
 * @param {Workload} workload @param {readonly LibraryEntry[]} libraries @param {Effort} effort
 * @param {(library: LibraryEntry) => Promise<import('./child.mjs').Channel>} channelOf
 * @returns {Promise<Record<string, Measured>>}
 */
export async function interleave(workload, libraries, effort, channelOf) {
  /** @type {Record<string, Measured>} */
  const results = {};
  /** @type {Runner[]} */
  const runners = [];
  for (const library of libraries) {
    if (!library.supports(workload)) continue;
    const reason = library.leftOut?.[workload.name];
    if (reason !== undefined) {
      results[library.name] = { fault: `left out: ${reason}` };
      continue;
    }
    try {
      const channel = await channelOf(library);
      const { result } = await channel.ask('prepare', request(workload), effort.limit);
      const fault = findFault(workload, result, library.variant(workload));
      if (fault !== null) throw new Error(`wrong result: ${fault}`);
      runners.push({ library, channel, count: await calibrate(channel, effort), samples: [], spent: 0 });
    } catch (error) {
      results[library.name] = { fault: error instanceof Error ? error.message : String(error) };
    }
  }
  let restless = runners.some(({ library }) => library.threads > 1);
  for (let round = 0; round < effort.rounds; round++) {
    for (let k = 0; k < runners.length; k++) {
      const runner = runners[(k + round) % runners.length];
      if (runner === undefined || results[runner.library.name] !== undefined) continue;
      if (runner.spent > effort.budget && runner.samples.length >= effort.leastRounds) continue;
      try {
        // Threads of some libraries go on asking for work for a while, and would take half of the processor from the next.
        if (restless) await sleep(200);
        restless = runner.library.threads > 1;
        const { milliseconds } = await runner.channel.ask('measure', { count: runner.count }, effort.limit);
        runner.samples.push(milliseconds / runner.count);
        runner.spent += milliseconds;
      } catch (error) {
        results[runner.library.name] = { fault: error instanceof Error ? error.message : String(error) };
      }
    }
  }
  for (const { library, channel, samples, count } of runners) {
    await channel.ask('release').catch(() => {});
    results[library.name] ??= { median: median(samples), least: Math.min(...samples), samples, count };
  }
  return results;
}

/**
 * Repetitions for one sample. Repeats until the engines have had time to optimise: about three samples' worth.
 * @param {import('./child.mjs').Channel} channel @param {Effort} effort
 */
async function calibrate(channel, { batch, limit }) {
  let [count, spent] = [1, 0];
  for (let tries = 0; tries < 20; tries++) {
    const { milliseconds } = await channel.ask('measure', { count }, limit);
    spent += milliseconds;
    if (milliseconds >= batch && (spent >= 3 * batch || count === 1)) break;
    count = Math.max(1, Math.min(count * 8, Math.ceil((count * batch * 1.05) / Math.max(milliseconds, 0.001))));
  }
  return count;
}
