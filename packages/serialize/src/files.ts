/**
 * Bytes from files and to files. Writing is atomic: a reader, or a crash at any moment, sees the old file or the new one.
 * Node's modules are asked for at run time, so that no bundler sees them; in a browser only bytes in memory exist.
 */
import { FormatError, ValueError } from '@nn/core';

/** A path (in Node), or bytes: an array, a buffer, or what gives a buffer, as a `Blob`, a dropped `File` and a `Response` do. */
export type Source = string | Uint8Array | ArrayBuffer | { arrayBuffer(): Promise<ArrayBuffer> };

/**
 * Reads all bytes. Throws a `FormatError` where a file cannot be read, and a `ValueError` for a path where there are no files,
 * and for what is neither a path nor bytes.
 */
export async function readBytes(source: Source): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof source !== 'string') {
    if (typeof source?.arrayBuffer === 'function') return new Uint8Array(await source.arrayBuffer());
    throw new ValueError('readBytes: a path or bytes are expected, and come first.');
  }
  const { files } = node(source);
  try {
    return await files.readFile(source);
  } catch (error) {
    throw new FormatError(`readBytes: ${source} cannot be read: ${reason(error)}`, { path: source });
  }
}

/**
 * Writes a file so that it is there completely or not at all: into a temporary file of the same folder, to the disk,
 * then renamed over the old one, then the folder to the disk. The old file's permissions stay. Throws a `ValueError`
 * where there are no files, and the system's error, with nothing left behind, where writing fails.
 *
 * @example
 * import { mkdtempSync, readFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { writeFileAtomic } from '@nn/serialize';
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/a.bin`;
 * await writeFileAtomic(path, Uint8Array.of(1, 2));
 * console.log(readFileSync(path).length); // => 2
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const { files, paths } = node(path);
  // A link stays a link: what it points to is replaced.
  const target = await files.realpath(path).catch(() => paths.resolve(path));
  const folder = paths.dirname(target);
  const old = await files.stat(target).catch(() => undefined);
  const unique = `${process.pid}-${globalThis.crypto.randomUUID()}`;
  const temporary = paths.join(folder, `.${paths.basename(target)}.${unique}.tmp`);
  try {
    const file = await files.open(temporary, 'wx');
    try {
      if (old) await file.chmod(old.mode & 0o777);
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, target);
  } catch (error) {
    await files.rm(temporary, { force: true });
    throw error;
  }
  // Some systems cannot open or sync a folder (Windows, network drives); the file itself is safe by then.
  await files
    .open(folder, 'r')
    .then((handle) => handle.sync().finally(() => handle.close()))
    .catch(() => undefined);
}

/** Node's modules; their types are inferred, for a name in an import would reach the bundlers. */
function node(path: string) {
  if (typeof process === 'undefined' || !process.getBuiltinModule) {
    throw new ValueError(`files: there is no file system here for '${path}'; use bytes or a Blob instead of a path.`, {
      path,
    });
  }
  return { files: process.getBuiltinModule('node:fs/promises'), paths: process.getBuiltinModule('node:path') };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
