/**
 * The bits of a JPEG's scans (ITU T.81, annexes C, F and G): codes of variable length, and blocks of 64 numbers in them, whole or in the
 * refinements of a progressive file. Owns no file and no pixel; what damaged bits say is a `FormatError` of `damaged`.
 */
import { damaged } from './jpeg.ts';

/** Where the k-th number of a block, from low frequencies to high ones, stands in its 8 x 8. */
export const zigzag: Uint8Array = /* @__PURE__ */ Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
]);

/** Codes of up to so many bits are looked up. */
const shortBits = 9;

/** Codes by the bits that come next. */
export interface Codes {
  /** For the next 9 bits: 256 times the length of the code, plus its symbol; 0 for longer codes. */
  readonly short: Uint16Array;
  /** For the next 9 bits, where a code and the number behind it fit: 2^16 number + 2^8 zeros before it + bits; else 0. */
  readonly whole: Int32Array;
  /** For each length: the first 16 bits that begin with a longer code. */
  readonly limits: Int32Array;
  /** For each length: what the place of a symbol is more than its code. */
  readonly offsets: Int32Array;
  readonly symbols: Uint8Array;
}

/** The codes of a table: how many there are of 1, 2, ... 16 bits, and their symbols. */
export function codesOf(counts: Uint8Array, symbols: Uint8Array): Codes {
  const size = 1 << shortBits;
  const [short, whole] = [new Uint16Array(size), new Int32Array(size)];
  const [limits, offsets] = [new Int32Array(18), new Int32Array(17)];
  let [code, place] = [0, 0];
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1]!;
    offsets[length] = place - code;
    if (code + count > 1 << length) throw damaged('it has a table with more codes than there are');
    for (let i = 0; i < count && length <= shortBits; i++) {
      const entry = (length << 8) | symbols[place + i]!;
      const rest = shortBits - length;
      short.fill(entry, (code + i) << rest, (code + i + 1) << rest);
      fillWhole(whole, (code + i) << rest, rest, entry);
    }
    code += count;
    place += count;
    limits[length] = code << (16 - length);
    code <<= 1;
  }
  limits[17] = 1 << 16; // where every search ends
  return { short, whole, limits, offsets, symbols };
}

/** The entries that begin with a code, of which `rest` bits are left for the number behind it. */
function fillWhole(whole: Int32Array, start: number, rest: number, entry: number): void {
  const [length, zeros, size] = [entry >> 8, (entry >> 4) & 15, entry & 15];
  if (size === 0 || size > rest) return;
  const unused = rest - size;
  for (let bits = 0; bits < 1 << size; bits++) {
    const value = (extended(bits, size) << 16) | (zeros << 8) | (length + size);
    whole.fill(value, start + (bits << unused), start + ((bits + 1) << unused));
  }
}

/** Numbers of so many bits: those whose first bit is 0 are negative. */
function extended(bits: number, size: number): number {
  return bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;
}

/** Where in the bytes of a scan, from which stuffing was taken, the next bit stands. */
export interface BitReader {
  /** With 300 zeros behind the last one, so that a block can be read before its end is checked. */
  readonly bytes: Uint8Array;
  /** In bits. */
  at: number;
  /** How many blocks more have nothing but zeros in this band of a progressive scan. */
  emptyBlocks: number;
}

/** The next 16 bits. */
function peek(bytes: Uint8Array, at: number): number {
  const byte = at >>> 3;
  return (((bytes[byte]! << 16) | (bytes[byte + 1]! << 8) | bytes[byte + 2]!) >>> (8 - (at & 7))) & 0xffff;
}

/** What `short` would say of a code that is longer. */
function longCode({ limits, offsets, symbols }: Codes, next: number): number {
  let length = shortBits + 1;
  while (next >= limits[length]!) length++;
  if (length > 16) throw damaged('it has a code that no table has');
  return (length << 8) | symbols[offsets[length]! + (next >>> (16 - length))]!;
}

function readSymbol(reader: BitReader, codes: Codes): number {
  const next = peek(reader.bytes, reader.at);
  const entry = codes.short[next >>> (16 - shortBits)]! || longCode(codes, next);
  reader.at += entry >>> 8;
  return entry & 255;
}

/** Up to 16 bits. */
function readBits(reader: BitReader, count: number): number {
  if (count === 0) return 0;
  const bits = peek(reader.bytes, reader.at) >>> (16 - count);
  reader.at += count;
  return bits;
}

