/**
 * What a picture is in memory: bytes, row by row, the channels of a pixel beside each other, as decoders give and canvases take
 * them. Networks take planes, [channels, height, width]: `planes` and `imageTensor` turn one into the other. No file, no random number.
 */
import { type Backend, ShapeError, type Tensor, tensor, ValueError } from '@nn/core';
import type { DataArray, Normalization } from '@nn/data';

/** How many values a pixel has: grey, red green blue, the same with alpha. */
export type Channels = 1 | 3 | 4;

/** A picture of bytes. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
  /** [height, width, channels], 0 to 255. */
  readonly data: Uint8Array;
}

/** Height and width in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** A picture of its bytes, which are not copied. Throws a `ShapeError` where there are not width x height x channels of them. */
export function imageOf(data: Uint8Array, width: number, height: number, channels: Channels): Image {
  checkSize('imageOf', { width, height });
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new ShapeError('imageOf', `channels is ${String(channels)}: a picture has 1 (grey), 3 (RGB) or 4 (RGBA).`, {
      channels,
    });
  }
  if (data.length !== width * height * channels) {
    throw new ShapeError(
      'imageOf',
      `${width} x ${height} pixels of ${channels} channels are ${width * height * channels} bytes, got ${data.length}.`,
      { width, height, channels, length: data.length },
    );
  }
  return { width, height, channels, data };
}

/** Throws a `ShapeError` unless both are whole numbers from 1 on. */
export function checkSize(operation: string, { width, height }: Size): void {
  if (Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0) return;
  throw new ShapeError(operation, `the size is ${width} x ${height}: both must be whole numbers of at least 1.`, {
    width,
    height,
  });
}

/** A number for both sides, or both. */
export function sizeOf(operation: string, size: number | Size): Size {
  const both = typeof size === 'number' ? { height: size, width: size } : size;
  checkSize(operation, both);
  return both;
}

/**
 * The picture with so many channels. Grey is PIL's `L`: (19595 R + 38470 G + 7471 B + 2^15) / 2^16; alpha is dropped, as PIL's
 * `convert('RGB')` does, and 255 where there was none.
 *
 * @example
 * import { imageOf, withChannels } from '@nn/vision';
 * const red = imageOf(new Uint8Array([255, 0, 0]), 1, 1, 3);
 * console.log(withChannels(red, 1).data); // => Uint8Array(1) [ 76 ]
 */
export function withChannels(image: Image, channels: Channels): Image {
  const { width, height, data } = image;
  const from = image.channels;
  if (from === channels) return image;
  const pixels = width * height;
  const result = new Uint8Array(pixels * channels);
  for (let i = 0; i < pixels; i++) {
    const at = i * from;
    const to = i * channels;
    if (channels === 1) {
      result[to] = (data[at]! * 19595 + data[at + 1]! * 38470 + data[at + 2]! * 7471 + 0x8000) >> 16;
      continue;
    }
    result[to] = data[at]!;
    result[to + 1] = data[from === 1 ? at : at + 1]!;
    result[to + 2] = data[from === 1 ? at : at + 2]!;
    if (channels === 4) result[to + 3] = 255;
  }
  return { width, height, channels, data: result };
}

/**
 * The picture as planes, [channels, height, width] of bytes: a field of a sample for `dataPipeline`. Batches of it are
 * [N, channels, height, width], and `normalize` of the pipeline makes what a network takes.
 *
 * @example
 * import { imageOf, planes } from '@nn/vision';
 * const { data, shape } = planes(imageOf(new Uint8Array([1, 2, 3, 4, 5, 6]), 2, 1, 3));
 * console.log(shape, data); // => [ 3, 1, 2 ] Uint8Array(6) [ 1, 4, 2, 5, 3, 6 ]
 */
export function planes({ width, height, channels, data }: Image): DataArray<Uint8Array> {
  const count = width * height;
  const result = new Uint8Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let from = channel, to = channel * count; from < data.length; from += channels) result[to++] = data[from]!;
  }
  return { data: result, shape: [channels, height, width] };
}

/** What a pixel means to a network. */
export interface TensorScale {
  /** Of each channel, on the scale 0 to 1; 0 where not given. */
  readonly mean?: readonly number[];
  /** Divides the rest; 1 where not given. */
  readonly standardDeviation?: readonly number[];
  readonly backend?: Backend;
}

/**
 * Pictures of one size as a float32 tensor [N, channels, height, width] of 0 to 1, less the mean and over the standard deviation
 * where they are given. Throws a `ShapeError` where sizes differ.
 *
 * @example
 * import { imageOf, imageTensor } from '@nn/vision';
 * const x = imageTensor([imageOf(new Uint8Array([0, 255]), 2, 1, 1)], { mean: [0.5], standardDeviation: [0.5] });
 * console.log(x.shape, await x.flatten().array()); // => [ 1, 1, 1, 2 ] [ -1, 1 ]
 */
