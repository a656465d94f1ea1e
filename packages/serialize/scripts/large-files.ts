/**
 * How much memory loading a large file takes: writes a model of 1 GB as safetensors and as PyTorch's archive, and loads each in a
 * process of its own, whose peak of memory stands beside the model's bytes. The goal is no more than 1.2 times.
 *
 *   node --conditions=@nn/source --import tsx packages/serialize/scripts/large-files.ts [megabytes]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { cpu } from '@nn/backend-cpu';
import { namedParameters, setDefaultBackend } from '@nn/core';
import { Linear, Sequential } from '@nn/layers';
import { loadModel, saveModel } from '@nn/serialize';

const size = 2048;
const [command, path = '', amount = '1000'] = process.argv.slice(2);
setDefaultBackend(cpu());

/** Matrices of 16 MiB each. */
function build(megabytes: number): Sequential {
  const count = Math.round((megabytes * 1e6) / (4 * size * size));
  return new Sequential(...Array.from({ length: count }, () => new Linear(size, size, { bias: false })));
}

const bytesOf = (model: object): number =>
  [...namedParameters(model).values()].reduce((sum, { size: elements }) => sum + 4 * elements, 0);

/** The most memory that this process has held, in bytes. */
const peak = (): number => process.resourceUsage().maxRSS * 1024;

async function load(): Promise<void> {
  const model = build(Number(amount));
  const before = peak();
  const start = performance.now();
  await loadModel(path, model);
  const seconds = (performance.now() - start) / 1000;
  // Reading one parameter shows that the values are there.
  const [first] = namedParameters(model).values();
  const sample = (await first!.at(0, 0).item()) as number;
  const ratio = (peak() - before) / bytesOf(model);
  const ending = path.slice(path.lastIndexOf('.'));
  process.stdout.write(
    `${ending}: ${(statSync(path).size / 1e6).toFixed(0)} MB, loaded in ${seconds.toFixed(1)} s; ` +
      `before ${(before / 1e6).toFixed(0)} MB, peak ${(peak() / 1e6).toFixed(0)} MB: ${ratio.toFixed(3)} of the model (${sample.toFixed(3)})\n`,
  );
}

function measure(): void {
  const megabytes = command ?? '1000';
  const folder = mkdtempSync(join(tmpdir(), 'nn-large-'));
  const run = (...words: string[]): unknown =>
    spawnSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...words, megabytes], {
      stdio: 'inherit',
    });
  try {
    for (const ending of ['safetensors', 'pt']) {
      const file = join(folder, `model.${ending}`);
      run('save', file);
      run('load', file);
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (command === 'save') await saveModel(path, build(Number(amount)));
else if (command === 'load') await load();
else measure();
