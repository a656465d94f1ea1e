/**
 * Killed by kill -9 at any moment, a run that is resumed ends with the same files, bit for bit: parameters, history, logs, the
 * best model. NN_KILLS=40 tries so many moments, spread over all of them; each is two processes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const kills = Number(process.env.NN_KILLS ?? 3);
let home = '';
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'nn-resume-'));
  await build({
    entryPoints: [join(import.meta.dirname, 'resume-run-tests.ts')],
    outfile: join(home, 'worker.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@nn/source'],
    logLevel: 'error',
  });
});
afterAll(() => rmSync(home, { recursive: true }));

/** Runs in a folder; answers the signal that ended it, and what it printed. */
function run(name: string, killAt?: number): { readonly signal: string | null; readonly text: string } {
  const folder = join(home, name);
  const { signal, stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(home, 'worker.mjs'), folder, ...(killAt === undefined ? [] : [String(killAt)])],
    { encoding: 'utf8' },
  );
  if (signal === null && status !== 0) throw new Error(stderr);
  return { signal, text: stdout };
}

/** All files of a folder by name. */
function filesOf(name: string): Map<string, Buffer> {
  const folder = join(home, name);
  return new Map(
    readdirSync(folder)
      .sort()
      .map((file) => [file, readFileSync(join(folder, file))]),
  );
}

test(`ends with the same files after ${kills} kills`, { timeout: 60_000 + kills * 20_000 }, () => {
  const whole = Number(run('whole').text);
  const expected = filesOf('whole');
  expect([...expected.keys()]).toEqual([
    ...['best.safetensors', 'checkpoint.safetensors', 'events.out.tfevents.0.nn', 'run.csv', 'run.jsonl'],
    ...['step-18.safetensors', 'step-21.safetensors'],
  ]);
  for (let kill = 0; kill < kills; kill++) {
    const moment = 1 + Math.floor(((kill + 0.5) * whole) / kills);
    const name = `killed-${moment}`;
    expect(run(name, moment).signal).toBe('SIGKILL');
    run(name);
    const files = filesOf(name);
    expect([name, ...files.keys()]).toEqual([name, ...expected.keys()]);
    for (const [file, bytes] of files)
      expect([name, file, bytes.equals(expected.get(file)!)]).toEqual([name, file, true]);
    rmSync(join(home, name), { recursive: true });
  }
});
