/**
 * Bytes that are read in parts: memory, a Blob or a File of a page, a file of Node's, an address. All sources of files read
 * through this one interface, which is also that of an `AsyncBuffer` but for names.
 */
import { type AbortSignalLike, checkOptions, excerpt, FormatError, untilAborted, ValueError } from '@nn/core';

/** Bytes of known number, any part of which can be read. */
export interface ByteRange {
  /** The number of bytes. */
  readonly size: number;
  /** The bytes from `start` up to `end`, all of them. */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Gives back what is held open. */
  close?(): Promise<void>;
}

/** What is needed of a `Blob` or a `File`: types need neither the DOM's nor Node's. */
export interface BlobLike {
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** What is needed of a `Response`. */
export interface ResponseLike {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: { get(name: string): string | null };
  readonly body?: { cancel(): Promise<void> } | null;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * The bytes of an array, a buffer, or a Blob; of a Blob (a dropped File, one of the origin's private file system) only what is read
 * comes into memory. Throws a `ValueError` for anything else.
 *
 * @example
 * import { byteRange } from '@nn/data';
 * const range = byteRange(new Blob(['hello']));
 * console.log(range.size, new TextDecoder().decode(await range.read(1, 4))); // => 5 ell
 */
export function byteRange(from: Uint8Array | ArrayBuffer | BlobLike): ByteRange {
  if (isBlob(from)) {
    const read = async (start: number, end: number): Promise<Uint8Array> => {
      const bytes = new Uint8Array(await from.slice(start, end).arrayBuffer());
      return whole('byteRange', bytes, start, end);
    };
    return { size: from.size, read };
  }
  const bytes = ArrayBuffer.isView(from) ? from : from instanceof ArrayBuffer ? new Uint8Array(from) : undefined;
  if (!bytes) {
    throw new ValueError(
      'byteRange',
      `takes bytes or a Blob, got ${typeof from}: openFile(path) opens a file in Node, fetchRange(address) an address.`,
    );
  }
  return {
    size: bytes.length,
    read: async (start, end) => whole('byteRange', bytes.subarray(start, end), start, end),
  };
}

/** Throws a ValueError for what is no range: a path, bytes, a promise of one. */
export function checkRange(operation: string, range: unknown): void {
  const { size, read } = Object(range) as Partial<ByteRange>;
  if (typeof size === 'number' && typeof read === 'function') return;
  throw new ValueError(
    operation,
    `takes a range of bytes, got ${excerpt(String(range), 60)}: byteRange(file or bytes), await openFile(path) or await fetchRange(address).`,
  );
}

/**
 * Opens a file in Node, to be read in parts; `close` closes it. Rejects with a `ValueError` where there is no file
 * system, for a folder, a pipe or a device, and with what the system says.
 *
 * @example
 * import { mkdtempSync, writeFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { openFile } from '@nn/data';
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/a.txt`;
 * writeFileSync(path, 'hello');
 * const file = await openFile(path);
 * console.log(file.size, (await file.read(0, 2)).length); // => 5 2
 * await file.close();
 */
export async function openFile(path: string): Promise<ByteRange & { close(): Promise<void> }> {
  if (typeof path !== 'string' || path === '') {
    const given = path === '' ? 'an empty text' : excerpt(String(path), 60);
    throw new ValueError('openFile', `takes the path of a file, got ${given}.`);
  }
  if (typeof process === 'undefined' || !process.getBuiltinModule) {
    throw new ValueError('openFile', `there is no file system here for '${excerpt(path, 60)}'; use byteRange(file).`, {
      path,
    });
  }
  const { open, stat } = process.getBuiltinModule('node:fs/promises');
  // Before it is opened: opening a pipe waits for somebody who writes.
  const kind = await stat(path);
  if (!kind.isFile()) {
    const what = kind.isDirectory()
      ? 'a folder: folderSamples takes those'
      : 'a pipe or a device, which has no size: lineStream reads streams';
    throw new ValueError('openFile', `${excerpt(path, 200)} is ${what}.`, { path });
  }
  const handle = await open(path, 'r');
  const { size } = await handle.stat();
  let isClosed = false;
  return {
    size,
    async read(start, end) {
      if (isClosed)
        throw new ValueError('openFile', `${excerpt(path, 200)} was closed; close it after the last batch.`);
      const bytes = new Uint8Array(Math.max(0, end - start));
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return whole(`openFile: ${excerpt(path, 200)}`, bytes.subarray(0, at), start, end);
    },
    async close() {
      isClosed = true;
      await handle.close();
    },
  };
}

/**
 * A file at an address that is read in parts, by HTTP's ranges (RFC 9110, section 14). Rejects with a `FormatError` where the server
 * has no ranges or is not reached, and while reading where the file has become another one or the connection breaks; its `kind` is
 * then 'format/fetchRange/connection'. Nothing is asked for a second time: a `fetch` of your own can do that, and batches go on at
 * the sample that they did not get.
 *
 * @example
 * import { fetchRange } from '@nn/data';
 * const answer = (bytes: string, range: string) => new Response(bytes, { status: 206, headers: { 'Content-Range': range } });
 * const server = async () => answer('h', 'bytes 0-0/5'); // fetch where not given
 * console.log((await fetchRange('https://example.org/a.txt', { fetch: server })).size); // => 5
 */
export async function fetchRange(
  address: string | { readonly href: string },
  options: {
    readonly fetch?: (
      address: string,
      init: { readonly headers: Readonly<Record<string, string>> },
    ) => Promise<ResponseLike>;
  } = {},
): Promise<ByteRange> {
  checkOptions('fetchRange', options, ['fetch']);
  const { fetch: get = fetch } = options;
  const url = typeof address === 'string' ? address : address?.href;
  if (!url)
    throw new ValueError('fetchRange', `takes an address, got ${excerpt(String(address) || 'an empty text', 60)}.`);
  const name = excerpt(url, 200);
  const fail = (what: string): never => {
    throw new FormatError('fetchRange', `${name}: ${what}`, { address: url });
  };
  /** What was waited for, of which all that a platform says may be 'terminated'. */
  const connected = async <T>(promise: Promise<T>, start: number, end: number): Promise<T> => {
    try {
      return await promise;
    } catch (error) {
      const { message, cause, name: kind } = Object(error) as { message?: unknown; cause?: unknown; name?: unknown };
      // who ends a request knows why
      if (kind === 'AbortError') throw error;
      const why = [message, Object(cause).message].filter(Boolean).join(': ');
      throw new FormatError(
        'fetchRange/connection',
        `${name}: the connection failed before bytes ${start} to ${end} had come (${excerpt(why, 200)}).`,
        { address: url, start, end },
      );
    }
  };
  const part = async (start: number, end: number) => {
    const response = await connected(get(url, { headers: { Range: `bytes=${start}-${end - 1}` } }), start, end);
    const given = response.headers.get('Content-Range') ?? '';
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(given) ?? [];
    if (response.status !== 206 || total === undefined) {
      await response.body?.cancel();
      // There is no first byte of an empty file.
      if (response.status === 416 && given === 'bytes */0') return { bytes: new Uint8Array(0), size: 0, tag: null };
      if (response.status === 200) {
        fail('the server answers with the whole file, not a range: byteRange(await response.blob()) reads it whole.');
      }
      fail(`the answer to bytes ${start} to ${end} is ${response.status}${given ? ` ${excerpt(given, 60)}` : ''}.`);
    }
    if (Number(first) !== start || Number(last) !== Math.min(end, Number(total)) - 1) {
      await response.body?.cancel();
      fail(
        `bytes ${start} to ${end} were asked for, the answer is ${given}: the server has no ranges that can be read.`,
      );
    }
    const tag = response.headers.get('ETag') ?? response.headers.get('Last-Modified');
    return { bytes: new Uint8Array(await connected(response.arrayBuffer(), start, end)), size: Number(total), tag };
  };
  const { size, tag } = await part(0, 1);
  return {
    size,
    async read(start, end) {
      const last = Math.min(end, size);
      if (last <= start) return new Uint8Array(0);
      const { bytes, size: now, tag: tagNow } = await part(start, last);
      if (now !== size || tagNow !== tag) fail('the file became another one while it was read: open it anew.');
      return whole(`fetchRange: ${name}`, bytes, start, last);
    },
  };
}

function isBlob(from: Uint8Array | ArrayBuffer | BlobLike): from is BlobLike {
  return typeof Object(from).slice === 'function' && typeof Object(from).size === 'number';
}

/** The bytes, where none is missing. */
function whole(reader: string, bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (bytes.length === Math.max(0, end - start)) return bytes;
  const what = bytes.length < end - start ? 'the file is shorter' : 'they are others';
  throw new FormatError(reader, `bytes ${start} to ${end} were asked for, ${bytes.length} came: ${what}.`, {
    start,
    end,
  });
}

/** The same, whose reads reject with the signal's reason once it is aborted: a server that says nothing more is not waited for. */
export function endedBy(range: ByteRange, signal: AbortSignalLike | undefined): ByteRange {
  return {
    size: range.size,
    async read(start, end) {
      signal?.throwIfAborted();
      return untilAborted(range.read(start, end), signal);
    },
  };
}

/** Reads one after the other, from pieces of a megabyte, so that small reads cost little. */
export class SequentialReader {
  readonly #range: ByteRange;
  readonly #pieceSize: number;
  #start = 0;
  #piece: Uint8Array = new Uint8Array(0);

  constructor(range: ByteRange, pieceSize: number = 2 ** 20) {
    this.#range = range;
    this.#pieceSize = pieceSize;
  }

  /** The bytes from `start` on, `length` of them or up to the end of the file. */
  async read(start: number, length: number): Promise<Uint8Array> {
    const end = Math.min(start + length, this.#range.size);
    if (start < this.#start || end > this.#start + this.#piece.length) {
      this.#piece = await this.#range.read(start, Math.min(Math.max(end, start + this.#pieceSize), this.#range.size));
      this.#start = start;
    }
    return this.#piece.subarray(start - this.#start, Math.max(start, end) - this.#start);
  }
}
