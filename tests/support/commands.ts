/**
 * Running programs for the tests of the packages: from a clean environment, with their output in the error when they fail.
 * It knows nothing about packages; install.ts does.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export const root: string = join(import.meta.dirname, '../..');

/** Without what npm and pnpm tell their scripts, or the commands would run with the settings of this repository. */
export const environment: Record<string, string> = Object.fromEntries(
  Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(npm_|pnpm_|node_options|node_path|vitest|test$)/i.test(entry[0]),
  ),
);

/** What the program prints. Throws with all of its output when it fails. */
export async function command(
  program: string,
  parameters: readonly string[],
  { cwd = root, env = environment }: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<string> {
  try {
    const shell = process.platform === 'win32';
    const { stdout } = await execute(program, parameters, { cwd, env, shell, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${parameters.join(' ')} failed:\n${stdout ?? ''}${stderr || error}`);
  }
}

/** A program of this repository's node_modules. */
export function tool(
  name: string,
  parameters: readonly string[],
  cwd: string = root,
  env: Record<string, string> = environment,
): Promise<string> {
  return command(join(root, 'node_modules/.bin', name), parameters, { cwd, env });
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly exports: Record<string, unknown>;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly scripts?: Record<string, string>;
}

export function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
