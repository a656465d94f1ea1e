/** Pictures to PNG: eight bits, the filter of each line chosen as libpng does (the least sum of magnitudes), packed by the platform. */
import { FormatError } from '@nn/core';
import type { Image } from '../images/image.ts';
import { deflate } from './inflate.ts';
import { crc32, paeth } from './png.ts';

const colorTypes = { 1: 0, 3: 2, 4: 6 } as const;

/**
 * The picture as a PNG file of 8 bits: grey, RGB or RGBA. Pixels come back as they were; the size may differ between platforms, whose
 * zlib packs.
 *
 * @example
 * import { decodeImage, encodePng, imageOf } from '@nn/vision';
 * const file = await encodePng(imageOf(new Uint8Array([7, 8, 9]), 1, 1, 3));
 * console.log((await decodeImage(file)).data); // => Uint8Array(3) [ 7, 8, 9 ]
 */
export async function encodePng({ width, height, channels, data }: Image): Promise<Uint8Array> {
  const length = width * channels;
  if (data.length !== length * height) {
    throw new FormatError('encodePng', `${width} x ${height} x ${channels} pixels have ${data.length} bytes.`);
  }
  const raw = new Uint8Array((length + 1) * height);
  const trial = new Uint8Array(length);
  const none = new Uint8Array(length);
  for (let y = 0; y < height; y++) {
    const line = data.subarray(y * length, (y + 1) * length);
    const before = y === 0 ? none : data.subarray((y - 1) * length, y * length);
    let least = Number.POSITIVE_INFINITY;
    for (let kind = 0; kind < 5; kind++) {
      const sum = filter(kind, line, before, channels, trial);
      if (sum >= least) continue;
      least = sum;
      raw[y * (length + 1)] = kind;
      raw.set(trial, y * (length + 1) + 1);
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, colorTypes[channels], 0, 0, 0], 8);
  const chunks = [chunk('IHDR', header), chunk('IDAT', await deflate(raw)), chunk('IEND', new Uint8Array(0))];
  const file = new Uint8Array(8 + chunks.reduce((sum, each) => sum + each.length, 0));
  file.set([137, 80, 78, 71, 13, 10, 26, 10]);
  let at = 8;
  for (const each of chunks) {
    file.set(each, at);
    at += each.length;
  }
  return file;
}

/** Writes the differences of a line into `to`; answers the sum of their magnitudes as signed bytes. */
function filter(kind: number, line: Uint8Array, before: Uint8Array, step: number, to: Uint8Array): number {
  const { length } = line;
  const start = Math.min(step, length);
  // the first pixel has nothing to its left, where 0 stands in
  for (let i = 0; i < start; i++) to[i] = line[i]! - (kind < 2 ? 0 : kind === 3 ? before[i]! >> 1 : before[i]!);
  if (kind === 0) to.set(line);
  else if (kind === 1) {
    for (let i = start; i < length; i++) to[i] = line[i]! - line[i - step]!;
  } else if (kind === 2) {
    for (let i = start; i < length; i++) to[i] = line[i]! - before[i]!;
  } else if (kind === 3) {
    for (let i = start; i < length; i++) to[i] = line[i]! - ((line[i - step]! + before[i]!) >> 1);
  } else {
    for (let i = start; i < length; i++) to[i] = line[i]! - paeth(line[i - step]!, before[i]!, before[i - step]!);
  }
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const value = to[i]!;
    sum += value < 128 ? value : 256 - value;
  }
  return sum;
}

function chunk(name: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  bytes.set(
    [...name].map((letter) => letter.charCodeAt(0)),
    4,
  );
  bytes.set(body, 8);
  view.setUint32(8 + body.length, crc32(bytes, 4, 8 + body.length));
  return bytes;
}
