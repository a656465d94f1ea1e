/**
 * Pictures as sources of `@nn/data`'s pipelines: folders with one for each class, lists of files with labels, shards of tar. A picture is read and
 * decoded when a batch needs it, in a worker where the pipeline has some.
 */
import {
  type ByteRange,
  type DecodedFolder,
  type DecodedShards,
  type DecodedSource,
  decodedFolder,
  decodedList,
  decodedShards,
  type FileDecoder,
  type FolderFile,
  type FolderOptions,
} from '@nn/data';
import { type DecodeImageOptions, decodeImage, type ImageSource } from '../codecs/decode.ts';
import type { Image } from '../images/image.ts';

interface WithImage {
  readonly image: Image;
}

/** A picture and its class. */
export interface LabelledImage extends WithImage {
  /** The number of the class. */
  readonly label: number;
  /** Where it came from. */
  readonly path: string;
}

/** The pictures of a folder. */
export type ImageFolder = DecodedFolder<WithImage>;

const endings = ['png', 'jpg', 'jpeg'];

const decoder =
  (options: DecodeImageOptions): FileDecoder<WithImage> =>
  async (file, name) => ({ image: await decodeImage(file, { ...options, name }) });

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
export function imageFolder(
  from: string | readonly FolderFile[],
  options: DecodeImageOptions & FolderOptions = {},
): Promise<ImageFolder> {
  const { extensions = endings, ...decoding } = options;
  return decodedFolder(from, decoder(decoding), { extensions });
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
): DecodedSource<LabelledImage> {
  const items = list.map((item) => (isListed(item) ? { label: 0, ...item } : { file: item, label: 0 }));
  const read = decoder(options);
  const named: FileDecoder<WithImage & { readonly path: string }> = async (file, name) => ({
    ...(await read(file, name)),
    path: name,
  });
  return decodedList(items, named, { operation: 'imageList', what: 'picture' });
}

const isListed = (item: ListedImage | string | ImageSource): item is ListedImage =>
  typeof item === 'object' && 'file' in item;

export interface ImageShardsOptions extends DecodeImageOptions {
  /** What to call the shards in messages. */
  readonly names?: readonly string[];
}

/**
 * Pictures of tar files, as WebDataset writes them: `000017.jpg` beside `000017.cls`. Rejects with a `FormatError` for a sample without a picture, and
 * for a `cls` that is no whole number.
 */
export function imageShards(
  shards: readonly ByteRange[],
  options: ImageShardsOptions = {},
): Promise<DecodedShards<WithImage>> {
  const { names, ...decoding } = options;
  return decodedShards(shards, decoder(decoding), {
    extensions: endings,
    operation: 'imageShards',
    what: 'picture',
    ...(names && { names }),
  });
}
