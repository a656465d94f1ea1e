/**
 * PNG (W3C, third edition; ISO 15948) to bytes: all colour types, depths of 1 to 16 bits, interlaced or not. Reads the header before it takes
 * memory, and takes no more than the picture needs. The other way is `png-encode.ts`; which decoder is asked decides `decode.ts`.
 */
import { FormatError } from '@nn/core';
import type { Channels, Image } from '../images/image.ts';
import { inflate } from './inflate.ts';

/** What the first bytes of a file say of the picture in it. */
export interface ImageInfo {
  readonly format: 'png' | 'jpeg';
  readonly width: number;
  readonly height: number;
  /** Bits of a value in the file; more than 8 are cut to the upper 8. */
  readonly depth: number;
  /** The channels in the file: a palette counts as 3, or 4 with transparency. */
  readonly channels: number;
  /** Whether there are more pictures than the one that is read. */
  readonly isAnimated: boolean;
  /** How the picture is to be turned to stand upright (EXIF, 1 to 8); 1 where nothing is said. */
  readonly orientation: number;
}

const signature = [137, 80, 78, 71, 13, 10, 26, 10];

export function isPng(bytes: Uint8Array): boolean {
  return signature.every((byte, i) => bytes[i] === byte);
}

const color = { grey: 0, rgb: 2, palette: 3, greyAlpha: 4, rgbAlpha: 6 } as const;
const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const depthsOf: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

interface Chunks {
  readonly info: ImageInfo;
  readonly colorType: number;
  readonly isInterlaced: boolean;
  readonly palette: Uint8Array;
  readonly transparency: Uint8Array;
  readonly packed: Uint8Array<ArrayBuffer>;
}

const fail = (words: string): never => {
  throw new FormatError('decodeImage', `this PNG is damaged: ${words}.`);
};

/** What the header says; throws a `FormatError` where it is none. */
export function pngInfo(bytes: Uint8Array): ImageInfo {
  return chunksOf(bytes, true).info;
}

/** Walks over the chunks, each of which is a length, a name of four letters, the bytes, and a checksum. */
function chunksOf(bytes: Uint8Array, onlyHeader: boolean): Chunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: Pick<Chunks, 'colorType' | 'isInterlaced'> & ImageInfo = fail0;
  let [palette, transparency] = [new Uint8Array(0), new Uint8Array(0)];
  let [isAnimated, isEnded, total] = [false, false, 0];
  const parts: Uint8Array[] = [];
  for (let at = 8; at < bytes.length && !isEnded; ) {
    if (at + 8 > bytes.length) fail('it ends within a chunk');
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 8 + length;
    const body = bytes.subarray(at + 8, end);
    if (header === fail0 && name !== 'IHDR') fail('it does not begin with IHDR');
    if (end + 4 > bytes.length) {
      if (onlyHeader && header !== fail0) break;
      fail(`the chunk ${printable(name)} is cut off`);
    }
    const isCritical = (bytes[at + 4]! & 32) === 0;
    if ((isCritical || name === 'tRNS') && !onlyHeader && crc32(bytes, at + 4, end) !== view.getUint32(end)) {
      fail(`the chunk ${printable(name)} has another checksum`);
    }
    if (name === 'IHDR') header = headerOf(body, view, at + 8);
    else if (name === 'PLTE') palette = new Uint8Array(body);
    else if (name === 'tRNS') transparency = new Uint8Array(body);
    else if (name === 'acTL') isAnimated = true;
    else if (name === 'IEND') isEnded = true;
    else if (name === 'IDAT') {
      parts.push(body);
      total += body.length;
      if (onlyHeader) isEnded = true;
    } else if (isCritical) fail(`nobody knows its chunk ${printable(name)}`);
    at = end + 4;
  }
  if (header === fail0) fail('it has no IHDR');
  if (!isEnded && !onlyHeader) fail('it ends without IEND');
  const packed = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    packed.set(part, at);
    at += part.length;
  }
  const { colorType, isInterlaced, ...plain } = header;
  const channels = colorType === color.palette ? (transparency.length > 0 ? 4 : 3) : Number(channelsOf[colorType]);
  return { info: { ...plain, channels, isAnimated }, colorType, isInterlaced, palette, transparency, packed };
}

