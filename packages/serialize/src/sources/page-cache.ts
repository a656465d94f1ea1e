/**
 * The Cache Storage of a page or a worker, which keeps downloaded files: as answers by their addresses, with the ETag among
 * their headers. A file is there once it has come as a whole. Its bytes stay on the disk and are read in parts.
 */
import { type AbortSignalLike, FormatError, ValueError } from '@nn/core';
import { type ByteReader, bytesReader } from './reader.ts';
import type { FileCache, Sink } from './remote.ts';

/** The header of our own that keeps what the server called the file. */
const tagHeader = 'X-NN-Tag';

/** The cache of this name. Throws a `ValueError` where the page may keep none. */
export async function pageCache(name: string, signal: AbortSignalLike | undefined): Promise<FileCache> {
  if (typeof caches === 'undefined') {
    throw new ValueError(
      'download/cache',
      'there is no Cache Storage here: pages have it at https addresses and on localhost. Load without { cache }.',
    );
  }
  const cache = await caches.open(name);
  const open = async (blob: Blob): Promise<ByteReader> =>
    (await bytesReader(blob, signal)) ?? fail('what was kept is no file');
  return {
    async find(address) {
      const response = await cache.match(address);
      if (!response) return undefined;
      const blob = await response.blob();
      return { tag: response.headers.get(tagHeader), size: blob.size, open: () => open(blob) };
    },
    async keep(address, tag, download) {
      const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
      const headers = tag === null ? {} : { [tagHeader]: tag };
      const kept = cache.put(address, new Response(readable, { headers }));
      const writer = writable.getWriter();
      try {
        await Promise.race([download(into(writer)).then(() => writer.close()), kept]);
        await kept;
      } catch (error) {
        await writer.abort(error).catch(() => undefined);
        await kept.catch(() => undefined);
        signal?.throwIfAborted();
        if (Object(error).name !== 'QuotaExceededError') throw error;
        return fail('the page may keep no more: give back storage, or load without { cache }');
      }
      const response = await cache.match(address);
      return response ? open(await response.blob()) : fail('the page keeps nothing: load without { cache }');
    },
  };
}

function fail(what: string): never {
  throw new FormatError('download/cache', `${what}.`);
}

function into(writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>): Sink {
  let isBegun = false;
  return {
    async begin() {
      // What the storage has taken, it keeps: after a cut it would have the beginning twice.
      if (isBegun) fail('the connection was cut, and the server cannot go on where it was: load it anew');
      isBegun = true;
    },
    write: (piece) => writer.write(new Uint8Array(piece)),
  };
}
