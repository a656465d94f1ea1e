/**
 * A file at an address, read in parts. The first request brings the beginning, the size, and the name of the file's state (its
 * ETag); what follows brings the parts that are needed, what lies together by one request. Where the server has no ranges, the
 * file is wanted whole (`cache`, `sha256`), it is fetched from the beginning to the end. Cut connections go on where they were cut.
 */
import type { AbortSignalLike } from '@nn/core';
import { addressBeside, addressOf } from './address.ts';
import type { DownloadOptions } from './download-options.ts';
import { type Answer, type Body, Http } from './http.ts';
import { Meter } from './meter.ts';
import { type ByteReader, memoryReader } from './reader.ts';

/** What takes a whole file as it comes. */
export interface Sink {
  /** `size` is undefined where the server does not say how large the file is. */
  begin(size: number | undefined): Promise<void>;
  write(piece: Uint8Array): Promise<void>;
}

/** A place that keeps files: `folder-cache.ts`, `page-cache.ts`. */
export interface FileCache {
  /** The file that is kept for an address. */
  find(address: string): Promise<Kept | undefined>;
  /** Keeps what `download` brings; another state of the file goes. */
  keep(address: string, tag: string | null, download: (sink: Sink) => Promise<void>): Promise<ByteReader>;
}

export interface Kept {
  readonly tag: string | null;
  readonly size: number;
  open(): Promise<ByteReader>;
}

/** What the first request asks for: most headers are shorter. */
const firstBytes = 2 ** 16;
/** No request asks for less: what follows a header that was read is often read next. */
const leastBytes = 2 ** 14;
/** A part that begins so near behind the one before is reached faster by reading on than by a new request. */
const nearby = 2 ** 18;

/** Opens an address. Throws a `FormatError` of the kind 'format/download/...' where no file comes. */
export async function openRemote(
  source: string,
  options: DownloadOptions,
  signal: AbortSignalLike | undefined,
): Promise<ByteReader> {
  const address = addressOf(source, options.mirror);
  const { sha256: _, ...rest } = options;
  const sibling = (name: string): Promise<ByteReader> => openRemote(addressBeside(address, name), rest, signal);
  return { ...(await openAddress(address, options, signal)), sibling };
}

async function openAddress(
  address: string,
  options: DownloadOptions,
  signal: AbortSignalLike | undefined,
): Promise<ByteReader> {
  const file = new RemoteFile(address, options, signal);
  const cache = await cacheOf(options.cache, signal);
  const kept = await cache?.find(address);
  try {
    await file.start();
  } catch (error) {
    if (kept && Object(error).kind === 'format/download/network') return kept.open();
    throw error;
  }
  if (kept && kept.tag !== null && kept.tag === file.tag && (file.size === undefined || kept.size === file.size)) {
    file.close();
    return kept.open();
  }
  if (cache) return cache.keep(address, file.tag, (sink) => file.whole(sink));
  if (options.sha256 === undefined && file.hasRanges) return file.reader();
  const memory = new MemorySink();
  await file.whole(memory);
  return memoryReader(memory.bytes());
}

async function cacheOf(
  cache: boolean | string | undefined,
  signal: AbortSignalLike | undefined,
): Promise<FileCache | undefined> {
  if (cache === undefined || cache === false) return undefined;
  if (typeof process === 'undefined' || !process.getBuiltinModule) {
    const { pageCache } = await import('./page-cache.ts');
    return pageCache(cache === true ? 'nn' : cache, signal);
  }
  const { folderCache } = await import('./folder-cache.ts');
  return folderCache(cache === true ? undefined : cache, signal);
}

/** An answer that is being read, and where it is. */
interface OpenAnswer {
  readonly body: Body;
  at: number;
  readonly end: number;
}

/** One file of a server, in the state that its first answer named. */
class RemoteFile {
  readonly #http: Http;
  readonly #meter: Meter;
  /** The beginning of the file, which the first answer brought. */
  #head: Uint8Array = new Uint8Array(0);
  #open: OpenAnswer | undefined;
  /** Parts that will be read, from the front; what lies together is one. */
  #parts: readonly (readonly [begin: number, end: number])[] = [];
  #last: Promise<unknown> = Promise.resolve();
  size: number | undefined;
  tag: string | null = null;
  hasRanges = false;

  constructor(address: string, options: DownloadOptions, signal: AbortSignalLike | undefined) {
    this.#http = new Http(address, options, signal);
    this.#meter = new Meter(address, options.onProgress);
  }

  /** The first request. */
  async start(): Promise<void> {
    for (let failed = 0; ; ) {
      try {
        const answer = await this.#http.ask(0, firstBytes);
        ({ size: this.size, tag: this.tag } = answer);
        this.hasRanges = answer.isPart;
        this.#meter.total = answer.size ?? Infinity;
        if (answer.isPart) this.#head = await this.#all(answer);
        else this.#open = { body: answer.body, at: 0, end: answer.end };
        return;
      } catch (error) {
        failed = await this.#http.again(error, failed);
      }
    }
  }

