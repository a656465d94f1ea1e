/** Runs the program for tests as users do: in a process of its own, from source, without a terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

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
  const child = spawn(
    process.execPath,
    ['--conditions=@nn/source', '--import', 'tsx', join(import.meta.dirname, 'main.ts'), ...args],
    { cwd: root, env: { ...process.env, INIT_CWD: folder } },
  );
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
