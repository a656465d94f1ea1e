import { execFile, spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readBytes, writeFileAtomic, writeInOrder } from './files.ts';
import { forget, temporaryName } from './leftovers.ts';

let folder = '';
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'nn-files-'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

describe('writeFileAtomic', () => {
  it('writes a file and leaves nothing else', async () => {
    await writeFileAtomic(join(folder, 'a.bin'), Uint8Array.of(1, 2, 3));
    expect(await fs.readdir(folder)).toEqual(['a.bin']);
    expect(await readBytes('load', join(folder, 'a.bin'))).toEqual(Uint8Array.of(1, 2, 3));
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
    const path = join(folder, 'missing', 'a.bin');
    await expect(writeFileAtomic(path, Uint8Array.of(1))).rejects.toThrow(
      `writeFileAtomic: ${path} cannot be written: there is no folder ${join(folder, 'missing')}; create it first: await mkdir(folder, { recursive: true }).`,
    );
    await fs.mkdir(join(folder, 'taken'));
    await fs.writeFile(join(folder, 'taken', 'inside'), '');
    for (const [wrong, given] of [
      [undefined, 'undefined'],
      ['', "''"],
      [3, '3'],
    ] as const) {
      await expect(Reflect.apply(writeFileAtomic, undefined, [wrong, Uint8Array.of(1)])).rejects.toThrow(
        `writeFileAtomic: the path of the file comes first, got ${given}: 'model.safetensors'.`,
      );
    }
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

  it('writes in the order of the calls, however long the bytes take, and goes on after a failure', async () => {
    const path = join(folder, 'a.bin');
    for (let round = 0; round < 10; round++) {
      const later = (value: number, wait: number): Promise<Uint8Array> =>
        new Promise((resolve) => setTimeout(() => resolve(Uint8Array.of(value)), wait));
      const failing = writeInOrder(path, Promise.reject(new Error('no bytes')));
      await Promise.all([
        writeInOrder(path, later(1, 20)),
        expect(failing).rejects.toThrow('no bytes'),
        writeInOrder(join(folder, '.', 'a.bin'), later(2, 5)),
        writeFileAtomic(path, Uint8Array.of(3)),
      ]);
      expect(await fs.readFile(path)).toEqual(Buffer.of(3));
    }
  });

  it('writes names as long as the system allows', async () => {
    const path = join(folder, 'n'.repeat(255));
    await writeFileAtomic(path, Uint8Array.of(1));
    await writeFileAtomic(path, Uint8Array.of(2));
    expect(await fs.readFile(path)).toEqual(Buffer.of(2));
    expect(await fs.readdir(folder)).toHaveLength(1);
    await expect(writeFileAtomic(join(folder, 'n'.repeat(256)), Uint8Array.of(1))).rejects.toThrow('ENAMETOOLONG');
  });

  it('writes what a dangling link leads to, and refuses links in a circle', async () => {
    await fs.mkdir(join(folder, 'real'));
    await fs.symlink('real/second', join(folder, 'first'));
    await fs.symlink('a.bin', join(folder, 'real', 'second'));
    await writeFileAtomic(join(folder, 'first'), Uint8Array.of(7));
    expect(await fs.readFile(join(folder, 'real', 'a.bin'))).toEqual(Buffer.of(7));
    expect((await fs.lstat(join(folder, 'first'))).isSymbolicLink()).toBe(true);
    await fs.symlink('round', join(folder, 'round'));
    await expect(writeFileAtomic(join(folder, 'round'), Uint8Array.of(1))).rejects.toThrow('leads in a circle');
  });

  it('is on the disk before it has its name', async () => {
    const builtin = process.getBuiltinModule('node:fs/promises');
    const steps: string[] = [];
    const { open, rename } = builtin;
    const spies = [
      vi.spyOn(builtin, 'open').mockImplementation(async (...all) => {
        const file = await open(...all);
        const sync = file.sync.bind(file);
        const write = file.writeFile.bind(file);
        vi.spyOn(file, 'sync').mockImplementation(() => sync().then(() => void steps.push('sync')));
        vi.spyOn(file, 'writeFile').mockImplementation((...data) =>
          write(...data).then(() => void steps.push('write')),
        );
        return file;
      }),
      vi.spyOn(builtin, 'rename').mockImplementation((...all) => rename(...all).then(() => void steps.push('rename'))),
    ];
    try {
      await writeFileAtomic(join(folder, 'a.bin'), Uint8Array.of(1));
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    // The last one is that of the folder.
    expect(steps).toEqual(['write', 'sync', 'rename', 'sync']);
  });

  it('ends on a signal at any moment before the rename, with the old file whole and nothing else there', async () => {
    const path = join(folder, 'a.bin');
    await writeFileAtomic(path, Uint8Array.of(1));
    const builtin = process.getBuiltinModule('node:fs/promises');
    const { open } = builtin;
    const large = new Uint8Array(4 * 2 ** 20);
    for (const moment of ['before', 'open', 'writeFile', 'sync', 'close'] as const) {
      const controller = new AbortController();
      const abort = (): void => controller.abort(new Error(`at ${moment}`));
      if (moment === 'before') abort();
      const spy = vi.spyOn(builtin, 'open').mockImplementation(async (...all) => {
        const file = await open(...all);
        if (moment === 'open') abort();
        else if (moment !== 'before') {
          const method = file[moment].bind(file) as () => Promise<void>;
          vi.spyOn(file, moment).mockImplementation((...given: unknown[]) => {
            const done = method(...(given as []));
            abort();
            return done;
          });
        }
        return file;
      });
      await expect(writeFileAtomic(path, large, { signal: controller.signal }), moment).rejects.toThrow(`at ${moment}`);
      spy.mockRestore();
      expect([await fs.readFile(path), await fs.readdir(folder)], moment).toEqual([Buffer.of(1), ['a.bin']]);
    }
    const late = new AbortController();
    await writeFileAtomic(path, Uint8Array.of(2), { signal: late.signal });
    late.abort();
    expect(await fs.readFile(path)).toEqual(Buffer.of(2));
  });

  it('keeps the order when a call that waits is ended, and tells that call at once', async () => {
    const path = join(folder, 'a.bin');
    let give: (bytes: Uint8Array) => void = () => undefined;
    const first = writeInOrder(
      path,
      new Promise<Uint8Array>((resolve) => {
        give = resolve;
      }),
    );
    const controller = new AbortController();
    const second = writeInOrder(path, Promise.resolve(Uint8Array.of(2)), controller.signal);
    const third = writeInOrder(path, Promise.resolve(Uint8Array.of(3)));
    controller.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    expect(await fs.readdir(folder)).toEqual([]);
    give(Uint8Array.of(1));
    await Promise.all([first, third]);
    expect(await fs.readFile(path)).toEqual(Buffer.of(3));
  });

  it('removes what killed writers of this file left, and nothing else', async () => {
    const { pid } = process;
    // A process that has ended, so that its number belongs to nobody.
    const dead = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await new Promise((resolve) => dead.once('exit', resolve));
    const name = temporaryName('a.bin');
    forget(name);
    const by = (writer: number, thread = 0, from = name): string => from.replace(`-${pid}-0-`, `-${writer}-${thread}-`);
    const stale = [name, by(dead.pid ?? 0)];
    const old = by(1, 0, temporaryName('a.bin'));
    const other = temporaryName('b.bin');
    forget(other);
    const kept = [
      by(1), // a process that runs
      by(pid, 7), // another thread of this one
      temporaryName('a.bin'), // being written
      by(dead.pid ?? 0, 0, other), // of another file
      by(dead.pid ?? 0).replace(/^(\.nn-[\da-f]{8})-[\da-f]{8}/, '$1-00000000'), // of another machine
      '.nn-mine.tmp',
    ];
    for (const each of [...stale, ...kept, old]) await fs.writeFile(join(folder, each), '');
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    await fs.utimes(join(folder, old), yesterday, yesterday);
    await writeFileAtomic(join(folder, 'a.bin'), Uint8Array.of(1));
    expect((await fs.readdir(folder)).sort()).toEqual(['a.bin', ...kept].sort());
  });

  it("writes again and again under Node's permission model", async () => {
    const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
    const flag = major > 23 || (major === 23 && minor >= 5) ? '--permission' : '--experimental-permission';
    const script = join(folder, 'writer.mjs');
    // One file without imports, as the model lets nobody transpile.
    await build({
      entryPoints: [join(import.meta.dirname, 'files.ts')],
      outfile: join(folder, 'files.mjs'),
      bundle: true,
      format: 'esm',
      conditions: ['@nn/source'],
      logLevel: 'error',
    });
    await fs.writeFile(
      script,
      `import { writeFileAtomic } from './files.mjs';
       for (let i = 0; i < 3; i++) await writeFileAtomic(${JSON.stringify(join(folder, 'a.bin'))}, Uint8Array.of(i));
       console.log('written');`,
    );
    const flags = [flag, `--allow-fs-read=${folder}`, `--allow-fs-write=${folder}`, script];
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, flags, { cwd: folder }, (_, out, errors) => resolve(out + errors));
    });
    expect(output).toContain('written');
    expect(await fs.readFile(join(folder, 'a.bin'))).toEqual(Buffer.of(2));
    expect((await fs.readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
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
  it('ends on a signal', async () => {
    const controller = new AbortController();
    const never = readBytes(
      'load',
      { arrayBuffer: () => new Promise<ArrayBuffer>(() => undefined) },
      controller.signal,
    );
    controller.abort();
    await expect(never).rejects.toMatchObject({ name: 'AbortError' });
    await expect(readBytes('load', join(folder, 'none'), AbortSignal.abort())).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('takes bytes of another realm', async () => {
    for (const bytes of runInNewContext('[new Uint8Array([1, 2]), new Uint8Array([1, 2]).buffer]')) {
      expect(await readBytes('load', bytes)).toEqual(Uint8Array.of(1, 2));
    }
  });

  it('names the file that it cannot read', async () => {
    await fs.writeFile(join(folder, 'digits.safetensors'), '');
    const failing = (path: string) => readBytes('load', path).catch((error: Error) => error.message);
    const [wrong, none] = [join(folder, 'digit.safetensor'), join(folder, 'no', 'a.bin')];
    expect(await failing(wrong)).toBe(
      `load: ${wrong} cannot be read: there is no such file: is digits.safetensors meant?`,
    );
    expect(await failing(none)).toBe(
      `load: ${none} cannot be read: there is no folder ${join(folder, 'no')}: check the path.`,
    );
    expect(await failing('a-file-that-is-not-there')).toBe(
      `load: a-file-that-is-not-there cannot be read: there is no such file; relative paths begin at ${process.cwd()}: check the path.`,
    );
    await expect(readBytes('load', none)).rejects.toMatchObject({
      ...{ kind: 'format/load/missing', data: { path: none, code: 'ENOENT' } },
    });
    await expect(readBytes('load', folder)).rejects.toMatchObject({ kind: 'format/load/folder' });
  });
});
