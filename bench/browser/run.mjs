/**
 * A comparison of GPU backends in Chromium: bundles the page, serves it, opens it, and lets the libraries take turns in
 * it. First steps run in fresh pages. On machines without a GPU Chromium computes with SwiftShader, on the processor.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { firstSteps } from '../harness/first-steps.mjs';
import { interleave } from '../harness/interleave.mjs';
import { commit, descendants, machineFacts, watchOthers } from '../harness/machine.mjs';
import { print } from '../harness/print.mjs';
import { textTable } from '../report/format.mjs';
import { cell, faultLines, firstRows, speedRows, timeRows } from '../report/tables.mjs';
import { gpuWorkloads } from '../workloads/list.mjs';

/** @typedef {import('../libraries/list.mjs').LibraryEntry} LibraryEntry @typedef {import('../report/tables.mjs').Run} Run */

const isStep = (/** @type {import('../workloads/list.mjs').Workload} */ { kind }) => kind === 'train';

/** @param {string} name @param {string} title @param {Partial<LibraryEntry>} [rest] @returns {LibraryEntry} */
const entry = (name, title, rest = {}) => ({
  name,
  title,
  file: name,
  options: {},
  threads: 1,
  supports: () => true,
  variant: () => '',
  ...rest,
});

const isSoftware = process.env.NN_BENCH_GPU !== '1';

/** Its shaders compute one number at a time: on the processor these would take longer than all other measurements together. */
const slowWithJax = isSoftware
  ? {
      'matmul-1024': 'about half a minute each on the software adapter',
      'cnn-step': 'minutes each on the software adapter',
    }
  : {};

const libraries = [
  entry('nn-webgl2', 'nn webgl2'),
  entry('nn-webgl2-compile', 'nn webgl2, compile', { file: 'nn-webgl2', options: { compile: true }, supports: isStep }),
  entry('nn-webgpu', 'nn webgpu'),
  entry('nn-webgpu-compile', 'nn webgpu, compile', { file: 'nn-webgpu', options: { compile: true }, supports: isStep }),
  entry('tfjs-webgl', 'tfjs-webgl'),
  entry('tfjs-webgpu', 'tfjs-webgpu'),
  entry('jax-webgl', 'jax-js webgl', { leftOut: slowWithJax }),
  entry('jax-webgpu', 'jax-js webgpu'),
];

/** @type {Record<'full' | 'quick', import('../harness/interleave.mjs').Effort>} */
const efforts = {
  full: { rounds: 9, leastRounds: 2, batch: 150, budget: 3000, limit: 300_000 },
  quick: { rounds: 2, leastRounds: 1, batch: 20, budget: 500, limit: 90_000 },
};

const softwareFlags = ['--use-webgpu-adapter=swiftshader', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];
const flags = ['--no-sandbox', '--enable-unsafe-webgpu', '--enable-features=Vulkan', '--ignore-gpu-blocklist'];

