/**
 * Bytes to a picture, whatever the file is: looks at the first bytes, asks a decoder, turns the picture upright, and gives it the channels
 * that were asked for. The same bytes give the same pixels in Node and in every browser, unless a decoder of the platform is passed.
 */
import { bytesFrom, checkOptions, FormatError, ValueError } from '@nn/core';
import { type Channels, type Image, withChannels } from '../images/image.ts';
import { decodeJpeg, isJpeg, jpegInfo } from './jpeg.ts';
import { decodePng, type ImageInfo, isPng, pngInfo } from './png.ts';

/** What a picture is read from: bytes, a Blob or File, a Response. */
export type ImageSource = Uint8Array | ArrayBuffer | { arrayBuffer(): Promise<ArrayBuffer> };

/** Turns the bytes of a file into a picture, in place of our own decoders. The picture stands upright where `upright` is set. */
export type ImageDecoder = (bytes: Uint8Array<ArrayBuffer>, options: { readonly upright: boolean }) => Promise<Image>;

export interface DecodeImageOptions {
  /** 3 where not given, as torchvision's image folders give: grey is tripled, alpha dropped. 'file' leaves what the file has. */
  readonly channels?: Channels | 'file';
  /** Whether a photograph is turned as the camera says it was held (EXIF); yes where not given. PIL and torchvision do not turn. */
  readonly upright?: boolean;
  /** Pictures with more pixels are refused before memory is taken; 50 million where not given. */
  readonly maxPixels?: number;
  /** A decoder of the platform for formats other than PNG and for JPEGs: faster, but pixels differ between machines. */
  readonly decoder?: ImageDecoder;
  /** What to call the file in messages. */
  readonly name?: string;
  /** Told once for each picture of which something is left out: other frames, the lower bits of 16. */
  readonly onWarning?: (message: string) => void;
}

/** Formats that are known by their first bytes, but not read here. */
const others: readonly (readonly [name: string, at: number, text: string])[] = [
  ['GIF', 0, 'GIF8'],
  ['WebP', 8, 'WEBP'],
  ['AVIF', 4, 'ftypavif'],
  ['HEIC', 4, 'ftyphei'],
  ['BMP', 0, 'BM'],
  ['TIFF', 0, 'II*\0'],
  ['TIFF', 0, 'MM\0*'],
];

const known = ['channels', 'upright', 'maxPixels', 'decoder', 'name', 'onWarning'];

/**
 * The size of the picture in the first bytes of a file, without its pixels. Throws a `FormatError` where it is neither PNG nor JPEG.
 *
 * @example
 * import { encodePng, imageInfo, imageOf } from '@nn/vision';
 * const { format, width, height } = imageInfo(await encodePng(imageOf(new Uint8Array(6), 3, 2, 1)));
 * console.log(format, width, height); // => png 3 2
 */
export function imageInfo(bytes: Uint8Array, name?: string): ImageInfo {
  return named(name, () => {
    if (isPng(bytes)) return pngInfo(bytes);
    if (isJpeg(bytes)) return jpegInfo(bytes);
    throw new FormatError('imageInfo', whatItIs(bytes));
  });
}

function whatItIs(bytes: Uint8Array): string {
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  const [format] = others.find(([, at, text]) => start.startsWith(text, at)) ?? [];
  if (bytes.length === 0) return 'the file is empty.';
  if (format === undefined) return 'this is neither PNG nor JPEG.';
  return `this is ${format}; PNG and JPEG are read here: save it as one of them, or pass a decoder of the platform (bitmapDecoder, sharpDecoder).`;
}

/**
 * Reads a PNG or a JPEG. Of an animated PNG the picture that stands for it is read; of 16 bits the upper 8 are kept, as PIL does for
 * colours; colour profiles are not applied. Rejects with a `FormatError` for other and for damaged files, and with a `ValueError` for
 * more pixels than `maxPixels`.
 *
 * @example
 * import { decodeImage, encodePng, imageOf } from '@nn/vision';
 * const file = await encodePng(imageOf(new Uint8Array([0, 255]), 2, 1, 1));
 * const { width, channels, data } = await decodeImage(file);
 * console.log(width, channels, data); // => 2 3 Uint8Array(6) [ 0, 0, 0, 255, 255, 255 ]
 */
export async function decodeImage(source: ImageSource, options: DecodeImageOptions = {}): Promise<Image> {
  checkOptions('decodeImage', options, known);
  const { channels = 3, upright = true, maxPixels = 50e6, decoder, name, onWarning } = options;
  const bytes = await bytesFrom(source);
  if (bytes === undefined) {
    throw new ValueError('decodeImage', `takes bytes, a Blob, a File or a Response, got ${typeof source}.`);
  }
  const refuse = ({ width, height }: { readonly width: number; readonly height: number }): void => {
    if (width * height <= maxPixels) return;
    throw new ValueError(
      'decodeImage',
      `the picture has ${width} x ${height} pixels, maxPixels allows ${maxPixels}: allow more where you trust the file.`,
      { width, height, maxPixels },
    );
  };
  const image = await named(name, async () => {
    const kind = isPng(bytes) ? 'png' : isJpeg(bytes) ? 'jpeg' : undefined;
    if (kind === undefined && !decoder) throw new FormatError('decodeImage', whatItIs(bytes));
    if (kind !== undefined) refuse(imageInfo(bytes));
    if (decoder && kind !== 'png') {
      const read = await decoder(bytes as Uint8Array<ArrayBuffer>, { upright });
      refuse(read);
      return read;
    }
    const info = imageInfo(bytes);
    if (info.isAnimated) onWarning?.(told(name, 'it is animated; only the picture that stands for it is read.'));
    if (info.depth > 8) onWarning?.(told(name, `it has ${info.depth} bits; the upper 8 are kept.`));
    const read = kind === 'png' ? await decodePng(bytes) : await decodeJpeg(bytes);
    return upright ? turned(read, info.orientation) : read;
  });
  return channels === 'file' ? image : withChannels(image, channels);
}

const told = (name: string | undefined, words: string): string =>
  `decodeImage: ${name === undefined ? '' : `${name}: `}${words}`;

/** Errors of the work say which file it was. */
function named<T>(name: string | undefined, work: () => T): T {
  const say = (error: unknown): never => {
    if (name === undefined || !(error instanceof Error) || !error.message.startsWith('decodeImage: ')) throw error;
    error.message = told(name, error.message.slice('decodeImage: '.length));
    throw error;
  };
  try {
    const result = work();
    // The one cast: a promise of the work stays one of the same kind.
    return result instanceof Promise ? (result.catch(say) as T) : result;
  } catch (error) {
    return say(error);
  }
}

/** The picture as it is to be seen: EXIF numbers the eight ways to turn and mirror a rectangle. */
function turned(image: Image, orientation: number): Image {
  if (orientation === 1) return image;
  const { width, height, channels, data } = image;
  const isSwapped = orientation >= 5;
  const [across, down] = isSwapped ? [height, width] : [width, height];
  const result = new Uint8Array(data.length);
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      // where the pixel (x, y) of the upright picture lies in the file
      let [u, v] = isSwapped ? [y, x] : [x, y];
      if ([2, 3, 7, 8].includes(orientation)) u = width - 1 - u;
      if ([3, 4, 6, 7].includes(orientation)) v = height - 1 - v;
      const [from, to] = [(v * width + u) * channels, (y * across + x) * channels];
      for (let k = 0; k < channels; k++) result[to + k] = data[from + k]!;
    }
  }
  return { width: across, height: down, channels, data: result };
}
