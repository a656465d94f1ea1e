/** Starts the process of a library: which program, which arguments, which environment. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { child } from './child.mjs';

/** @typedef {import('../libraries/list.mjs').LibraryEntry} LibraryEntry */
/** @typedef {{ node: string, python: string | null, source: boolean }} Programs  `source`: nn from its sources instead of its build */

const worker = fileURLToPath(new URL('worker.mjs', import.meta.url));
const folder = fileURLToPath(new URL('../libraries/', import.meta.url));

/** @param {LibraryEntry} library @param {Programs} programs */
export function launch(library, { node, python, source }) {
  const options = JSON.stringify(library.options);
  if (library.file.endsWith('.py')) {
    const interpreter = python ?? (library.name === 'fann' ? 'python3' : null);
    if (interpreter === null) throw new Error('no python3 with torch was found');
    const threads = String(library.threads);
    return child(interpreter, [join(folder, library.file), options], {
      OMP_NUM_THREADS: threads,
      OPENBLAS_NUM_THREADS: threads,
      MKL_NUM_THREADS: threads,
    });
  }
  const flags = source && library.file.startsWith('nn-') ? ['--conditions=@nn/source', '--import', 'tsx'] : [];
  return child(node, [...flags, worker, library.file, options]);
}

/** The first Python that has torch. `PYTHON` names one. */
export function findPython() {
  const named = process.env.PYTHON ? [process.env.PYTHON] : [];
  const onPath = (process.env.PATH ?? '').split(delimiter).map((place) => join(place, 'python3'));
  for (const python of [...named, ...onPath, '/usr/bin/python3']) {
    if (!existsSync(python)) continue;
    if (spawnSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0) return python;
  }
  return null;
}

/** A path as it is; a version such as 24 through the npm package `node`. @param {string} wanted */
export function findNode(wanted) {
  if (existsSync(wanted)) return wanted;
  const found = spawnSync('npx', ['--yes', `--package=node@${wanted}`, '--', 'node', '-p', 'process.execPath'], {
    cwd: tmpdir(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
  const path = found.stdout?.trim() ?? '';
  if (found.status !== 0 || !existsSync(path))
    throw new Error(`--node ${wanted}: neither a file nor a version that npx could bring.`);
  return path;
}
