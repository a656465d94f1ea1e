/** Runs of studies.mjs, each seed in a process of its own: the curve of its episodes, and 100 episodes of what was learned. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { evaluatePolicy, learn, VectorEnvironment } from '@nn/reinforcement';
import { print } from '../harness/print.mjs';
import { studies } from './studies.mjs';

/** Points of a curve: each is the mean return of the episodes that ended in its part of the steps. */
const points = 50;

/**
 * @typedef {{ seed: number, mean: number, deviation: number, worst: number, seconds: number, cpuSeconds: number,
 *   curve: { steps: number[], values: number[] } }} Run
 */

/** @param {string} name @param {number} seed @returns {Promise<Run>} */
async function runOf(name, seed) {
  const study = studies.find((candidate) => candidate.name === name);
  if (study === undefined) throw new Error(`there is no study ${name}.`);
  setDefaultBackend(cpu());
  setSeed(seed);
  const agent = study.make(seed);
  const started = performance.now();
  const before = process.cpuUsage();
  /** @type {number[][]} */
  const parts = Array.from({ length: points }, () => []);
  for await (const { steps, episodes } of learn(agent, { steps: study.steps })) {
    const part = parts[Math.min(points - 1, Math.floor((points * (steps - 1)) / study.steps))];
    part?.push(...episodes.map(({ total }) => total));
  }
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  // seeds that no training has seen
  const others = new VectorEnvironment(study.environment, 100, { seed: 900_000 });
  const { mean, standardDeviation, returns } = await evaluatePolicy(agent, others, 100);
  const filled = parts.flatMap((totals, at) =>
    totals.length === 0 ? [] : [{ at, mean: totals.reduce((sum, x) => sum + x, 0) / totals.length }],
  );
  return {
    seed,
    mean: round(mean),
    deviation: round(standardDeviation),
    worst: round(Math.min(...returns)),
    seconds: round(seconds),
    cpuSeconds: round((user + system) / 1e6),
    curve: {
      steps: filled.map(({ at }) => ((at + 1) * study.steps) / points),
      values: filled.map((point) => round(point.mean)),
    },
  };
}

const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;

/** All seeds of the studies whose names contain `only`. @param {readonly number[]} seeds @param {string} only */
export function learnAll(seeds, only) {
  return studies
    .filter(({ name }) => name.includes(only))
    .map(({ name, title, steps, goal, settings }) => {
      const runs = seeds.map((seed) => {
        const flags = process.execArgv;
        const { status, stdout, stderr } = spawnSync(
          process.execPath,
          [...flags, fileURLToPath(import.meta.url), name, String(seed)],
          { encoding: 'utf8' },
        );
        if (status !== 0) throw new Error(`${name}, seed ${seed}: ${stderr}`);
        /** @type {Run} */
        const run = JSON.parse(stdout);
        print(`${title}, seed ${seed}: ${run.mean} over 100 episodes (worst ${run.worst}), ${run.seconds} s`);
        return run;
      });
      return { name, title, steps, goal, settings, runs };
    });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name = '', seed = '1'] = process.argv.slice(2);
  print(JSON.stringify(await runOf(name, Number(seed))));
}
