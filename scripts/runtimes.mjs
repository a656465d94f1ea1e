/**
 * Tries the packed packages in every runtime that npm brings: Node 20, 22, 24 and the newest, Deno, Bun. In each all entries are
 * loaded, and a network is trained on WebAssembly, saved as bytes and loaded again. Prints a table for docs/runtimes.md; run by
 * hand, for it fetches 100 MB and more for each runtime, once, into node_modules/.cache. `npm test` tries two versions of Node
 * and Chromium. Needs the packages built.
 *
 *   node scripts/runtimes.mjs [names]
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** @typedef {{ name: string, what: string, program: string, parameters?: string[] }} Runtime program: inside of node_modules */

/** @type {readonly Runtime[]} */
const runtimes = [
  { name: 'Node 20', what: 'node@20.20.2', program: 'node/bin/node' },
  { name: 'Node 22', what: 'node@22', program: 'node/bin/node' },
  { name: 'Node 24', what: 'node@24', program: 'node/bin/node' },
  { name: 'Node, the newest', what: 'node@latest', program: 'node/bin/node' },
  {
    name: 'Deno',
    what: 'deno@latest',
    program: '.bin/deno',
    parameters: ['run', '--allow-all', '--node-modules-dir=manual'],
  },
  { name: 'Bun', what: 'bun@latest', program: '.bin/bun' },
];

/** Entries for a test runner need that runner, and those of MPI an MPI. */
const elsewhere = ['./package.json', './vitest', './node-test', './mpi', './parquet', './arrow', './hugging-face'];

/** Loads everything, trains, saves and loads. @param {readonly string[]} entries */
const program = (entries) => `
import process from 'node:process';
const failed = [];
for (const entry of ${JSON.stringify(entries)}) {
  await import(entry).catch((error) => failed.push(entry + ': ' + String(error.message).split('\\n')[0]));
}
const { setDefaultBackend, setSeed, tensor } = await import('@nn/core');
const { cpu } = await import('@nn/backend-cpu');
const { Linear, ReLU, Sequential, crossEntropy } = await import('@nn/layers');
const { DataLoader, moons } = await import('@nn/data');
const { AdamW } = await import('@nn/optim');
const { encodeModel, loadModel } = await import('@nn/serialize');
const backend = cpu({ threads: 1 });
setDefaultBackend(backend);
setSeed(1);
const build = () => new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 2));
const model = build();
const optimizer = new AdamW(model, { learningRate: 0.02 });
const data = moons(400, { seed: 1 });
for (let epoch = 0; epoch < 20; epoch++)
  for (const { inputs, targets } of new DataLoader(data, { batchSize: 50, shuffle: true, seed: epoch }))
    await optimizer.step(crossEntropy(model.forward(inputs), targets));
const copy = build();
await loadModel(await encodeModel(model), copy);
const { inputs, targets } = data.fields;
const guesses = await copy.forward(tensor(inputs.data, { shape: inputs.shape })).argMax(1).data();
const right = targets.data.filter((target, i) => target === guesses[i]).length / data.size;
const { engine } = backend.info();
const version = globalThis.Deno?.version.deno ?? process.versions.bun ?? process.versions.node;
console.log('result ' + JSON.stringify({ version, engine, right, failed, loaded: ${entries.length} - failed.length }));
process.exit(0);
`;

/** @param {string} command @param {string[]} parameters @param {string} cwd @param {number} [timeout] */
async function run(command, parameters, cwd, timeout = 300_000) {
  const { stdout } = await execute(command, parameters, { cwd, maxBuffer: 2 ** 26, timeout });
  return stdout;
}

/** The program of a runtime, fetched where it is not there yet. @param {Runtime} runtime */
async function fetched({ what, program: path }) {
  const folder = join(root, 'node_modules/.cache', `runtime-${what.replace('@', '-')}`);
  const found = join(folder, 'node_modules', path);
  if (!existsSync(found)) {
    mkdirSync(folder, { recursive: true });
    await run('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', folder, what], folder, 600_000);
  }
  return found;
}

const work = mkdtempSync(join(tmpdir(), 'nn-runtimes-'));
try {
  const wanted = process.argv.slice(2);
  const names = readdirSync(join(root, 'packages')).sort();
  const entries = names.flatMap((name) => {
    const { exports } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
    const paths = Object.keys(exports).filter((path) => !elsewhere.includes(path));
    return paths.map((path) => `@nn/${name}${path.slice(1)}`);
  });
  await run('pnpm', ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', work], root);
  const project = join(work, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  const packed = readdirSync(work).filter((file) => file.endsWith('.tgz'));
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await run('npm', ['install', ...quiet, ...packed.map((file) => join(work, file))], project);
  writeFileSync(join(project, 'try.mjs'), program(entries));

  console.log('| runtime | version | entries that load | engine | moons, from a loaded file | not |');
  console.log('|---|---|---|---|---|---|');
  for (const runtime of runtimes.filter(
    ({ name }) => wanted.length === 0 || wanted.some((each) => name.includes(each)),
  )) {
    const row = await fetched(runtime)
      .then((path) => run(path, [...(runtime.parameters ?? []), 'try.mjs'], project))
      .then((printed) => JSON.parse(/^result (.*)$/m.exec(printed)?.[1] ?? 'null'))
      .then(({ version, engine, right, failed, loaded }) => [
        ...[version, `${loaded} of ${entries.length}`, engine, `${(100 * right).toFixed(1)} %`],
        failed.join('; '),
      ])
      .catch((error) => [
        '',
        '',
        '',
        '',
        String(error.stderr || error.message)
          .trim()
          .split('\n')
          .slice(0, 3)
          .join(' '),
      ]);
    console.log(`| ${[runtime.name, ...row].join(' | ')} |`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
