/**
 * Reading bytes from what users hand over, and unpacking gzip with what Node and browsers both have.
 * It knows no file format beyond gzip's frame.
 */
import { type AbortSignalLike, bytesFrom, checkOptions, FormatError, realmTag, ValueError } from '@nn/core';

/** Bytes: an array, a buffer, or what gives a buffer, as a `Blob`, a dropped `File` and a `Response` do. */
export type ByteSource = Uint8Array | ArrayBuffer | { arrayBuffer(): Promise<ArrayBuffer> };

/** All bytes of it. Throws a `ValueError` for anything else, as a path: this package opens no files. */
export async function bytesOf(source: ByteSource, signal?: AbortSignalLike): Promise<Uint8Array> {
  const bytes = await bytesFrom(source, signal);
  if (bytes) return bytes;
  throw new ValueError(
    '/bytes',
    `Bytes are expected, got ${typeof source === 'string' ? `'${source}'` : typeof source}: await readFile(path) or fetch(address).`,
  );
}

/** Throws a `ValueError` for what is no Uint8Array, as the ArrayBuffer of an answer. */
export function checkBytes(operation: string, bytes: unknown): void {
  const tag = realmTag(bytes);
  if (tag !== 'Uint8Array') throw new ValueError(operation, `takes a Uint8Array, got ${tag}: new Uint8Array(buffer).`);
}

/** Unpacked bytes beyond which data counts as hostile, where no other limit is given: 1 GiB. */
export const longest: number = 2 ** 30;

/** The most that deflate packs: 258 bytes in two bits. */
const densest = 1032;

/** Whether the bytes begin as a gzip file does (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks gzip. Throws a `FormatError` where it is damaged or truncated, or would unpack to more than `limit` bytes
 * (2^30 where not given), and does so before unpacking where the file itself says so.
 *
 * @example
 * import { gunzip } from '@nn/data';
 * const packed = new Blob(['hello']).stream().pipeThrough(new CompressionStream('gzip'));
 * const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
 * console.log(new TextDecoder().decode(await gunzip(bytes))); // => hello
 */
export function gunzip(
  bytes: Uint8Array,
  limit: number = longest,
  options: { readonly signal?: AbortSignalLike } = {},
): Promise<Uint8Array> {
  checkOptions('gunzip', options, ['signal']);
  checkBytes('gunzip', bytes);
  if (typeof limit !== 'number' || !(limit >= 0)) {
    throw new ValueError('gunzip', `limit ${String(limit)} is not a number of bytes.`, { limit });
  }
  return unpack(bytes, limit, 'gunzip', null, options.signal);
}

/** The most bytes that unpacked data may have, found from its first bytes; undefined while they are too few to tell. */
export type SizeOf = (beginning: Uint8Array) => number | undefined;

/**
 * As `gunzip`; `reader` and `name` begin the messages: who reads, and which file, where it is known. Where `sizeOf`
 * knows the size from the beginning of the data, unpacking stops one byte behind it, so that a bomb grows no further
 * than its own header says.
 */
export async function unpack(
  bytes: Uint8Array,
  limit: number,
  reader: string,
  name: string | null,
  signal?: AbortSignalLike,
  sizeOf?: SizeOf,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const file = name === null ? '' : `${name}: `;
  if (!isGzip(bytes)) throw new FormatError(reader, `${file}the bytes do not begin with 1f 8b; this is not gzip.`);
  const tooLarge = (length: number): never => {
    throw new FormatError(
      `${reader}/unpacked-size`,
      `${file}the data unpacks to more than the limit of ${limit} bytes.`,
      { name, limit, length },
    );
  };
  // The last four bytes are the unpacked size mod 2^32: of an honest file, which may have several parts.
  const end = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const claimed = bytes.length >= 18 ? end.getUint32(bytes.length - 4, true) : 0;
  if (claimed > limit && claimed <= bytes.length * densest) tooLarge(claimed);
  let most = limit;
  let known = sizeOf === undefined;
  /** The size by the data's own header. */
  let claims = 0;
  let result = new Uint8Array(Math.min(Math.max(claimed, 1024), limit, bytes.length * densest));
  let length = 0;
  // A view of the bytes as a stream, piece by piece, so that they are not copied as a whole.
  let sent = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (sent >= bytes.length) return controller.close();
      controller.enqueue(new Uint8Array(bytes.subarray(sent, sent + 65536)));
      sent += 65536;
    },
  });
  const stream = source.pipeThrough(new DecompressionStream('gzip')).getReader();
  try {
    for (;;) {
      const { done, value } = await stream.read();
      if (done) break;
      signal?.throwIfAborted();
      const next = length + value.length;
      if (next > result.length) {
        const grown = new Uint8Array(Math.max(next, Math.min(2 * result.length, most + 1)));
        grown.set(result.subarray(0, length));
        result = grown;
      }
      result.set(value, length);
      length = next;
      if (!known) {
        const size = sizeOf?.(result.subarray(0, length));
        if (size !== undefined) {
          known = true;
          claims = size;
          if (size > limit) break;
          most = Math.min(limit, size);
        }
      }
      if (length > most) break;
    }
  } catch (error) {
    if (signal?.aborted) {
      await stream.cancel().catch(() => undefined);
      throw signal.reason;
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(
      `${reader}/gzip`,
      `${file}the gzip data is damaged or truncated after ${length} bytes: ${reason}.`,
      { name, length },
    );
  }
  if (claims > limit || length > most) await stream.cancel().catch(() => undefined);
  if (claims > limit || length > limit) tooLarge(Math.max(claims, length));
  // What goes on behind its own size is cut one byte behind it: the reader says that it goes on too long.
  return result.subarray(0, Math.min(length, most + 1));
}
