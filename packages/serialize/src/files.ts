/**
 * Bytes from files and to files. Writing is atomic: a reader, or a crash at any moment, sees the old file or the new one.
 * Reading in parts is `sources/reader.ts`, temporary files that killed writers left are `leftovers.ts`.
 */
import { type AbortSignalLike, bytesFrom, checkOptions, excerpt, untilAborted, ValueError } from '@nn/core';
import { forget, removeLeftovers, temporaryName } from './leftovers.ts';
import { fileModules } from './node-modules.ts';
import type { DownloadOptions } from './sources/download-options.ts';
import { openBytes, type Source } from './sources/reader.ts';

/** All bytes of a source; errors are those of `openBytes`. */
export async function readBytes(
  operation: string,
  source: Source,
  signal?: AbortSignalLike,
  options: DownloadOptions = {},
): Promise<Uint8Array> {
  if (typeof source !== 'string' && options.sha256 === undefined) {
    const bytes = await bytesFrom(source, signal);
    if (bytes) return bytes;
  }
  const reader = await openBytes(operation, source, signal, options);
  try {
    return await reader.read(0, reader.size);
  } finally {
    await reader.close();
  }
}

export interface WriteOptions {
  /**
   * Ends the writing as long as the file does not have its name: the promise rejects with the signal's reason, the old file
   * stays as it was, and nothing is left behind.
   */
  readonly signal?: AbortSignalLike;
}

/**
 * Writes a file so that it is there completely or not at all: into a temporary file of the same folder, to the disk,
 * then renamed over the old one, then the folder to the disk. The old file's permissions stay, and a link stays a link:
 * what it points to is written. Calls for one path write in the order of the calls, awaited or not. Throws a `ValueError`
 * where there are no files, and where writing fails, with nothing left behind.
 *
 * @example
 * import { mkdtempSync, readFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { writeFileAtomic } from '@nn/serialize';
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/a.bin`;
 * await writeFileAtomic(path, Uint8Array.of(1, 2));
 * console.log(readFileSync(path).length); // => 2
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> {
  checkOptions('writeFileAtomic', options, ['signal']);
  await writeInOrder(path, Promise.resolve(bytes), options.signal);
}

/** The last write that was asked for, by path. */
const queues = new Map<string, Promise<void>>();

/**
 * As `writeFileAtomic`, with bytes that are still being made: the place in the order is that of this call, so of several
 * saves that were not awaited the last one stays. One that fails keeps nobody from writing after it.
 */
export async function writeInOrder(path: string, bytes: Promise<Uint8Array>, signal?: AbortSignalLike): Promise<void> {
  bytes.catch(() => undefined); // where the path is refused before anyone waits for them
  if (typeof path !== 'string' || path === '') {
    const given = path === '' ? "''" : excerpt(String(path), 60);
    throw new ValueError('writeFileAtomic', `the path of the file comes first, got ${given}: 'model.safetensors'.`);
  }
  const key = fileModules(path).paths.resolve(path);
  const before = queues.get(key);
  const turn = (async () => {
    await before?.catch(() => undefined);
    return bytes;
  })();
  // The turn is kept also by a call that was aborted: who comes after it waits for all that were asked for before.
  const write = turn.then((all) => replaceFile(path, all, signal));
  queues.set(key, write);
  const leave = (): void => {
    if (queues.get(key) === write) queues.delete(key);
  };
  write.then(leave, leave);
  // Once the file is being replaced it alone decides: whoever is told that the write has ended finds the old file.
  await untilAborted(turn, signal);
  await write;
}

async function replaceFile(path: string, bytes: Uint8Array, signal: AbortSignalLike | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { files, paths } = fileModules(path);
  const target = await followLinks(path);
  const folder = paths.dirname(target);
  const old = await files.stat(target).catch(() => undefined);
  const temporary = paths.join(folder, temporaryName(paths.basename(target)));
  try {
    const mode = old ? old.mode & 0o777 : 0o666;
    const file = await files.open(temporary, 'wx', mode);
    try {
      // The umask may have taken bits away. Node's permission model has no fchmod; then the file is the more private.
      if (old && ((await file.stat()).mode & 0o777) !== mode) await file.chmod(mode).catch(() => undefined);
      await file.writeFile(bytes, forNode(signal));
      await file.sync();
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    await files.rename(temporary, target);
  } catch (error) {
    await files.rm(temporary, { force: true }).catch(() => undefined);
    signal?.throwIfAborted();
    const there = await files.stat(folder).catch(() => undefined);
    const why = there?.isDirectory()
      ? reason(error).replaceAll(temporary, target)
      : `there is no folder ${excerpt(folder, 300)}; create it first: await mkdir(folder, { recursive: true }).`;
    throw new ValueError('writeFileAtomic', `${excerpt(path, 300)} cannot be written: ${why}`, {
      path,
      code: Object(error).code,
    });
  } finally {
    forget(temporary);
  }
  // Some systems cannot open or sync a folder (Windows, network drives); the file itself is safe by then.
  await files
    .open(folder, 'r')
    .then((handle) => handle.sync().finally(() => handle.close()))
    .catch(() => undefined);
  await removeLeftovers(folder, paths.basename(target)).catch(() => undefined);
}

/** What the path leads to through links, also through one whose target is not there yet. */
async function followLinks(path: string): Promise<string> {
  const { files, paths } = fileModules(path);
  const real = await files.realpath(path).catch(() => undefined);
  if (real !== undefined) return real;
  let target = paths.resolve(path);
  // As many links as systems follow.
  for (let hops = 0; hops < 40; hops++) {
    const next = await files.readlink(target).catch(() => undefined);
    if (next === undefined) return target;
    target = paths.resolve(paths.dirname(target), next);
  }
  throw new ValueError('writeFileAtomic', `${excerpt(path, 300)} is a link that leads in a circle.`, { path });
}

/** The option of Node's functions. The one cast: what users give is an AbortSignal, as Node asks for. */
function forNode(signal: AbortSignalLike | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal: signal as AbortSignal };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
