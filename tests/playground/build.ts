/** Builds the page before its tests, unless the build that is there is newer than all that it is made of. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/commands.ts';

export function setup(): void {
  const page = join(root, 'apps/playground');
  const made = join(page, 'dist/index.html');
  const sources = [
    join(page, 'src'),
    join(page, 'index.html'),
    join(page, 'vite.config.ts'),
    join(page, 'package.json'),
    ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'src')),
  ];
  if (existsSync(made) && statSync(made).mtimeMs > Math.max(...sources.map(newest))) return;
  execFileSync(join(root, 'node_modules/.bin/vite'), ['build', page, '--logLevel', 'error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    // vitest's own would make it a build for tests
    env: { ...process.env, NODE_ENV: 'production' },
  });
}

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
