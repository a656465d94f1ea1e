/** Sources over files of Node's: archives that Python wrote, damaged ones, and packed lines from a stream. */
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { byteRange, openFile } from './byte-range.ts';
import { folderSamples } from './folders.ts';
import { tarSamples } from './tar.ts';
import { lineStream, textLines } from './text-lines.ts';

const fixture = (name: string): string => join(import.meta.dirname, `../../fixtures/samples-${name}.tar`);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const folder = mkdtempSync(join(tmpdir(), 'nn-sources-'));
const long = 'a-folder-with-a-long-name/'.repeat(5);

/** A file of an archive by POSIX.1-1988: name, size, sum of the header's bytes, kind, and the body in units of 512 bytes. */
function entry(name: string, kind: string, body = ''): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(body.length.toString(8).padStart(11, '0'), 124);
  header.write('        ', 148);
  header.write(kind, 156);
  const sum = header.reduce((a, b) => a + b, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, Buffer.from(body.padEnd(Math.ceil(body.length / 512) * 512, '\0'))]);
}
const end = Buffer.alloc(1024);
const tar = (...entries: Buffer[]): Uint8Array => new Uint8Array(Buffer.concat(entries));

describe('tarSamples', () => {
  it.each(['ustar', 'pax', 'gnu'])('reads what Python wrote as %s', async (format) => {
    const file = await openFile(fixture(format));
    const samples = await tarSamples([file, byteRange(readFileSync(fixture('ustar')))]);
    const count = format === 'ustar' ? 3 : 5;
    expect([samples.length, [...samples.blocks]]).toEqual([count + 3, [0, count]]);
    const read = [];
    for (let i = 0; i < samples.length; i++) read.push(await samples.get(i));
    const plain = read.map(({ key, files }) => [
      key,
      ...Object.entries(files).map(([name, body]) => `${name}: ${decode(body)}`),
    ]);
    const first = [
      ['train/0000', 'cls: 0', 'txt: '],
      ['train/0001', 'cls: 1', `txt: ${'text 1 '.repeat(100)}`],
      [`${long}0002`, 'cls: 2', 'seg.txt: two'],
    ];
    const more = [
      [`${long}${'x'.repeat(120)}`, 'cls: 3'],
      ['grüße/é', 'cls: 4'],
    ];
    expect(plain).toEqual([...first, ...(format === 'ustar' ? [] : more), ...first]);
    await expect(samples.get(count + 3)).rejects.toThrow(
      `tarSamples: there is no sample ${count + 3} among ${count + 3}.`,
    );
    await file.close();
  });

  it('refuses what is damaged, cut off, packed, or holds a file twice', async () => {
    const bytes = new Uint8Array(readFileSync(fixture('ustar')));
    const failing = async (changed: Uint8Array) =>
      tarSamples([byteRange(changed)], { names: ['a.tar'] }).catch((error: Error) => error.message);
    const damaged = bytes.slice();
    damaged[512 + 3] = 88;
    expect(await failing(damaged)).toBe(
      'tarSamples: a.tar: byte 512: the header has another checksum; this is no tar, or damaged.',
    );
    expect(await failing(bytes.subarray(0, 700))).toBe(
      'tarSamples: a.tar: byte 512: the file ends within a header; it is cut off.',
    );
    expect(await failing(bytes.subarray(0, 1024))).toBe(
      'tarSamples: a.tar: byte 512: the file goes on behind the end; it is cut off.',
    );
    expect(await failing(new Uint8Array(gzipSync(bytes)))).toBe(
      'tarSamples: a.tar: byte 0: this is packed by gzip: unpack it first, byteRange(await gunzip(bytes)).',
    );
    const twice = new Uint8Array([...bytes.subarray(512, 1536), ...bytes.subarray(512)]);
    expect(await failing(twice)).toBe('tarSamples: a.tar has train/0000.cls twice.');
    const [train, file] = [entry('train/', '5'), entry('train/0000.txt', '0', 'plum')];
    expect(await failing(tar(train, file).subarray(0, -1))).toBe(
      'tarSamples: a.tar: byte 1535: the file ends within the last 512 bytes of an entry; it is cut off.',
    );
    expect(await failing(tar(train, entry('pax', 'x', '19 path=train/0.txt\n')))).toBe(
      'tarSamples: a.tar: byte 1536: the file ends where an entry that was announced begins; it is cut off.',
    );
    // What GNU tar writes with --sparse: by a kind of its own, or, in the forms of pax, by records before the file.
    const holes = 'train/0000.txt is stored with holes: pack it anew without --sparse.';
    expect(await failing(tar(entry('train/0000.txt', 'S', 'plum'), end))).toBe(`tarSamples: a.tar: byte 0: ${holes}`);
    const records = entry('pax', 'x', '22 GNU.sparse.major=1\n');
    expect(await failing(tar(records, file, end))).toBe(`tarSamples: a.tar: byte 1024: ${holes}`);
  });

  it('reads archives without an end, as some writers of streams leave them', async () => {
    const cut = (name: string): Uint8Array => {
      const bytes = new Uint8Array(readFileSync(fixture(name)));
      // the fixtures end with as many empty bytes as fill the last 10,240
      let last = bytes.length;
      while (bytes.subarray(last - 512, last).every((byte) => byte === 0)) last -= 512;
      return bytes.subarray(0, last);
    };
    for (const format of ['ustar', 'pax', 'gnu']) {
      const samples = await tarSamples([byteRange(cut(format))]);
      expect(samples.length).toBe(format === 'ustar' ? 3 : 5);
      const { files } = await samples.get(samples.length - 1);
      expect(Object.keys(files)).toEqual(format === 'ustar' ? ['cls', 'seg.txt'] : ['cls']);
    }
  });

  it('knows folders of old archives, which are files whose names end with a slash', async () => {
    const samples = await tarSamples([
      byteRange(tar(entry('train/', '\0'), entry('train/0000.txt', '\0', 'plum'), end)),
    ]);
    expect([samples.length, (await samples.get(0)).key]).toEqual([1, 'train/0000']);
  });
});

