import { isNNError } from '@nn/core';
import { describe, expect, it } from 'vitest';
import cases from '../../fixtures/idx.json' with { type: 'json' };
import { RandomSequence } from '../samples/random.ts';
import { gunzip } from './gunzip.ts';
import { encodeIdx, parseIdx, readIdx, readIdxImages } from './idx.ts';

const bytesFrom = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

describe('readIdx', () => {
  for (const { type, shape, values, plain, gzip } of cases) {
    it(`reads ${type} of shape [${shape.join(', ')}] as Python wrote it, plain and gzip`, async () => {
      for (const text of [plain, gzip]) {
        const array = await readIdx(bytesFrom(text), { narrow: true });
        expect(array.shape).toEqual(shape);
        expect([...array.data]).toEqual(values);
      }
    });
  }

  it('takes a Blob and a buffer', async () => {
    const bytes = encodeIdx({ data: new Uint8Array([1, 2]), shape: [2] });
    expect((await readIdx(new Blob([bytes.slice()]))).data).toEqual(new Uint8Array([1, 2]));
    expect((await readIdx(bytes.slice().buffer)).data).toEqual(new Uint8Array([1, 2]));
  });

  it('reads bytes that begin within a larger buffer', () => {
    const bytes = encodeIdx({ data: new Int32Array([70000, -2]), shape: [2] });
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    expect(parseIdx(larger.subarray(3)).data).toEqual(new Int32Array([70000, -2]));
  });

  it('gives back what encodeIdx wrote', () => {
    for (const data of [
      new Uint8Array([0, 255]),
      new Int8Array([-128, 127]),
      new Int32Array([-(2 ** 31), 5]),
      new Float32Array([0.1, -3]),
    ]) {
      expect(parseIdx(encodeIdx({ data, shape: [2, 1] }))).toEqual({ data, shape: [2, 1] });
    }
  });
});

describe('damaged IDX', () => {
  const good = encodeIdx({ data: new Uint8Array([1, 2, 3, 4, 5, 6]), shape: [2, 3] });
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = good.slice();
    bytes[at] = value;
    return bytes;
  };

  const broken: [string, Uint8Array, string][] = [
    ['no bytes', new Uint8Array(0), '0 bytes are too few for a magic number of 4'],
    ['another magic number', changed(0, 1), 'the magic number 01 00 08 02 does not begin with 00 00'],
    ['an unknown type', changed(2, 0x0a), 'the magic number 00 00 0a 02 names no element type'],
    ['no axes', changed(3, 0), 'has no axes'],
    ['sizes cut off', good.subarray(0, 9), 'ends within the sizes of its 2 axes, after 9 bytes'],
    ['data cut off', good.subarray(0, 17), 'shape [2, 3] of uint8 needs 18 bytes, there are 17; it is truncated'],
    ['a byte too many', new Uint8Array([...good, 0]), 'there are 19; it goes on too long'],
    ['a size that is far too large', changed(4, 0xff), 'it is truncated'],
  ];
  for (const [what, bytes, message] of broken) {
    it(`says so: ${what}`, () => {
      expect(() => parseIdx(bytes, { name: 'digits.idx' })).toThrow(`readIdx: digits.idx: `);
      expect(() => parseIdx(bytes)).toThrow(message);
    });
  }

  it('names what is damaged, packed or not: the name given, or that of the file', async () => {
    const packed = bytesFrom(cases[0]?.gzip ?? '').slice(0, -6);
    const message = (name: string): string => `readIdx: ${name}: the gzip data is damaged or truncated`;
    await expect(readIdx(packed, { name: 'train.gz' })).rejects.toThrow(message('train.gz'));
    await expect(readIdx(packed)).rejects.toThrow(message('IDX data'));
    const file = Object.assign(new Blob([packed]), { name: 'labels.gz' }); // a File, which Node 20 has only in a module
    await expect(readIdx(file)).rejects.toThrow(message('labels.gz'));
    await expect(readIdx(Object.assign(new Blob([good.slice(0, 9)]), { name: 'labels' }))).rejects.toThrow(
      'readIdx: labels: ends within the sizes',
    );
    await expect(readIdxImages(packed, good)).rejects.toThrow(message('images'));
  });

  it('refuses types and ranks other than those expected', () => {
    expect(() => parseIdx(good, { type: 'float32' })).toThrow('holds uint8, float32 is expected');
    expect(() => parseIdx(good, { rank: 3 })).toThrow('has 2 axes, 3 are expected');
    const double = cases.find(({ type }) => type === 'float64');
    expect(() => parseIdx(bytesFrom(double?.plain ?? ''))).toThrow('pass { narrow: true } to round');
  });

  it('names the file when images and labels do not belong together', async () => {
    const images = encodeIdx({ data: new Uint8Array(8), shape: [2, 2, 2] });
    const labels = encodeIdx({ data: new Uint8Array(3), shape: [3] });
    await expect(readIdxImages(images, labels)).rejects.toThrow('images has 2 images, labels has 3 labels');
    await expect(readIdxImages(labels, images, { images: 'train.gz' })).rejects.toThrow(
      'readIdx: train.gz: has 1 axes',
    );
  });

  it('joins images and labels to a dataset with one channel', async () => {
    const images = encodeIdx({ data: new Uint8Array(8), shape: [2, 2, 2] });
    const { fields } = await readIdxImages(images, encodeIdx({ data: new Uint8Array([3, 4]), shape: [2] }));
    expect(fields.inputs.shape).toEqual([2, 1, 2, 2]);
    expect(fields.targets.data).toEqual(new Int32Array([3, 4]));
  });

  it('throws nothing but a format error for 2,000 files with random damage', () => {
    const random = new RandomSequence(11);
    for (let round = 0; round < 2000; round++) {
      const bytes = good.slice(0, 1 + random.integer(good.length));
      for (let change = 0; change < 3; change++) bytes[random.integer(bytes.length)] = random.integer(256);
      try {
        parseIdx(bytes);
      } catch (error) {
        if (!isNNError(error) || error.code !== 'format') throw error;
      }
    }
    expect(parseIdx(good).shape).toEqual([2, 3]);
  });
});