const fail0: Pick<Chunks, 'colorType' | 'isInterlaced'> & ImageInfo = {
  ...{ format: 'png', width: 0, height: 0, depth: 0, channels: 0, isAnimated: false, orientation: 1 },
  colorType: -1,
  isInterlaced: false,
};

const printable = (name: string): string => name.replace(/[^A-Za-z]/g, '?');

function headerOf(body: Uint8Array, view: DataView, at: number): typeof fail0 {
  if (body.length !== 13) fail('its IHDR has not 13 bytes');
  const [width, height] = [view.getUint32(at), view.getUint32(at + 4)];
  const [depth, colorType, compression, filter, interlace] = body.subarray(8) as unknown as [
    ...[number, number, number, number, number],
  ];
  if (width === 0 || height === 0 || width >= 2 ** 31 || height >= 2 ** 31) fail(`its size is ${width} x ${height}`);
  if (!depthsOf[colorType]?.includes(depth)) fail(`it has the colour type ${colorType} with ${depth} bits`);
  if (compression !== 0 || filter !== 0 || interlace > 1) fail('it is packed in a way that nobody knows');
  return { ...fail0, width, height, depth, colorType, isInterlaced: interlace === 1 };
}

/** CRC-32 of ISO 3309, of the bytes from start up to end. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  const rest = crcTable();
  let crc = -1;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ rest[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}

let table: Int32Array | undefined;
function crcTable(): Int32Array {
  table ??= Int32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    return c;
  });
  return table;
}

/** One pass of the picture: all of it, or one of the seven of an interlaced one. */
interface Pass {
  readonly left: number;
  readonly top: number;
  readonly stepX: number;
  readonly stepY: number;
}

const passes: readonly Pass[] = [
  { left: 0, top: 0, stepX: 8, stepY: 8 },
  { left: 4, top: 0, stepX: 8, stepY: 8 },
  { left: 0, top: 4, stepX: 4, stepY: 8 },
  { left: 2, top: 0, stepX: 4, stepY: 4 },
  { left: 0, top: 2, stepX: 2, stepY: 4 },
  { left: 1, top: 0, stepX: 2, stepY: 2 },
  { left: 0, top: 1, stepX: 1, stepY: 2 },
];

/** The pixels as grey, RGB or RGBA: what the file has. Grey with alpha and a transparent colour become RGBA. */
export async function decodePng(bytes: Uint8Array): Promise<Image> {
  const chunks = chunksOf(bytes, false);
  const { info, colorType, isInterlaced, palette, transparency } = chunks;
  const { width, height, depth } = info;
  if (colorType === color.palette && (palette.length === 0 || palette.length % 3 !== 0)) {
    fail('its palette is missing or no list of colours');
  }
  const inFile = channelsOf[colorType]!;
  const pixelBits = inFile * depth;
  const all: Pass = { left: 0, top: 0, stepX: 1, stepY: 1 };
  const sizes = (isInterlaced ? passes : [all]).map((pass) => ({
    ...pass,
    columns: Math.ceil((width - pass.left) / pass.stepX),
    rows: Math.ceil((height - pass.top) / pass.stepY),
  }));
  const used = sizes.filter(({ columns, rows }) => columns > 0 && rows > 0);
  const lineBytes = (columns: number): number => Math.ceil((columns * pixelBits) / 8);
  const expected = used.reduce((sum, { columns, rows }) => sum + rows * (lineBytes(columns) + 1), 0);
  const raw = await inflate('decodeImage', chunks.packed, expected);
  if (raw.length < expected) fail(`its pixels are ${raw.length} bytes instead of ${expected}`);
  const hasAlpha = colorType >= color.greyAlpha || transparency.length > 0;
  const channels: Channels = hasAlpha ? 4 : colorType === color.grey ? 1 : 3;
  const data = new Uint8Array(width * height * channels);
  const put = writer({ colorType, depth, palette, transparency, channels, data });
  // Most files: a line is the pixels as they are wanted.
  const isPlain = depth === 8 && channels === inFile && colorType !== color.palette && !isInterlaced;
  const values = new Uint16Array(4);
  let at = 0;
  for (const { left, top, stepX, stepY, columns, rows } of used) {
    const length = lineBytes(columns);
    let before = new Uint8Array(length);
    for (let row = 0; row < rows; row++) {
      const line = raw.subarray(at + 1, at + 1 + length);
      unfilter(raw[at]!, line, before, Math.max(1, pixelBits >> 3));
      at += 1 + length;
      before = line as typeof before;
      if (isPlain) {
        data.set(line, row * length);
        continue;
      }
      for (let column = 0; column < columns; column++) {
        for (let channel = 0; channel < inFile; channel++)
          values[channel] = valueAt(line, column * inFile + channel, depth);
        put(((top + row * stepY) * width + left + column * stepX) * channels, values);
      }
    }
  }
  return { width, height, channels, data };
}