it('textLines and lineStream read files, also packed ones', async () => {
  const text = Array.from({ length: 4000 }, (_, i) => `line ${i}`).join('\n');
  writeFileSync(join(folder, 'a.txt'), text);
  writeFileSync(join(folder, 'a.txt.gz'), gzipSync(text));
  const file = await openFile(join(folder, 'a.txt'));
  const lines = await textLines(file);
  expect([lines.length, await lines.get(3999)]).toEqual([4000, 'line 3999']);
  const streamed: string[] = [];
  for await (const line of lineStream(1, () => createReadStream(join(folder, 'a.txt.gz'))).open(0, 0))
    streamed.push(line);
  expect(streamed).toEqual(text.split('\n'));
  writeFileSync(join(folder, 'a.txt'), 'cut');
  const again = await textLines(file, { index: lines.index });
  await expect(again.get(3999)).rejects.toThrow('the file is shorter.');
  await file.close();
  await expect(openFile(join(folder, 'none'))).rejects.toThrow('ENOENT');
  await expect(openFile(undefined as unknown as string)).rejects.toThrow(
    'openFile: takes the path of a file, got undefined.',
  );
  await expect(openFile('')).rejects.toThrow('openFile: takes the path of a file, got an empty text.');
});

describe('openFile', () => {
  it('takes files, and says what folders, devices and closed ones are', async () => {
    await expect(openFile(folder)).rejects.toThrow('is a folder: folderSamples takes those.');
    await expect(openFile('/dev/null')).rejects.toThrow('openFile: /dev/null is a pipe or a device, which has no size');
    const path = join(folder, 'closed.txt');
    writeFileSync(path, 'plum\n');
    const file = await openFile(path);
    const lines = await textLines(file);
    await file.close();
    await expect(lines.get(0)).rejects.toThrow('closed.txt was closed; close it after the last batch.');
  });
});

describe('folderSamples', () => {
  it('follows links, but not in circles, and passes over none that leads nowhere', async () => {
    const [root, elsewhere] = [join(folder, 'linked'), join(folder, 'elsewhere')];
    for (const at of [join(root, 'ants'), elsewhere]) mkdirSync(at, { recursive: true });
    writeFileSync(join(elsewhere, '1.jpg'), 'one');
    symlinkSync(join(elsewhere, '1.jpg'), join(root, 'ants/a.jpg'));
    symlinkSync(elsewhere, join(root, 'bees'));
    symlinkSync(root, join(elsewhere, 'round'));
    symlinkSync(join(folder, 'nowhere.jpg'), join(root, 'ants/b.jpg'));
    const samples = await folderSamples(root);
    expect([samples.length, samples.classes]).toEqual([3, ['ants', 'bees']]);
    const [a, bee] = await Promise.all([samples.get(0), samples.get(2)]);
    expect([a.path, decode(a.bytes), bee.path, bee.label]).toEqual(['ants/a.jpg', 'one', 'bees/1.jpg', 1]);
    await expect(samples.get(1)).rejects.toThrow('ants/b.jpg');
    await expect(folderSamples(root, { extensions: 'jpg' as never })).rejects.toThrow(
      'extensions is a list of endings',
    );
  });

  it('takes a folder for each class, in an order that is the same everywhere', async () => {
    const root = join(folder, 'photos');
    for (const [path, text] of [
      ['train/bees/b.JPG', 'bee'],
      ['train/ants/2.jpg', 'ant 2'],
      ['train/ants/10.jpg', 'ant 10'],
      ['train/ants/notes.txt', 'no picture'],
      ['train/.cache/x.jpg', 'hidden'],
    ] as const) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const samples = await folderSamples(join(root, 'train'), { extensions: ['jpg'] });
    expect([samples.length, samples.classes, [...samples.labels]]).toEqual([3, ['ants', 'bees'], [0, 0, 1]]);
    const read = await Promise.all([0, 1, 2].map((index) => samples.get(index)));
    expect(read.map(({ path, bytes, label }) => [path, decode(bytes), label])).toEqual([
      ['ants/10.jpg', 'ant 10', 0],
      ['ants/2.jpg', 'ant 2', 0],
      ['bees/b.JPG', 'bee', 1],
    ]);
    await expect(samples.get(3)).rejects.toThrow('folderSamples: there is no sample 3 among 3.');
    await expect(folderSamples(root, { extensions: ['.png'] })).rejects.toThrow(
      'folderSamples: there is no file that ends with .png in ',
    );
    await expect(folderSamples(join(root, 'train/ants'))).rejects.toThrow(
      'folderSamples: 10.jpg stands in no folder, which would be its class.',
    );
  });
});
