/**
 * Reading bytes from what users hand over, and unpacking gzip with what Node and browsers both have.
 * It knows no file format beyond gzip's first two bytes.
 */
import { FormatError, ValueError } from '@nn/core';

/** Bytes: an array, a buffer, or what gives a buffer, as a `Blob`, a dropped `File` and a `Response` do. */
export type ByteSource = Uint8Array | ArrayBuffer | { arrayBuffer(): Promise<ArrayBuffer> };

/** All bytes of it. Throws a `ValueError` for anything else, as a path: this package opens no files. */
export async function bytesOf(source: ByteSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof source?.arrayBuffer === 'function') return new Uint8Array(await source.arrayBuffer());
  throw new ValueError(
    `Bytes are expected, got ${typeof source === 'string' ? `'${source}'` : typeof source}: await readFile(path) or fetch(address).`,
  );
}

/** Unpacked bytes beyond which data counts as hostile. */
export const longest: number = 2 ** 31;

/** Whether the bytes begin as a gzip file does (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzip. Throws a `FormatError` where it is damaged or truncated, or would unpack to more than `limit` bytes.
 *
 * @example
 * import { gunzip } from '@nn/data';
 * const packed = new Blob(['hello']).stream().pipeThrough(new CompressionStream('gzip'));
 * const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
 * console.log(new TextDecoder().decode(await gunzip(bytes))); // => hello
 */
export function gunzip(bytes: Uint8Array, limit: number = longest): Promise<Uint8Array> {
  return unpack(bytes, limit, 'gunzip');
}

/** As `gunzip`; `reader` begins the messages: who reads, and which file. */
export async function unpack(bytes: Uint8Array, limit: number, reader: string): Promise<Uint8Array> {
  if (!isGzip(bytes)) throw new FormatError(`${reader}: the bytes do not begin with 1f 8b; this is not gzip.`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  try {
    for (;;) {
      const { done, value } = await stream.read();
      if (done) break;
      length += value.length;
      if (length > limit) break;
      chunks.push(value);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(`${reader}: the gzip data is damaged or truncated after ${length} bytes: ${reason}.`, {
      length,
    });
  }
  if (length > limit) {
    await stream.cancel();
    throw new FormatError(`${reader}: the data unpacks to more than the limit of ${limit} bytes.`, { limit });
  }
  const result = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.length;
  }
  return result;
}
