/** The folder of the output is made before anything is trained, or refused in one line. */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openOutput } from './output-folder.ts';

test('folders are made, and a file in the way is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nn-output-'));
  try {
    await openOutput(join(folder, 'a', 'b'));
    await openOutput(join(folder, 'a', 'b'));
    expect(statSync(join(folder, 'a', 'b')).isDirectory()).toBe(true);
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(openOutput(file)).rejects.toThrow(`--output ${file}: there is a file of this name: name a folder.`);
    await expect(openOutput(join(file, 'c'))).rejects.toThrow('there is a file of this name: name a folder.');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.skipIf(!existsSync('/proc/self'))(
  'a folder that takes no folders is refused, and not tried for ever',
  async () => {
    const refused = openOutput('/proc/nowhere/output');
    await expect(refused).rejects.toThrow('--output /proc/nowhere/output: nothing can be written there: ENOENT');
  },
);
