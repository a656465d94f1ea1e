/** Worker threads, in a process as users have it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('threads make the batches that the process makes, and let it end', async () => {
  const parameters = ['--conditions=@nn/source', '--import', 'tsx', join(import.meta.dirname, 'worker-run-tests.ts')];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { timeout: 60_000 });
  const { own, theirs } = JSON.parse(stdout);
  expect(own).toHaveLength(6);
  expect(theirs).toEqual(own);
});
