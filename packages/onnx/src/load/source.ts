/**
 * Where the bytes of a model come from: a path in Node, an address, bytes in memory, as `@nn/serialize` reads them. Files beside
 * the model (external data) are asked for by name, and only inside of its folder.
 */
import { type AbortSignalLike, excerpt, FormatError, ValueError } from '@nn/core';
import { type DownloadOptions, openBytes } from '@nn/serialize/formats';

/**
 * A path (in Node), an address ('https://...', 'hf://owner/name/file@revision'), or bytes: an array, a buffer, or what gives a buffer, as a
 * `Blob`, a `File` and a `Response` do.
 */
export type OnnxSource = string | Uint8Array | ArrayBuffer | { arrayBuffer(): Promise<ArrayBuffer> };

/** The files beside a model: a function from names to bytes, or bytes by name, or the files of a form. */
export type ExternalFiles =
  | ((name: string) => OnnxSource | Promise<OnnxSource>)
  | Readonly<Record<string, OnnxSource>>
  | readonly { readonly name: string; arrayBuffer(): Promise<ArrayBuffer> }[];

interface FileModules {
  readonly files: ReturnType<typeof process.getBuiltinModule<'node:fs/promises'>>;
  readonly paths: ReturnType<typeof process.getBuiltinModule<'node:path'>>;
}

/** Node's own modules, asked for at run time so that no bundler sees them. */
function fileModules(path: string): FileModules {
  if (typeof process === 'undefined' || !process.getBuiltinModule) {
    throw new ValueError(
      'loadOnnx/path',
      `there is no file system here for '${excerpt(path)}': give bytes, a Blob or an address.`,
      { path },
    );
  }
  return { files: process.getBuiltinModule('node:fs/promises'), paths: process.getBuiltinModule('node:path') };
}

/** How a source is read. */
export interface SourceOptions extends DownloadOptions {
  readonly signal?: AbortSignalLike;
}

/** All bytes of a source. */
export async function readSource(source: OnnxSource, { signal, ...options }: SourceOptions = {}): Promise<Uint8Array> {
  const reader = await openBytes('loadOnnx', source, signal, options);
  try {
    return await reader.read(0, reader.size);
  } finally {
    await reader.close();
  }
}

function unreadable(path: string, error: unknown): FormatError {
  const why = error instanceof Error ? error.message : String(error);
  return new FormatError('loadOnnx/read', `${excerpt(path, 300)} cannot be read: ${why}`, { path });
}

/** Reads pieces of the files beside a model. */
export type ReadBeside = (name: string, offset: number, length: number | null) => Promise<Uint8Array>;

/** A name that stays inside of the model's folder. */
function checkName(name: string): void {
  const parts = name.split(/[\\/]/);
  if (name === '' || /^([\\/]|[a-z]:)/i.test(name) || parts.includes('..') || name.includes('\0')) {
    throw new FormatError(
      'loadOnnx/outside',
      `the model points at '${excerpt(name)}', outside of its folder: that is never read; write its data beside it.`,
      { name },
    );
  }
}

/** The files beside a source, as `external` gives them, or its folder. */
export function filesBeside(
  source: OnnxSource,
  external: ExternalFiles | undefined,
  { sha256: _, ...options }: SourceOptions = {},
): ReadBeside {
  const whole = new Map<string, Promise<Uint8Array>>();
  return async (name, offset, length) => {
    checkName(name);
    if (external === undefined && typeof source === 'string' && !/^(https?|hf):/i.test(source)) {
      return readPiece(source, name, offset, length);
    }
    let reading = whole.get(name);
    if (reading === undefined) {
      const found = await externalSource(source, external, name);
      if (found === undefined) throw missing(name);
      reading = readSource(found, options);
      whole.set(name, reading);
    }
    return pieceOf(name, await reading, offset, length);
  };
}

async function externalSource(
  source: OnnxSource,
  external: ExternalFiles | undefined,
  name: string,
): Promise<OnnxSource | undefined> {
  if (typeof external === 'function') return external(name);
  if (Array.isArray(external)) return external.find((file) => file.name === name || name.endsWith(`/${file.name}`));
  if (external !== undefined)
    return Object.hasOwn(external, name) ? (external as Readonly<Record<string, OnnxSource>>)[name] : undefined;
  return typeof source === 'string' ? addressBeside(source, name) : undefined;
}

/** The revision that stands behind a file of a hub is that of its neighbours, too. */
function addressBeside(address: string, name: string): string {
  const revision = /^hf:\/\/[^@]*(@.*)$/i.exec(address)?.[1] ?? '';
  // In the middle, behind the name of the repository, it stays where it is.
  const isLast = !/^hf:\/\/[^/]*\/[^/]*@/i.test(address);
  return isLast && revision !== ''
    ? new URL(name, address.slice(0, -revision.length)).href + revision
    : new URL(name, address).href;
}

function missing(name: string): FormatError {
  return new FormatError(
    'loadOnnx/external',
    `the weights lie in another file, '${excerpt(name)}': loadOnnx(source, { external: { '${excerpt(name)}': bytes } }).`,
    { name },
  );
}

function pieceOf(name: string, bytes: Uint8Array, offset: number, length: number | null): Uint8Array {
  const end = length === null ? bytes.length : offset + length;
  if (!(offset >= 0 && end >= offset && end <= bytes.length)) throw tooShort(name, bytes.length, end);
  return bytes.subarray(offset, end);
}

function tooShort(name: string, size: number, end: number): FormatError {
  return new FormatError(
    'loadOnnx/external',
    `'${excerpt(name)}' has ${size} bytes, and weights lie up to byte ${end}: it was cut off, or belongs to another model.`,
    { name },
  );
}

async function readPiece(source: string, name: string, offset: number, length: number | null): Promise<Uint8Array> {
  const { files, paths } = fileModules(source);
  const folder = await files.realpath(paths.dirname(source));
  const path = paths.join(folder, name);
  let handle: Awaited<ReturnType<typeof files.open>>;
  try {
    // a link may lead outside
    const real = await files.realpath(path);
    if (!real.startsWith(folder + paths.sep)) checkName('..');
    handle = await files.open(real, 'r');
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw unreadable(path, error);
  }
  try {
    const { size } = await handle.stat();
    const end = length === null ? size : offset + length;
    if (!(offset >= 0 && end >= offset && end <= size)) throw tooShort(name, size, end);
    const bytes = new Uint8Array(end - offset);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, 2 ** 29), offset + at);
      if (bytesRead === 0) throw tooShort(name, offset + at, end);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
