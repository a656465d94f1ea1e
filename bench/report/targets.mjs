/** What nn set out to reach, and what a run says of it. Times are those of the better of nn's two ways, plain and `compile`. */
import { median } from '../harness/statistics.mjs';
import { digits } from './format.mjs';
import { medianOf } from './tables.mjs';

/** @typedef {import('./tables.mjs').Run} Run @typedef {{ goal: string, found: string, reached: boolean }} Verdict */

/** @param {Run} run @param {string} workload @param {string} library @returns {number | null} milliseconds */
function time(run, workload, library) {
  const row = run.workloads.find((entry) => entry.workload.name === workload);
  return medianOf(row?.results[library]);
}

/** The better of the ways of nn. @param {Run} run @param {string} workload @param {readonly string[]} names */
function best(run, workload, names) {
  const times = names.map((name) => time(run, workload, name)).filter((found) => found !== null);
  return times.length === 0 ? null : Math.min(...times);
}

/** A verdict where both sides were measured. @param {string} goal @param {number | null} value @param {(value: number) => boolean} test @param {(value: number) => string} [show] @returns {Verdict[]} */
function verdict(goal, value, test, show = digits) {
  return value === null || Number.isNaN(value) ? [] : [{ goal, found: show(value), reached: test(value) }];
}

/** @param {number | null} a @param {number | null} b */
const ratio = (a, b) => (a === null || b === null ? null : a / b);

const steps = /** @type {const} */ ([
  ['mlp-step', 'MLP step', 1.9, 1.5],
  ['cnn-step', 'CNN step', 1.4, 1.1],
  ['lstm-step', 'LSTM step', 1.5, 1.2],
  ['transformer-step', 'Transformer step', 1.8, 1.5],
]);
const own = ['nn', 'nn-compile', 'nn-wide', 'nn-native'];

/** @param {Run} run @returns {Verdict[]} */
export function cpuTargets(run) {
  const major = Number(String(run.machine.node).split('.')[0]);
  const threads = Number(run.machine.threads);
  const speed = (/** @type {string} */ name) => ratio((2 * Number(name.slice(7)) ** 3) / 1e6, time(run, name, 'nn'));
  const products = ['matmul-512', 'matmul-1024'].flatMap((name) =>
    major >= 22
      ? verdict(
          `${name.replace('-', ' ')}: 48 GFLOP/s`,
          speed(name),
          (found) => found >= 48,
          (found) => `${digits(found)} GFLOP/s`,
        )
      : verdict(
          `${name.replace('-', ' ')}: 1.3 times the speed of tfjs-wasm`,
          ratio(time(run, name, 'tfjs-wasm'), time(run, name, 'nn')),
          (found) => found >= 1.3,
        ),
  );
  const training = steps.flatMap(([name, title, older, newer]) => {
    const limit = major >= 22 ? newer : older;
    const value = ratio(best(run, name, own), time(run, name, 'pytorch'));
    return verdict(`${title}: at most ${limit} times PyTorch's on one thread`, value, (found) => found <= limit);
  });
  const micro = (/** @type {number} */ found) => `${digits(found * 1000)} µs`;
  const inference = ['mlp', 'cnn'].flatMap((model) =>
    verdict(
      `${model.toUpperCase()} inference, batch 1: at most 1.5 times onnxruntime-web`,
      ratio(best(run, `${model}-inference-1`, own), time(run, `${model}-inference-1`, 'onnxruntime-web')),
      (found) => found <= 1.5,
    ),
  );
  const two = /** @type {const} */ ([
    ['matmul-512', 1.7],
    ['mlp-step', 1.5],
    ['cnn-step', 1.5],
  ]).flatMap(([name, limit]) =>
    verdict(
      `${name.replace('-', ' ')}: ${limit} times as fast with two threads`,
      threads === 2 ? ratio(time(run, name, 'nn'), time(run, name, 'nn-2t')) : null,
      (found) => found >= limit,
    ),
  );
  const overTfjs = steps.flatMap(([name, title]) =>
    verdict(
      `${title}: 5 times as fast as tfjs-wasm`,
      ratio(time(run, name, 'tfjs-wasm'), best(run, name, own)),
      (found) => found >= 5,
    ),
  );
  return [
    ...products,
    ...training,
    ...verdict(
      '2-4-1 step with compile: under 15 µs',
      time(run, 'small-step', 'nn-compile'),
      (found) => found < 0.015,
      micro,
    ),
    ...verdict('2-4-1 step without: under 120 µs', time(run, 'small-step', 'nn'), (found) => found < 0.12, micro),
    ...inference,
    ...two,
    ...overTfjs,
    ...first(run, 'mlp-step', 'first MLP step: under 150 ms', 150),
    ...first(run, 'transformer-step', 'first Transformer step: under 400 ms', 400),
    ...memory(run),
  ];
}

