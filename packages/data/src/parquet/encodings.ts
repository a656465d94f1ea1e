/**
 * Whether the bytes of a page are values of its encoding, so many and no more: lengths that stay inside, runs that end, no sizes that grow
 * without bytes behind them. Nothing is decoded but lengths. After <https://parquet.apache.org/docs/file-format/data-pages/encodings/>.
 */
import { byteAt, type Cursor, readVarint, skip, skipLong, zigzag } from './thrift.ts';

/** Bits of an index into a dictionary that hyparquet reads rightly. */
const widest = 24;

/** Runs of bits are in eights; writers round the last one up, none by more than this. */
const padding = 512;

/**
 * Goes over `count` numbers of `width` bits in runs of equal ones and packed ones. Returns how many are not 0, where the width is 1.
 */
export function checkRuns(cursor: Cursor, width: number, count: number): number {
  if (width > widest) throw new Error(`numbers of ${width} bits are no indices`);
  const bytes = (width + 7) >> 3;
  let [seen, ones] = [0, 0];
  while (seen < count) {
    const head = readVarint(cursor);
    const isPacked = head % 2 === 1;
    const length = isPacked ? (head - 1) * 4 : head / 2;
    if (length > count - seen + (isPacked ? padding : 0)) {
      throw new Error(`a run of ${length} is longer than the ${count - seen} values that are left`);
    }
    if (!isPacked) {
      const value = bytes > 0 ? byteAt(cursor) : 0;
      if (bytes > 1) skip(cursor, bytes - 1);
      if (value !== 0) ones += length;
      seen += length;
      continue;
    }
    const taken = Math.min(length, count - seen);
    const there = Math.min((length * width) / 8, cursor.bytes.length - cursor.at);
    if (Math.ceil((taken * width) / 8) > there) throw new Error('the packed bits end in the middle');
    if (width === 1) ones += countOnes(cursor, taken);
    cursor.at += there;
    seen += taken;
  }
  return ones;
}

/** The bits of the next `count` that are set; the cursor stays. */
function countOnes({ bytes, at }: Cursor, count: number): number {
  let ones = 0;
  for (let i = 0; i < count; i++) ones += (bytes[at + (i >> 3)]! >> (i & 7)) & 1;
  return ones;
}

interface Blocks {
  readonly miniblocks: number;
  /** Values of a miniblock. */
  readonly length: number;
}

/** The head of numbers that are differences: the sizes of the blocks, how many there are. */
function deltaHead(cursor: Cursor, count: number): Blocks {
  const size = readVarint(cursor);
  const miniblocks = readVarint(cursor);
  const total = readVarint(cursor);
  const length = size / miniblocks;
  if (!(miniblocks > 0 && miniblocks <= 4096 && length > 0 && length <= 65_536 && length % 8 === 0)) {
    throw new Error(`blocks of ${size} in ${miniblocks} parts are none`);
  }
  if (total !== count) throw new Error(`${total} numbers are announced, ${count} expected`);
  return { miniblocks, length };
}

/** Goes over `count` numbers, each of which is a difference to the one before (DELTA_BINARY_PACKED). */
export function checkDeltas(cursor: Cursor, count: number): void {
  if (count === 0) return;
  const { miniblocks, length } = deltaHead(cursor, count);
  skipLong(cursor);
  for (let left = count - 1; left > 0; ) {
    skipLong(cursor);
    const widths = cursor.at;
    skip(cursor, miniblocks);
    for (let i = 0; i < miniblocks && left > 0; i++) {
      const width = cursor.bytes[widths + i]!;
      if (width > 64) throw new Error(`a difference of ${width} bits is none`);
      const taken = Math.min(length, left);
      // not every writer fills the last part up
      const there = Math.min((length * width) / 8, cursor.bytes.length - cursor.at);
      if (Math.ceil((taken * width) / 8) > there) throw new Error('the differences end in the middle');
      cursor.at += there;
      left -= taken;
    }
  }
}

