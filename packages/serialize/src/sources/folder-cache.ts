/**
 * A folder of Node's that keeps downloaded files: for each address a note (address, ETag, size) and, under a name made of both
 * address and ETag, the file. A download has its name only once it is complete, so readers and crashes see all of it or nothing.
 */
import { type AbortSignalLike, excerpt, FormatError, ValueError } from '@nn/core';
import { writeInOrder } from '../files.ts';
import { forget, removeLeftovers, temporaryName } from '../leftovers.ts';
import { fileModules } from '../node-modules.ts';
import { openFile } from './reader.ts';
import type { FileCache, Sink } from './remote.ts';
import { Sha256 } from './sha256.ts';

/** What is known of a kept file. */
interface Note {
  readonly address: string;
  readonly tag: string | null;
  readonly size: number;
  readonly file: string;
}

/** The cache in a folder; where none is named, in that of the user's other programs. */
export function folderCache(folder: string | undefined, signal: AbortSignalLike | undefined): FileCache {
  const { files, paths } = fileModules(folder ?? 'the cache');
  const home = paths.resolve(folder ?? usualFolder(paths.join));
  const noteOf = (address: string): string => paths.join(home, `${hashOf(address)}.json`);
  return {
    async find(address) {
      const note = await readNote(noteOf(address), address);
      if (!note) return undefined;
      const path = paths.join(home, note.file);
      const found = await files.stat(path).catch(() => undefined);
      if (found?.size !== note.size) return undefined;
      return { tag: note.tag, size: note.size, open: () => openFile('download', path, signal) };
    },
    async keep(address, tag, download) {
      const before = await readNote(noteOf(address), address);
      await files.mkdir(home, { recursive: true }).catch((error: unknown) => refuse(home, error));
      const file = `${hashOf(address)}-${hashOf(tag ?? '')}.bin`;
      const path = paths.join(home, file);
      const size = await write(path, download, signal);
      const note: Note = { address, tag, size, file };
      // The file is open before the note tells others of it, and old ones go.
      const reader = await openFile('download', path, signal);
      await writeInOrder(noteOf(address), Promise.resolve(new TextEncoder().encode(JSON.stringify(note))));
      if (before && before.file !== file)
        await files.rm(paths.join(home, before.file), { force: true }).catch(() => undefined);
      return reader;
    },
  };
}

function usualFolder(join: (...parts: string[]) => string): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  return join(XDG_CACHE_HOME || LOCALAPPDATA || join(process.getBuiltinModule('node:os').homedir(), '.cache'), 'nn');
}

function refuse(path: string, error: unknown): never {
  const why = error instanceof Error ? error.message : String(error);
  throw new ValueError('download/cache', `the cache in ${excerpt(path, 300)} cannot be written: ${why}`, { path });
}

/** The note of an address; undefined where there is none, or it is damaged. */
async function readNote(path: string, address: string): Promise<Note | undefined> {
  const { files } = fileModules(path);
  try {
    const note: unknown = JSON.parse(await files.readFile(path, 'utf8'));
    const { address: of, tag, size, file } = Object(note) as Partial<Record<keyof Note, unknown>>;
    const isTag = tag === null || typeof tag === 'string';
    if (of !== address || !isTag || typeof size !== 'number' || !/^[\da-f]+-[\da-f]+\.bin$/.test(String(file)))
      return undefined;
    return { address, tag, size, file: String(file) };
  } catch {
    return undefined;
  }
}

/** Writes a download; the result is its size. Where it fails, nothing is left behind. */
async function write(
  path: string,
  download: (sink: Sink) => Promise<void>,
  signal: AbortSignalLike | undefined,
): Promise<number> {
  const { files, paths } = fileModules(path);
  const folder = paths.dirname(path);
  const temporary = paths.join(folder, temporaryName(paths.basename(path)));
  let size = 0;
  try {
    const handle = await files.open(temporary, 'wx');
    try {
      await download({
        async begin() {
          await handle.truncate(0);
          size = 0;
        },
        async write(piece) {
          signal?.throwIfAborted();
          await handle.write(piece, 0, piece.length, size);
          size += piece.length;
        },
      });
      await handle.sync();
    } finally {
      await handle.close();
    }
    await files.rename(temporary, path);
  } catch (error) {
    await files.rm(temporary, { force: true }).catch(() => undefined);
    signal?.throwIfAborted();
    if (error instanceof FormatError || Object(error).code === undefined) throw error;
    refuse(path, error);
  } finally {
    forget(temporary);
  }
  await removeLeftovers(folder, paths.basename(path)).catch(() => undefined);
  return size;
}

function hashOf(text: string): string {
  const hash = new Sha256();
  hash.update(new TextEncoder().encode(text));
  return hash.digest().slice(0, 32);
}
