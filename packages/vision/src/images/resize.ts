/**
 * Resizing as PIL does it, byte for byte: a window that grows with the factor of reduction (antialiased), weights of 22 bits, rows
 * first and rounded to bytes, then columns. Networks that were trained behind PIL or torchvision see the same pixels.
 */
import { checkOptions, ValueError } from '@nn/core';
import { checkSize, type Image, type Size, sizeOf } from './image.ts';

export type Resampling = 'nearest' | 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos';

/** The window of each kind: how far it reaches, and its value there. */
const windows: Readonly<Record<Exclude<Resampling, 'nearest'>, readonly [support: number, at: (x: number) => number]>> =
  {
    box: [0.5, (x) => (x > -0.5 && x <= 0.5 ? 1 : 0)],
    bilinear: [1, (x) => Math.max(0, 1 - Math.abs(x))],
    // sinc(x) in the window of Hamming, 0.54 + 0.46 cos
    hamming: [1, (x) => (Math.abs(x) >= 1 ? 0 : x === 0 ? 1 : sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x)))],
    // Keys' cubic with a = -0.5
    bicubic: [2, (x) => cubic(Math.abs(x), -0.5)],
    lanczos: [3, (x) => (x > -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0)],
  };

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

function cubic(x: number, a: number): number {
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** Bits behind the point of a weight: a sum of bytes times weights, and a sign, fit into 32. */
const bits = 22;

interface Weights {
  /** The first input of each output. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `reach` of each output. */
  readonly weights: Int32Array;
  readonly reach: number;
}

/** Which inputs make each of `to` outputs, over the part [start, end) of the inputs. */
function weightsOf(
  from: number,
  start: number,
  end: number,
  to: number,
  kind: Exclude<Resampling, 'nearest'>,
): Weights {
  const [support, at] = windows[kind];
  const step = (end - start) / to;
  const scale = Math.max(step, 1);
  const radius = support * scale;
  const reach = Math.ceil(radius) * 2 + 1;
  const [first, count] = [new Int32Array(to), new Int32Array(to)];
  const weights = new Int32Array(to * reach);
  const values = new Float64Array(reach);
  for (let i = 0; i < to; i++) {
    const center = start + (i + 0.5) * step;
    const low = Math.max(0, Math.trunc(center - radius + 0.5));
    const n = Math.min(from, Math.trunc(center + radius + 0.5)) - low;
    let sum = 0;
    for (let k = 0; k < n; k++) {
      values[k] = at((k + low - center + 0.5) * (1 / scale));
      sum += values[k]!;
    }
    for (let k = 0; k < n; k++) {
      const value = (sum === 0 ? values[k]! : values[k]! / sum) * (1 << bits);
      weights[i * reach + k] = Math.trunc(value < 0 ? value - 0.5 : value + 0.5);
    }
    first[i] = low;
    count[i] = n;
  }
  return { first, count, weights, reach };
}

/** The weights of the last sizes: a folder of pictures asks for the same ones again and again. */
function keeping(): typeof weightsOf {
  const kept = new Map<string, Weights>();
  return (from, start, end, to, kind) => {
    const key = `${from} ${start} ${end} ${to} ${kind}`;
    let weights = kept.get(key);
    if (weights === undefined) {
      if (kept.size >= 64) kept.clear();
      weights = weightsOf(from, start, end, to, kind);
      kept.set(key, weights);
    }
    return weights;
  };
}
const keptWeights = /* @__PURE__ */ keeping();

const toByte = (sum: number): number => {
  const value = sum >> bits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
};

/** A part of a picture; it need not lie on whole pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface ResizeOptions {
  /** 'bilinear' where not given. */
  readonly resampling?: Resampling;
  /** The part that is resized; all of it where not given. */
  readonly box?: Box;
}

/**
 * The picture in another size, equal to PIL's `Image.resize` in every byte. A number is the length of the shorter side, as
 * torchvision's `Resize`; `{ height, width }` both. Throws a `ShapeError` for a size that is none, and for a box outside.
 *
 * @example
 * import { imageOf, resize } from '@nn/vision';
 * const image = imageOf(new Uint8Array([0, 100, 200, 100]), 4, 1, 1);
 * console.log(resize(image, { height: 1, width: 2 }).data); // => Uint8Array(2) [ 71, 143 ]
 */
