/**
 * LZ4: blocks, as Parquet has them, and frames, as Arrow has them. Decompression alone, after the format's descriptions
 * (lz4_Block_format and lz4_Frame_format); checksums are passed over, because the files have their own.
 */
import { FormatError } from '@nn/core';

const magic = 0x184d2204;

/** The bytes of one block. Throws FormatError where they are not `length`. */
export function lz4Block(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  if (fill(output, 0, input) !== length) throw damaged();
  return output;
}

/** The bytes of a frame: blocks, each of which may go back to those before. Throws FormatError where they are not `length`. */
export function lz4Frame(input: Uint8Array, length: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const output = new Uint8Array(length);
  if (input.length < 7 || view.getUint32(0, true) !== magic) throw damaged();
  const flags = input[4]!;
  const [hasBlockSums, hasSize, hasDictionary] = [(flags & 16) !== 0, (flags & 8) !== 0, (flags & 1) !== 0];
  // magic, flags, largest size of a block, what the flags announce, one byte of checksum
  let at = 6 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0) + 1;
  let end = 0;
  for (;;) {
    if (at + 4 > input.length) throw damaged();
    const header = view.getUint32(at, true);
    at += 4;
    if (header === 0) break;
    const size = header & 0x7fffffff;
    if (at + size > input.length) throw damaged();
    const block = input.subarray(at, at + size);
    // the highest bit: the block is not compressed
    if (header >>> 31 === 0) end = fill(output, end, block);
    else {
      if (end + size > length) throw damaged();
      output.set(block, end);
      end += size;
    }
    at += size + (hasBlockSums ? 4 : 0);
  }
  if (end !== length) throw damaged();
  return output;
}

/** Writes what a block says behind what is there, to which its matches go back; answers where it ends. */
function fill(output: Uint8Array, start: number, input: Uint8Array): number {
  let [at, end] = [0, start];
  const lengthOf = (nibble: number): number => {
    let total = nibble;
    if (nibble < 15) return total;
    for (;;) {
      if (at >= input.length) throw damaged();
      const more = input[at++]!;
      total += more;
      if (more < 255) return total;
    }
  };
  while (at < input.length) {
    const token = input[at++]!;
    const literals = lengthOf(token >> 4);
    if (at + literals > input.length || end + literals > output.length) throw damaged();
    output.set(input.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    // the last sequence has no match; of nothing at all it is one byte, 0
    if (at === input.length) break;
    if (at + 2 > input.length) throw damaged();
    const distance = input[at]! | (input[at + 1]! << 8);
    at += 2;
    const matched = 4 + lengthOf(token & 15);
    if (distance === 0 || distance > end || end + matched > output.length) throw damaged();
    // byte by byte, because a match may reach into what it writes
    for (const stop = end + matched; end < stop; end++) output[end] = output[end - distance]!;
  }
  return end;
}

function damaged(): FormatError {
  return new FormatError('lz4', 'the compressed bytes are damaged.');
}
