/**
 * Pictures as sources of `@nn/data`'s pipelines: folders with one for each class, lists of files with labels, shards of tar. A picture is read and
 * decoded when a batch needs it, in a worker where the pipeline has some.
 */
import { excerpt, FormatError, ValueError } from '@nn/core';
import {
  type ByteRange,
  type FolderFile,
  type FolderOptions,
  folderSamples,
  openFile,
  type Source,
  tarSamples,
} from '@nn/data';
import { type DecodeImageOptions, decodeImage, type ImageSource } from '../codecs/decode.ts';
import type { Image } from '../images/image.ts';

/** A picture and its class. */
export interface LabelledImage {
  readonly image: Image;
  /** The number of the class. */
  readonly label: number;
  /** Where it came from. */
  readonly path: string;
}

/** The pictures of a folder. */
export interface ImageFolder extends Source<LabelledImage> {
  get(index: number): Promise<LabelledImage>;
  readonly classes: readonly string[];
  /** The class of each picture, for splits and samplers. */
  readonly labels: Int32Array;
}

const endings = ['png', 'jpg', 'jpeg'];

/**
 * Pictures whose class is the folder in which they stand, as torchvision's `ImageFolder`: a path in Node, a list of files as a page gets it. Takes the
 * options of `decodeImage`; `extensions` are png, jpg and jpeg where not given. Rejects with a `FormatError` that names the file.
 *
 * @example
 * import { dataPipeline } from '@nn/data';
 * import { encodePng, imageFolder, imageOf, planes } from '@nn/vision';
 * const file = async (grey: number) => new Blob([new Uint8Array(await encodePng(imageOf(new Uint8Array(16).fill(grey), 4, 4, 1)))]);
 * const files = [{ path: 'dark/1.png', file: await file(9) }, { path: 'light/1.png', file: await file(240) }];
 * const folder = await imageFolder(files); // in Node: imageFolder('photos/train')
 * const batches = dataPipeline(folder).map(({ image, label }) => ({ inputs: planes(image), targets: label })).batch(2);
 * for await (const { inputs } of batches) console.log(folder.classes, inputs.shape); // => [ 'dark', 'light' ] [ 2, 3, 4, 4 ]
 */
export async function imageFolder(
  from: string | readonly FolderFile[],
  options: DecodeImageOptions & FolderOptions = {},
): Promise<ImageFolder> {
  const { extensions = endings, ...decoding } = options;
  const files = await folderSamples(from, { extensions });
  return {
    length: files.length,
    classes: files.classes,
    labels: files.labels,
    async get(index) {
      const { bytes, path, label } = await files.get(index);
      return { image: await decodeImage(bytes, { ...decoding, name: path }), label, path };
    },
  };
}

/** A picture of a list: a path of Node's, or what it is read from. */
export interface ListedImage {
  readonly file: string | ImageSource;
  readonly label?: number;
}

/**
 * Pictures of a list, by their number: paths in Node, Blobs, Files, bytes; with labels where there are some, else 0.
 *
 * @example
 * import { encodePng, imageList, imageOf } from '@nn/vision';
 * const bytes = await encodePng(imageOf(new Uint8Array(4), 2, 2, 1));
 * const pictures = imageList([{ file: bytes, label: 1 }], { channels: 1 });
 * const { image, label } = await pictures.get(0);
 * console.log(pictures.length, image.width, label); // => 1 2 1
 */
export function imageList(
  list: readonly (ListedImage | string | ImageSource)[],
  options: DecodeImageOptions = {},
): Source<LabelledImage> & { get(index: number): Promise<LabelledImage> } {
  return {
    length: list.length,
    async get(index) {
      const item = list[index];
      if (item === undefined) {
        throw new ValueError('imageList', `there is no picture ${index} among ${list.length}.`, { index });
      }
      const { file, label = 0 } = isListed(item) ? item : { file: item };
      const path = typeof file === 'string' ? file : nameOf(file, index);
      const bytes = typeof file === 'string' ? await fileBytes(file) : file;
      return { image: await decodeImage(bytes, { ...options, name: path }), label, path };
    },
  };
}

const isListed = (item: ListedImage | string | ImageSource): item is ListedImage =>
  typeof item === 'object' && 'file' in item;

function nameOf(file: ImageSource, index: number): string {
  return 'name' in file && typeof file.name === 'string' ? file.name : `picture ${index}`;
}

async function fileBytes(path: string): Promise<Uint8Array> {
  const range = await openFile(path);
  try {
    return await range.read(0, range.size);
  } finally {
    await range.close();
  }
}

export interface ShardOptions extends DecodeImageOptions {
  /** What to call the shards in messages. */
  readonly names?: readonly string[];
}

/** A picture of a shard, with what lay beside it. */
export interface ShardImage {
  readonly image: Image;
  readonly key: string;
  /** The other files of the sample by their ending: 'cls', 'json', 'txt'. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** The number in the file `cls`; -1 where there is none. */
  readonly label: number;
}

/**
 * Pictures of tar files, as WebDataset writes them: `000017.jpg` beside `000017.cls`. Rejects with a `FormatError` for a sample without a picture, and
 * for a `cls` that is no whole number.
 */
export async function imageShards(
  shards: readonly ByteRange[],
  options: ShardOptions = {},
): Promise<Source<ShardImage> & { get(index: number): Promise<ShardImage>; readonly blocks: Int32Array }> {
  const { names, ...decoding } = options;
  const samples = await tarSamples(shards, names ? { names } : {});
  return {
    length: samples.length,
    blocks: samples.blocks,
    async get(index) {
      const { key, files } = await samples.get(index);
      const ending = endings.find((each) => files[each] !== undefined);
      if (ending === undefined) {
        const there = Object.keys(files).join(', ');
        throw new FormatError(
          'imageShards',
          `${excerpt(key, 100)} has no picture (${endings.join(', ')}), only ${there}.`,
          {
            key,
          },
        );
      }
      const { [ending]: bytes, ...rest } = files;
      const image = await decodeImage(bytes!, { ...decoding, name: `${key}.${ending}` });
      return { image, key, files: rest, label: labelOf(key, rest.cls) };
    },
  };
}

function labelOf(key: string, bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return -1;
  const text = new TextDecoder().decode(bytes).trim();
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new FormatError(
    'imageShards',
    `${excerpt(key, 100)}.cls holds ${excerpt(text, 20)}, which is no class number.`,
    {
      key,
    },
  );
}
