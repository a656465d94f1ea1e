/** Snappy's blocks, after <https://github.com/google/snappy/blob/main/format_description.txt>. Decompression alone. */
import { type Cursor, readVarint, skip } from './thrift.ts';

/** The bytes of one block. Throws an `Error` where they are not `length`. */
export function snappy(input: Uint8Array, length: number): Uint8Array {
  const cursor: Cursor = { bytes: input, at: 0 };
  if (readVarint(cursor) !== length) throw damaged();
  const output = new Uint8Array(length);
  let end = 0;
  while (cursor.at < input.length) {
    const tag = input[cursor.at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      // up to 60 bytes are told by the tag, of more the length follows in 1 to 4 bytes
      const long = Math.max(0, (tag >> 2) - 59);
      const size = 1 + (long === 0 ? tag >> 2 : numberAt(cursor, long));
      const start = cursor.at;
      skip(cursor, size);
      if (size > length - end) throw damaged();
      output.set(input.subarray(start, cursor.at), end);
      end += size;
      continue;
    }
    const size = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2);
    const distance = kind === 1 ? (tag >> 5) * 256 + numberAt(cursor, 1) : numberAt(cursor, kind === 2 ? 2 : 4);
    if (distance === 0 || distance > end || size > length - end) throw damaged();
    // byte by byte, because a copy may reach into what it writes
    for (const stop = end + size; end < stop; end++) output[end] = output[end - distance]!;
  }
  if (end !== length) throw damaged();
  return output;
}

/** A number of so many bytes, its lowest first. */
function numberAt(cursor: Cursor, bytes: number): number {
  const start = cursor.at;
  skip(cursor, bytes);
  let value = 0;
  for (let i = 0; i < bytes; i++) value += cursor.bytes[start + i]! * 2 ** (8 * i);
  return value;
}

function damaged(): Error {
  return new Error('the Snappy data is damaged');
}
