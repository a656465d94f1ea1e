/**
 * The packages as users get them: packed, checked by publint and are-the-types-wrong, installed into an empty project,
 * loaded as ES modules and as CommonJS in two versions of Node, and type checked. Reads `dist`, which `npm test` builds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { command, manifest, root } from './support/commands.ts';
import { everything, names, tarball, write } from './support/install.ts';
import { otherNode } from './support/other-node.ts';
import { publintOf, typeProblemsOf } from './support/published.ts';

/** What a user imports: '@nn/core', '@nn/conformance/node-test'. Subpaths for a test runner need that runner. */
const entries = names.flatMap((name) =>
  Object.keys(manifest(join(root, 'packages', name)).exports)
    .filter((path) => path !== './package.json' && path !== './vitest')
    .map((path) => `@nn/${name}${path.slice(1)}`),
);

describe.each(names)('@nn/%s', (name) => {
  test('publint has nothing to say', async () => {
    expect(await publintOf(tarball(name))).toEqual([]);
  });

  test('its types are right for ES modules, CommonJS and bundlers', async () => {
    expect(await typeProblemsOf(tarball(name))).toEqual([]);
  });

  test('exports what it does in the repository, but its sources', () => {
    const { exports: published } = manifest(join(everything(), 'node_modules/@nn', name));
    const ours = manifest(join(root, 'packages', name)).exports;
    const withoutSources = JSON.parse(JSON.stringify(ours, (key, value) => (key === '@nn/source' ? undefined : value)));
    // As text, because the order of conditions decides which one is taken.
    expect(JSON.stringify(published)).toBe(JSON.stringify(withoutSources));
    expect(JSON.stringify(ours)).toContain('@nn/source');
  });
});

/** Loads every entry in both ways and trains a layer in both. */
const load = `
  import { createRequire } from 'node:module';
  const require = createRequire(import.meta.url);
  const byUs = (names) => names.filter((name) => name !== 'default' && name !== 'module.exports' && name !== '__esModule').sort().join();
  for (const entry of ${JSON.stringify(entries)}) {
    const imported = byUs(Object.keys(await import(entry)));
    const required = byUs(Object.keys(require(entry)));
    if (imported !== required || imported === '' && !entry.endsWith('-test')) throw new Error(entry + ': ' + imported + ' against ' + required);
    console.log(entry);
  }
  async function train({ setDefaultBackend, tensor }, { cpu }, { Linear }, { SGD }) {
    setDefaultBackend(cpu());
    const model = new Linear(1, 1);
    const optimizer = new SGD(model, { learningRate: 0.1 });
    const x = tensor([[0], [1], [2]]);
    for (let step = 0; step < 200; step++) await optimizer.step(model.forward(x).sub(tensor([[1], [3], [5]])).square().mean());
    console.log((await model.forward(tensor([[10]])).item()).toFixed(2));
  }
  const needed = ['@nn/core', '@nn/backend-cpu', '@nn/layers', '@nn/optim'];
  await train(...await Promise.all(needed.map((name) => import(name))));
  await train(...needed.map(require));
  console.log(process.version.split('.')[0]);`;

test('every entry loads and trains as an ES module and as CommonJS, in Node 20 and in Node 24', async () => {
  write(everything(), { 'load.mjs': load });
  const versions: string[] = [];
  for (const node of [process.execPath, await otherNode()]) {
    const lines = (await command(node, ['load.mjs'], { cwd: everything() })).trim().split('\n');
    versions.push(lines.pop() as string);
    expect(lines).toEqual([...entries, '21.00', '21.00']);
  }
  expect(new Set(versions).size).toBe(2);
});

test('every entry type checks with node16, nodenext and bundler resolution', async () => {
  const text = `${entries.map((entry, at) => `import * as entry${at} from '${entry}';`).join('\n')}\n`;
  const use = `export const all: object[] = [${entries.map((_, at) => `entry${at}`).join(', ')}];
// @ts-expect-error a tensor is not made of a string
entry${entries.indexOf('@nn/core')}.tensor('three');\n`;
  write(everything(), { 'use.mts': text + use, 'use.cts': text + use });
  const compiler = join(root, 'node_modules/typescript-native/bin/tsc');
  await Promise.all(
    [
      ['node16', 'node16', 'es2023,dom'],
      ['nodenext', 'nodenext', 'es2023,webworker'],
      // without the types of a page, a worker or Node
      ['nodenext', 'nodenext', 'es2022'],
      ['esnext', 'bundler', 'es2023,dom'],
    ].map(([module = '', resolution = '', lib = '']) => {
      const options = [
        '--ignoreConfig',
        '--noEmit',
        '--strict',
        '--exactOptionalPropertyTypes',
        '--noUncheckedIndexedAccess',
        '--target',
        'es2022',
        '--lib',
        lib,
        '--module',
        module,
      ];
      const files = resolution === 'bundler' ? ['use.mts'] : ['use.mts', 'use.cts'];
      const parameters = [compiler, ...options, '--moduleResolution', resolution, ...files];
      return command(process.execPath, parameters, { cwd: everything() });
    }),
  );
});

test('both tools find what is wrong with a package', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nn-wrong-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  write(folder, {
    'package.json': JSON.stringify({
      name: 'wrong',
      version: '1.0.0',
      type: 'module',
      exports: { '.': { import: './index.js', require: './index.cjs', types: './index.d.ts' } },
    }),
    'index.js': 'export const one = 1;',
    'index.cjs': 'exports.one = 1;',
    'index.d.ts': 'export declare const one: number;',
  });
  await command('npm', ['pack'], { cwd: folder });
  const packed = join(folder, 'wrong-1.0.0.tgz');
  expect((await publintOf(packed)).join('\n')).toContain('types should be the first in the object');
  expect(await typeProblemsOf(packed)).toContainEqual(expect.objectContaining({ kind: 'FalseESM' }));
});
