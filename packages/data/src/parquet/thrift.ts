/**
 * Thrift's compact protocol, in which Parquet writes its footer and the headers of its pages, read with bounds: a list or a text is never
 * longer than the bytes that are left, a number never longer than its kind, nothing nested without end. It knows no field of Parquet's.
 * After <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.
 */

/** A place in bytes. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** What is kept of a struct, by the numbers of its fields: 32-bit numbers, truths and structs. All else is passed over. */
export type Struct = ReadonlyMap<number, number | boolean | Struct>;

const [stop, yes, no, byte, short, int, long, double, binary, list, struct] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12];

/** Footers nest 8 deep. */
const deepest = 32;

/** The struct at the cursor, which goes behind it. Throws an `Error` that says what is wrong. */
export function readStruct(cursor: Cursor, depth: number = 0): Struct {
  if (depth > deepest) throw new Error(`structs are nested more than ${deepest} deep`);
  const fields = new Map<number, number | boolean | Struct>();
  let id = 0;
  for (;;) {
    const head = byteAt(cursor);
    const type = head & 15;
    if (type === stop) return fields;
    // the number of a field is that of the one before and so much more, or is written out
    id = head >> 4 === 0 ? zigzag(readVarint(cursor)) : id + (head >> 4);
    const value = readValue(cursor, type, depth);
    if (value === undefined) fields.delete(id);
    else fields.set(id, value);
  }
}

function readValue(cursor: Cursor, type: number, depth: number): number | boolean | Struct | undefined {
  switch (type) {
    case yes:
    case no:
      return type === yes;
    case byte:
      skip(cursor, 1);
      return undefined;
    case short:
    case int:
      return zigzag(readVarint(cursor));
    case long:
      skipLong(cursor);
      return undefined;
    case double:
      skip(cursor, 8);
      return undefined;
    case binary:
      skip(cursor, readVarint(cursor));
      return undefined;
    case list:
      readList(cursor, depth);
      return undefined;
    case struct:
      return readStruct(cursor, depth + 1);
    default:
      throw new Error(`there is no type ${type}`);
  }
}

function readList(cursor: Cursor, depth: number): void {
  if (depth > deepest) throw new Error(`lists are nested more than ${deepest} deep`);
  const head = byteAt(cursor);
  const type = head & 15;
  const length = head >> 4 === 15 ? readVarint(cursor) : head >> 4;
  // each item takes a byte at least
  if (length > cursor.bytes.length - cursor.at) throw new Error(`a list of ${length} is longer than what is left`);
  for (let i = 0; i < length; i++) {
    if (type === yes || type === no) skip(cursor, 1);
    else readValue(cursor, type, depth + 1);
  }
}

/** A number of 32 bits without sign, seven bits in a byte. */
export function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const next = byteAt(cursor);
    value += (next & 127) * 2 ** shift;
    if (next < 128) {
      if (value > 0xffff_ffff) break;
      return value;
    }
  }
  throw new Error('a number has more than 32 bits');
}

/** Goes behind a number of 64 bits. */
export function skipLong(cursor: Cursor): void {
  for (let i = 0; i < 10; i++) if (byteAt(cursor) < 128) return;
  throw new Error('a number has more than 64 bits');
}

/** 0, 1, 2, 3, 4 stand for 0, -1, 1, -2, 2. */
export function zigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}

export function byteAt(cursor: Cursor): number {
  const value = cursor.bytes[cursor.at];
  if (value === undefined) throw new Error('the bytes end in the middle');
  cursor.at++;
  return value;
}

export function skip(cursor: Cursor, length: number): void {
  if (length > cursor.bytes.length - cursor.at) {
    throw new Error(`${length} bytes are more than the ${cursor.bytes.length - cursor.at} that are left`);
  }
  cursor.at += length;
}
