/**
 * Folders, lists and shards whose files mean something: samples with what a decoder makes of the bytes, when a batch
 * asks for them. The decoders of pictures and sounds stand in their packages; any function of bytes is one.
 */
import { checkOptions, excerpt, FormatError, ValueError } from '@nn/core';
import type { Source } from '../pipeline/source.ts';
import { type ByteRange, openFile } from './byte-range.ts';
import { type FolderFile, type FolderOptions, folderSamples } from './folders.ts';
import { tarSamples } from './tar.ts';

/** Bytes, or what gives them: a `Blob`, a `File`, a `Response`. */
export type FileSource = Uint8Array | ArrayBuffer | { arrayBuffer(): Promise<ArrayBuffer> };

/** What a file becomes: fields that its sample gets. `name` is for messages. */
export type FileDecoder<D extends object> = (file: FileSource, name: string) => Promise<D> | D;

/** Samples by their number, each of which has to be waited for. */
export interface DecodedSource<S> extends Source<S> {
  get(index: number): Promise<S>;
}

/** The samples of a folder. */
export interface DecodedFolder<D extends object>
  extends DecodedSource<D & { readonly label: number; readonly path: string }> {
  /** The names of the folders, in the order of their code points. */
  readonly classes: readonly string[];
  /** The class of each sample, for splits and samplers. */
  readonly labels: Int32Array;
}

/**
 * `folderSamples` with what `decode` makes of each file in place of its bytes.
 *
 * @example
 * import { decodedFolder, type FileDecoder } from '@nn/data';
 * const files = ['no/1.txt', 'yes/1.txt'].map((path) => ({ path, file: new Blob([path]) }));
 * const decode: FileDecoder<{ text: string }> = async (file) => ({ text: await new Response(file as Blob).text() });
 * const samples = await decodedFolder(files, decode); // in Node: decodedFolder('letters/train', decode)
 * console.log(await samples.get(1)); // => { text: 'yes/1.txt', label: 1, path: 'yes/1.txt' }
 */
export async function decodedFolder<D extends object>(
  from: string | readonly FolderFile[],
  decode: FileDecoder<D>,
  options: FolderOptions = {},
): Promise<DecodedFolder<D>> {
  const files = await folderSamples(from, options);
  const { length, classes, labels } = files;
  return {
    length,
    classes,
    labels,
    async get(index) {
      const { bytes, path, label } = await files.get(index);
      return { ...(await decode(bytes, path)), label, path };
    },
  };
}

/** An element of a list: a path of Node's or what is read, and whatever stands beside it. */
export interface ListedFile {
  readonly file: string | FileSource;
}

export interface ListOptions {
  /** Who asks, and what one of the files is called, in messages: 'decodedList' and 'file' where not given. */
  readonly operation?: string;
  readonly what?: string;
}

const listOptions = ['operation', 'what'];

/**
 * Files of a list by their number: each element with the fields that `decode` makes of its file.
 *
 * @example
 * import { decodedList } from '@nn/data';
 * const sizes = decodedList([{ file: new Uint8Array(7), label: 3 }], (file) => ({ size: (file as Uint8Array).length }));
 * const { size, label } = await sizes.get(0);
 * console.log(size, label); // => 7 3
 */
export function decodedList<T extends ListedFile, D extends object>(
  list: readonly T[],
  decode: FileDecoder<D>,
  options: ListOptions = {},
): DecodedSource<T & D> {
  checkOptions('decodedList', options, listOptions);
  const { operation = 'decodedList', what = 'file' } = options;
  return {
    length: list.length,
    async get(index) {
      const item = list[index];
      if (item === undefined) {
        throw new ValueError(operation, `there is no ${what} ${index} among ${list.length}.`, { index });
      }
      const { file } = item;
      const source = typeof file === 'string' ? await fileBytes(file) : file;
      return { ...item, ...(await decode(source, fileName(file, `${what} ${index}`))) };
    },
  };
}

/** What to call a file in messages. */
function fileName(file: string | FileSource, otherwise: string): string {
  if (typeof file === 'string') return file;
  return 'name' in file && typeof file.name === 'string' ? file.name : otherwise;
}

async function fileBytes(path: string): Promise<Uint8Array> {
  const range = await openFile(path);
  try {
    return await range.read(0, range.size);
  } finally {
    await range.close();
  }
}

export interface ShardsOptions extends ListOptions {
  /** Endings of the files to decode; the first that a sample has counts. */
  readonly extensions: readonly string[];
  /** What to call the shards in messages. */
  readonly names?: readonly string[];
}

/** A sample of a shard. */
export interface ShardSample {
  readonly key: string;
  /** Its other files by their ending: 'cls', 'json', 'txt'. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** The number in the file `cls`; -1 where there is none. */
  readonly label: number;
}

/** The samples of shards. */
export interface DecodedShards<D extends object> extends DecodedSource<D & ShardSample> {
  /** The first sample of each shard. */
  readonly blocks: Int32Array;
}

/**
 * `tarSamples` with one file of each sample decoded, as WebDataset writes them: `000017.jpg` beside `000017.cls`.
 * Rejects with a `FormatError` for a sample without such a file, and for a `cls` that is no whole number.
 */
export async function decodedShards<D extends object>(
  shards: readonly ByteRange[],
  decode: FileDecoder<D>,
  options: ShardsOptions,
): Promise<DecodedShards<D>> {
  checkOptions('decodedShards', options, [...listOptions, 'extensions', 'names']);
  const { extensions, names, operation = 'decodedShards', what = 'file' } = options;
  const samples = await tarSamples(shards, names ? { names } : {});
  const { length, blocks } = samples;
  return {
    length,
    blocks,
    async get(index) {
      const { key, files } = await samples.get(index);
      const ending = extensions.find((each) => files[each] !== undefined);
      if (ending === undefined) {
        const there = Object.keys(files).join(', ');
        throw new FormatError(
          operation,
          `${excerpt(key, 100)} has no ${what} (${extensions.join(', ')}), only ${there}.`,
          { key },
        );
      }
      const { [ending]: bytes, ...rest } = files;
      const decoded = await decode(bytes!, `${key}.${ending}`);
      return { ...decoded, key, files: rest, label: labelOf(operation, key, rest.cls) };
    },
  };
}

function labelOf(operation: string, key: string, bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return -1;
  const text = new TextDecoder().decode(bytes).trim();
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new FormatError(operation, `${excerpt(key, 100)}.cls holds ${excerpt(text, 20)}, which is no class number.`, {
    key,
  });
}
