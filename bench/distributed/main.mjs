/**
 * Two ranks beside one process and beside two that know nothing of each other, allReduce beside C, and what a model with these
 * constants says of 8 to 4,096 ranks: tables for docs/decisions/0049-what-ranks-cost.md.
 *
 *   npm run build && node bench/distributed/main.mjs [rounds]
 *
 * Needs mpirun and mpicc, and two cores that nobody else uses: a rank that waits keeps its core busy, and one that is not running
 * makes the other wait.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { print } from '../harness/print.mjs';
import { median } from '../harness/statistics.mjs';
import { textTable } from '../report/format.mjs';
import { allReduceTime, stepTime } from './prediction.mjs';

const [rounds = '8'] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), 'nn-bench-'));
const compiled = join(work, 'all-reduce');

/** The line of JSON of a program on two ranks. @param {readonly string[]} switches @param {readonly string[]} program */
function ranks(switches, program) {
  const isRoot = process.getuid?.() === 0;
  const all = [...(isRoot ? ['--allow-run-as-root'] : []), '-np', '2', ...switches, ...program];
  const { status, stdout, stderr } = spawnSync('mpirun.openmpi', all, { encoding: 'utf8', maxBuffer: 1e8 });
  if (status !== 0) throw new Error(`mpirun ${all.join(' ')}: ${stdout}${stderr}`);
  return JSON.parse(stdout.split('\n').find((line) => line.startsWith('{')) ?? '{}');
}

const own = (/** @type {string[]} */ ...more) => [process.execPath, join(import.meta.dirname, 'rank.mjs'), ...more];
/** @param {number} value */
const short = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
/** @param {number} value */
const percent = (value) => `${(100 * value).toFixed(0)} %`;

const build = spawnSync('mpicc', ['-O2', join(import.meta.dirname, 'all-reduce.c'), '-o', compiled], {
  encoding: 'utf8',
});
if (build.status !== 0) throw new Error(`mpicc: ${build.stderr}`);

/** @type {Record<string, { parameters: number, rounds: Record<'alone' | 'flat' | 'independent' | 'together', number>[] }>} */
const steps = ranks([], own('steps', rounds));
const networks = Object.entries(steps).map(([name, { parameters, rounds: all }]) => {
  const of = (/** @type {'alone' | 'flat' | 'independent' | 'together'} */ way) =>
    median(all.map((round) => round[way]));
  return {
    ...{ name, parameters, alone: of('alone'), flat: of('flat') },
    ...{ independent: of('independent'), together: of('together') },
    // ratios of one round, whose phases had the same neighbours
    bound: median(all.map((round) => round.alone / round.independent)),
    efficiency: median(all.map((round) => round.alone / round.together)),
    share: median(all.map((round) => round.independent / round.together)),
    host: median(all.map((round) => round.flat - round.alone)),
  };
});
print('Milliseconds of a step (one of ten is quicker), each process with the batch of the benchmark and one thread');
print(
  textTable([
    ['', 'parameters', 'alone', 'group of one', 'two apart', 'two together', 'efficiency', 'bound', 'of the bound'],
    ...networks.map(({ name, parameters, alone, flat, independent, together, efficiency, bound, share }) => [
      ...[name, String(parameters), ...[alone, flat, independent, together].map(short)],
      ...[efficiency, bound, share].map(percent),
    ]),
  ]),
);

