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
  assertPackagesLocal(copy);
  await sandbox.run(changeset, ['publish', '--no-git-tag'], copy);
  checkPublished(copy);

  await checkInstalled(sandbox, join(work, 'project'));
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

/** Every package is there, in the version that its changesets ask for, with nothing of the workspace left inside. @param {string} copy */
function checkPublished(copy) {
  for (const name of names) {
    const { version } = JSON.parse(readFileSync(join(copy, 'packages', name, 'package.json'), 'utf8'));
    const published = registry.packages.get(`@nn/${name}`)?.versions[version];
    if (!published) throw new Error(`@nn/${name} ${version} was not published.`);
    const text = JSON.stringify(published);
    for (const left of ['workspace:', 'catalog:', '@nn/source']) {
      if (text.includes(left)) throw new Error(`@nn/${name}: the published manifest still says ${left}`);
    }
    console.log(`published @nn/${name} ${version}`);
  }
}

/** @param {import('./release/sandbox.mjs').Sandbox} sandbox @param {string} project */
async function checkInstalled({ run }, project) {
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
  for (const [path, { resolved }] of found) {
    if (!resolved.startsWith(registry.address)) throw new Error(`${path} came from ${resolved}.`);
  }
  const answer = (await run(process.execPath, ['train.mjs'], project)).trim();
  if (answer !== '21') throw new Error(`the installed packages computed ${answer} instead of 21.`);
  console.log(`installed ${found.length} packages from there, and trained with them.`);
}
