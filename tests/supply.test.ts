/** What comes with the packages: no packages of others, known licences of what is built in, and no scripts. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { licences } from '../scripts/licences.mjs';
import { command, manifest, root } from './support/commands.ts';
import { everything, names, project, write } from './support/install.ts';

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

test('all packages together bring nothing of others', () => {
  expect(installed(everything())).toEqual(names.map((name) => `@nn/${name}`));
});

test('Keras carries the licences of h5wasm and HDF5, in the version that is built in', () => {
  const folder = join(everything(), 'node_modules/@nn/keras');
  const text = readFileSync(join(folder, 'THIRD-PARTY.md'), 'utf8');
  const installed = join(root, 'packages/keras/node_modules/h5wasm');
  expect(text).toContain(`\n## h5wasm ${manifest(installed).version} (NIST)\n`);
  expect(text).toContain(readFileSync(join(installed, 'LICENSE.txt'), 'utf8').trim());
  expect(readFileSync(join(folder, 'dist/h5wasm.js'), 'utf8')).toContain('Contains h5wasm (NIST) and HDF5');
});

test('only the backend for the GPU contains gpu.js, in a file of its own that both formats share', () => {
  const built = names.flatMap((name) =>
    readdirSync(join(everything(), 'node_modules/@nn', name, 'dist')).map((file) => `${name}/dist/${file}`),
  );
  const containing = built.filter((file) =>
    readFileSync(join(everything(), 'node_modules/@nn', file), 'utf8').includes('* https://gpu.rocks/'),
  );
  expect(containing).toEqual(['backend-gpu/dist/gpu-js.js']);
});

test('the backend for the GPU carries the licences of gpu.js and of what that contains, in the versions that are built in', () => {
  const text = readFileSync(join(everything(), 'node_modules/@nn/backend-gpu/THIRD-PARTY.md'), 'utf8');
  const gpuJs = createRequire(join(root, 'packages/backend-gpu/package.json')).resolve('gpu.js/package.json');
  const inGpuJs = createRequire(gpuJs);
  const parts = [gpuJs, ...['acorn', 'gpu-mock.js'].map((name) => inGpuJs.resolve(`${name}/package.json`))];
  for (const folder of parts.map((path) => dirname(path))) {
    const { name, version, license } = manifest(folder);
    expect(text).toContain(`\n## ${name} ${version} (${license})\n`);
    expect(text).toContain(readFileSync(join(folder, 'LICENSE'), 'utf8').trim());
  }
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
    const usual =
      /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|THIRD-PARTY\.md|dist\/[\w.-]+\.(c?js|c?js\.map|d\.c?ts)|src\/[\w./-]+\.(ts|md)|templates\/[\w./-]+)$/;
    const ofTests = /(\.(test|bench)|-tests|\/testing)\.ts$|\/testing\//;
    expect(files.filter((file) => !usual.test(file) || ofTests.test(file))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'CHANGELOG.md',
        'dist/index.js',
        'dist/index.cjs',
        'dist/index.d.cts',
      ]),
    );
  });

  test('depends on nothing but our own packages, and names a licence', () => {
    for (const [dependency, range] of Object.entries(dependencies)) {
      expect([dependency, range]).toEqual([
        expect.stringMatching(/^@nn\//),
        `^${manifest(join(root, 'packages/core')).version}`,
      ]);
    }
    expect(rest.license).toBe('MIT');
    expect([rest.optionalDependencies, rest.peerDependencies?.['@nn/core']]).toEqual([undefined, undefined]);
  });
});

test('the licences are those that docs/licences.md lists: npm run licences', () => {
  expect(licences(everything())).toBe(readFileSync(join(root, 'docs/licences.md'), 'utf8'));
});

/** A project whose lock file names the work of others that is built into our packages: audits read nothing else. */
function builtIn(): string {
  const text = readFileSync(join(everything(), 'node_modules/@nn/backend-gpu/THIRD-PARTY.md'), 'utf8');
  const versions = [...text.matchAll(/^## (\S+) (\S+) \(.+\)$/gm)].map(([, name = '', version = '']) => [
    name,
    version,
  ]);
  expect(versions.map(([name]) => name)).toContain('gpu.js');
  const dependencies = Object.fromEntries(versions);
  const locked = versions.map(([name, version]) => [`node_modules/${name}`, { version }]);
  const packages = { '': { dependencies }, ...Object.fromEntries(locked) };
  const folder = join(everything(), 'built-in');
  write(folder, {
    'package.json': JSON.stringify({ private: true, dependencies }),
    'package-lock.json': JSON.stringify({ name: 'built-in', lockfileVersion: 3, packages }),
  });
  return folder;
}

test.for([
  { what: 'what npm installs', project: everything },
  { what: 'what is built in', project: builtIn },
])('npm audit finds nothing in $what', async ({ project }, { skip }) => {
  const report = await command('npm', ['audit', '--json'], { cwd: project() }).catch(String);
  // Only where the registry itself refuses the question: whatever else goes wrong fails.
  const refused = /"message": "(\d{3} [^"]*security[^"]*|request to [^"]*security[^"]* failed[^"]*)"/.exec(report)?.[1];
  if (refused !== undefined) {
    const unknown = `NOT AUDITED: the registry answers no audits (${refused})`;
    console.warn(unknown);
    return skip(unknown);
  }
  expect(/"total": (\d+)/.exec(report)?.[1], report).toBe('0');
});
