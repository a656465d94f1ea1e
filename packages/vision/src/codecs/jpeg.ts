/**
 * JPEG (ITU T.81): what stands before the pixels, which is checked before memory is taken, and how the camera was held (EXIF). The pixels, baseline and
 * progressive, are read by `jpeg-scans.ts`, in whole numbers, so that they are the same everywhere, and those of libjpeg, which PIL uses.
 */
import { FormatError } from '@nn/core';
import type { Image } from '../images/image.ts';
import type { ImageInfo } from './png.ts';

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/** What is thrown for bytes that are no JPEG any more. */
export function damaged(words: string): FormatError {
  return new FormatError('decodeImage', `this JPEG is damaged: ${words}.`);
}

/** A marker of two bytes with what belongs to it. */
export interface Segment {
  readonly marker: number;
  readonly body: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

/** The segment at a place: a marker, a length, the bytes. */
export function segmentAt(bytes: Uint8Array, start: number, ending: string): Segment {
  let at = start;
  while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
  if (at + 2 > bytes.length) throw damaged(ending);
  const marker = bytes[at + 1]!;
  if (bytes[at] !== 0xff) throw damaged(`byte ${at} is no marker`);
  // the end, and marks of restarts that nothing follows
  if (marker === 0xd9 || (marker >= 0xd0 && marker <= 0xd7)) return { marker, body: bytes.subarray(0, 0), end: at + 2 };
  if (at + 4 > bytes.length) throw damaged(ending);
  const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  const end = at + 2 + length;
  if (length < 2 || end > bytes.length) throw damaged(`the segment at byte ${at} is cut off`);
  return { marker, body: bytes.subarray(at + 4, end), end };
}

/** Start of frame: every kind of coding has its number; 0xc4, 0xc8 and 0xcc mean other things. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** What stands before the pixels; throws a `FormatError` where that is damaged or of a kind that is not read. */
export function jpegInfo(bytes: Uint8Array): ImageInfo {
  let frame: Pick<ImageInfo, 'width' | 'height' | 'depth' | 'channels'> | undefined;
  let orientation = 1;
  for (let at = 2; ; ) {
    const { marker, body, end } = segmentAt(bytes, at, 'it ends before its pixels');
    if (isFrame(marker)) {
      if (frame) throw damaged('it has two frames');
      frame = frameOf(marker, body);
    }
    if (marker === 0xe1) orientation = orientationOf(body) ?? orientation;
    if (marker === 0xda) {
      if (!frame) throw damaged('its pixels come before its size');
      return { format: 'jpeg', ...frame, isAnimated: false, orientation };
    }
    if (marker === 0xd9) throw damaged('it has no pixels');
    at = end;
  }
}

function frameOf(marker: number, body: Uint8Array): Pick<ImageInfo, 'width' | 'height' | 'depth' | 'channels'> {
  if (marker > 0xc2) throw unread(`this JPEG is coded in a rare way (SOF${marker - 0xc0})`);
  const [depth = 0, high = 0, low = 0, wide = 0, narrow = 0, channels = 0] = body;
  if (body.length < 6) throw damaged('its frame is cut off');
  const [height, width] = [(high << 8) | low, (wide << 8) | narrow];
  if (depth !== 8) throw unread(`this JPEG has ${depth} bits`);
  if (width === 0 || height === 0) throw damaged(`its size is ${width} x ${height}`);
  if (channels !== 1 && channels !== 3 && channels !== 4) throw damaged(`it has ${channels} components`);
  if (body.length !== 6 + 3 * channels) throw damaged('its frame is cut off');
  return { width, height, depth, channels };
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

/** The pixels as grey or RGB, as the file lies: not turned. What reads them is fetched with the first JPEG. */
export async function decodeJpeg(bytes: Uint8Array): Promise<Image> {
  const { decodeScans } = await import('./jpeg-scans.ts');
  return decodeScans(bytes);
}
