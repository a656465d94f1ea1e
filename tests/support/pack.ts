/** Before the tests of the packages: packs every package once, and installs all of them into one project. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { begin } from './background.ts';
import { command } from './commands.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder with a .tgz of each package. */
    tarballs: string;
    /** A project that has all of them installed. */
    everything: string;
    /** The end of packing and installing. */
    packed: string;
  }
}

export function setup(tests: TestProject): () => Promise<void> {
  const tarballs = mkdtempSync(join(tmpdir(), 'nn-packages-'));
  const everything = join(tarballs, 'project');
  const { end, close } = begin(() => packAll(tarballs, everything));
  tests.provide('tarballs', tarballs);
  tests.provide('everything', everything);
  tests.provide('packed', end);
  return async () => {
    await close();
    rmSync(tarballs, { recursive: true, force: true });
  };
}

async function packAll(tarballs: string, everything: string): Promise<void> {
  await command('pnpm', ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', tarballs]);
  mkdirSync(everything);
  writeFileSync(join(everything, 'package.json'), '{ "private": true }\n');
  const packed = readdirSync(tarballs).filter((file) => file.endsWith('.tgz'));
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await command('npm', ['install', ...quiet, ...packed.map((file) => join(tarballs, file))], { cwd: everything });
}