/** @type {Record<string, Record<'C' | 'nn', Record<string, number>>>} */
const links = {};
for (const [name, switches] of /** @type {const} */ ([
  ['shared memory', []],
  ['TCP on the loopback', ['--mca', 'btl', 'tcp,self']],
])) {
  const found = { C: /** @type {Record<string, number>[]} */ ([]), nn: /** @type {Record<string, number>[]} */ ([]) };
  for (let round = 0; round < 3; round++) {
    found.C.push(ranks(switches, [compiled]).microseconds);
    found.nn.push(ranks(switches, own('allReduce')).microseconds);
  }
  const medians = (/** @type {Record<string, number>[]} */ list) =>
    Object.fromEntries(Object.keys(list[0] ?? {}).map((count) => [count, median(list.map((one) => one[count] ?? 0))]));
  links[name] = { C: medians(found.C), nn: medians(found.nn) };
  print(`\nallReduce of float32 on two ranks, ${name}: microseconds`);
  print(
    textTable([
      ['numbers', 'C', 'nn', 'nn / C', 'nn, GB/s'],
      ...Object.keys(links[name].C).map((count) => {
        const [c, mine] = [links[name]?.C[count] ?? 0, links[name]?.nn[count] ?? 0];
        return [count, short(c), short(mine), (mine / c).toFixed(2), short((4 * Number(count)) / mine / 1000)];
      }),
    ]),
  );
}

/** Constants of a link from what was measured on two ranks: one hop, so that n b + n g is what long messages take a byte. */
const measured = Object.fromEntries(
  Object.entries(links).map(([name, { C, nn }]) => {
    const [least = 0, most = 0] = [C['1'], C['4194304']];
    const perByte = (most - least) / (4 * 4194304) / 1e6;
    // halving and doubling on two ranks: n b + n g / 2
    const perSum = 1 / 8e9;
    return [
      name,
      { latency: least / 2 / 1e6, perByte: perByte - perSum / 2, perSum, perCall: ((nn['1'] ?? 0) - least) / 1e6 },
    ];
  }),
);
const perCall = measured['shared memory']?.perCall ?? 0;
const nets = {
  ...measured,
  '1 Gbit/s': { latency: 30e-6, perByte: 1 / 0.117e9, perSum: 1 / 8e9, perCall },
  '10 Gbit/s': { latency: 15e-6, perByte: 1 / 1.17e9, perSum: 1 / 8e9, perCall },
  '100 Gbit/s': { latency: 2e-6, perByte: 1 / 11.5e9, perSum: 1 / 8e9, perCall },
};
print('\nConstants, in microseconds a message and a call, and GB/s');
print(
  textTable([
    ['', 'message', 'call', 'GB/s'],
    ...Object.entries(nets).map(([name, link]) => [
      name,
      ...[1e6 * link.latency, 1e6 * link.perCall, 1 / link.perByte / 1e9].map(short),
    ]),
  ]),
);

const [memory] = Object.values(measured);
if (memory === undefined) throw new Error('nothing was measured');
print('\nThe model on two ranks: milliseconds for the step of two together, from that of two apart');
print(
  textTable([
    ['', 'predicted', 'measured', 'ratio'],
    ...networks.map(({ name, independent, host, together, parameters }) => {
      const predicted = 1000 * stepTime({ compute: independent / 1000, host: host / 1000, parameters }, memory, 2);
      return [name, short(predicted), short(together), (predicted / together).toFixed(2)];
    }),
  ]),
);

for (const [name, link] of Object.entries(nets).slice(2)) {
  print(`\nEfficiency that the model gives, ${name}; in brackets the milliseconds of allReduce`);
  print(
    textTable([
      ['ranks', ...networks.map((network) => network.name)],
      ...[8, 64, 512, 4096].map((size) => [
        String(size),
        ...networks.map(({ alone, host, parameters }) => {
          const one = { compute: alone / 1000, host: host / 1000, parameters };
          const travel = stepTime(one, link, size) - stepTime(one, link, 1);
          return `${percent(alone / 1000 / stepTime(one, link, size))} (${short(1000 * travel)})`;
        }),
      ]),
    ]),
  );
}
print(
  `\nAn allReduce of 100 million parameters on 4,096 ranks, 100 Gbit/s: ${short(1000 * allReduceTime(nets['100 Gbit/s'], 4096, 4e8))} ms`,
);
rmSync(work, { recursive: true });
