/**
 * Training from a file that is larger than the memory of the process: a CSV or a text of 2 GB, shuffled as a whole. Prints the time of the pass that
 * finds the records, the time of the steps, and the largest resident memory.
 *
 *   node --conditions=@nn/source --import tsx packages/data/bench/large-files.ts csv|text [gigabytes] [steps]
 */
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed, type Tensor } from '@nn/core';
import { csvRows, dataPipeline, encodeRows, fitTable, inputNames, openFile, textLines } from '@nn/data';
import { crossEntropy, Linear, relu, Sequential } from '@nn/layers';
import { AdamW } from '@nn/optim';

const [kind = 'csv', gigabytes = '2', count = '300'] = process.argv.slice(2);
const bytes = Number(gigabytes) * 1e9;
const path = join(tmpdir(), `nn-large-${process.pid}.${kind}`);
process.on('exit', () => rmSync(path, { force: true }));

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

write();
setDefaultBackend(cpu());
setSeed(1);
const before = megabytes();
const file = await openFile(path);
let began = performance.now();
let samples: ReturnType<typeof textSamples>;
let width = 16;
let records: number;
let index: number;
if (kind === 'csv') {
  const rows = await csvRows(file);
  const encoding = fitTable(await rows.table(0, 10_000), { targets: 'good', scale: 'standard' });
  width = inputNames(encoding).length;
  records = rows.length;
  index = rows.index.length;
  samples = dataPipeline(rows).map((row) => ({
    inputs: Float32Array.from(encodeRows([row], encoding).data),
    targets: row.good === 'yes' ? 1 : 0,
  }));
} else {
  const lines = await textLines(file);
  records = lines.length;
  index = lines.index.length;
  samples = textSamples(lines);
}
const pass = seconds(began);

function textSamples(lines: Awaited<ReturnType<typeof textLines>>) {
  return dataPipeline(lines).map((line) => ({
    inputs: Float32Array.from({ length: width }, (_, i) => (line.charCodeAt(i) - 80) / 32),
    targets: line.startsWith('plum') ? 1 : 0,
  }));
}

const model = new Sequential(new Linear(width, 32), relu, new Linear(32, 2));
const optimizer = new AdamW(model, { learningRate: 0.01 });
const batches = samples.batch(256, { shuffle: true, seed: 1, prefetch: 2, dtypes: { targets: 'int32' } });
const losses: number[] = [];
began = performance.now();
for await (const { inputs, targets } of batches) {
  const loss: Tensor = crossEntropy(model.forward(inputs), targets);
  await optimizer.step(loss);
  losses.push(await loss.item());
  if (losses.length === Number(count)) break;
}
const took = seconds(began);
const { size } = statSync(path);
const rate = ((losses.length * 256) / Number(took)).toFixed(0);
process.stdout.write(
  `${kind}: ${(size / 1e9).toFixed(2)} GB, ${records} records; pass ${pass} s, index ${(index / 1e6).toFixed(2)} MB; ` +
    `${losses.length} steps of 256 in ${took} s (${rate} samples/s); loss ${losses[0]?.toFixed(3)} to ${losses.at(-1)?.toFixed(3)}; ` +
    `resident at most ${megabytes()} MB (${before} MB before opening)\n`,
);
await file.close();
