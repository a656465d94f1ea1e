/**
 * The licences of everything that comes with our packages, as docs/licences.md: of the packages that npm brings, and of
 * the work of others inside ours, which a package's THIRD-PARTY.md names in headings like "## gpu.js 2.24.1 (MIT)".
 *
 *   node scripts/licences.mjs     packs and installs all packages into an empty project, and writes the file
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The text of docs/licences.md. @param {string} project a folder with node_modules @returns {string} */
export function licences(project) {
  const brought = [...new Set(found(join(project, 'node_modules')))].sort();
  const inside = [...contained(join(project, 'node_modules/@nn'))].sort();
  return [
    '# Licences',
    '',
    'The work of others that comes with our packages: written by `npm run licences`, checked by the tests.',
    '',
    '## What `npm install` brings besides them',
    '',
    ...(brought.length === 0 ? ['Nothing.'] : ['| package | version | licence |', '|---|---|---|', ...brought]),
    '',
    '## What is inside them',
    '',
    'The licences in full stand in the `THIRD-PARTY.md` of the package.',
    '',
    '| inside | package | version | licence |',
    '|---|---|---|---|',
    ...inside,
    '',
  ].join('\n');
}

/** @param {string} folder a node_modules @returns {Generator<string>} */
function* found(folder) {
  for (const name of readdirSync(folder)) {
    if (name.startsWith('.') || name === '@nn') continue;
    if (name.startsWith('@')) {
      yield* found(join(folder, name));
      continue;
    }
    const path = join(folder, name);
    if (!existsSync(join(path, 'package.json'))) continue;
    const { name: full, version, license, licenses } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    yield `| ${full} | ${version} | ${license ?? licenses?.map((/** @type {{ type: string }} */ { type }) => type).join(' or ') ?? 'not stated'} |`;
    if (existsSync(join(path, 'node_modules'))) yield* found(join(path, 'node_modules'));
  }
}

/** @param {string} folder our installed packages @returns {Generator<string>} */
function* contained(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name, 'THIRD-PARTY.md');
    if (!existsSync(path)) continue;
    for (const [, other, version, licence] of readFileSync(path, 'utf8').matchAll(/^## (\S+) (\S+) \((.+)\)$/gm)) {
      yield `| @nn/${name} | ${other} | ${version} | ${licence} |`;
    }
  }
}

/** @param {string} program @param {string[]} parameters @param {string} cwd */
function run(program, parameters, cwd) {
  const { status, stderr, error } = spawnSync(program, parameters, {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`${program} failed:\n${stderr ?? error}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  const project = mkdtempSync(join(tmpdir(), 'nn-licences-'));
  try {
    run('pnpm', ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', project], root);
    const packed = readdirSync(project).filter((file) => file.endsWith('.tgz'));
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    run('npm', ['install', ...quiet, ...packed.map((file) => `./${file}`)], project);
    writeFileSync(join(root, 'docs/licences.md'), licences(project));
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
