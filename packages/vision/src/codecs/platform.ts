/**
 * What pages and Node bring themselves: canvases as pictures in and out, the browser's decoder, and sharp where it is installed. Types are those that are
 * needed, so that neither the DOM's nor sharp's must be there.
 */
import { checkOptions, ValueError } from '@nn/core';
import { type Image, imageOf, type Size, withChannels } from '../images/image.ts';
import type { ImageDecoder } from './decode.ts';

/** What is needed of `ImageData`: pixels of a canvas, RGBA. */
export interface PixelsLike {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}

/** What is needed of a context of a canvas or an `OffscreenCanvas`. */
export interface ContextLike {
  drawImage(source: never, x: number, y: number, width: number, height: number): void;
  getImageData(x: number, y: number, width: number, height: number): PixelsLike;
}

/** A canvas, an image, a bitmap, a frame, a video that a camera feeds: what a context can draw. */
export interface Drawable {
  readonly width: number;
  readonly height: number;
  readonly naturalWidth?: number;
  readonly naturalHeight?: number;
  readonly videoWidth?: number;
  readonly videoHeight?: number;
  readonly displayWidth?: number;
  readonly displayHeight?: number;
}

/**
 * The picture of pixels as a canvas has them (`context.getImageData(...)`), RGB; alpha is dropped unless `channels` is 4.
 *
 * @example
 * import { fromPixels } from '@nn/vision';
 * const pixels = { width: 1, height: 1, data: new Uint8ClampedArray([1, 2, 3, 255]) };
 * console.log(fromPixels(pixels).data); // => Uint8Array(3) [ 1, 2, 3 ]
 */
export function fromPixels(
  { width, height, data }: PixelsLike,
  options: { readonly channels?: 1 | 3 | 4 } = {},
): Image {
  checkOptions('fromPixels', options, ['channels']);
  return withChannels(imageOf(new Uint8Array(data), width, height, 4), options.channels ?? 3);
}

/** The pixels for `context.putImageData(new ImageData(data, width, height), 0, 0)`: RGBA, clamped. */
export function toPixels(image: Image): { data: Uint8ClampedArray<ArrayBuffer>; width: number; height: number } {
  const { width, height, data } = withChannels(image, 4);
  return { data: new Uint8ClampedArray(data), width, height };
}

/**
 * What a page shows or a camera sees, as a picture: a canvas, an `<img>`, a `<video>` of `getUserMedia`, an `ImageBitmap`, a `VideoFrame`. It is
 * drawn at its own size, or at `size` by the browser, whose pixels differ from ours. Throws a `ValueError` where there is no canvas, and
 * what the browser throws for pictures of other origins.
 */
export function fromCanvas(
  source: Drawable,
  options: { readonly size?: Size; readonly channels?: 1 | 3 | 4 } = {},
): Image {
  checkOptions('fromCanvas', options, ['size', 'channels']);
  const own = {
    width: source.videoWidth ?? source.naturalWidth ?? source.displayWidth ?? source.width,
    height: source.videoHeight ?? source.naturalHeight ?? source.displayHeight ?? source.height,
  };
  const { width, height } = options.size ?? own;
  if (!(width > 0 && height > 0)) {
    throw new ValueError(
      'fromCanvas',
      `the source is ${width} x ${height} pixels: wait until it has loaded (an image's decode(), a video's 'loadeddata').`,
      { width, height },
    );
  }
  const context = contextOf(width, height);
  context.drawImage(source as never, 0, 0, width, height);
  return fromPixels(context.getImageData(0, 0, width, height), { channels: options.channels ?? 3 });
}

function contextOf(width: number, height: number): ContextLike {
  const Canvas: unknown = Reflect.get(globalThis, 'OffscreenCanvas');
  if (typeof Canvas !== 'function') {
    throw new ValueError('fromCanvas', 'there is no OffscreenCanvas here: in Node read files with decodeImage.');
  }
  // The one cast: a context in two dimensions is what this canvas gives.
  const canvas = Reflect.construct(Canvas, [width, height]) as { getContext(kind: '2d', options: object): ContextLike };
  return canvas.getContext('2d', { willReadFrequently: true });
}

/**
 * The browser's own decoder, for `decodeImage({ decoder })`: faster than ours, and reads what the browser can show (WebP, AVIF, GIF). Colour profiles
 * are not applied and alpha is not multiplied, but pixels still differ between browsers by a few levels: do not train with one and predict
 * with another.
 */
export function bitmapDecoder(): ImageDecoder {
  const create: unknown = Reflect.get(globalThis, 'createImageBitmap');
  if (typeof create !== 'function') {
    throw new ValueError('bitmapDecoder', 'there is no createImageBitmap here: in Node pass sharpDecoder(sharp).');
  }
  return async (bytes, { upright }) => {
    const bitmap: Drawable & { close(): void } = await create.call(globalThis, new Blob([bytes]), {
      imageOrientation: upright ? 'from-image' : 'none',
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'none',
    });
    try {
      return fromCanvas(bitmap, { channels: 4 });
    } finally {
      bitmap.close();
    }
  };
}

/** What is needed of sharp. */
export type SharpLike = (bytes: Uint8Array) => SharpLike.Work;
export declare namespace SharpLike {
  interface Work {
    rotate(): Work;
    ensureAlpha(): Work;
    toColourspace(name: string): Work;
    raw(): Work;
    toBuffer(options: { resolveWithObject: true }): Promise<{
      readonly data: Uint8Array;
      readonly info: { readonly width: number; readonly height: number; readonly channels: number };
    }>;
  }
}

/**
 * sharp, which you install beside this package, as a decoder in Node: `decodeImage(bytes, { decoder: sharpDecoder(sharp) })`. It is native, faster for
 * large pictures and slower for small ones, reads more formats, and its pixels differ from ours by a level here and there.
 */
export function sharpDecoder(sharp: SharpLike): ImageDecoder {
  return async (bytes, { upright }) => {
    const opened = sharp(bytes);
    const work = (upright ? opened.rotate() : opened).toColourspace('srgb').ensureAlpha().raw();
    const { data, info } = await work.toBuffer({ resolveWithObject: true });
    return imageOf(new Uint8Array(data), info.width, info.height, 4);
  };
}
