/** A whole comparison on the CPU: all workloads in all libraries, then first steps and memory. Prints as it goes. */
import process from 'node:process';
import { libraries as allLibraries } from '../libraries/list.mjs';
import { digits, textTable } from '../report/format.mjs';
import { cell, faultLines, firstRows, isDisturbed, speedRows, timeRows } from '../report/tables.mjs';
import { workloads as allWorkloads } from '../workloads/list.mjs';
import { firstSteps } from './first-steps.mjs';
import { interleave } from './interleave.mjs';
import { findNode, findPython, launch } from './launch.mjs';
import { commit, machineFacts, watchOthers } from './machine.mjs';
import { print } from './print.mjs';

/** @typedef {import('../libraries/list.mjs').LibraryEntry} LibraryEntry @typedef {import('./child.mjs').Channel} Channel */
/** @typedef {import('../report/tables.mjs').Run} Run */

/** @type {Record<'full' | 'quick', import('./interleave.mjs').Effort>} */
const efforts = {
  full: { rounds: 15, leastRounds: 5, batch: 120, budget: 6000, limit: 300_000 },
  quick: { rounds: 3, leastRounds: 1, batch: 20, budget: 500, limit: 120_000 },
};

/** @param {ReturnType<typeof import('./options.mjs').parseOptions>} options @returns {Promise<{ name: string, run: Run }>} */
export async function compare(options) {
  const effort = efforts[options.quick ? 'quick' : 'full'];
  const programs = {
    node: options.node === null ? process.execPath : findNode(options.node),
    python: findPython(),
    source: options.source,
  };
  const chosen = allLibraries(options.threads).filter(({ name }) => options.libraries?.includes(name) ?? true);
  const workloads = allWorkloads.filter(
    ({ name, quick }) =>
      (!options.quick || quick) && (options.only.length === 0 || options.only.some((part) => name.includes(part))),
  );
  /** @type {Map<string, Channel>} */
  const channels = new Map();
  const machine = machineFacts(programs.node);
  /** @type {Run} */
  const run = {
    kind: 'cpu',
    date: new Date().toISOString(),
    commit: commit(),
    quick: options.quick,
    machine: { ...machine, threads: options.threads },
    libraries: [],
    workloads: [],
    first: [],
  };
  print(
    `${machine.processor}, ${machine.cores} cores, Node ${machine.node}${options.quick ? ', quick: not to compare' : ''}`,
  );

  /** A running process of the library, started anew where it has died. @param {LibraryEntry} library */
  const channelOf = async (library) => {
    const open = channels.get(library.name);
    if (
      open !== undefined &&
      (await open.ask('memory').then(
        () => true,
        () => false,
      ))
    )
      return open;
    const channel = launch(library, programs);
    channels.set(library.name, channel);
    const { version, detail } = await channel.ask('start', {}, effort.limit);
    if (!run.libraries.some(({ name }) => name === library.name)) {
      run.libraries.push({ name: library.name, title: library.title, version, detail });
      print(`  ${library.title} ${version}: ${detail}`);
    }
    return channel;
  };
  const usable = await reachable(chosen, channelOf);
  for (const workload of workloads) {
    const others = watchOthers(() => [...channels.values()].map(({ pid }) => pid));
    const results = await interleave(workload, usable, effort, channelOf);
    const busy = others.stop();
    run.workloads.push({ workload, results, others: busy });
    const times = Object.entries(results).map(([name, measured]) => `${name} ${cell(workload, measured)}`);
    print(`${workload.title}, ${workload.unit}: ${times.join(', ')}${note(busy)}`);
  }
  for (const channel of channels.values()) await channel.end();
  if (options.first) {
    const repeats = options.quick ? 1 : 5;
    for (const workload of workloads.filter(({ kind }) => kind === 'train')) {
      const results = await firstSteps(workload, usable, repeats, effort.limit, (library) => launch(library, programs));
      if (Object.keys(results).length > 0) run.first.push({ workload, results });
    }
  }
  print();
  print(textTable(timeRows(run)));
  if (run.workloads.some(({ workload }) => workload.work !== undefined)) print(`\n${textTable(speedRows(run))}`);
  if (run.first.length > 0) print(`\n${textTable(firstRows(run, 'first'))}\n\n${textTable(firstRows(run, 'peak'))}`);
  const faults = faultLines(run);
  if (faults.length > 0) print(`\nNot measured:\n${faults.join('\n')}`);
  return { name: `cpu-${machine.family}-node${String(machine.node).split('.')[0]}`, run };
}

/** @param {number | null} busy */
const note = (busy) =>
  busy !== null && isDisturbed(busy) ? ` * (${digits(busy)} processors busy with other programs)` : '';

/** The libraries that start at all; says which do not. @param {readonly LibraryEntry[]} chosen @param {(library: LibraryEntry) => Promise<Channel>} channelOf */
async function reachable(chosen, channelOf) {
  const found = [];
  for (const library of chosen) {
    try {
      await channelOf(library);
      found.push(library);
    } catch (error) {
      print(`  ${library.title} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found;
}
