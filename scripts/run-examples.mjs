/**
 * Runs the examples of the docstrings, of README.md and of the guides, and holds them to the outputs in their comments.
 * Each example is type checked, then runs as a module of its own from the sources of the packages. A `text output` block behind
 * an example is all that it prints.
 *
 *   node scripts/run-examples.mjs [text]     only the examples whose `file:line` contains the text
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { keepsPromise } from './examples/compare.mjs';
import { extractExamples } from './examples/extract.mjs';
import { instrument } from './examples/instrument.mjs';

/** @typedef {import('./examples/extract.mjs').Example & { name: string, failures: string[], promises: import('./examples/instrument.mjs').Promised[] }} Running */

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const work = join(root, '.examples');
const milliseconds = 300_000;

/** @returns {Generator<string>} */
function* documents() {
  for (const name of readdirSync(join(root, 'packages'))) {
    const folder = join(root, 'packages', name, 'src');
    if (!existsSync(folder)) continue;
    for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (entry.endsWith('.ts') && !entry.endsWith('.test.ts')) yield join(folder, entry);
    }
    yield join(root, 'packages', name, 'README.md');
  }
  yield join(root, 'README.md');
  const guides = join(root, 'docs', 'guides');
  for (const entry of existsSync(guides) ? readdirSync(guides) : [])
    if (entry.endsWith('.md')) yield join(guides, entry);
}

/** @param {string} only @returns {Running[]} */
function collect(only) {
  /** @type {Running[]} */
  const examples = [];
  for (const path of documents()) {
    if (!existsSync(path)) continue;
    const file = relative(root, path).split(sep).join('/');
    for (const example of extractExamples(file, readFileSync(path, 'utf8'))) {
      if (!`${file}:${example.line}`.includes(only)) continue;
      const name = `${file.replace(/[^\w-]+/g, '_')}_${example.line}`;
      examples.push({ ...example, name, failures: [], promises: [] });
    }
  }
  return examples;
}

/** Type checks all examples at once. Blank lines in front make the compiler's line numbers those of the document. @param {Running[]} examples */
function typeCheck(examples) {
  for (const { name, line, code } of examples) {
    writeFileSync(join(work, 'check', `${name}.ts`), `${'\n'.repeat(line - 1)}${code}\nexport {};\n`);
  }
  const configuration = {
    extends: '../tsconfig.base.json',
    compilerOptions: { noUnusedLocals: false },
    include: ['check'],
  };
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(configuration));
  const compiler = join(root, 'node_modules/typescript-native/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, '--project', work, '--pretty', 'false'], {
    cwd: work,
    encoding: 'utf8',
  });
  for (const [, name, line, message] of stdout.matchAll(/^check\/(\w[\w-]*)\.ts\((\d+),\d+\): (.*)$/gm)) {
    examples.find((example) => example.name === name)?.failures.push(`line ${line}: ${message}`);
  }
}

/** Writes the instrumented modules and bundles them with the packages' sources. @param {Running[]} examples */
async function bundle(examples) {
  for (const example of examples) {
    const { code, promises, problems } = instrument(example.code);
    example.promises = promises;
    example.failures.push(...problems);
    if (promises.length === 0 && example.docstring && problems.length === 0) {
      example.failures.push(
        'an example in a docstring says what comes out: end a line with "// => ..." or "// throws ...".',
      );
    }
    const { name, docstring, output } = example;
    const before = [
      "import { __probe } from '../../scripts/examples/probe.mjs';",
      "import { __prepare } from '../../scripts/examples/prelude.ts';",
      `__prepare(${docstring});`,
      `const { __printed, __throws, __value } = __probe('${name}', ${output !== undefined});`,
    ];
    writeFileSync(join(work, 'run', `${name}.ts`), `${before.join(' ')} ${code}`);
  }
  let left = examples;
  while (left.length > 0) {
    const failed = await bundleAll(left);
    if (failed.size === 0) return;
    for (const example of left) example.failures.push(...(failed.get(example.name) ?? []));
    left = left.filter(({ name }) => !failed.has(name));
  }
}

