/**
 * Archives (ZIP) of stored members, whose bytes begin at multiples of 64 as PyTorch's do, so that readers can map them: the
 * gap is an extra field of the local header. ZIP64 where a size or a place needs more than 32 bits. Source: APPNOTE.TXT 6.3.10.
 */
import { crc32 } from './crc32.ts';

const alignment = 64;
const full = 0xffffffff;

/** Bytes that are written one after the other. */
class Writer {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  at = 0;
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }
  shorts(...values: number[]): void {
    for (const value of values) this.view.setUint16(this.advance(2), value, true);
  }
  words(...values: number[]): void {
    for (const value of values) this.view.setUint32(this.advance(4), value, true);
  }
  longs(...values: number[]): void {
    for (const value of values) this.view.setBigUint64(this.advance(8), BigInt(value), true);
  }
  /** The place of the next `length` bytes. */
  private advance(length: number): number {
    this.at += length;
    return this.at - length;
  }
  put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }
}

/** Where a member stands. */
interface Place {
  readonly name: Uint8Array;
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly padding: number;
  readonly isWide: boolean;
}

/**
 * An archive (ZIP) of members by name, in their order, stored as they are: what unpacks anywhere.
 *
 * @example
 * import { encodeZip } from '@nn/serialize';
 * const bytes = encodeZip([['note.txt', new TextEncoder().encode('hello')]]);
 * console.log(String.fromCharCode(...bytes.subarray(0, 2))); // => PK
 */
export function encodeZip(members: Iterable<readonly [name: string, bytes: Uint8Array]>): Uint8Array {
  const places: Place[] = [];
  let end = 0;
  let directorySize = 0;
  for (const [text, bytes] of members) {
    const name = new TextEncoder().encode(text);
    // Both sizes stand in the extra field of ZIP64 (20 bytes), and its place in the directory (8 more).
    const isWide = bytes.length >= full || end >= full;
    const fixed = end + 30 + name.length + (isWide ? 20 : 0) + 4;
    const padding = (alignment - (fixed % alignment)) % alignment;
    places.push({ name, bytes, at: end, padding, isWide });
    end = fixed + padding + bytes.length;
    directorySize += 46 + name.length + (isWide ? 28 : 0);
  }
  const isWide = end + directorySize >= full || places.length >= 0xffff;
  const out = new Writer(end + directorySize + (isWide ? 76 : 0) + 22);
  const checksums = places.map(({ bytes }) => crc32(bytes));
  for (const [k, { name, bytes, padding, isWide: wide }] of places.entries()) {
    const size = wide ? full : bytes.length;
    out.words(0x04034b50);
    out.shorts(wide ? 45 : 20, 0x0800, 0, 0, 0x21);
    out.words(checksums[k]!, size, size);
    out.shorts(name.length, 4 + padding + (wide ? 20 : 0));
    out.put(name);
    if (wide) {
      out.shorts(1, 16);
      out.longs(bytes.length, bytes.length);
    }
    // 'FB' is the field that PyTorch fills gaps with.
    out.shorts(0x4246, padding);
    out.at += padding;
    out.put(bytes);
  }
  for (const [k, { name, bytes, at, isWide: wide }] of places.entries()) {
    const size = wide ? full : bytes.length;
    out.words(0x02014b50);
    out.shorts(wide ? 45 : 20, wide ? 45 : 20, 0x0800, 0, 0, 0x21);
    out.words(checksums[k]!, size, size);
    out.shorts(name.length, wide ? 28 : 0, 0, 0, 0);
    out.words(0, wide ? full : at);
    out.put(name);
    if (wide) {
      out.shorts(1, 24);
      out.longs(bytes.length, bytes.length, at);
    }
  }
  if (isWide) {
    const at = out.at;
    out.words(0x06064b50);
    out.longs(44);
    out.shorts(45, 45);
    out.words(0, 0);
    out.longs(places.length, places.length, directorySize, end);
    out.words(0x07064b50, 0);
    out.longs(at);
    out.words(1);
  }
  const count = isWide ? 0xffff : places.length;
  out.words(0x06054b50);
  out.shorts(0, 0, count, count);
  out.words(isWide ? full : directorySize, isWide ? full : end);
  out.shorts(0);
  return out.bytes;
}