/** @param {boolean} source @param {string} folder */
async function bundle(source, folder) {
  await build({
    entryPoints: [fileURLToPath(new URL('page.mjs', import.meta.url))],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    conditions: source ? ['@nn/source', 'browser', 'module'] : ['browser', 'module'],
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
}

/** @param {string} folder */
async function serve(folder) {
  const types = { '.js': 'text/javascript', '.html': 'text/html' };
  const server = createServer((request, response) => {
    const path = request.url === '/' ? '/index.html' : (request.url ?? '/').replace(/\?.*/, '');
    const file = join(folder, path);
    if (path === '/index.html') {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><meta charset="utf-8"><script type="module" src="page.js"></script>');
    } else if (existsSync(file)) {
      response.setHeader('content-type', types[/** @type {'.js'} */ (extname(file))] ?? 'application/octet-stream');
      response.end(readFileSync(file));
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  return { server, url: `http://localhost:${typeof address === 'object' ? address?.port : ''}/` };
}

/** The browser that `scripts/ensure-browser.mjs` found. */
function found() {
  const record = new URL('../../node_modules/.cache/nn-browser.json', import.meta.url);
  if (existsSync(record)) return JSON.parse(readFileSync(record, 'utf8'));
  throw new Error('No browser is known: run `npm test` or `node scripts/ensure-browser.mjs` once.');
}

/** A library in a page, as a channel. @param {import('playwright-core').Page} page @param {LibraryEntry} library @returns {import('../harness/child.mjs').Channel} */
function channelIn(page, { name, file, options }) {
  /** @type {Error | null} */
  let gone = null;
  return {
    pid: 0,
    async ask(action, message = {}, limit = 300_000) {
      if (gone !== null) throw gone;
      if (action === 'memory') return { peak: 0 };
      let timer;
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => {
          gone = new Error(`no answer within ${limit / 1000} s`);
          reject(gone);
        }, limit);
      });
      const args = /** @type {const} */ ([name, file, options, action, message]);
      const answer = page.evaluate((given) => /** @type {any} */ (globalThis).bench.ask(...given), args);
      try {
        return await Promise.race([answer, late]);
      } finally {
        clearTimeout(timer);
      }
    },
    end: () => page.close(),
  };
}

/** @param {ReturnType<typeof import('../harness/options.mjs').parseOptions>} options @returns {Promise<{ name: string, run: Run }>} */
export async function compare(options) {
  const effort = efforts[options.quick ? 'quick' : 'full'];
  const folder = mkdtempSync(join(tmpdir(), 'nn-bench-'));
  await bundle(options.source, folder);
  const { server, url } = await serve(folder);
  const { executablePath, env } = found();
  const browser = await chromium.launch({
    executablePath,
    ...(env ? { env: { ...process.env, ...env } } : {}),
    args: [...flags, ...(isSoftware ? softwareFlags : [])],
    timeout: 60_000,
  });
  const open = async () => {
    const page = await browser.newPage();
    page.on('pageerror', (error) => print(`  (page: ${error.message.split('\n')[0]})`));
    await page.goto(url, { timeout: 120_000 });
    await page.waitForFunction(() => 'bench' in globalThis, undefined, { timeout: 120_000 });
    return page;
  };
  const machine = machineFacts(process.execPath);
  const chosen = libraries.filter(({ name }) => options.libraries?.includes(name) ?? true);
  const workloads = gpuWorkloads.filter(
    ({ name, quick }) =>
      (!options.quick || quick) && (options.only.length === 0 || options.only.some((part) => name.includes(part))),
  );
  /** @type {Run} */
  const run = {
    kind: 'gpu',
    date: new Date().toISOString(),
    commit: commit(),
    quick: options.quick,
    machine: {
      ...machine,
      browser: `Chromium ${browser.version()}`,
      adapter: isSoftware ? 'SwiftShader (software)' : 'GPU',
    },
    libraries: [],
    workloads: [],
    first: [],
  };
  try {
    print(`${machine.processor}, ${machine.cores} cores, ${run.machine.browser}, ${run.machine.adapter}`);
    const page = await open();
    const channels = new Map(chosen.map((library) => [library.name, channelIn(page, library)]));
    const channelOf = (/** @type {LibraryEntry} */ { name }) =>
      /** @type {import('../harness/child.mjs').Channel} */ (channels.get(name));
    const usable = [];
    for (const library of chosen) {
      try {
        const { version, detail } = await channelOf(library).ask('start', {}, effort.limit);
        run.libraries.push({ name: library.name, title: library.title, version, detail });
        print(`  ${library.title} ${version}: ${detail}`);
        usable.push(library);
      } catch (error) {
        print(`  ${library.title} is left out: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
      }
    }
    for (const workload of workloads) {
      const others = watchOthers(descendants);
      const results = await interleave(workload, usable, effort, async (library) => channelOf(library));
      run.workloads.push({ workload, results, others: others.stop() });
      const times = Object.entries(results).map(([name, measured]) => `${name} ${cell(workload, measured)}`);
      print(`${workload.title}, ${workload.unit}: ${times.join(', ')}`);
    }
    await page.close();
    if (options.first)
      await measureFirstSteps(run, workloads.filter(isStep), usable, options.quick ? 1 : 3, effort.limit, open);
  } finally {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  print(`\n${textTable(timeRows(run))}`);
  if (run.workloads.some(({ workload }) => workload.work !== undefined)) print(`\n${textTable(speedRows(run))}`);
  if (run.first.length > 0) print(`\n${textTable(firstRows(run, 'first'))}`);
  const faults = faultLines(run);
  if (faults.length > 0) print(`\nNot measured:\n${faults.join('\n')}`);
  return { name: isSoftware ? 'gpu-software' : 'gpu', run };
}

/** Each first step has a page of its own. @param {Run} run @param {import('../workloads/list.mjs').Workload[]} workloads @param {LibraryEntry[]} usable @param {number} repeats @param {number} limit @param {() => Promise<import('playwright-core').Page>} open */
async function measureFirstSteps(run, workloads, usable, repeats, limit, open) {
  for (const workload of workloads) {
    const start = async (/** @type {LibraryEntry} */ library) => channelIn(await open(), library);
    const results = await firstSteps(workload, usable, repeats, limit, start, 1);
    run.first.push({ workload, results });
  }
}
