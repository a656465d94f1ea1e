/**
 * Projects of users: empty folders into which packed packages are installed by npm, as from the registry.
 * pack.ts packs them once for all files; what is done in a project is up to the tests.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { finished } from './background.ts';
import { command, manifest, root } from './commands.ts';

// Whoever needs the packages waits here until they are there.
await finished(inject('packed'));

/** The folders in packages/: core, backend-cpu ... */
export const names: readonly string[] = readdirSync(join(root, 'packages')).sort();

/** The packed package. */
export function tarball(name: string): string {
  return join(inject('tarballs'), `nn-${name}-${manifest(join(root, 'packages', name)).version}.tgz`);
}

/** The project with every package in it, shared by all tests: they only add files of their own. */
export function everything(): string {
  return inject('everything');
}

/** Writes files, by their path inside the folder. */
export function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A new project with these packages of ours, gone when the test is over. */
export async function project(packages: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'nn-project-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  write(folder, { 'package.json': '{ "private": true }\n' });
  await install(folder, packages.map(tarball));
  return folder;
}

/** Installs without running scripts: what needs them is not what we want users to need. */
export async function install(folder: string, what: readonly string[]): Promise<void> {
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await command('npm', ['install', ...quiet, ...what], { cwd: folder });
}
