/** The runner of mutations: what it calls killed, what it draws, and that it leaves the repository as it is. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { faultsOf, mutated, readMutations, root, shuffled } from './mutations.mjs';

const clipping = {
  file: 'packages/optim/src/clipping.ts',
  find: 'norm.add(1e-6).reciprocal()',
  put: 'norm.reciprocal()',
  test: 'packages/optim/src/clipping.test.ts',
  killedBy: '[Function clipByNorm] scales by limit / (norm + 1e-6), as PyTorch does',
};
/** A comment is changed: no test can notice. */
const harmless = { ...clipping, find: "PyTorch's `clip_grad_norm_` uses", put: 'PyTorch uses' };

function listOf(...mutations: readonly object[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'nn-mutation-list-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'list.json'), JSON.stringify(mutations));
  return folder;
}

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the command; `seen` may end it at a line. */
function run(parameters: readonly string[], seen: (output: string, kill: () => void) => void = () => {}): Promise<Run> {
  return new Promise((resolve) => {
    // What it makes lies in a folder that goes with the test, whatever ends it.
    const folder = mkdtempSync(join(tmpdir(), 'nn-mutation-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const child = spawn(process.execPath, ['scripts/mutations/main.mjs', ...parameters], {
      cwd: root,
      env: { ...process.env, TMPDIR: folder },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += data;
        seen(output, () => child.kill('SIGKILL'));
      });
    }
    child.on('close', (code) => resolve({ code, output }));
  });
}

test('what a test notices is killed, what none does has survived, and the sources stay as they are', async () => {
  const before = readFileSync(join(root, clipping.file), 'utf8');
  const { code, output } = await run(['--list', listOf(clipping, harmless)]);
  expect(output).toContain(`killed    ${clipping.file}: "${clipping.find}"`);
  expect(output).toContain(`SURVIVED  ${harmless.file}: "${harmless.find}"`);
  expect(output).toContain('2 of 2 tried, 1 killed, 1 survived.');
  expect(code).toBe(1);
  expect(readFileSync(join(root, clipping.file), 'utf8')).toBe(before);
}, 120_000);

test('killed in the middle, it leaves no changed source behind', async () => {
  const before = readFileSync(join(root, clipping.file), 'utf8');
  const { code, output } = await run(['--list', listOf(clipping, harmless)], (text, kill) => {
    if (text.includes('trying')) kill();
  });
  expect([code, output.includes('tried')]).toEqual([null, false]);
  expect(readFileSync(join(root, clipping.file), 'utf8')).toBe(before);
}, 120_000);

test('a sample follows from the commit, and another commit has another one', () => {
  const all = readMutations();
  expect(shuffled(all, 'a')).toEqual(shuffled(all, 'a'));
  expect(shuffled(all, 'a')).not.toEqual(shuffled(all, 'b'));
  expect(new Set(shuffled(all, 'a'))).toEqual(new Set(all));
});

test('a list that does not fit the sources is refused', () => {
  const faults = faultsOf([
    clipping,
    clipping,
    { ...clipping, find: 'const nothing', killedBy: 'x' },
    { ...clipping, test: 'packages/optim/src/nothing.test.ts' },
    { ...clipping, file: 'packages/optim/src/nothing.ts' },
    { ...clipping, put: clipping.find },
    { ...harmless, killedBy: '' },
  ]);
  expect(faults).toEqual([
    expect.stringContaining('is listed twice.'),
    'packages/optim/src/clipping.ts: "const nothing" stands there 0 times, not once: change the mutation with the code, or delete it where the code is gone.',
    expect.stringContaining('is listed twice.'),
    'packages/optim/src/nothing.ts does not exist.',
    expect.stringContaining('changes nothing.'),
    expect.stringContaining('names no test: --record finds it.'),
  ]);
  expect(() => mutated({ ...clipping, find: 'norm' })).toThrow('times, not once');
});

test('the list fits the sources', () => {
  expect(faultsOf(readMutations())).toEqual([]);
});
