import { spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBytes, writeFileAtomic } from './files.ts';

let folder = '';
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'nn-files-'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

describe('writeFileAtomic', () => {
  it('writes a file and leaves nothing else', async () => {
    await writeFileAtomic(join(folder, 'a.bin'), Uint8Array.of(1, 2, 3));
    expect(await fs.readdir(folder)).toEqual(['a.bin']);
    expect(await readBytes(join(folder, 'a.bin'))).toEqual(Buffer.of(1, 2, 3));
  });

  it('replaces the old file and keeps its permissions', async () => {
    const path = join(folder, 'a.bin');
    await fs.writeFile(path, 'old and longer');
    await fs.chmod(path, 0o640);
    await writeFileAtomic(path, Uint8Array.of(7));
    expect(await fs.readFile(path)).toEqual(Buffer.of(7));
    expect((await fs.stat(path)).mode & 0o777).toBe(0o640);
  });

  it('replaces what a link points to, not the link', async () => {
    await fs.mkdir(join(folder, 'real'));
    await fs.writeFile(join(folder, 'real', 'a.bin'), 'old');
    await fs.symlink(join(folder, 'real', 'a.bin'), join(folder, 'link'));
    await writeFileAtomic(join(folder, 'link'), Uint8Array.of(7));
    expect(await fs.readFile(join(folder, 'real', 'a.bin'))).toEqual(Buffer.of(7));
    expect((await fs.lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true);
  });

  it('leaves the old state where it cannot write', async () => {
    await expect(writeFileAtomic(join(folder, 'missing', 'a.bin'), Uint8Array.of(1))).rejects.toThrow('ENOENT');
    await fs.mkdir(join(folder, 'taken'));
    await fs.writeFile(join(folder, 'taken', 'inside'), '');
    await expect(writeFileAtomic(join(folder, 'taken'), Uint8Array.of(1))).rejects.toThrow();
    expect((await fs.readdir(folder)).sort()).toEqual(['taken']);
  });

  it('keeps writers apart that write the same file at the same time', async () => {
    const path = join(folder, 'a.bin');
    const size = 200_000;
    await Promise.all([1, 2, 3, 4].map((value) => writeFileAtomic(path, new Uint8Array(size).fill(value))));
    const bytes = await fs.readFile(path);
    expect(bytes.length).toBe(size);
    expect(bytes.every((value) => value === bytes[0])).toBe(true);
    expect(await fs.readdir(folder)).toEqual(['a.bin']);
  });

  it('shows a whole file at every moment, though the writer is killed', async () => {
    const path = join(folder, 'a.bin');
    const size = 4_000_000;
    await fs.writeFile(path, new Uint8Array(size));
    // A process that writes again and again is killed in the middle of one of its writes.
    const source = `
      import { writeFileAtomic } from ${JSON.stringify(join(import.meta.dirname, 'files.ts'))};
      for (let value = 1; ; value++) { await writeFileAtomic(${JSON.stringify(path)}, new Uint8Array(${size}).fill(value)); console.log(value); }`;
    const script = join(folder, 'writer.mts');
    await fs.writeFile(script, source);
    const writer = spawn(process.execPath, ['--conditions=@nn/source', '--import', 'tsx', script], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    writer.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    const exited = new Promise((resolve) => writer.once('exit', resolve));
    const wrote = new Promise((resolve) => writer.stdout.once('data', resolve));
    await Promise.race([wrote, exited]);
    expect(errors).toBe('');
    for (let look = 0; look < 30; look++) {
      const bytes = await fs.readFile(path);
      expect(bytes.length).toBe(size);
      expect(bytes[size - 1]).toBe(bytes[0]);
    }
    writer.kill('SIGKILL');
    await exited;
    const bytes = await fs.readFile(path);
    expect([bytes.length, bytes[size - 1]]).toEqual([size, bytes[0]]);
  });
});

describe('readBytes', () => {
  it('names the file that it cannot read', async () => {
    await expect(readBytes(join(folder, 'none.safetensors'))).rejects.toThrow(
      /none\.safetensors cannot be read: ENOENT/,
    );
    await expect(readBytes(folder)).rejects.toMatchObject({ code: 'format' });
  });
});