export function resize(image: Image, size: number | Size, options: ResizeOptions = {}): Image {
  checkOptions('resize', options, ['resampling', 'box']);
  const { resampling = 'bilinear', box = { left: 0, top: 0, width: image.width, height: image.height } } = options;
  const target = typeof size === 'number' ? shorterSide(image, size) : sizeOf('resize', size);
  checkSize('resize', target);
  const inside =
    box.left >= 0 &&
    box.top >= 0 &&
    box.width > 0 &&
    box.height > 0 &&
    box.left + box.width <= image.width &&
    box.top + box.height <= image.height;
  if (!inside) {
    throw new ValueError(
      'resize',
      `the box from (${box.left}, ${box.top}) of ${box.width} x ${box.height} is not inside of ${image.width} x ${image.height} pixels.`,
      { box },
    );
  }
  if (resampling === 'nearest') return nearest(image, target, box);
  if (!(resampling in windows)) {
    const known = ['nearest', ...Object.keys(windows)].join(', ');
    throw new ValueError('resize', `resampling is ${String(resampling)}; there are ${known}.`, { resampling });
  }
  const isWhole = box.width === target.width && Number.isInteger(box.left) && box.left === Math.trunc(box.left);
  const across = isWhole
    ? columnsOf(image, box.left, target.width)
    : resizeRows(image, keptWeights(image.width, box.left, box.left + box.width, target.width, resampling));
  if (box.height === target.height && Number.isInteger(box.top)) return rowsOf(across, box.top, target.height);
  return resizeColumns(across, keptWeights(image.height, box.top, box.top + box.height, target.height, resampling));
}

/** The size whose shorter side has so many pixels; the longer one is cut to a whole number, as torchvision does. */
export function shorterSide({ width, height }: Size, length: number): Size {
  if (width <= height) return { width: length, height: Math.trunc((length * height) / width) };
  return { width: Math.trunc((length * width) / height), height: length };
}

function columnsOf(image: Image, left: number, width: number): Image {
  if (left === 0 && width === image.width) return image;
  return crop(image, { left, top: 0, width, height: image.height });
}

function rowsOf(image: Image, top: number, height: number): Image {
  if (top === 0 && height === image.height) return image;
  return crop(image, { left: 0, top, width: image.width, height });
}

function resizeRows({ width, height, channels, data }: Image, { first, count, weights, reach }: Weights): Image {
  const to = first.length;
  const result = new Uint8Array(to * height * channels);
  for (let y = 0; y < height; y++) {
    if (channels === 3) {
      // most pictures: the three sums of a pixel at once
      for (let x = 0, at = y * to * 3; x < to; x++, at += 3) {
        const base = x * reach;
        let r = 1 << (bits - 1);
        let g = r;
        let b = r;
        let from = (y * width + first[x]!) * 3;
        for (let k = base, end = base + count[x]!; k < end; k++, from += 3) {
          const weight = weights[k]!;
          r += Math.imul(data[from]!, weight);
          g += Math.imul(data[from + 1]!, weight);
          b += Math.imul(data[from + 2]!, weight);
        }
        result[at] = toByte(r);
        result[at + 1] = toByte(g);
        result[at + 2] = toByte(b);
      }
      continue;
    }
    const row = y * width * channels;
    let at = y * to * channels;
    for (let x = 0; x < to; x++) {
      const [start, n, base] = [row + first[x]! * channels, count[x]!, x * reach];
      for (let channel = 0; channel < channels; channel++) {
        let sum = 1 << (bits - 1);
        let from = start + channel;
        for (let k = 0; k < n; k++) {
          sum += data[from]! * weights[base + k]!;
          from += channels;
        }
        result[at++] = toByte(sum);
      }
    }
  }
  return { width: to, height, channels, data: result };
}

