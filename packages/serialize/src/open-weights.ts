/**
 * Opens a file of weights, whatever its name says: the format is told by the first bytes, and its reader loaded then. What
 * is no file of weights is refused with what it is and what to do.
 */
import { type AbortSignalLike, FormatError, ValueError } from '@nn/core';
import { openSafetensors } from './open-safetensors.ts';
import { isOtherwise, type ParseOptions } from './safetensors.ts';
import type { Folder } from './shards.ts';
import { type DownloadOptions, downloadOptionNames } from './sources/download-options.ts';
import { type ByteReader, nameOf, openBytes, type Source } from './sources/reader.ts';
import type { WeightsFile, WeightsLimits } from './weights.ts';

export interface OpenOptions extends ParseOptions, DownloadOptions {
  /**
   * The most bytes that what is packed (deflated) or repeated (expanded views) in a file may become, where that is more than four times what
   * it takes there; 268,435,456 where not given. It keeps a small file from taking all memory.
   */
  readonly maxBytes?: number;
  readonly signal?: AbortSignalLike | undefined;
}

/** `maxBytes` where it is not given. */
export const mostBytes: number = 2 ** 28;

/** The names of these options, for checks. */
export const openOptionNames: readonly string[] = [
  'signal',
  'maxHeaderBytes',
  'maxTensors',
  'maxBytes',
  ...downloadOptionNames,
];

/** Opens a source for an operation, which errors name; who opened it closes it. */
export async function openWeights(operation: string, source: Source, options: OpenOptions): Promise<WeightsFile> {
  const { maxHeaderBytes = 100_000_000, maxTensors = 100_000, maxBytes = mostBytes } = options;
  const limits = { maxHeaderBytes, maxTensors, maxBytes };
  const open = async (reader: ByteReader): Promise<WeightsFile> => {
    try {
      return await openReader(reader, limits, open);
    } catch (error) {
      await reader.close();
      throw error;
    }
  };
  const opened = await openSource(operation, source, options);
  if ('read' in opened) return open(opened);
  const { openFolder } = await import('./shards.ts');
  return openFolder(opened, limits, open);
}

/** One file, or several. */
async function openSource(operation: string, source: Source, options: OpenOptions): Promise<ByteReader | Folder> {
  const { signal, sha256 } = options;
  const name = nameOf(source);
  const isList = name === undefined && typeof source === 'object' && source !== null && Symbol.iterator in source;
  try {
    if (!isList || ArrayBuffer.isView(source)) return await openBytes(operation, source, signal, options);
  } catch (error) {
    if (name === undefined || Object(error).kind !== `format/${operation}/folder`) throw error;
  }
  if (sha256 !== undefined)
    throw new ValueError(operation, 'sha256 is that of one file; of several, load each by itself.');
  const { folderAt, folderOf } = await import('./sources/folder.ts');
  return name === undefined ? folderOf(operation, source, signal) : folderAt(operation, name, signal);
}

async function openReader(
  reader: ByteReader,
  limits: WeightsLimits,
  open: (reader: ByteReader) => Promise<WeightsFile>,
): Promise<WeightsFile> {
  const head = await reader.read(0, Math.min(512, reader.size));
  try {
    if (startsWith(head, 0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) {
      const { openNpy } = await import('./numpy/read.ts');
      return await openNpy(reader, limits);
    }
    if (startsWith(head, 0x47, 0x47, 0x55, 0x46)) {
      const { openGguf } = await import('./gguf/read.ts');
      return await openGguf(reader, limits);
    }
    if (startsWith(head, 0x50, 0x4b, 0x03, 0x04)) return await openArchive(reader, limits);
    if (startsWith(head, 0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46) || isTarName(head)) {
      const { openTorch } = await import('./pytorch/read.ts');
      return await openTorch(reader, limits);
    }
  } catch (error) {
    const { mangledText } = await import('./rare-kinds.ts');
    const mangled = mangledText(head);
    if (error instanceof FormatError && mangled !== undefined) throw new FormatError('loadModel/mangled', mangled);
    throw error;
  }
  if (isOtherwise(head, reader.size, limits.maxHeaderBytes) && isObjectText(head)) {
    const { openIndex } = await import('./shards.ts');
    return openIndex(reader, head, limits, open);
  }
  return openSafetensors(reader, head, limits);
}

async function openArchive(reader: ByteReader, limits: WeightsLimits): Promise<WeightsFile> {
  const { readDirectory } = await import('./zip/read.ts');
  const members = await readDirectory(reader, 4 * limits.maxTensors);
  const names = [...members.keys()];
  if (names.some((name) => /^([^/]*\/)?data\.pkl$/.test(name))) {
    const { openArchive: openTorchArchive } = await import('./pytorch/read.ts');
    return openTorchArchive(reader, members, limits);
  }
  if (names.some((name) => name.endsWith('.npy'))) {
    const { openNpz } = await import('./numpy/read.ts');
    return openNpz(reader, members, limits);
  }
  const { foreignArchive } = await import('./rare-kinds.ts');
  throw new FormatError('loadModel/foreign', foreignArchive(names));
}

/** Whether it begins as an object of JSON does, perhaps behind a byte order mark and spaces. */
function isObjectText(head: Uint8Array): boolean {
  return head.find((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf) === 0x7b;
}

function startsWith(head: Uint8Array, ...bytes: number[]): boolean {
  return bytes.every((byte, at) => head[at] === byte);
}

/** A tar says so at byte 257, or begins with the name of a member of PyTorch's. */
function isTarName(head: Uint8Array): boolean {
  const text = (from: number, to: number): string => String.fromCharCode(...head.subarray(from, to));
  return (
    head.length === 512 &&
    (text(257, 262) === 'ustar' || /^(\.\/)?(sys_info|pickle|storages|tensors)\0/.test(text(0, 20)))
  );
}