/** The value of so many bits at a place of a line. */
function valueAt(line: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return line[index]!;
  if (depth === 16) return (line[2 * index]! << 8) | line[2 * index + 1]!;
  const bit = index * depth;
  return (line[bit >> 3]! >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

/** A line was stored as differences to its neighbours: to the left, above, their mean, or the one that Paeth's predictor takes. */
function unfilter(kind: number, line: Uint8Array, before: Uint8Array, step: number): void {
  const { length } = line;
  // the first pixel has nothing to its left, where 0 stands in
  const start = Math.min(step, length);
  if (kind === 1) {
    for (let i = start; i < length; i++) line[i] = line[i]! + line[i - step]!;
  } else if (kind === 2) {
    for (let i = 0; i < length; i++) line[i] = line[i]! + before[i]!;
  } else if (kind === 3) {
    for (let i = 0; i < start; i++) line[i] = line[i]! + (before[i]! >> 1);
    for (let i = start; i < length; i++) line[i] = line[i]! + ((line[i - step]! + before[i]!) >> 1);
  } else if (kind === 4) {
    for (let i = 0; i < start; i++) line[i] = line[i]! + before[i]!;
    for (let i = start; i < length; i++) line[i] = line[i]! + paeth(line[i - step]!, before[i]!, before[i - step]!);
  } else if (kind !== 0) fail(`a line has the filter ${kind}`);
}

/** Of left, above, and above left: the one that is nearest to left + above - above left. */
export function paeth(a: number, b: number, c: number): number {
  const across = b - c;
  const down = a - c;
  const toA = across < 0 ? -across : across;
  const toB = down < 0 ? -down : down;
  const both = across + down;
  const toC = both < 0 ? -both : both;
  return toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
}

interface Writing {
  readonly colorType: number;
  readonly depth: number;
  readonly palette: Uint8Array;
  readonly transparency: Uint8Array;
  readonly channels: Channels;
  readonly data: Uint8Array;
}

/** Puts the values of one pixel of the file into place as bytes. */
function writer({ colorType, depth, palette, transparency, channels, data }: Writing) {
  // 16 bits lose the lower 8, as in libpng's strip and in PIL; fewer than 8 are spread from 0 to 255.
  const factor = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  const byte = (value: number): number => (depth === 16 ? value >> 8 : value * factor);
  const clear = Array.from(
    { length: transparency.length >> 1 },
    (_, i) => (transparency[2 * i]! << 8) | transparency[2 * i + 1]!,
  );
  const isGrey = colorType === color.grey || colorType === color.greyAlpha;
  return (at: number, values: Uint16Array): void => {
    if (colorType === color.palette) {
      const entry = values[0]! * 3;
      if (entry >= palette.length) fail(`a pixel has the colour ${values[0]}, the palette ends before`);
      for (let k = 0; k < 3; k++) data[at + k] = palette[entry + k]!;
      if (channels === 4) data[at + 3] = transparency[values[0]!] ?? 255;
      return;
    }
    const colors = Math.min(channels, 3);
    for (let k = 0; k < colors; k++) data[at + k] = byte(values[isGrey ? 0 : k]!);
    if (channels !== 4) return;
    if (colorType >= color.greyAlpha) data[at + 3] = byte(values[isGrey ? 1 : 3]!);
    else data[at + 3] = clear.every((value, k) => value === values[k]) ? 0 : 255;
  };
}
