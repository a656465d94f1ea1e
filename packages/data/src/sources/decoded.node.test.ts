/** Files that a decoder turns into fields: from folders, lists and shards. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { byteRange } from './byte-range.ts';
import { decodedFolder, decodedList, decodedShards, type FileSource } from './decoded.ts';

const decode = async (file: FileSource, name: string) => ({ text: await new Response(file as Blob).text(), name });

it('decodedFolder gives what is decoded in place of bytes', async () => {
  const files = ['b/1.txt', 'a/1.txt', 'a/2.md'].map((path) => ({ path, file: new Blob([path.toUpperCase()]) }));
  const samples = await decodedFolder(files, decode, { extensions: ['txt'] });
  expect([samples.length, samples.classes, [...samples.labels]]).toEqual([2, ['a', 'b'], [0, 1]]);
  expect(await samples.get(1)).toEqual({ text: 'B/1.TXT', name: 'b/1.txt', path: 'b/1.txt', label: 1 });
});

describe('decodedList', () => {
  it('adds what is decoded to what an element had, and names files', async () => {
    const list = decodedList(
      [
        { file: new File(['x'], 'a.txt'), label: 4 },
        { file: new Blob(['y']), label: 5 },
      ],
      decode,
    );
    expect(await list.get(0)).toMatchObject({ text: 'x', name: 'a.txt', label: 4 });
    expect(await list.get(1)).toMatchObject({ text: 'y', name: 'file 1', label: 5 });
  });

  it('says which element there is not, in the name of who asks', async () => {
    await expect(decodedList([], decode).get(0)).rejects.toThrow('decodedList: there is no file 0 among 0.');
    const poems = decodedList([], decode, { operation: 'poemList', what: 'poem' });
    await expect(poems.get(7)).rejects.toThrow('poemList: there is no poem 7 among 0.');
  });
});

describe('decodedShards', () => {
  const shard = () => byteRange(readFileSync('packages/data/fixtures/samples-ustar.tar'));

  it('decodes one file of each sample and keeps the others', async () => {
    const samples = await decodedShards([shard()], decode, { extensions: ['txt'] });
    const { text, name, key, files, label } = await samples.get(1);
    expect([samples.length, key, name, Object.keys(files)]).toEqual([3, 'train/0001', 'train/0001.txt', ['cls']]);
    expect(text.length).toBeGreaterThan(0);
    expect(String(label)).toBe(new TextDecoder().decode(files.cls).trim());
  });

  it('says which sample has no such file', async () => {
    const samples = await decodedShards([shard()], decode, { extensions: ['wav'], operation: 'poems', what: 'poem' });
    await expect(samples.get(0)).rejects.toThrow('poems: train/0000 has no poem (wav), only cls, txt.');
  });
});
