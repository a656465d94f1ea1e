/**
 * What each rank runs for main.mjs: steps of the models of the benchmarks in four ways, one after the other in short phases, or
 * allReduce of several sizes. Rank 0 prints a line of JSON. Who has nothing to do in a phase sleeps, because a rank that waits in
 * MPI keeps a core busy.
 */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { compile, parameters, setDefaultBackend } from '@nn/core';
import { alone, dataParallel } from '@nn/distributed';
import { mpi } from '@nn/distributed/mpi';
import { buildModel } from '../libraries/nn-models.mjs';
import { modelSpec } from '../workloads/models.mjs';

const [what = 'steps', rounds = '8'] = process.argv.slice(2);
setDefaultBackend(cpu({ threads: 1 }));
const group = await mpi();
/** A phase lasts so many milliseconds. */
const phase = 700;

/** The time that one of ten calls stays below: what others on the machine do spoils it least. @param {number[]} times */
const quick = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 10)] ?? Number.NaN;

/** @param {number} milliseconds */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Times of steps for the length of a phase. @param {() => Promise<unknown>} step */
async function timed(step) {
  const times = [];
  for (const end = performance.now() + phase; performance.now() < end; ) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  return times;
}

/**
 * A model with a way of stepping: 'plain' (a compiled step of the optimizer), 'flat' (a group of one: gradients go through the
 * host), 'ranks' (all ranks).
 * @param {string} name @param {'plain' | 'flat' | 'ranks'} way
 */
async function stepper(name, way) {
  const { model, optimizer, loss, input, target } = await buildModel(modelSpec(name));
  const count = input.shape[0] ?? 1;
  if (way === 'plain') {
    const step = compile((x, y) => void optimizer.step(loss(x, y)));
    return { model, step: () => step(input, target) };
  }
  const parallel = await dataParallel(optimizer, way === 'flat' ? alone() : group, { checkEvery: 0 });
  const gradients = parallel.compileGradients(loss);
  return { model, step: async () => parallel.stepOf(count, await gradients(input, target)) };
}

/** Milliseconds of the rounds: by model, and by way. */
async function steps() {
  /** @type {Record<string, { parameters: number, rounds: Record<string, number>[] }>} */
  const found = {};
  for (const name of ['mlp', 'cnn', 'transformer']) {
    const [plain, flat, ranks] = [
      await stepper(name, 'plain'),
      await stepper(name, 'flat'),
      await stepper(name, 'ranks'),
    ];
    for (const { step } of [plain, flat, ranks]) for (let warm = 0; warm < 5; warm++) await step();
    const size = parameters(plain.model).reduce((sum, one) => sum + one.size, 0);
    const own = { parameters: size, rounds: /** @type {Record<string, number>[]} */ ([]) };
    found[name] = own;
    for (let round = 0; round < Number(rounds); round++) {
      /** @type {Record<string, number>} */
      const times = {};
      for (const [way, work] of /** @type {const} */ ([
        ['alone', plain.step],
        ['flat', flat.step],
      ])) {
        await group.barrier();
        if (group.rank === 0) times[way] = quick(await timed(work));
        else await sleep(phase + 50);
      }
      // two processes that know nothing of each other, and then the same two together
      await group.barrier();
      const [independent] = [quick(await timed(plain.step))];
      times.independent = (await group.allReduce(Float64Array.of(independent)))[0] ?? 0;
      times.independent /= group.size;
      const [calls] = await group.broadcast(Int32Array.of(Math.max(5, Math.round(phase / independent))));
      const together = [];
      for (let call = 0; call < (calls ?? 0); call++) {
        const start = performance.now();
        await ranks.step();
        together.push(performance.now() - start);
      }
      times.together = quick(together);
      own.rounds.push(times);
    }
  }
  return found;
}

/** Microseconds of a call, by numbers. */
async function allReduce() {
  /** @type {Record<string, number>} */
  const microseconds = {};
  for (const count of [1, 256, 4096, 65536, 262144, 1048576, 4194304]) {
    const values = new Float32Array(count);
    const calls = count <= 4096 ? 400 : count <= 262144 ? 100 : 30;
    const times = [];
    for (let call = -calls / 4; call < calls; call++) {
      const start = performance.now();
      await group.allReduce(values);
      if (call >= 0) times.push(1000 * (performance.now() - start));
    }
    microseconds[count] = quick(times);
  }
  return { size: group.size, microseconds };
}

const found = await (what === 'steps' ? steps() : allReduce());
if (group.rank === 0) process.stdout.write(`${JSON.stringify(found)}\n`);
await group.close();
