/** The results of a run as tables of text: workloads down, libraries across. */
import { median } from '../harness/statistics.mjs';
import { digits } from './format.mjs';

/**
 * @typedef {import('../workloads/list.mjs').Workload} Workload
 * @typedef {import('../harness/interleave.mjs').Measured} Measured
 * @typedef {import('../harness/first-steps.mjs').FirstSteps} FirstSteps
 * @typedef {{ workload: Workload, results: Record<string, Measured>, others: number | null }} WorkloadRun
 * @typedef {{ kind: string, date: string, commit: string, quick: boolean, machine: Record<string, string | number>,
 *   libraries: { name: string, title: string, version: string, detail: string }[], workloads: WorkloadRun[],
 *   first: { workload: Workload, results: Record<string, FirstSteps> }[] }} Run
 */

/** A time in the unit of its workload, or why there is none. @param {Workload} workload @param {Measured | undefined} measured */
export function cell(workload, measured) {
  if (measured === undefined) return '-';
  if ('fault' in measured) {
    if (measured.fault.startsWith('left out')) return '-';
    return measured.fault.startsWith('wrong result') ? 'wrong' : 'failed';
  }
  return digits(workload.unit === 'µs' ? measured.median * 1000 : measured.median);
}

/** @param {Measured | undefined} measured @returns {number | null} */
export const medianOf = (measured) => (measured === undefined || 'fault' in measured ? null : measured.median);

/** Times of the workloads; others than ours were busy where a row has an asterisk. @param {Run} run @param {(run: WorkloadRun) => boolean} [filter] */
export function timeRows(run, filter = () => true) {
  const chosen = run.workloads.filter(filter);
  const present = run.libraries.filter(({ name }) => chosen.some(({ results }) => results[name] !== undefined));
  return [
    ['', ...present.map(({ title }) => title)],
    ...chosen.map(({ workload, results, others }) => [
      `${workload.title}, ${workload.unit}${isDisturbed(others) ? ' *' : ''}`,
      ...present.map(({ name }) => cell(workload, results[name])),
    ]),
  ];
}

/** Whether other programs took so much of the processors that times are not to be trusted. @param {number | null} others */
export const isDisturbed = (others) => others !== null && others > 0.15;

/** 10^9 floating-point operations a second, of the workloads that count them. @param {Run} run */
export function speedRows(run) {
  const chosen = run.workloads.filter(({ workload }) => workload.work !== undefined);
  const present = run.libraries.filter(({ name }) => chosen.some(({ results }) => medianOf(results[name]) !== null));
  return [
    ['GFLOP/s', ...present.map(({ title }) => title)],
    ...chosen.map(({ workload, results }) => [
      workload.title,
      ...present.map(({ name }) => {
        const time = medianOf(results[name]);
        return time === null ? '-' : digits((workload.work ?? 0) / time / 1e6);
      }),
    ]),
  ];
}

/** First steps and memory. @param {Run} run @param {'first' | 'peak'} field */
export function firstRows(run, field) {
  const present = run.libraries.filter(({ name }) => run.first.some(({ results }) => results[name] !== undefined));
  return [
    [field === 'first' ? 'first step, ms' : 'peak memory, MB', ...present.map(({ title }) => title)],
    ...run.first.map(({ workload, results }) => [
      workload.title,
      ...present.map(({ name }) => {
        const found = results[name];
        if (found === undefined) return '-';
        if ('fault' in found) return 'failed';
        return digits(field === 'first' ? median(found.first) : median(found.peak) / 1e6);
      }),
    ]),
  ];
}

/** All that went wrong, a line each. @param {Run} run */
export function faultLines(run) {
  return [...run.workloads, ...run.first].flatMap(({ workload, results }) =>
    Object.entries(results).flatMap(([name, result]) =>
      'fault' in result ? [`${workload.title}, ${name}: ${result.fault}`] : [],
    ),
  );
}
