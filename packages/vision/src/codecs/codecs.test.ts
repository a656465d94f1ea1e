/** Reading and writing against PIL: all kinds of PNG and of JPEG byte for byte, and what is said of others. */
import { describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/pictures.json';
import { imageOf } from '../images/image.ts';
import { fromBase64 } from '../testing.ts';
import { decodeImage, imageInfo } from './decode.ts';
import { fromPixels, toPixels } from './platform.ts';
import { encodePng } from './png-encode.ts';

const file = (name: string): Uint8Array => {
  const found = fixtures.files.find((each) => each.name === name);
  if (!found) throw new Error(`no ${name}`);
  return fromBase64(found.bytes);
};
const messageOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was thrown',
    (error: Error) => error.message,
  );

describe('files as PIL reads them', () => {
  it.each(fixtures.files)('$name', async ({ name, bytes, shape, pixels }) => {
    const image = await decodeImage(fromBase64(bytes), { channels: shape[2] as 1 | 3 | 4 });
    expect([image.height, image.width, image.channels]).toEqual(shape);
    expect(image.data).toEqual(fromBase64(pixels));
    const { width, height, format } = imageInfo(fromBase64(bytes));
    expect([height, width, format]).toEqual([shape[0], shape[1], name.split(' ')[0]]);
  });

  it.each(fixtures.turns)('a photograph held as orientation $orientation', async ({ bytes, shape, pixels }) => {
    const image = await decodeImage(fromBase64(bytes), { channels: 1 });
    expect([image.height, image.width]).toEqual(shape);
    expect(image.data.map((value) => Number(value > 127))).toEqual(fromBase64(pixels));
  });

  it('leaves a photograph as it lies where asked, and takes Blobs and buffers', async () => {
    const turned = fromBase64(fixtures.turns[5]!.bytes);
    expect((await decodeImage(new Blob([turned]), { upright: false })).width).toBe(48);
    expect((await decodeImage(turned.buffer)).width).toBe(32);
    expect((await decodeImage(file('png palette with alpha'), { channels: 'file' })).channels).toBe(4);
  });
});

describe('encodePng', () => {
  it.each([1, 3, 4] as const)('gives back %s channels as they were', async (channels) => {
    const data = Uint8Array.from({ length: 17 * 9 * channels }, (_, i) => (i * i * 7 + (i >> 3) * 5) & 255);
    const read = await decodeImage(await encodePng(imageOf(data, 17, 9, channels)), { channels: 'file' });
    expect(read).toEqual({ width: 17, height: 9, channels, data });
  });

  it('goes through the pixels of a canvas', () => {
    const image = imageOf(new Uint8Array([1, 2, 3, 4, 5, 6]), 2, 1, 3);
    expect(toPixels(image).data).toEqual(new Uint8ClampedArray([1, 2, 3, 255, 4, 5, 6, 255]));
    expect(fromPixels(toPixels(image))).toEqual(image);
  });
});

describe('says what is wrong', () => {
  it('with other formats', async () => {
    const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    expect(await messageOf(decodeImage(bytes('GIF89a..'), { name: 'a.gif' }))).toBe(
      'decodeImage: a.gif: this is GIF; PNG and JPEG are read here: save it as one of them, or pass a decoder of the platform (bitmapDecoder, sharpDecoder).',
    );
    expect(await messageOf(decodeImage(bytes('RIFF....WEBPVP8 ')))).toContain('this is WebP;');
    expect(await messageOf(decodeImage(new Uint8Array(0)))).toBe('decodeImage: the file is empty.');
    expect(await messageOf(decodeImage(bytes('hello')))).toBe('decodeImage: this is neither PNG nor JPEG.');
    expect(await messageOf(decodeImage('cat.png' as never))).toBe(
      'decodeImage: takes bytes, a Blob, a File or a Response, got string.',
    );
  });

  it('with pictures that are cut off, damaged, or too large', async () => {
    const [png, jpeg] = [file('png rgb'), file('jpeg 4:4:4')];
    expect(await messageOf(decodeImage(png.subarray(0, 300)))).toBe(
      'decodeImage: this PNG is damaged: the chunk IDAT is cut off.',
    );
    const flipped = png.slice();
    flipped[60]! ^= 1;
    expect(await messageOf(decodeImage(flipped))).toBe(
      'decodeImage: this PNG is damaged: the chunk IDAT has another checksum.',
    );
    expect(await messageOf(decodeImage(jpeg.subarray(0, jpeg.length - 40), { name: 'b.jpg' }))).toBe(
      'decodeImage: b.jpg: this JPEG is damaged: it ends within its pixels.',
    );
    expect(await messageOf(decodeImage(png, { maxPixels: 100 }))).toBe(
      'decodeImage: the picture has 19 x 13 pixels, maxPixels allows 100: allow more where you trust the file.',
    );
    const arithmetic = jpeg.slice();
    const frame = arithmetic.findIndex((byte, i) => byte === 0xff && arithmetic[i + 1] === 0xc0);
    arithmetic[frame + 1] = 0xc9;
    expect(await messageOf(decodeImage(arithmetic))).toContain(
      'this JPEG is coded in a rare way (SOF9), which is not read',
    );
  });

  it('of what is left out', async () => {
    const told: string[] = [];
    await decodeImage(file('png rgb 16'), { name: 'c.png', onWarning: (message) => told.push(message) });
    expect(told).toEqual(['decodeImage: c.png: it has 16 bits; the upper 8 are kept.']);
  });
});

it('asks another decoder for what is no PNG, and holds it to maxPixels', async () => {
  const decoder = async (): Promise<ReturnType<typeof imageOf>> => imageOf(new Uint8Array(12), 2, 2, 3);
  expect((await decodeImage(new Uint8Array([1, 2]), { decoder })).width).toBe(2);
  expect((await decodeImage(file('png rgb'), { decoder })).width).toBe(19);
  expect(await messageOf(decodeImage(new Uint8Array([1, 2]), { decoder, maxPixels: 3 }))).toContain('2 x 2 pixels');
});