describe('gunzip', () => {
  const packed = bytesFrom(cases[0]?.gzip ?? '');

  it('says where damaged data ends', async () => {
    const damaged = packed.slice();
    damaged[12] = (damaged[12] as number) ^ 0xff;
    await expect(gunzip(damaged)).rejects.toThrow('gunzip: the gzip data is damaged or truncated');
    await expect(gunzip(damaged)).rejects.toMatchObject({ code: 'format' });
  });

  it('says so when the data is cut off, at any length', async () => {
    for (let length = 2; length < packed.length; length += 3) {
      await expect(gunzip(packed.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({ code: 'format' });
    }
  });

  it('refuses what is not gzip, and what unpacks to more than the limit', async () => {
    await expect(gunzip(new Uint8Array([80, 75]))).rejects.toThrow('this is not gzip');
    await expect(gunzip(packed, 4)).rejects.toThrow('more than the limit of 4 bytes');
  });
});

describe('gzip that unpacks to more than it should', () => {
  const pack = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
    new Uint8Array(
      await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer(),
    );
  /** As packed, but with another size in its last four bytes. */
  const claiming = (packed: Uint8Array, size: number): Uint8Array => {
    const copy = packed.slice();
    new DataView(copy.buffer).setUint32(copy.length - 4, size, true);
    return copy;
  };

  it('is refused by the size at its end before anything is unpacked', async () => {
    const packed = await pack(new Uint8Array(3_000_000));
    await expect(gunzip(packed, 1_000_000)).rejects.toThrow(
      'gunzip: the data unpacks to more than the limit of 1000000 bytes.',
    );
    await expect(gunzip(packed, 1_000_000)).rejects.toMatchObject({ code: 'format', data: { length: 3_000_000 } });
    expect((await gunzip(packed)).length).toBe(3_000_000);
  });

  it('is refused at the limit where that size lies', async () => {
    const packed = claiming(await pack(new Uint8Array(3_000_000)), 5);
    const error: unknown = await gunzip(packed, 1_000_000).catch((reason: unknown) => reason);
    // Chromium sees the lie before it gives what it has unpacked.
    const message = expect.stringMatching(/limit of 1000000 bytes|damaged or truncated/);
    expect(error).toMatchObject({ code: 'format', message });
    expect(Object(error).data.length).toBeLessThan(1_500_000);
  });

  it('is not unpacked beyond what the header of the IDX file says', async () => {
    const file = new Uint8Array(5_000_000);
    file.set([0, 0, 8, 1, 0, 0, 0, 4]);
    await expect(readIdx(await pack(file))).rejects.toThrow(
      'shape [4] of uint8 needs 12 bytes, there are 13; it goes on too long.',
    );
    await expect(readIdx(await pack(new Uint8Array(5_000_000).fill(7)))).rejects.toThrow('does not begin with 00 00');
    file.set([0, 0, 14, 2, 0xff, 0, 0, 0, 0xff, 0, 0, 0]);
    await expect(readIdx(await pack(file))).rejects.toThrow('more than the limit of 1073741824 bytes');
    const images = { data: new Uint8Array(2000), shape: [2000] };
    await expect(readIdx(encodeIdx(images), { maxBytes: 1999 })).rejects.toThrow('needs 2008 bytes, maxBytes is 1999');
    expect((await readIdx(encodeIdx(images), { maxBytes: 2008 })).shape).toEqual([2000]);
  });

  it('can be ended by a signal', async () => {
    const packed = await pack(new Uint8Array(3_000_000));
    const controller = new AbortController();
    const promise = readIdx(packed, { signal: controller.signal });
    controller.abort();
    await expect(promise).rejects.toMatchObject({ name: 'AbortError' });
    await expect(gunzip(packed, 4e6, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });
});
