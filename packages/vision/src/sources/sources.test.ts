/** Folders, lists and shards of pictures on their way into batches. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { byteRange, dataPipeline } from '@nn/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../codecs/png-encode.ts';
import { imageOf, planes } from '../images/image.ts';
import { imageFolder, imageList, imageShards } from './image-sources.ts';

beforeAll(() => setDefaultBackend(cpu()));

const png = async (grey: number): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await encodePng(imageOf(new Uint8Array(12).fill(grey), 2, 2, 3)));

/** One file of a tar archive: a header of 512 bytes with octal numbers, then the bytes. */
function tarred(name: string, body: Uint8Array): Uint8Array {
  const blocks = new Uint8Array(512 + Math.ceil(body.length / 512) * 512);
  const put = (text: string, at: number): void => blocks.set(new TextEncoder().encode(text), at);
  put(name, 0);
  put('0000644\0', 100);
  put(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
  put('00000000000\0', 136);
  put('        ', 148);
  put('0', 156);
  put('ustar\0', 257);
  put('00', 263);
  const sum = blocks.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  blocks.set(body, 512);
  return blocks;
}

describe('imageFolder', () => {
  it('feeds batches, one class for each folder', async () => {
    const files = await Promise.all(
      ['b/2.png', 'a/1.PNG', 'b/1.png', 'a/readme.txt'].map(async (path, i) => ({
        path,
        file: new Blob([await png(i)]),
      })),
    );
    const folder = await imageFolder(files, { channels: 1 });
    expect([folder.length, folder.classes, [...folder.labels]]).toEqual([3, ['a', 'b'], [0, 1, 1]]);
    const batches = dataPipeline(folder)
      .map(({ image, label }) => ({ inputs: planes(image), targets: label }))
      .batch(3, { dtypes: { targets: 'int32' } });
    for await (const { inputs, targets } of batches) {
      expect([inputs.shape, await targets.array()]).toEqual([
        [3, 1, 2, 2],
        [0, 1, 1],
      ]);
      expect(await inputs.slice([0, 0, 0, 0], [3, 1, 1, 1]).flatten().array()).toEqual([1, 2, 0]);
    }
  });

  it('names the file that cannot be read', async () => {
    const folder = await imageFolder([{ path: 'a/1.png', file: new Blob(['no picture']) }]);
    await expect(folder.get(0)).rejects.toThrow('decodeImage: a/1.png: this is neither PNG nor JPEG.');
  });
});

it('imageList takes bytes and Blobs with labels', async () => {
  const list = imageList([await png(3), { file: new Blob([await png(4)]), label: 7 }]);
  expect((await list.get(1)).label).toBe(7);
  expect(await list.get(0)).toMatchObject({ path: 'picture 0', label: 0, image: { width: 2 } });
  await expect(list.get(2)).rejects.toThrow('imageList: there is no picture 2 among 2.');
});

describe('imageShards', () => {
  const shard = async (...files: [string, Uint8Array | string][]) => {
    const parts = files.map(([name, body]) =>
      tarred(name, typeof body === 'string' ? new TextEncoder().encode(body) : body),
    );
    return byteRange(
      new Uint8Array(
        await new Blob([...parts.map((part) => new Uint8Array(part)), new Uint8Array(1024)]).arrayBuffer(),
      ),
    );
  };

  it('reads pictures with what lies beside them', async () => {
    const samples = await imageShards([
      await shard(['x/0.png', await png(9)], ['x/0.cls', '12\n'], ['x/1.png', await png(8)]),
    ]);
    expect(samples.length).toBe(2);
    expect(await samples.get(0)).toMatchObject({ key: 'x/0', label: 12, image: { width: 2, channels: 3 } });
    expect((await samples.get(1)).label).toBe(-1);
  });

  it('says what is missing', async () => {
    const samples = await imageShards([await shard(['0.cls', '1'], ['1.png', await png(1)], ['1.cls', 'cat'])]);
    await expect(samples.get(0)).rejects.toThrow('imageShards: 0 has no picture (png, jpg, jpeg), only cls.');
    await expect(samples.get(1)).rejects.toThrow('imageShards: 1.cls holds cat, which is no class number.');
  });
});
