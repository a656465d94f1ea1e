/** Starts programs of these tests on several ranks: in threads, or by the launchers of MPI that there are. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { buildSync } from 'esbuild';

/** The launchers of MPI that are installed. */
export const launchers: readonly string[] = ['mpirun.openmpi', 'mpirun.mpich'].filter(
  (name) => spawnSync(name, ['--version']).status === 0,
);

/** What a launcher needs to start more processes than there are cores, and as root. */
export const switches = (launcher: string): string[] =>
  launcher === 'mpirun.openmpi' ? ['--allow-run-as-root', '--oversubscribe'] : [];

/** What runs a program on every rank. */
export interface Program {
  /** The command: Node and the program's file. */
  readonly node: readonly string[];
  /** Of the file, and for what the program writes. */
  readonly folder: string;
  remove(): void;
}

/**
 * A program of this folder, or one that is given as text, bundled from the sources into one file, so that a rank starts in a
 * fraction of a second. The file lies where `koffi` is found.
 */
export function programOf(source: { readonly name: string } | { readonly text: string }): Program {
  const folder = mkdtempSync(join(import.meta.dirname, '../node_modules/.nn-ranks-'));
  const file = join(folder, 'ranks.mjs');
  buildSync({
    ...('name' in source
      ? { entryPoints: [join(import.meta.dirname, source.name)] }
      : { stdin: { contents: source.text, loader: 'ts', resolveDir: import.meta.dirname } }),
    outfile: file,
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' },
    conditions: ['@nn/source'],
    external: ['koffi'],
  });
  return { node: [process.execPath, file], folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** Runs a command to its end, which comes within a minute and a half. */
export function runCommand(
  command: string,
  parameters: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string; readonly error: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { timeout: 90_000 });
    let [output, error] = ['', ''];
    child.stdout.on('data', (text) => {
      output += text;
    });
    child.stderr.on('data', (text) => {
      error += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, error }));
  });
}
