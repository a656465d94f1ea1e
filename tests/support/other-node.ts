/**
 * A second Node, so that packages are tried in both versions that we support: 24 while the tests run in 20, and the
 * other way round. It comes from the npm package `node`, once, into node_modules/.cache.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { command, root } from './commands.ts';

const versions = { 20: '20.20.2', 24: '24.21.0' } as const;

/** The path of the other Node's program. */
export async function otherNode(): Promise<string> {
  const version = process.versions.node.startsWith('24.') ? versions[20] : versions[24];
  const folder = join(root, 'node_modules/.cache', `node-${version}`);
  const program = join(folder, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(program)) {
    await mkdir(folder, { recursive: true });
    // Its install script is what fetches the program; nothing else is installed here.
    const parameters = ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', folder, `node@${version}`];
    await command('npm', parameters, { cwd: folder });
    // 100 MB that nobody needs: headers, npm and the documentation.
    for (const extra of ['include', 'lib', 'share'])
      await rm(join(folder, 'node_modules/node', extra), { recursive: true, force: true });
  }
  return program;
}
