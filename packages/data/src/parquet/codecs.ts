/**
 * Unpacks the pages of Parquet, each to the number of bytes that its header says and no more. Snappy and LZ4 are our own, gzip the
 * platform's; Brotli and Zstandard are Node's where it has them, else those of the package hyparquet-compressors, which is loaded then.
 */
import { gunzip } from '../readers/gunzip.ts';
import { lz4Block } from '../readers/lz4.ts';
import { ofNode, zstandard } from '../readers/zstandard.ts';
import { snappy } from './snappy.ts';

/** Gives `length` bytes, or throws an `Error`. */
export type Unpack = (packed: Uint8Array, length: number) => Uint8Array | Promise<Uint8Array>;

/** What unpacks a codec of Parquet's; undefined where there is none. `load` gives the package hyparquet-compressors. */
export async function unpackerOf(
  codec: string,
  load: () => Promise<typeof import('hyparquet-compressors')>,
): Promise<Unpack | undefined> {
  switch (codec) {
    case 'UNCOMPRESSED':
      return exactly((packed) => packed);
    case 'SNAPPY':
      return snappy;
    case 'GZIP':
      return exactly(gunzip);
    case 'LZ4':
      return hadoopLz4;
    case 'LZ4_RAW':
      return lz4Block;
    case 'BROTLI':
      return exactly(ofNode('brotliDecompressSync') ?? (await load()).decompressBrotli);
    case 'ZSTD':
      return zstandard(load);
    default:
      return undefined;
  }
}

function exactly(unpack: Unpack): Unpack {
  return async (packed, length) => {
    const bytes = await unpack(packed, length);
    if (bytes.length !== length) throw new Error(`a page unpacks to ${bytes.length} bytes, its header says ${length}`);
    return bytes;
  };
}

/** As Hadoop writes it: blocks behind their two lengths, the larger first; other writers call a plain block the same. */
function hadoopLz4(packed: Uint8Array, length: number): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const parts: Uint8Array[] = [];
  let [at, total] = [0, 0];
  while (at + 8 <= packed.length) {
    const [unpacked, size] = [view.getUint32(at), view.getUint32(at + 4)];
    at += 8;
    if (size > packed.length - at || unpacked > length - total) break;
    parts.push(packed.subarray(at, at + size));
    total += unpacked;
    at += size;
  }
  if (at !== packed.length || total !== length) return lz4Block(packed, length);
  const bytes = new Uint8Array(length);
  at = 0;
  let end = 0;
  for (const part of parts) {
    const unpacked = view.getUint32(at);
    bytes.set(lz4Block(part, unpacked), end);
    at += 8 + part.length;
    end += unpacked;
  }
  return bytes;
}
