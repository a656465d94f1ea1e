/**
 * JPEG (ITU T.81), baseline and progressive, by jpeg-js, which gives the same bytes everywhere. What is checked here: the header before
 * memory is taken, whether the file is cut off (the library would go on in grey), and how the camera was held (EXIF).
 */
import { FormatError } from '@nn/core';
import type { Image } from '../images/image.ts';
import type { ImageInfo } from './png.ts';

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

const fail = (words: string): never => {
  throw new FormatError('decodeImage', `this JPEG is damaged: ${words}.`);
};

type Library = Pick<typeof import('jpeg-js'), 'decode'>;

interface Header extends ImageInfo {
  /** Where the pixels begin. */
  readonly scan: number;
}

/** What stands before the pixels; throws a `FormatError` where that is damaged or of a kind that is not read. */
export function jpegInfo(bytes: Uint8Array): ImageInfo {
  const { scan: _, ...info } = headerOf(bytes);
  return info;
}

/** Walks over the segments: a marker of two bytes, a length, the bytes. */
function headerOf(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: Pick<Header, 'width' | 'height' | 'depth' | 'channels'> | undefined;
  let orientation = 1;
  for (let at = 2; ; ) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    if (at + 4 > bytes.length) fail('it ends before its pixels');
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff) fail(`byte ${at} is no marker`);
    const length = view.getUint16(at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) fail(`the segment at byte ${at} is cut off`);
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      if (marker > 0xc2) throw unread(`this JPEG is coded in a rare way (SOF${marker - 0xc0})`);
      if (length < 8) fail('its frame is cut off');
      const [depth, height, width, channels] = [
        bytes[at + 4]!,
        view.getUint16(at + 5),
        view.getUint16(at + 7),
        bytes[at + 9]!,
      ];
      if (depth !== 8) throw unread(`this JPEG has ${depth} bits`);
      if (width === 0 || height === 0) fail(`its size is ${width} x ${height}`);
      if (channels !== 1 && channels !== 3 && channels !== 4) fail(`it has ${channels} components`);
      if (frame) fail('it has two frames');
      frame = { width, height, depth, channels };
    }
    if (marker === 0xe1) orientation = orientationOf(bytes.subarray(at + 4, end)) ?? orientation;
    if (marker === 0xda) {
      if (!frame) return fail('its pixels come before its size');
      return { format: 'jpeg', ...frame, isAnimated: false, orientation, scan: end };
    }
    if (marker === 0xd9) fail('it has no pixels');
    at = end;
  }
}

function unread(what: string): FormatError {
  return new FormatError(
    'decodeImage',
    `${what}, which is not read: save it as baseline or progressive JPEG of 8 bits, or pass a decoder of the platform (bitmapDecoder, sharpDecoder).`,
  );
}

/** The tag 0x0112 of the first directory of an EXIF segment (TIFF inside); undefined where there is none. */
function orientationOf(segment: Uint8Array): number | undefined {
  if (String.fromCharCode(...segment.subarray(0, 6)) !== 'Exif\0\0' || segment.length < 14) return undefined;
  const tiff = segment.subarray(6);
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const isLittle = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > tiff.length) return undefined;
  const count = view.getUint16(directory, isLittle);
  for (let i = 0; i < count; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > tiff.length) return undefined;
    if (view.getUint16(at, isLittle) !== 0x0112) continue;
    const value = view.getUint16(at + 8, isLittle);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

/** The pixels as grey or RGB, as the file lies: not turned. */
export async function decodeJpeg(bytes: Uint8Array): Promise<Image> {
  const { width, height, channels, scan } = headerOf(bytes);
  if (!hasEnd(bytes, scan)) fail('it ends within its pixels');
  // Node gives a module of CommonJS as its default export, bundlers and our own build give its names.
  const library: Library & { readonly default?: Library } = await import('jpeg-js');
  const { decode } = library.default ?? library;
  try {
    const read = decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      // Checked by the caller; here only against headers that say something else further on.
      maxResolutionInMP: (width * height) / 1e6 + 1e-6,
      // Coefficients of four bytes for all components, planes, lines, and the result; a small file has tables of a few kilobytes.
      maxMemoryUsageInMB: 64 + (width * height * channels * 16) / 2 ** 20,
    });
    if (read.width !== width || read.height !== height) fail('it says two sizes');
    const image = { width, height, channels: 3, data: read.data } as const;
    return channels === 1 ? { ...image, channels: 1, data: everyThird(read.data) } : image;
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new FormatError('decodeImage', `this JPEG is damaged: ${words.replace(/\.$/, '')}.`, { reason: words });
  }
}

/** Within pixels 0xff is followed by 0 or the mark of a restart, so 0xff 0xd9 is the end. */
function hasEnd(bytes: Uint8Array, scan: number): boolean {
  for (let at = bytes.length - 2; at >= scan; at--) if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return true;
  return false;
}

const everyThird = (data: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: data.length / 3 }, (_, i) => data[3 * i]!);
