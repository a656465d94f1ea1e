/**
 * Bytes that are read in parts, as they are needed: of an array, a Blob, a file on disk. What is read from a file of
 * gigabytes is only what a tensor needs. Files at addresses are `remote.ts`, several files `folder.ts`; what the bytes mean is
 * for the readers of formats.
 */
import { type AbortSignalLike, bytesFrom, excerpt, FormatError, untilAborted, ValueError } from '@nn/core';
import { fileModules } from '../node-modules.ts';
import type { DownloadOptions } from './download-options.ts';

/** A source that is open. */
export interface ByteReader {
  readonly size: number;
  /** Whether what `read` gives is memory that nobody else holds, so that it can become a tensor without a copy. */
  readonly owned: boolean;
  /** The bytes from `begin` up to `end`; both are inside. */
  read(begin: number, end: number): Promise<Uint8Array>;
  /** Says which parts will be read, from where to where each, so that what lies together is fetched together. */
  expect?(parts: readonly (readonly [begin: number, end: number])[]): void;
  /** Opens the file of this name that lies beside this one; absent where nothing lies beside it. */
  readonly sibling?: (name: string) => Promise<ByteReader>;
  close(): Promise<void>;
}

/** Bytes: an array, a buffer, or what gives a buffer, as a `Blob`, a dropped `File` and a `Response` do. */
export type Bytes = Uint8Array | ArrayBuffer | { arrayBuffer(): Promise<ArrayBuffer> };

/** What is needed of a `File`. */
export interface NamedFile {
  readonly name: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * Where a file is: a path or a folder (in Node); an address, 'https://...' or 'hf://owner/name/file@revision', or a `URL`; bytes; or
 * the files of one model, as a list of `File`s or a map from names to bytes.
 */
export type Source = string | { readonly href: string } | Bytes | Iterable<NamedFile> | ReadonlyMap<string, Bytes>;

/** Bytes that are in memory. */
export function memoryReader(bytes: Uint8Array, owned = false): ByteReader {
  return {
    size: bytes.length,
    owned,
    // `subarray` of one's own memory is still shared between reads.
    read: async (begin, end) => (owned ? bytes.slice(begin, end) : bytes.subarray(begin, end)),
    close: async () => undefined,
  };
}

/** The part of a reader from `begin` on, `size` bytes long, as a reader of its own. */
export function partOf(reader: ByteReader, begin: number, size: number): ByteReader {
  return {
    size,
    owned: reader.owned,
    read: (from, to) => reader.read(begin + from, begin + to),
    close: async () => undefined,
  };
}

/** Bytes, whatever gives them; undefined for what is none. */
export async function bytesReader(
  source: unknown,
  signal: AbortSignalLike | undefined,
): Promise<ByteReader | undefined> {
  signal?.throwIfAborted();
  if (isBlob(source)) {
    return {
      size: source.size,
      owned: true,
      read: async (begin, end) => new Uint8Array(await untilAborted(source.slice(begin, end).arrayBuffer(), signal)),
      close: async () => undefined,
    };
  }
  const bytes = await bytesFrom(source, signal);
  return bytes && memoryReader(bytes);
}

/** A path, or an address; a `URL` of a file is its path. Undefined for everything else. */
export function nameOf(source: unknown): string | undefined {
  const name: unknown = typeof source === 'string' ? source : Object(source).href;
  if (typeof name !== 'string') return undefined;
  return name.startsWith('file://') ? fileModules(name).fromAddress(name) : name;
}

/**
 * Opens one file for an operation, which errors name. Throws a `FormatError` where it cannot be read, a `ValueError` for a path
 * where there are no files and for what is neither a path nor bytes, and the signal's reason once it is aborted.
 */
export async function openBytes(
  operation: string,
  source: Source,
  signal?: AbortSignalLike,
  options: DownloadOptions = {},
): Promise<ByteReader> {
  const reader = (await bytesReader(source, signal)) ?? (await openNamed(operation, nameOf(source), signal, options));
  if (options.sha256 !== undefined) {
    const { checkHash } = await import('./checked.ts');
    await checkHash(reader, options.sha256, signal);
  }
  return reader;
}

async function openNamed(
  operation: string,
  name: string | undefined,
  signal: AbortSignalLike | undefined,
  options: DownloadOptions,
): Promise<ByteReader> {
  if (name === undefined) throw new ValueError(operation, 'a path or bytes are expected, and come first.');
  if (!/^(https?|hf):\/\//i.test(name)) return openFile(operation, name, signal);
  const { openRemote } = await import('./remote.ts');
  return openRemote(name, options, signal);
}

/** Systems read no more than 2 GiB at once. */
const largestRead = 2 ** 29;

/** Opens a file on disk. A folder is a `FormatError` of a kind that ends with '/folder', a path that leads nowhere with '/missing'. */
export async function openFile(
  operation: string,
  path: string,
  signal: AbortSignalLike | undefined,
): Promise<ByteReader> {
  const { files, paths } = fileModules(path);
  const failed = async (error: unknown): Promise<never> => {
    signal?.throwIfAborted();
    const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
    if (code === 'ENOENT') {
      const { missingFile } = await import('./missing-file.ts');
      throw await missingFile(operation, path);
    }
    throw new FormatError(operation, `${excerpt(path, 300)} cannot be read: ${String(message ?? error)}`, {
      path,
      code,
    });
  };
  const handle = await files.open(path, 'r').catch(failed);
  let size: number;
  try {
    const found = await handle.stat();
    if (found.isDirectory()) {
      throw new FormatError(
        `${operation}/folder`,
        `${excerpt(path, 300)} cannot be read: it is a folder; name the file in it.`,
        { path },
      );
    }
    size = found.size;
  } catch (error) {
    await handle.close();
    if (error instanceof FormatError) throw error;
    return failed(error);
  }
  return {
    size,
    owned: true,
    async read(begin, end) {
      const bytes = new Uint8Array(end - begin);
      for (let at = 0; at < bytes.length; ) {
        signal?.throwIfAborted();
        const { bytesRead } = await handle
          .read(bytes, at, Math.min(bytes.length - at, largestRead), begin + at)
          .catch(failed);
        if (bytesRead === 0) {
          throw new FormatError(
            `${operation}/shrunk`,
            `${excerpt(path, 300)} became shorter while it was read: read it once it is written whole.`,
            { path },
          );
        }
        at += bytesRead;
      }
      return bytes;
    },
    sibling: (name) => openFile(operation, paths.join(paths.dirname(path), name), signal),
    close: () => handle.close(),
  };
}

function isBlob(source: unknown): source is Blob {
  if (typeof source !== 'object' || source === null || source instanceof Uint8Array) return false;
  return 'arrayBuffer' in source && 'slice' in source && 'size' in source && typeof source.slice === 'function';
}
