/**
 * nn on the GPU in Node, each mode in a process of its own, the CPU beside it:
 *
 *     node bench/gpu-node.mjs [headlessgl] [webgpu] [cpu]
 *
 * From the sources. The native packages are those of `scripts/install-node-gpu.mjs`; a display and a driver are the caller's
 * (`xvfb-run -a`, `VK_DRIVER_FILES`). What a device in software is worth, it says: nothing about a real GPU.
 */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { cpu } from '@nn/backend-cpu';
import { gpu } from '@nn/backend-gpu';
import { setDefaultBackend } from '@nn/core';
import { print } from './harness/print.mjs';
import { median } from './harness/statistics.mjs';
import { prepareNn } from './libraries/nn-workloads.mjs';
import { digits, textTable } from './report/format.mjs';
import { gpuWorkloads } from './workloads/list.mjs';

const names = ['mlp-step', 'cnn-step', 'matmul-512', 'matmul-1024', 'conv', 'add', 'chain'];

/** @param {string} mode */
async function measure(mode) {
  const begin = performance.now();
  const backend = mode === 'cpu' ? cpu() : await gpu({ mode: mode === 'webgpu' ? 'webgpu' : 'headlessgl' });
  setDefaultBackend(backend);
  const opened = performance.now() - begin;
  const rows = [];
  for (const workload of gpuWorkloads.filter(({ name }) => names.includes(name))) {
    const start = performance.now();
    const { run } = await prepareNn(workload, {});
    await run(1);
    const first = performance.now() - start;
    const times = [];
    const end = performance.now() + 1000;
    while (times.length < 3 || performance.now() < end) {
      const before = performance.now();
      await run(1);
      times.push(performance.now() - before);
    }
    const time = median(times);
    const { work } = workload;
    rows.push([workload.title, digits(first), digits(time), work === undefined ? '' : digits(work / time / 1e6)]);
  }
  print(`\n${mode}, opened in ${digits(opened)} ms: ${JSON.stringify(backend.info())}`);
  print(textTable([['what', 'first ms', 'median ms', 'GFLOP/s'], ...rows]));
}

const inner = process.env.NN_BENCH_MODE;
if (inner !== undefined) await measure(inner);
else {
  const modes = process.argv.slice(2);
  const self = fileURLToPath(import.meta.url);
  const packages = fileURLToPath(new URL('../node_modules/.cache/nn-gpu/node_modules', import.meta.url));
  for (const mode of modes.length > 0 ? modes : ['headlessgl', 'webgpu', 'cpu']) {
    const env = { NODE_PATH: packages, ...process.env, NN_BENCH_MODE: mode };
    spawnSync(process.execPath, ['--conditions=@nn/source', '--import', 'tsx', self], { stdio: 'inherit', env });
  }
}
