/** What comes with the packages: nothing but what is named, in exact versions, with known licences, and without scripts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { licences } from '../scripts/licences.mjs';
import { command, manifest, root } from './support/commands.ts';
import { everything, names, project } from './support/install.ts';

/** What lies in node_modules, without npm's own records. */
function installed(folder: string): string[] {
  return readdirSync(join(folder, 'node_modules'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(folder, 'node_modules', name)).map((part) => `${name}/${part}`) : [name],
    )
    .filter((name) => !name.startsWith('.'))
    .sort();
}

test('core and the backend for the CPU bring nothing else', async () => {
  expect(installed(await project(['core', 'backend-cpu']))).toEqual(['@nn/backend-cpu', '@nn/core']);
});

test('only the backend for the GPU brings packages of others', async () => {
  const others = names.filter((name) => name !== 'backend-gpu');
  expect(installed(await project(others))).toEqual(others.map((name) => `@nn/${name}`));
  expect(installed(everything())).toContain('gpu.js');
});

describe.each(names)('@nn/%s', (name) => {
  const { dependencies = {}, ...rest } = manifest(join(everything(), 'node_modules/@nn', name));

  test('runs nothing when it is installed', () => {
    const atInstall = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish', 'preprepare', 'postprepare'];
    expect(Object.keys(rest.scripts ?? {}).filter((script) => atInstall.includes(script))).toEqual([]);
  });

  test('carries builds, sources, a README and a licence, and nothing else', () => {
    const folder = join(everything(), 'node_modules/@nn', name);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
    const usual = /^(package\.json|README\.md|LICENSE|dist\/[\w.-]+\.(c?js|c?js\.map|d\.c?ts)|src\/[\w./-]+\.(ts|md))$/;
    expect(files.filter((file) => !usual.test(file) || /\.(test|bench)\.ts$/.test(file))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.cjs', 'dist/index.d.cts']),
    );
  });

  test('names exact versions of what is not ours, and a licence', () => {
    const foreign = Object.entries(dependencies).filter(([dependency]) => !dependency.startsWith('@nn/'));
    expect(foreign.map(([dependency]) => dependency)).toEqual(name === 'backend-gpu' ? ['gpu.js'] : []);
    for (const [, range] of foreign) expect(range).toMatch(/^\d+\.\d+\.\d+$/);
    for (const [dependency, range] of Object.entries(dependencies)) {
      if (dependency.startsWith('@nn/')) expect(range).toBe(`^${manifest(join(root, 'packages/core')).version}`);
    }
    expect(rest.license).toBe('MIT');
    expect([rest.optionalDependencies, rest.peerDependencies?.['@nn/core']]).toEqual([undefined, undefined]);
  });
});

test('the licences are those that docs/licences.md lists: npm run licences', () => {
  expect(licences(everything())).toBe(readFileSync(join(root, 'docs/licences.md'), 'utf8'));
});

test('npm audit finds nothing in what is installed, the optional packages of gpu.js aside', async (context) => {
  const report = await command('npm', ['audit', '--json', '--omit=optional'], { cwd: everything() }).catch(String);
  const found = /"total": (\d+)/.exec(report)?.[1];
  if (found === undefined) return context.skip('this registry answers no audits');
  expect(Number(found), report).toBe(0);
});
