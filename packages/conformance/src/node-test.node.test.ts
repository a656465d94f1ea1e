/** The adapter for node:test, run by Node's own runner in a process of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Runs a test file next to this one, from source; gives its output in TAP form. */
async function run(source: string): Promise<string> {
  // inside of the package, so that its imports are found
  const folder = await mkdtemp(join(here, '../node-test-'));
  try {
    const file = join(folder, 'kit.test.ts');
    await writeFile(file, source);
    const flags = ['--conditions=@nn/source', '--import', 'tsx', '--test', '--test-reporter=tap', file];
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
    return await new Promise((resolve) => {
      execFile(process.execPath, flags, { cwd: folder, env }, (_error, output, errors) => resolve(output + errors));
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('runs every case of the kit as a test, and skips what the limits exclude', async () => {
  const output = await run(`
    import { testConformance } from '@nn/conformance/node-test';
    import { reference } from '@nn/conformance';
    const lacks = { profile: 'no clock' };
    testConformance('small', () => reference({ limits: { inPlace: false } }), { lacks, groups: ['contract'] });
  `);
  expect(output).toMatch(/ok \d+ - an upload copies before it returns/);
  expect(output).toMatch(/ok \d+ - a box goes on top of its base # SKIP limits.inPlace is false/);
  expect(output).toMatch(/# fail 0/);
  expect(Number(/# pass (\d+)/.exec(output)?.[1])).toBeGreaterThan(30);
});

test('reports a case that fails', async () => {
  const output = await run(`
    import { testConformance } from '@nn/conformance/node-test';
    import { reference } from '@nn/conformance';
    const oracle = reference();
    const broken = { ...oracle, name: 'broken', limits: oracle.limits,
      upload: (data, type) => oracle.upload(data.map((x) => x + 1), type),
      download: (x) => oracle.download(x), release: (x) => oracle.release(x),
      compile: (p) => oracle.compile(p), idle: () => oracle.idle() };
    testConformance('broken', () => broken, { groups: ['contract'] });
  `);
  expect(output).toMatch(/not ok \d+ - a download is a copy/);
  expect(output).toContain('the result: element 0 is 2, 1 is right');
});
