/** The module of a worker, and what the tests of workers ask of it. */
import type { BatchPipeline } from './batch-pipeline.ts';
import { dataPipeline } from './pipeline.ts';
import { servePipeline } from './serve.ts';
import type { WorkerLike } from './workers.ts';

/** Squares with a random part, one in three left out. */
const squares = () =>
  dataPipeline(Array.from({ length: 40 }, (_, i) => i))
    .filter((x) => x % 3 !== 0)
    .map((x, { random }) => ({ inputs: Float32Array.of(x * x, random.uniform()), targets: x }));

/** All batches made here, and all made by two workers. */
export async function compareWorkers(start: () => WorkerLike): Promise<{ own: unknown[]; theirs: unknown[] }> {
  const options = { shuffle: true, seed: 3, dtypes: { targets: 'int32' } } as const;
  const batches = squares().batch(5, { ...options, workers: { count: 2, start } });
  const compared = { own: await read(squares().batch(5, options)), theirs: await read(batches) };
  batches.close();
  return compared;
}

async function read(batches: BatchPipeline<{ inputs: Float32Array; targets: number }>): Promise<unknown[]> {
  const list = [];
  for await (const { inputs, targets } of batches) list.push([await inputs.array(), await targets.array()]);
  return list;
}

const isWorker =
  typeof process !== 'undefined' && process.getBuiltinModule
    ? process.getBuiltinModule('node:worker_threads').workerData === 'squares'
    : !('document' in globalThis);
if (isWorker) servePipeline(squares());