/** The numbers themselves, where they are lengths: none is negative. */
export function readLengths(cursor: Cursor, count: number): Int32Array {
  const lengths = new Int32Array(count);
  if (count === 0) return lengths;
  const { miniblocks, length } = deltaHead(cursor, count);
  let value = zigzag(readVarint(cursor));
  lengths[0] = value;
  for (let at = 1; at < count; ) {
    const least = zigzag(readVarint(cursor));
    const widths = cursor.at;
    skip(cursor, miniblocks);
    for (let i = 0; i < miniblocks && at < count; i++) {
      const width = cursor.bytes[widths + i]!;
      if (width > 32) throw new Error(`a length of ${width} bits is none`);
      const start = cursor.at;
      skip(cursor, (length * width) / 8);
      for (let j = 0; j < length && at < count; j++) {
        value = (value + least + bitsAt(cursor.bytes, start, j * width, width)) | 0;
        lengths[at++] = value;
      }
    }
  }
  if (lengths.some((each) => each < 0)) throw new Error('a length is negative');
  return lengths;
}

/** The number of `width` bits that begins `bit` bits behind `start`, its lowest bit first. */
function bitsAt(bytes: Uint8Array, start: number, bit: number, width: number): number {
  let value = 0;
  for (let taken = 0; taken < width; ) {
    const at = bit + taken;
    const more = Math.min(8 - (at & 7), width - taken);
    value += ((bytes[start + (at >> 3)]! >> (at & 7)) & ((1 << more) - 1)) * 2 ** taken;
    taken += more;
  }
  return value;
}

/** Texts, each behind its length: none leaves the page, none is longer than `most`. */
export function checkTexts(cursor: Cursor, count: number, most: number): void {
  const view = new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset, cursor.bytes.byteLength);
  for (let i = 0; i < count; i++) {
    const at = cursor.at;
    skip(cursor, 4);
    const length = view.getUint32(at, true);
    if (length > most) throw new Error(`a value of ${length} bytes is longer than ${most}`);
    skip(cursor, length);
  }
}

/**
 * Texts of which the lengths come first (DELTA_LENGTH_BYTE_ARRAY), or what they share with the one before (DELTA_BYTE_ARRAY). Returns
 * the bytes of all of them, which can be many more than those of the page: each may repeat the one before and add a letter.
 */
export function checkDeltaTexts(cursor: Cursor, count: number, isShared: boolean, limit: number): number {
  const shared = isShared ? readLengths(cursor, count) : undefined;
  const lengths = readLengths(cursor, count);
  let [before, total] = [0, 0];
  for (let i = 0; i < count; i++) {
    const start = shared?.[i] ?? 0;
    if (start > before) throw new Error(`a text shares ${start} bytes with one of ${before}`);
    skip(cursor, lengths[i]!);
    before = start + lengths[i]!;
    total += before;
    if (total > limit) return total;
  }
  return total;
}

/**
 * Numbers with fractions as whole ones and a power of ten (ALP), in vectors: each has as many exceptions as values at most, and
 * bits that a number has.
 */
export function checkAlp(cursor: Cursor, count: number, isDouble: boolean): void {
  const { bytes, at: start } = cursor;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  skip(cursor, 7);
  const size = 2 ** bytes[start + 2]!;
  if (view.getInt32(start + 3, true) !== count) throw new Error(`vectors of other than ${count} values`);
  const [vectors, offsets] = [Math.ceil(count / size), cursor.at];
  skip(cursor, 4 * vectors);
  for (let i = 0; i < vectors; i++) {
    cursor.at = offsets + view.getUint32(offsets + 4 * i, true);
    const head = cursor.at;
    skip(cursor, isDouble ? 13 : 9);
    const length = Math.min(size, count - i * size);
    const width = bytes[cursor.at - 1]!;
    if (width > (isDouble ? 64 : 32)) throw new Error(`numbers of ${width} bits are none`);
    if (bytes[head]! > (isDouble ? 18 : 10) || bytes[head + 1]! > (isDouble ? 18 : 10))
      throw new Error('no power of ten');
    skip(cursor, Math.ceil((length * width) / 8));
    const exceptions = view.getUint16(head + 2, true);
    if (exceptions > length) throw new Error(`${exceptions} exceptions among ${length} values`);
    const places = cursor.at;
    skip(cursor, exceptions * (isDouble ? 10 : 6));
    for (let k = 0; k < exceptions; k++) {
      if (view.getUint16(places + 2 * k, true) >= length) throw new Error('an exception has no place');
    }
  }
}
