/**
 * The packages as users get them: packed, checked by publint and are-the-types-wrong, installed into an empty project,
 * loaded as ES modules and as CommonJS, and type checked. Reads `dist`, which `npm test` builds first.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '..');
const names = readdirSync(join(root, 'packages')).sort();
const folder = mkdtempSync(join(tmpdir(), 'nn-packages-'));
const project = join(folder, 'project');
/** Without what npm tells its scripts, or the commands below would run with the settings of this repository. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));

async function command(program: string, parameters: string[], cwd = root): Promise<string> {
  try {
    const { stdout } = await execute(program, parameters, {
      cwd,
      env: environment,
      shell: process.platform === 'win32',
    });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${parameters.join(' ')} failed:\n${stdout ?? ''}${stderr ?? error}`);
  }
}

const tool = (name: string, ...parameters: string[]): Promise<string> =>
  command(join(root, 'node_modules/.bin', name), parameters);
const tarball = (name: string): string => join(folder, `nn-${name}-${version(name)}.tgz`);
const version = (name: string): string => manifest(join(root, 'packages', name)).version;
const manifest = (path: string): Manifest => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));

interface Manifest {
  readonly version: string;
  readonly exports: Record<string, unknown>;
  readonly dependencies?: Record<string, string>;
  readonly scripts?: Record<string, string>;
}

/** What a user imports: '@nn/core', '@nn/conformance/vitest'. Subpaths for a test runner need that runner. */
const entries = names.flatMap((name) =>
  Object.keys(manifest(join(root, 'packages', name)).exports)
    .filter((path) => path !== './package.json' && path !== './vitest')
    .map((path) => `@nn/${name}${path.slice(1)}`),
);

beforeAll(async () => {
  await command('pnpm', ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', folder]);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  await command(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', ...names.map(tarball)],
    project,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.concurrent.each(names)('@nn/%s', (name) => {
  test('publint has nothing to say', async ({ expect }) => {
    expect(await tool('publint', 'run', '--strict', tarball(name))).toContain('All good!');
  });

  test('its types are right for ES modules, CommonJS and bundlers', async ({ expect }) => {
    expect(await tool('attw', '--no-emoji', '--profile', 'node16', tarball(name))).toContain('OK (ESM)');
  });

  test('shows its sources to nobody who does not ask, and depends on nothing unexpected', ({ expect }) => {
    const installed = manifest(join(project, 'node_modules/@nn', name));
    expect(JSON.stringify(installed.exports)).not.toContain('@nn/source');
    const dependencies = Object.entries(installed.dependencies ?? {});
    for (const [, range] of dependencies) expect(range).toMatch(/^[\^\d]/);
    const foreign = dependencies
      .map(([dependency]) => dependency)
      .filter((dependency) => !dependency.startsWith('@nn/'));
    expect(foreign).toEqual(name === 'backend-gpu' ? ['gpu.js'] : []);
  });
});

test('every entry loads as an ES module and as CommonJS, with the same names', async () => {
  writeFileSync(
    join(project, 'load.mjs'),
    `import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    for (const entry of ${JSON.stringify(entries)}) {
      const names = Object.keys(await import(entry)).filter((name) => name !== 'default' && name !== 'module.exports').sort();
      const required = Object.keys(require(entry)).sort();
      if (names.join() !== required.join()) throw new Error(entry + ': ' + names + ' against ' + required);
      console.log(entry);
    }`,
  );
  const loaded = await command(process.execPath, ['load.mjs'], project);
  expect(loaded.trim().split('\n')).toEqual(entries);
});

test('every entry type checks with node16, nodenext and bundler resolution', async () => {
  const text = `${entries.map((entry, at) => `import * as entry${at} from '${entry}';`).join('\n')}\n`;
  const use = `export const all: object[] = [${entries.map((_, at) => `entry${at}`).join(', ')}];\n`;
  for (const extension of ['mts', 'cts']) writeFileSync(join(project, `use.${extension}`), text + use);
  const compiler = join(root, 'node_modules/typescript-native/bin/tsc');
  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const) {
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023,dom', '--module', module];
    const files = moduleResolution === 'bundler' ? ['use.mts'] : ['use.mts', 'use.cts'];
    await command(process.execPath, [compiler, ...options, '--moduleResolution', moduleResolution, ...files], project);
  }
});