/** One bundle for all; answers the examples that keep it from being built. @param {Running[]} examples */
async function bundleAll(examples) {
  /** @type {Map<string, string[]>} */
  const failed = new Map();
  try {
    await build({
      entryPoints: examples.map(({ name }) => join(work, 'run', `${name}.ts`)),
      outdir: join(work, 'out'),
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      conditions: ['@nn/source'],
      external: ['vitest', 'gpu.js', 'ws'],
      logLevel: 'silent',
    });
  } catch (error) {
    for (const { text, location } of /** @type {import('esbuild').BuildFailure} */ (error).errors) {
      const name = examples.find((example) => location?.file.includes(`run/${example.name}.ts`))?.name;
      if (!name) throw new Error(`${location?.file}:${location?.line}: ${text}`);
      failed.set(name, [...(failed.get(name) ?? []), text]);
    }
  }
  return failed;
}

/** @typedef {{ error?: string, outcomes: Record<number, string[]> }} Outcome */

/** A thread that runs one example after the other; a new one takes its place where an example does not end, or ends it. */
class Runner {
  /** @type {Worker | null} */
  #worker = null;
  /** Tells whoever waits. @type {(outcome: Outcome) => void} */
  #tell = () => {};

  #start() {
    const worker = new Worker(join(root, 'scripts/examples/worker.mjs'), { stdout: true, stderr: true });
    worker.on('message', (outcome) => this.#tell(outcome));
    worker.on('error', (thrown) => this.#giveUp(worker, String(thrown)));
    worker.on('exit', (code) => this.#giveUp(worker, `ended with code ${code} before it was done`));
    return worker;
  }

  /** @param {Worker} worker @param {string} error */
  #giveUp(worker, error) {
    if (worker !== this.#worker) return;
    this.#worker = null;
    this.#tell({ error, outcomes: {} });
  }

  /** @param {string} name @returns {Promise<Outcome>} */
  async run(name) {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const late = setTimeout(() => {
      this.#giveUp(worker, `not done after ${milliseconds / 1000} s`);
      void worker.terminate();
    }, milliseconds);
    worker.postMessage({ name, url: pathToFileURL(join(work, 'out', `${name}.mjs`)).href });
    const outcome = await new Promise((/** @type {(outcome: Outcome) => void} */ resolve) => {
      this.#tell = resolve;
    });
    clearTimeout(late);
    return outcome;
  }

  async close() {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}

/** @param {Running} example @param {Runner} runner */
async function runExample(example, runner) {
  const { error, outcomes } = await runner.run(example.name);
  if (error) example.failures.push(error);
  const output = outcomes[-1]?.join('\n') ?? '';
  if (!error && example.output !== undefined && !keepsPromise(example.output, output)) {
    example.failures.push(`the output is not that of the block behind it; this came out:\n${output}`);
  }
  for (const [id, { line, kind, text }] of example.promises.entries()) {
    const where = `line ${example.line + line - 1}`;
    const printed = outcomes[id]?.join('\n');
    if (printed === undefined) {
      if (!error) example.failures.push(`${where}: never reached.`);
    } else if (!(kind === 'throws' ? printed.includes(text) : keepsPromise(text, printed))) {
      example.failures.push(`${where}: promised ${text}\n    came out ${printed}`);
    }
  }
}

/** @param {Running[]} examples */
async function runAll(examples) {
  const queue = examples.filter(({ run, failures }) => run && failures.length === 0);
  const take = async () => {
    const runner = new Runner();
    for (let example = queue.pop(); example; example = queue.pop()) await runExample(example, runner);
    await runner.close();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, take));
}

const examples = collect(process.argv[2] ?? '');
rmSync(work, { recursive: true, force: true });
for (const folder of ['check', 'run', 'out']) mkdirSync(join(work, folder), { recursive: true });
typeCheck(examples);
await bundle(examples.filter(({ run, failures }) => run && failures.length === 0));
await runAll(examples);
const failed = examples.filter(({ failures }) => failures.length > 0);
for (const { file, line, failures } of failed) console.error(`\n${file}:${line}\n  ${failures.join('\n  ')}`);
console.log(`\nexamples: ${examples.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;
