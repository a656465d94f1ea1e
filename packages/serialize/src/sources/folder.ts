/**
 * Several files as a source: a folder on disk, files that were dropped on a page, a map from names to bytes. Which of them
 * are a model is told by `shards.ts`.
 */
import { type AbortSignalLike, excerpt, FormatError, ValueError } from '@nn/core';
import { fileModules } from '../node-modules.ts';
import type { Folder } from '../shards.ts';
import { type ByteReader, bytesReader, openFile } from './reader.ts';

/** A folder on disk. */
export async function folderAt(operation: string, path: string, signal: AbortSignalLike | undefined): Promise<Folder> {
  const { files, paths } = fileModules(path);
  return {
    name: path,
    names: (await files.readdir(path)).sort(),
    open: (name) => openFile(operation, paths.join(path, name), signal),
  };
}

/** Files that were handed over. Throws a `ValueError` for what is no list of files and no map, and for a name that is there twice. */
export function folderOf(operation: string, source: unknown, signal: AbortSignalLike | undefined): Folder {
  const found = new Map<string, unknown>();
  const isList =
    typeof source === 'object' && source !== null && Symbol.iterator in source && !ArrayBuffer.isView(source);
  for (const item of isList ? (source as Iterable<unknown>) : []) {
    const [name, file]: readonly unknown[] = Array.isArray(item) ? item : [Object(item).name, item];
    if (typeof name !== 'string') throw new ValueError(operation, 'a list of files is expected: each with its name.');
    if (found.has(name)) throw new ValueError(operation, `the file '${excerpt(name)}' is there twice.`, { name });
    found.set(name, file);
  }
  if (found.size === 0) throw new ValueError(operation, 'a path or bytes are expected, and come first.');
  const open = async (name: string): Promise<ByteReader> => {
    const reader = await bytesReader(found.get(name), signal);
    if (!reader) {
      const words = found.has(name) ? 'holds no bytes' : 'is missing among the files that were handed over';
      throw new FormatError(`${operation}/missing`, `'${excerpt(name)}' ${words}.`, { name, names: [...found.keys()] });
    }
    return { ...reader, sibling: open };
  };
  return { name: 'the list of files', names: [...found.keys()].sort(), open };
}