/** Line by line, two inputs at a time: the sums of a line lie beside each other. */
function resizeColumns({ width, channels, data }: Image, { first, count, weights, reach }: Weights): Image {
  const to = first.length;
  const line = width * channels;
  const result = new Uint8Array(to * line);
  const sums = new Int32Array(line);
  for (let y = 0; y < to; y++) {
    sums.fill(1 << (bits - 1));
    const last = first[y]! + count[y]! - 1;
    for (let row = first[y]!, k = y * reach; row <= last; row += 2, k += 2) {
      const upper = row * line;
      const lower = Math.min(row + 1, last) * line;
      const much = weights[k]!;
      const more = row < last ? weights[k + 1]! : 0;
      for (let i = 0; i < line; i++) {
        sums[i] = sums[i]! + Math.imul(data[upper + i]!, much) + Math.imul(data[lower + i]!, more);
      }
    }
    const at = y * line;
    for (let i = 0; i < line; i++) result[at + i] = toByte(sums[i]!);
  }
  return { width, height: to, channels, data: result };
}

/** The pixel in which the middle of each new one lies. */
function nearest({ width, height, channels, data }: Image, to: Size, box: Box): Image {
  const result = new Uint8Array(to.width * to.height * channels);
  const place = (i: number, start: number, step: number, most: number): number =>
    Math.min(most - 1, Math.max(0, Math.floor(start + (i + 0.5) * step)));
  const [across, down] = [box.width / to.width, box.height / to.height];
  const xs = Int32Array.from({ length: to.width }, (_, x) => place(x, box.left, across, width) * channels);
  let at = 0;
  for (let y = 0; y < to.height; y++) {
    const row = place(y, box.top, down, height) * width * channels;
    for (let x = 0; x < to.width; x++) {
      for (let channel = 0; channel < channels; channel++) result[at++] = data[row + xs[x]! + channel]!;
    }
  }
  return { ...to, channels, data: result };
}

/** Left and right exchanged, top and bottom, or both. */
export function mirrored({ width, height, channels, data }: Image, across: boolean, down: boolean): Image {
  const result = new Uint8Array(data.length);
  const line = width * channels;
  for (let y = 0; y < height; y++) {
    const from = (down ? height - 1 - y : y) * line;
    if (!across) {
      result.set(data.subarray(from, from + line), y * line);
      continue;
    }
    let to = y * line;
    for (let at = from + line - channels; at >= from; at -= channels) {
      for (let channel = 0; channel < channels; channel++) result[to++] = data[at + channel]!;
    }
  }
  return { width, height, channels, data: result };
}

/**
 * A part of the picture, on whole pixels; what lies outside is black, as in PIL's `crop`, or has the value `fill`. Throws a `ShapeError` for a size that is none.
 *
 * @example
 * import { crop, imageOf } from '@nn/vision';
 * const image = imageOf(new Uint8Array([1, 2, 3, 4]), 2, 2, 1);
 * console.log(crop(image, { left: 1, top: -1, width: 1, height: 2 }).data); // => Uint8Array(2) [ 0, 2 ]
 */
export function crop(
  { width, height, channels, data }: Image,
  box: Box,
  { fill = 0 }: { readonly fill?: number } = {},
): Image {
  checkSize('crop', box);
  const [left, top] = [Math.round(box.left), Math.round(box.top)];
  const result = new Uint8Array(box.width * box.height * channels).fill(fill);
  const [from, to] = [Math.max(0, left), Math.min(width, left + box.width)];
  for (let y = Math.max(0, -top); y < box.height && y + top < height; y++) {
    if (to <= from) break;
    const row = (y + top) * width * channels;
    result.set(data.subarray(row + from * channels, row + to * channels), (y * box.width + from - left) * channels);
  }
  return { width: box.width, height: box.height, channels, data: result };
}

/**
 * The middle of the picture, as torchvision's `CenterCrop`: halves are rounded to the even neighbour, and a picture that is smaller
 * is put into the middle of black.
 *
 * @example
 * import { centerCrop, imageOf } from '@nn/vision';
 * const image = imageOf(new Uint8Array([1, 2, 3, 4, 5]), 5, 1, 1);
 * console.log(centerCrop(image, { height: 1, width: 3 }).data); // => Uint8Array(3) [ 2, 3, 4 ]
 */
export function centerCrop(image: Image, size: number | Size): Image {
  const { height, width } = sizeOf('centerCrop', size);
  // Smaller sides are padded by half of what lacks, the larger half behind.
  const start = (have: number, want: number): number =>
    have < want ? -Math.trunc((want - have) / 2) : roundHalfEven((have - want) / 2);
  return crop(image, { left: start(image.width, width), top: start(image.height, height), width, height });
}

/** Python's `round`. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
