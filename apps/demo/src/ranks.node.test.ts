/** The digits of the demo on two ranks, as the guide starts them: by threads, and by MPI where it is installed. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { digits, encodeIdx } from '@nn/data';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtProgram, type Ended, resultOf } from './program-tests.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-demo-ranks-'));
beforeAll(() => {
  mkdirSync(join(folder, 'data'));
  for (const [part, count, seed] of [
    // the last batch has one sample, so that a rank has none
    ['train', 201, 1],
    ['t10k', 50, 2],
  ] as const) {
    const { inputs, targets } = digits(count, { seed }).fields;
    const path = join(folder, 'data', part);
    writeFileSync(`${path}-images-idx3-ubyte`, encodeIdx({ data: inputs.data, shape: [count, 28, 28] }));
    writeFileSync(`${path}-labels-idx1-ubyte`, encodeIdx({ data: Uint8Array.from(targets.data), shape: [count] }));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the program to its end. */
function run(before: readonly string[], ...more: string[]): Promise<Ended> {
  const args = ['--task', 'digits', '--data', 'data', '--batch-size', '20', '--seed', '3', '--json', ...more];
  const [command, ...rest] = [...before, process.execPath, builtProgram(), ...args];
  const child = spawn(command!, rest, { cwd: folder, env: { ...process.env, INIT_CWD: folder }, timeout: 90_000 });
  let [out, error] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    error += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, error })));
}

const times = (text: string, part: RegExp): number => [...text.matchAll(part)].length;

const once = [/Test accuracy/g, /epoch 12\/12 .*validation/g, /Saved/g, /Done in/g, /"task":"digits"/g];

test('threads print once, save once, and read digits', async () => {
  const { code, out, error } = await run([], '--workers', '2', '--epochs', '12', '--output', 'threads');
  expect([code, error]).toEqual([0, '']);
  expect(out).toContain('seed 3, 2 ranks by workers');
  for (const part of once) expect(times(out, part)).toBe(1);
  // 50 drawn digits, which it never saw
  expect(resultOf(out).figures.accuracy).toBeGreaterThan(0.6);
  expect(readdirSync(join(folder, 'threads'))).toEqual(['digits.safetensors']);
  // the same bits each time
  await run([], '--workers', '2', '--epochs', '12', '--output', 'again');
  const [one, other] = ['threads', 'again'].map((name) => readFileSync(join(folder, name, 'digits.safetensors')));
  expect(one!.equals(other!)).toBe(true);
});

test('a task for one process says so', async () => {
  const { code, out, error } = await run([], '--workers', '2', '--task', 'titanic', '--data', 'data');
  expect([code, out]).toEqual([1, '']);
  expect(error).toBe('--task titanic runs in one process; together several train digits: --task digits.\n');
});

describe.skipIf(spawnSync('mpirun.openmpi', ['--version']).status !== 0)('with MPI', () => {
  const mpirun = ['mpirun.openmpi', '--allow-run-as-root', '--oversubscribe', '-np', '2'];

  test('mpirun -np 2 prints once, saves once, and reads digits', async () => {
    const { code, out, error } = await run(mpirun, '--epochs', '12', '--output', 'mpi');
    expect([code, error]).toEqual([0, '']);
    expect(out).toMatch(/seed 3, 2 ranks by MPI \(Open MPI [\d.]+\)/);
    for (const part of once) expect(times(out, part)).toBe(1);
    expect(resultOf(out).figures.accuracy).toBeGreaterThan(0.6);
    expect(existsSync(join(folder, 'mpi/digits.safetensors'))).toBe(true);
  });

  test('a mistake is one line, and ends all', async () => {
    const { code, error } = await run(mpirun, '--epoch', '2');
    expect(code).not.toBe(0);
    expect(times(error, /There is no option --epoch: do you mean --epochs\?/g)).toBe(1);
  });
});
