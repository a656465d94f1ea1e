/** Runs for tests the programs that the page writes: each in a process of its own, in its folder. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { buildSync } from 'esbuild';

/**
 * Runs the TypeScript of a folder as `tsx` would. What it imports of the packages is put into one file with it, which takes half a
 * second; tsx, which translates each of their modules when it is imported, takes three.
 */
export function runProgram(
  folder: string,
  name: string,
  args: readonly string[] = [],
): { readonly stdout: string; readonly stderr: string; readonly status: number | null } {
  const outfile = join(folder, name.replace(/\.mts$/, '.built.mjs'));
  buildSync({
    entryPoints: [join(folder, name)],
    outfile,
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' },
    conditions: ['@nn/source'],
  });
  return spawnSync(process.execPath, [outfile, ...args], { cwd: folder, encoding: 'utf8' });
}