export function imageTensor(images: readonly Image[], scale: TensorScale = {}): Tensor {
  const first = images[0];
  if (first === undefined) throw new ValueError('imageTensor', 'there is no picture in the list.');
  const { width, height, channels } = first;
  const { mean = [], standardDeviation = [], backend } = scale;
  for (const [what, list] of Object.entries({ mean, standardDeviation })) {
    if (list.length === 0 || list.length === channels) continue;
    throw new ShapeError('imageTensor', `${what} has ${list.length} numbers, the pictures have ${channels} channels.`, {
      channels,
    });
  }
  const count = width * height;
  const values = new Float32Array(images.length * channels * count);
  images.forEach((image, n) => {
    if (image.width !== width || image.height !== height || image.channels !== channels) {
      throw new ShapeError(
        'imageTensor',
        `picture ${n} is ${image.width} x ${image.height} x ${image.channels}, picture 0 ${width} x ${height} x ${channels}: resize, crop or withChannels make them equal.`,
        { index: n },
      );
    }
    for (let channel = 0; channel < channels; channel++) {
      const [offset, divisor] = [mean[channel] ?? 0, standardDeviation[channel] ?? 1];
      const base = (n * channels + channel) * count;
      for (let i = 0; i < count; i++) {
        values[base + i] = (image.data[i * channels + channel]! / 255 - offset) / divisor;
      }
    }
  });
  const options = { shape: [images.length, channels, height, width], borrow: true, ...(backend && { backend }) };
  return tensor(values, options);
}

/**
 * Pictures of a tensor [N, channels, height, width], for showing and saving: values from `low` to `high` become 0 to 255, rounded;
 * what lies outside is cut. Throws a `ShapeError` for another shape.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { imagesOf } from '@nn/vision';
 * const [image] = await imagesOf(tensor([[[[0, 0.5, 2]]]]));
 * console.log(image?.width, image?.data); // => 3 Uint8Array(3) [ 0, 128, 255 ]
 */
export async function imagesOf(
  x: Tensor,
  { low = 0, high = 1 }: { readonly low?: number; readonly high?: number } = {},
): Promise<Image[]> {
  const [count, channels, height, width] = x.shape as [number, number, number, number];
  if (x.rank !== 4 || (channels !== 1 && channels !== 3 && channels !== 4)) {
    throw new ShapeError('imagesOf', `takes [N, 1, 3 or 4 channels, height, width], got [${x.shape.join(', ')}].`, {
      shape: x.shape,
    });
  }
  const values = await x.data();
  const pixels = width * height;
  return Array.from({ length: count }, (_, n) => {
    const data = new Uint8Array(pixels * channels);
    for (let channel = 0; channel < channels; channel++) {
      const base = (n * channels + channel) * pixels;
      for (let i = 0; i < pixels; i++) {
        const share = (values[base + i]! - low) / (high - low);
        data[i * channels + channel] = Math.round(Math.min(1, Math.max(0, share)) * 255);
      }
    }
    return { width, height, channels, data };
  });
}

/** Means and deviations of ImageNet's pictures, 0 to 1, by which the networks of torchvision were trained. */
export const imagenet: Readonly<Record<'mean' | 'standardDeviation', readonly number[]>> = {
  mean: [0.485, 0.456, 0.406],
  standardDeviation: [0.229, 0.224, 0.225],
};

/**
 * The same for `normalize` of a pipeline or loader, whose pictures are bytes: (x - 255 mean) / (255 deviation) for each channel.
 *
 * @example
 * import { imagenet, pixelNormalization } from '@nn/vision';
 * console.log(pixelNormalization(imagenet).offset.map((x) => x.toFixed(1)).join()); // => 123.7,116.3,103.5
 */
export function pixelNormalization(scale: Omit<TensorScale, 'backend'> = {}): Normalization {
  const { mean = [0], standardDeviation = [1] } = scale;
  const length = Math.max(mean.length, standardDeviation.length);
  const at = (list: readonly number[], i: number): number => list[list.length === 1 ? 0 : i]!;
  return {
    per: length === 1 ? 'array' : 'channel',
    offset: Array.from({ length }, (_, i) => 255 * at(mean, i)),
    divisor: Array.from({ length }, (_, i) => 255 * at(standardDeviation, i)),
  };
}

/** Pictures beside and below each other on one sheet, with a gap between them: for looking at samples. */
export function contactSheet(
  images: readonly Image[],
  { columns = Math.ceil(Math.sqrt(images.length)), gap = 2 }: { readonly columns?: number; readonly gap?: number } = {},
): Image {
  const first = images[0];
  if (first === undefined) throw new ValueError('contactSheet', 'there is no picture in the list.');
  const { width, height, channels } = first;
  const rows = Math.ceil(images.length / columns);
  const across = columns * (width + gap) - gap;
  const data = new Uint8Array(across * (rows * (height + gap) - gap) * channels).fill(255);
  images.forEach((image, n) => {
    if (image.width !== width || image.height !== height || image.channels !== channels) {
      throw new ShapeError('contactSheet', `picture ${n} has another size or other channels than picture 0.`, {
        index: n,
      });
    }
    const [left, top] = [(n % columns) * (width + gap), Math.floor(n / columns) * (height + gap)];
    for (let y = 0; y < height; y++) {
      const row = image.data.subarray(y * width * channels, (y + 1) * width * channels);
      data.set(row, ((top + y) * across + left) * channels);
    }
  });
  return { width: across, height: rows * (height + gap) - gap, channels, data };
}