/** @param {Run} run @param {string} workload @param {string} library @param {'first' | 'peak'} field */
function firstOf(run, workload, library, field) {
  const found = run.first.find((entry) => entry.workload.name === workload)?.results[library];
  return found === undefined || 'fault' in found ? null : median(found[field]);
}

/** @param {Run} run @param {string} workload @param {string} goal @param {number} limit */
const first = (run, workload, goal, limit) =>
  verdict(
    goal,
    firstOf(run, workload, 'nn', 'first'),
    (found) => found < limit,
    (found) => `${digits(found)} ms`,
  );

/** @param {Run} run */
const memory = (run) =>
  verdict(
    'peak memory of the CNN step: under 200 MB',
    firstOf(run, 'cnn-step', 'nn', 'peak'),
    (found) => found < 200e6,
    (found) => `${digits(found / 1e6)} MB`,
  );

/** @param {Run} run @returns {Verdict[]} */
export function gpuTargets(run) {
  const webgl = ['nn-webgl2', 'nn-webgl2-compile'];
  const faster = (
    /** @type {string} */ workload,
    /** @type {string} */ peer,
    /** @type {number} */ least,
    /** @type {string} */ goal,
  ) => verdict(goal, ratio(time(run, workload, peer), best(run, workload, webgl)), (found) => found >= least);
  return [
    ...faster('matmul-512', 'tfjs-webgl', 1.3, 'matmul 512: 1.3 times the speed of tfjs-webgl'),
    ...faster('matmul-1024', 'tfjs-webgl', 1.3, 'matmul 1024: 1.3 times the speed of tfjs-webgl'),
    ...faster('mlp-step', 'tfjs-webgl', 1, 'MLP step: faster than tfjs-webgl'),
    ...faster('mlp-step', 'tfjs-webgpu', 1, 'MLP step: faster than tfjs-webgpu'),
    ...faster('conv', 'tfjs-webgl', 2, 'conv: 2 times the speed of tfjs-webgl'),
    ...verdict(
      'first MLP step: no slower than that of tfjs-webgl',
      ratio(firstOf(run, 'mlp-step', 'nn-webgl2', 'first'), firstOf(run, 'mlp-step', 'tfjs-webgl', 'first')),
      (found) => found <= 1,
    ),
  ];
}

/**
 * The JavaScript peers that are faster than nn somewhere.
 * @param {Run} run @param {readonly (readonly string[])[]} sides for each side of nn its ways, then the names of its peers
 * @returns {{ won: number, lost: string[] }} comparisons
 */
export function standing(run, sides) {
  let won = 0;
  const lost = [];
  for (const { workload } of run.workloads) {
    for (const [ways = '', ...peers] of sides) {
      const ours = best(run, workload.name, ways.split(' '));
      if (ours === null) continue;
      for (const peer of peers) {
        const theirs = time(run, workload.name, peer);
        if (theirs === null) continue;
        if (ours <= theirs) won++;
        else lost.push(`${workload.title}: ${peer} is ${digits(ours / theirs)} times as fast`);
      }
    }
  }
  return { won, lost };
}
