/**
 * Folders of files as samples, a folder for each class, as pictures and sounds are often kept. Bytes are read when a sample is asked for;
 * what they mean is decoded by the functions of the pipeline.
 */
import { checkOptions, excerpt, FormatError, ValueError } from '@nn/core';
import { checkNumber } from '../check-whole.ts';
import type { Source } from '../pipeline/source.ts';
import { type BlobLike, type ByteRange, byteRange, openFile } from './byte-range.ts';

/** A file, and how to read it. */
export interface FolderFile {
  /** With folders, '/' between them: 'ants/0013.jpg'. */
  readonly path: string;
  /** A `File` of a page, or what opens a file. */
  readonly file: BlobLike | (() => Promise<ByteRange>);
}

export interface FolderSample {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** The place of its folder among `classes`. */
  readonly label: number;
}

/** The files of all classes, one class behind the other. */
export interface FolderSamples extends Source<FolderSample> {
  get(index: number): Promise<FolderSample>;
  /** The names of the folders, in the order of their code points. */
  readonly classes: readonly string[];
  /** The class of each sample: for splits and samplers. */
  readonly labels: Int32Array;
}

export interface FolderOptions {
  /** Endings of the files to take, as ['jpg', 'png'], in any case; all files where not given. */
  readonly extensions?: readonly string[];
}

/**
 * Files as samples whose class is the folder in which they stand. Takes a folder's path in Node, or a list of files as a page gets
 * it. Hidden files are left out, links are followed. Rejects with a `FormatError` for a file that stands in no folder,
 * and where there is none.
 *
 * @example
 * import { dataPipeline, folderSamples } from '@nn/data';
 * const files = ['bees/1.txt', 'ants/1.txt', 'ants/2.txt'].map((path) => ({ path, file: new Blob([path]) }));
 * const samples = await folderSamples(files); // in Node: folderSamples('photos/train', { extensions: ['jpg'] })
 * console.log(samples.classes, samples.labels, (await samples.get(2)).path); // => [ 'ants', 'bees' ] Int32Array(3) [ 0, 0, 1 ] bees/1.txt
 * const batches = dataPipeline(samples).map(({ bytes, label }) => ({ inputs: bytes.length, targets: label })).batch(3);
 * console.log(batches.length); // => 1
 */
export async function folderSamples(
  from: string | readonly FolderFile[],
  options: FolderOptions = {},
): Promise<FolderSamples> {
  checkOptions('folderSamples', options, ['extensions']);
  if (options.extensions !== undefined && !Array.isArray(options.extensions)) {
    throw new ValueError('folderSamples', "extensions is a list of endings, as ['jpg', 'png'].");
  }
  const endings = options.extensions?.map((extension) => `.${extension.replace(/^\./, '').toLowerCase()}`);
  const files = (typeof from === 'string' ? await filesBelow(from) : from)
    .filter(({ path }) => !path.split('/').some((part) => part.startsWith('.')))
    .filter(({ path }) => !endings || endings.some((ending) => path.toLowerCase().endsWith(ending)))
    // By code points, so that every system has the same order.
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const folders = files.map(({ path }) => {
    const at = path.lastIndexOf('/');
    if (at > 0) return path.slice(0, at);
    throw new FormatError('folderSamples', `${excerpt(path, 100)} stands in no folder, which would be its class.`, {
      path,
    });
  });
  if (files.length === 0) {
    const what = endings ? `no file that ends with ${endings.join(', ')}` : 'no file';
    throw new FormatError(
      'folderSamples',
      `there is ${what}${typeof from === 'string' ? ` in ${excerpt(from, 200)}` : ''}.`,
    );
  }
  const classes = [...new Set(folders)].sort();
  const places = new Map(classes.map((name, place) => [name, place]));
  const labels = Int32Array.from(folders, (folder) => places.get(folder)!);
  return {
    length: files.length,
    classes,
    labels,
    async get(index) {
      checkNumber('folderSamples', index, files.length);
      const { path, file } = files[index]!;
      const range = typeof file === 'function' ? await file() : byteRange(file);
      try {
        return { path, bytes: await range.read(0, range.size), label: labels[index]! };
      } finally {
        await range.close?.();
      }
    },
  };
}

/** All files below a folder of Node's. */
async function filesBelow(folder: string): Promise<FolderFile[]> {
  if (typeof process === 'undefined' || !process.getBuiltinModule) {
    throw new ValueError(
      'folderSamples',
      `there is no file system here for '${excerpt(folder, 60)}'; pass a list of files.`,
    );
  }
  const { readdir, realpath, stat } = process.getBuiltinModule('node:fs/promises');
  const { join, relative, sep } = process.getBuiltinModule('node:path');
  const files: FolderFile[] = [];
  // `above` are the folders on the way, links resolved: one that leads back to them would be walked for ever.
  const walk = async (at: string, above: readonly string[]): Promise<void> => {
    const here = [...above, await realpath(at)];
    for (const entry of await readdir(at, { withFileTypes: true })) {
      const full = join(at, entry.name);
      // A link to nothing stays in the list: that it cannot be opened is an error, not a sample less.
      const kind = entry.isSymbolicLink() ? await stat(full).catch(() => undefined) : entry;
      if (kind?.isDirectory()) {
        if (!here.includes(await realpath(full))) await walk(full, here);
      } else if (kind === undefined || kind.isFile()) {
        files.push({ path: relative(folder, full).split(sep).join('/'), file: () => openFile(full) });
      }
    }
  };
  await walk(folder, []);
  return files;
}
