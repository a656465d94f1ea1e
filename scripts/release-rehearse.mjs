/**
 * Rehearses a release on this machine: in a copy of the repository, `changeset version` and `changeset publish` of all
 * packages to a registry in memory, then npm installs them from there and a program trains with them. Neither the
 * repository nor a public registry is touched. Needs the packages built.
 *
 *   npm run release:rehearse
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { openRegistry } from './release/registry.mjs';
import { assertOnlyLocal, assertPackagesLocal, makeSandbox, settingsFor } from './release/sandbox.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const names = readdirSync(join(root, 'packages')).sort();
const work = mkdtempSync(join(tmpdir(), 'nn-release-'));
const registry = await openRegistry();

const program = `
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { Linear } from '@nn/layers';
import { SGD } from '@nn/optim';
setDefaultBackend(cpu());
const model = new Linear(1, 1);
const optimizer = new SGD(model, { learningRate: 0.1 });
const y = tensor([[1], [3], [5]]);
for (let step = 0; step < 200; step++) await optimizer.step(model.forward(tensor([[0], [1], [2]])).sub(y).square().mean());
console.log(Math.round(await model.forward(tensor([[10]])).item()));`;

try {
  const copy = copyRepository(join(work, 'repository'), registry.address);
  const sandbox = makeSandbox(join(work, 'home'), registry.address);
  await assertOnlyLocal(sandbox, copy);
  console.log(`npm and pnpm know one registry, ${registry.address}, and reach no other.`);

  await commit(sandbox, copy);
  const changeset = join(root, 'node_modules/.bin/changeset');
  await sandbox.run(changeset, ['version'], copy);
  const version = checkVersioned(copy);
  // Again, for versioning writes manifests: nothing leaves before this has passed.
  assertPackagesLocal(copy);
  await sandbox.run(changeset, ['publish', '--no-git-tag'], copy);
  checkPublished(version);

  await checkInstalled(sandbox, join(work, 'project'), version);
  console.log('The rehearsal is done. Nothing left this machine.');
} finally {
  await registry.close();
  rmSync(work, { recursive: true, force: true });
}

/** What a release reads: manifests, changesets, sources and builds. @param {string} copy @param {string} address */
function copyRepository(copy, address) {
  mkdirSync(copy);
  for (const name of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', '.changeset', 'LICENSE', 'README.md']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  const skipped = /[\\/](node_modules|\.turbo|fixtures|bench)$/;
  for (const name of names) {
    const folder = join(copy, 'packages', name);
    if (!existsSync(join(root, 'packages', name, 'dist/index.d.ts')))
      throw new Error(`packages/${name} is not built: npm run build.`);
    cpSync(join(root, 'packages', name), folder, { recursive: true, filter: (path) => !skipped.test(path) });
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    // The last word on where a package goes: npm and pnpm follow it before everything else.
    manifest.publishConfig.registry = address;
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  }
  writeFileSync(join(copy, '.npmrc'), settingsFor(address));
  writeFileSync(join(copy, '.gitignore'), 'node_modules\ndist\n');
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
  return copy;
}

/** changesets reads from git what is new. @param {import('./release/sandbox.mjs').Sandbox} sandbox @param {string} copy */
async function commit({ run }, copy) {
  await run('git', ['init', '--quiet', '--initial-branch=main'], copy);
  await run('git', ['add', '--all'], copy);
  const author = ['-c', 'user.name=rehearsal', '-c', 'user.email=rehearsal@localhost', '-c', 'commit.gpgsign=false'];
  await run('git', [...author, 'commit', '--quiet', '--no-verify', '-m', 'rehearsal'], copy);
}

/**
 * All packages have one version, above 0.0.0, and each has a changelog whose head is that version and that a user can read:
 * sentences, without hashes of commits and lines that only say that the others moved, too. A version in which a package did not
 * change says nothing there; its first one does. @param {string} copy @returns {string}
 */
function checkVersioned(copy) {
  const versions = new Set(
    names.map((name) => JSON.parse(readFileSync(join(copy, 'packages', name, 'package.json'), 'utf8')).version),
  );
  const [version = '0.0.0'] = versions;
  if (versions.size !== 1 || version === '0.0.0') throw new Error(`the versions are ${[...versions].join(', ')}.`);
  for (const name of names) {
    const path = join(copy, 'packages', name, 'CHANGELOG.md');
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const [head, ...releases] = text.split(/^## /m);
    const newest = releases[0] ?? '';
    const wrong =
      head?.trim() !== `# @nn/${name}` || !newest.startsWith(`${version}\n`)
        ? `begins with ${JSON.stringify(text.slice(0, 60))}`
        : releases
              .join('')
              .replace(/^[\d.]+$|^### \w+ Changes$/gm, '')
              .trim().length < 60
          ? 'says nothing'
          : /Updated dependencies|\b[0-9a-f]{7,40}:/.test(newest)
            ? 'tells of commits and of other packages'
            : null;
    if (wrong !== null) throw new Error(`packages/${name}/CHANGELOG.md ${wrong}.`);
  }
  console.log(`versioned ${names.length} packages as ${version}, each with its changelog`);
  return version;
}

/** Every package is there, in the version that its changesets ask for, with nothing of the workspace left inside. @param {string} version */
function checkPublished(version) {
  for (const name of names) {
    const published = registry.packages.get(`@nn/${name}`)?.versions[version];
    if (!published) throw new Error(`@nn/${name} ${version} was not published.`);
    const text = JSON.stringify(published);
    for (const left of ['workspace:', 'catalog:', '@nn/source']) {
      if (text.includes(left)) throw new Error(`@nn/${name}: the published manifest still says ${left}`);
    }
    console.log(`published @nn/${name} ${version}`);
  }
}

/** @param {import('./release/sandbox.mjs').Sandbox} sandbox @param {string} project @param {string} version */
async function checkInstalled({ run }, project, version) {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  writeFileSync(join(project, '.npmrc'), settingsFor(registry.address));
  writeFileSync(join(project, 'train.mjs'), program);
  const installed = names.map((name) => `@nn/${name}`);
  await run('npm', ['install', '--no-audit', '--no-fund', ...installed], project);
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
  const found = Object.entries(packages).filter(([path]) => path !== '');
  if (found.length !== installed.length)
    throw new Error(`installed ${found.map(([path]) => path)} instead of ${installed}.`);
  for (const [path, { resolved, version: installedVersion }] of found) {
    if (installedVersion !== version) throw new Error(`${path} is ${installedVersion}, not ${version}.`);
    if (!resolved.startsWith(registry.address)) throw new Error(`${path} came from ${resolved}.`);
  }
  const answer = (await run(process.execPath, ['train.mjs'], project)).trim();
  if (answer !== '21') throw new Error(`the installed packages computed ${answer} instead of 21.`);
  await checkCreated(run, project, version);
  console.log(`installed ${found.length} packages of ${version} from there, and trained with them.`);
}

/**
 * `npm create @nn` from there: the project that it makes asks for this version, installs it, and runs.
 * @param {import('./release/sandbox.mjs').Sandbox['run']} run @param {string} project @param {string} version
 */
async function checkCreated(run, project, version) {
  const made = join(project, 'first');
  await run('npm', ['create', '--yes', '@nn@latest', 'first', '--', '--template', 'notebook'], project);
  writeFileSync(join(made, '.npmrc'), settingsFor(registry.address));
  await run('npm', ['install', '--no-audit', '--no-fund'], made);
  const { packages } = JSON.parse(readFileSync(join(made, 'package-lock.json'), 'utf8'));
  const wrong = Object.entries(packages).filter(([path, each]) => path !== '' && each.version !== version);
  if (wrong.length > 0) throw new Error(`npm create installed ${wrong.map(([path]) => path)} in another version.`);
  const printed = await run('npm', ['start', '--silent'], made);
  if (!/Right for \d/.test(printed)) throw new Error(`the project of npm create printed ${printed}`);
  console.log(`npm create @nn made a project of ${version}, which ran`);
}