  async #all({ body, begin, end }: Answer): Promise<Uint8Array> {
    const bytes = new Uint8Array(end - begin);
    for (let at = 0; at < bytes.length; ) {
      const piece = await body.next(bytes.length - at);
      if (piece === undefined) throw this.#http.cut();
      bytes.set(piece, at);
      at += piece.length;
    }
    body.finish();
    this.#meter.add(bytes.length);
    return bytes;
  }

  reader(): ByteReader {
    const size = this.size ?? 0;
    return {
      size,
      owned: true,
      // One request at a time, in the order of the calls.
      read: (begin, end) => {
        const turn = this.#last.then(() => this.#read(begin, end));
        this.#last = turn.catch(() => undefined);
        return turn;
      },
      expect: (parts) => {
        this.#parts = together(parts.map(([begin, end]) => [begin, Math.min(end, size)] as const));
        const left = this.#parts.map(([begin, end]) => Math.max(0, end - Math.max(begin, this.#head.length)));
        this.#meter.total = left.reduce((sum, bytes) => sum + bytes, this.#meter.loaded);
      },
      close: async () => this.close(),
    };
  }

  async #read(begin: number, end: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(end - begin);
    const known = this.#head.subarray(begin, end);
    bytes.set(known);
    await this.#fetch(begin + known.length, end, (piece, at) => bytes.set(piece, at - begin));
    return bytes;
  }

  /** Brings the bytes from `begin` to `end`, through as many requests as it takes. */
  async #fetch(begin: number, end: number, take: (piece: Uint8Array, at: number) => unknown): Promise<void> {
    let failed = 0;
    let gained = 0;
    for (let at = begin; at < end; ) {
      try {
        const open = await this.#openAt(at, end);
        const piece = await open.body.next(Math.min(end, open.end) - at);
        if (piece === undefined) throw this.#http.cut();
        await take(piece, at);
        this.#meter.add(piece.length);
        at += piece.length;
        open.at = at;
        gained += piece.length;
        // Attempts count anew once a good part has come.
        if (gained >= firstBytes) failed = 0;
        if (open.at >= open.end) this.close();
      } catch (error) {
        this.close();
        gained = 0;
        failed = await this.#http.again(error, failed);
      }
    }
  }

  /** The answer that is open, where it comes by this place soon, or else a new one. */
  async #openAt(at: number, end: number): Promise<OpenAnswer> {
    const open = this.#open;
    if (open && open.at <= at && at - open.at <= nearby && at < open.end) {
      while (open.at < at) {
        const piece = await open.body.next(at - open.at);
        if (piece === undefined) throw this.#http.cut();
        open.at += piece.length;
        this.#meter.add(piece.length);
      }
      return open;
    }
    this.close();
    const part = this.#parts.find(([begin, last]) => begin <= at && at < last);
    const answer = await this.#http.ask(at, Math.max(end, part?.[1] ?? 0, Math.min(at + leastBytes, this.size ?? 0)));
    if (!answer.isPart || answer.size !== this.size || answer.tag !== this.tag) {
      answer.body.cancel();
      this.#http.fail('changed', 'the file became another one while it was read: load it anew.', {
        size: this.size,
        now: answer.size,
      });
    }
    this.#open = { body: answer.body, at, end: answer.end };
    return this.#open;
  }

  /** All of the file, from the beginning to the end. */
  async whole(sink: Sink): Promise<void> {
    if (this.hasRanges) {
      const size = this.size ?? 0;
      await sink.begin(size);
      await sink.write(this.#head);
      this.#parts = [[0, size]];
      await this.#fetch(this.#head.length, size, (piece) => sink.write(piece));
      return;
    }
    for (let failed = 0; ; ) {
      try {
        await this.#stream(sink);
        return;
      } catch (error) {
        this.close();
        this.#meter.restart();
        failed = await this.#http.again(error, failed);
      }
    }
  }

  /** The file from a server without ranges: in one go, and after a cut from the beginning. */
  async #stream(sink: Sink): Promise<void> {
    if (!this.#open) {
      const { body, end, size, tag } = await this.#http.ask(null, 0);
      this.#open = { body, at: 0, end };
      if (tag !== this.tag || size !== this.size)
        this.#http.fail('changed', 'the file became another one while it was read: load it anew.');
    }
    const { body } = this.#open;
    await sink.begin(this.size);
    let at = 0;
    for (;;) {
      const piece = await body.next(Infinity);
      if (piece === undefined) break;
      at += piece.length;
      if (this.size !== undefined && at > this.size)
        this.#http.fail('length', `the server announced ${this.size} bytes, and sends more.`, { size: this.size });
      await sink.write(piece);
      this.#meter.add(piece.length);
    }
    if (this.size !== undefined && at < this.size) throw this.#http.cut();
    this.#meter.total = at;
    this.#meter.add(0);
    this.close();
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open && open.at >= open.end) open.body.finish();
    else open?.body.cancel();
  }
}

/** Parts in order; those that touch, or nearly do, as one. */
function together(parts: readonly (readonly [number, number])[]): [number, number][] {
  const result: [number, number][] = [];
  for (const [begin, end] of [...parts].sort(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last && begin - last[1] <= nearby) last[1] = Math.max(last[1], end);
    else if (end > begin) result.push([begin, end]);
  }
  return result;
}

/** A file that comes into memory, however large it turns out to be. */
class MemorySink implements Sink {
  #bytes = new Uint8Array(0);
  #filled = 0;

  async begin(size: number | undefined): Promise<void> {
    // A server may claim any size: no more is taken at once than this.
    this.#bytes = new Uint8Array(Math.min(size ?? 0, 2 ** 28));
    this.#filled = 0;
  }

  async write(piece: Uint8Array): Promise<void> {
    const needed = this.#filled + piece.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#filled);
    this.#filled = needed;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#filled);
  }
}