function readDifference(reader: BitReader, dc: Codes): number {
  const size = readSymbol(reader, dc);
  if (size > 15) throw damaged('it has a number of more bits than there are');
  return size === 0 ? 0 : extended(readBits(reader, size), size);
}

const tooMany = 'a block has more than 64 numbers';

/** Reads a whole block into zeros, its first number as the difference to `previous`. Says which number is the last that is not 0. */
export function readBlock(reader: BitReader, dc: Codes, ac: Codes, previous: number, block: Int32Array): number {
  block[0] = previous + readDifference(reader, dc);
  const { bytes } = reader;
  const { short, whole } = ac;
  let { at } = reader;
  let last = 0;
  for (let k = 1; k < 64; k++) {
    const next = peek(bytes, at);
    const both = whole[next >>> (16 - shortBits)]!;
    if (both !== 0) {
      k += (both >> 8) & 15;
      if (k > 63) throw damaged(tooMany);
      at += both & 255;
      block[zigzag[k]!] = both >> 16;
      last = k;
      continue;
    }
    const entry = short[next >>> (16 - shortBits)]! || longCode(ac, next);
    at += entry >>> 8;
    const size = entry & 15;
    const zeros = (entry >> 4) & 15;
    if (size === 0) {
      if (zeros < 15) break; // the rest is zeros
      k += 15;
      continue;
    }
    k += zeros;
    if (k > 63) throw damaged(tooMany);
    block[zigzag[k]!] = extended(peek(bytes, at) >>> (16 - size), size);
    at += size;
    last = k;
  }
  reader.at = at;
  return last;
}

/** A scan of a progressive file: the numbers from `first` to `last` of each block, all bits but `low`, or only the bit `low`. */
export interface Band {
  readonly first: number;
  readonly last: number;
  readonly low: number;
}

/** The upper bits of the first number of a block, as the difference to `previous`, which it returns. */
export function readFirst(
  reader: BitReader,
  dc: Codes,
  previous: number,
  { low }: Band,
  to: Int16Array,
  at: number,
): number {
  const value = previous + readDifference(reader, dc);
  to[at] = value << low;
  return value;
}

/** One more bit of the first number. */
export function refineFirst(reader: BitReader, { low }: Band, to: Int16Array, at: number): void {
  to[at] = to[at]! | (readBits(reader, 1) << low);
}

/** The upper bits of the other numbers of a band. */
export function readBand(reader: BitReader, ac: Codes, { first, last, low }: Band, to: Int16Array, at: number): void {
  if (reader.emptyBlocks > 0) {
    reader.emptyBlocks--;
    return;
  }
  for (let k = first; k <= last; k++) {
    const symbol = readSymbol(reader, ac);
    const [zeros, size] = [symbol >> 4, symbol & 15];
    if (size === 0 && zeros < 15) {
      reader.emptyBlocks = (1 << zeros) - 1 + readBits(reader, zeros);
      return;
    }
    k += zeros;
    if (size === 0) continue;
    if (k > last) throw damaged(tooMany);
    to[at + zigzag[k]!] = extended(readBits(reader, size), size) << low;
  }
}

/**
 * One more bit of the numbers of a band: those that were not 0 get it as they come by, and between them stand codes that say after how many
 * numbers that stay 0 a new one is 1 or -1.
 */
export function refineBand(reader: BitReader, ac: Codes, { first, last, low }: Band, to: Int16Array, at: number): void {
  const one = 1 << low;
  let k = first;
  while (reader.emptyBlocks === 0 && k <= last) {
    const symbol = readSymbol(reader, ac);
    const size = symbol & 15;
    let zeros = symbol >> 4;
    let value = 0;
    if (size > 1) throw damaged('a refinement has more than a bit');
    if (size === 1) value = readBits(reader, 1) === 1 ? one : -one;
    else if (zeros < 15) {
      reader.emptyBlocks = (1 << zeros) + readBits(reader, zeros);
      break;
    }
    for (; k <= last; k++) {
      const place = at + zigzag[k]!;
      if (to[place] !== 0) refine(reader, one, to, place);
      else if (zeros-- === 0) {
        to[place] = value;
        break;
      }
    }
    k++;
  }
  if (reader.emptyBlocks === 0) return;
  for (; k <= last; k++) {
    const place = at + zigzag[k]!;
    if (to[place] !== 0) refine(reader, one, to, place);
  }
  reader.emptyBlocks--;
}

function refine(reader: BitReader, one: number, to: Int16Array, place: number): void {
  if (readBits(reader, 1) === 0) return;
  const value = to[place]!;
  if ((value & one) === 0) to[place] = value + (value > 0 ? one : -one);
}
