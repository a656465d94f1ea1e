/** Runs the program for tests as users do: in a process of its own, built from source, without a terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { buildSync } from 'esbuild';

const root = join(import.meta.dirname, '../../..');
let built = '';

/**
 * The program and the sources of all packages as one file, made once for all tests of a process: it starts in a quarter of a
 * second, where a loader that translates module by module takes three.
 */
export function builtProgram(): string {
  if (built !== '') return built;
  // Where koffi, which is not bundled, is found. It stays: the next run of the tests writes it anew.
  const folder = join(root, 'packages/distributed/node_modules/.nn-demo', process.env.VITEST_POOL_ID ?? '1');
  const outfile = join(folder, 'src/main.mjs');
  buildSync({
    entryPoints: [join(import.meta.dirname, 'main.ts')],
    outfile,
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' },
    conditions: ['@nn/source'],
    external: ['koffi', 'gpu.js', 'webgpu', 'gl'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  built = outfile;
  return built;
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** Starts the program; relative paths start from `folder`. `onOutput` sees all that was printed so far. */
export function startProgram(
  args: readonly string[],
  folder: string,
  onOutput: (text: string, child: ChildProcess) => void = () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, [builtProgram(), ...args], {
    cwd: root,
    env: { ...process.env, INIT_CWD: folder },
  });
  let out = '';
  let error = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
    onOutput(out, child);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    error += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, error })));
}

/** The line of JSON that `--json` prints. */
export function resultOf(out: string): {
  readonly task: string;
  readonly seed: number;
  readonly data: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly baselines: Readonly<Record<string, number>>;
} {
  return JSON.parse(out.split('\n').find((line) => line.startsWith('{"task"')) ?? 'null');
}
