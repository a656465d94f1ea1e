/** A process whose threads make batches: prints them, and those that it makes itself. */
import { Worker } from 'node:worker_threads';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { compareWorkers } from './worker-tests.ts';

setDefaultBackend(cpu());
const url = new URL('./worker-tests.ts', import.meta.url).href;
// Node 20 loads no --import into threads: TypeScript is switched on by hand.
const code = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(url)})));`;
const compared = await compareWorkers(() => new Worker(code, { eval: true, workerData: 'squares' }));
process.stdout.write(JSON.stringify(compared));
