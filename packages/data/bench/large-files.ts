/**
 * Training from a file that is larger than the memory of the process: a CSV or a text of 2 GB, shuffled as a whole. Prints the time of the pass that
 * finds the records, the time of the steps, and the largest resident memory, which is that of the whole process, workers and all.
 *
 *   node --conditions=@nn/source --import tsx packages/data/bench/large-files.ts csv|text [--gigabytes 2] [--steps 300] [--workers 0] [--file PATH]
 *
 * `--file` keeps the file for further runs. As users have it, without the weight of tsx: install the packed packages beside the three files, strip their
 * types (`esbuild large-files*.ts --outdir=.`), put .js for .ts in the names of files in them, and start the JavaScript.
 */
import { closeSync, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed, type Tensor } from '@nn/core';
import { csvRows, fitTable, inputNames, openFile, textLines } from '@nn/data';
import { crossEntropy, Linear, relu, Sequential } from '@nn/layers';
import { AdamW } from '@nn/optim';
import { largeSamples, type Share, textWidth } from './large-files-samples.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    gigabytes: { type: 'string', default: '2' },
    steps: { type: 'string', default: '300' },
    workers: { type: 'string', default: '0' },
    file: { type: 'string' },
  },
});
const kind = positionals[0] ?? 'csv';
const bytes = Number(values.gigabytes) * 1e9;
const steps = Number(values.steps);
const workers = Number(values.workers);
const path = values.file ?? join(tmpdir(), `nn-large-${process.pid}.${kind}`);
if (values.file === undefined) process.on('exit', () => rmSync(path, { force: true }));

/** Rows whose target is 1 where the sum of two columns is positive; as text, the letters tell. */
function write(): void {
  const file = openSync(path, 'w');
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const names = Array.from({ length: 8 }, (_, i) => `x${i}`);
  if (kind === 'csv') writeSync(file, `${names.join(',')},place,good\n`);
  for (let written = 0; written < bytes; ) {
    let piece = '';
    while (piece.length < 2 ** 20) {
      const values = names.map(() => random().toFixed(6));
      const good = Number(values[0]) + Number(values[1]) > 0;
      piece +=
        kind === 'csv'
          ? `${values.join(',')},"town, ${state % 50}",${good ? 'yes' : 'no'}\n`
          : `${good ? 'plum ' : 'pear '.repeat(2)}${values.join(' ')}\n`;
    }
    written += writeSync(file, piece);
  }
  closeSync(file);
}

const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1);
const megabytes = (): string => (process.resourceUsage().maxRSS / 1024).toFixed(0);

if (!existsSync(path)) write();
setDefaultBackend(cpu());
setSeed(1);
const before = megabytes();
let began = performance.now();
const file = await openFile(path);
let share: Share;
let width = textWidth;
let records: number;
if (kind === 'csv') {
  const rows = await csvRows(file);
  const encoding = fitTable(await rows.table(0, 10_000), { targets: 'good', scale: 'standard' });
  width = inputNames(encoding).length;
  records = rows.length;
  share = { kind, path, index: rows.index, encoding };
} else {
  const lines = await textLines(file);
  records = lines.length;
  share = { kind, path, index: lines.index, encoding: null };
}
await file.close();
const pass = seconds(began);
const atPass = megabytes();

// A worker makes little garbage at a time; told so, it keeps less memory for it.
const resourceLimits = { maxYoungGenerationSizeMb: 8 };
const isSource = import.meta.url.endsWith('.ts');
const serving = new URL(`./large-files-worker.${isSource ? 'ts' : 'js'}`, import.meta.url);
// tsx does not reach into threads by itself.
const ofSource = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(serving.href)})));`;
const start = (): Worker =>
  isSource
    ? new Worker(ofSource, { eval: true, workerData: share, resourceLimits })
    : new Worker(serving, { workerData: share, resourceLimits });
const samples = await largeSamples(share);
const model = new Sequential(new Linear(width, 32), relu, new Linear(32, 2));
const optimizer = new AdamW(model, { learningRate: 0.01 });
const batches = samples.batch(256, {
  shuffle: true,
  seed: 1,
  prefetch: 2,
  dtypes: { targets: 'int32' },
  ...(workers > 0 && { workers: { count: workers, start } }),
});
const losses: number[] = [];
began = performance.now();
for await (const { inputs, targets } of batches) {
  const loss: Tensor = crossEntropy(model.forward(inputs), targets);
  await optimizer.step(loss);
  losses.push(await loss.item());
  if (losses.length === steps) break;
}
const took = seconds(began);
const { size } = statSync(path);
const rate = ((losses.length * 256) / Number(took)).toFixed(0);
process.stdout.write(
  `${kind}, ${workers} workers: ${(size / 1e9).toFixed(2)} GB, ${records} records; pass ${pass} s, index ${(share.index.length / 1e6).toFixed(2)} MB; ` +
    `${losses.length} steps of 256 in ${took} s (${rate} samples/s); loss ${losses[0]?.toFixed(3)} to ${losses.at(-1)?.toFixed(3)}; ` +
    `resident at most ${megabytes()} MB (${before} MB before opening, ${atPass} MB after the pass)\n`,
);
batches.close();
