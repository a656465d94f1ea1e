/**
 * What is done to the colours of a picture by one number, on bytes and for batches of 0 to 1: torchvision's functional operations, equal to its results for
 * tensors of bytes and of floats. Which number is drawn when is known to `random-colors.ts` and `policies.ts`.
 */
import { arange, concat, type Tensor, where, zeros } from '@nn/core';
import type { Image } from '../images/image.ts';
import { smoothed, smoothedBatch } from './filters.ts';

/** An operation on colours. `value` is [N, 1, 1, 1] on the device. */
export interface ColorOperation {
  onHost(image: Image, value: number): Image;
  onDevice(images: Tensor, value: Tensor): Tensor;
}

const fround = (x: number): number => Math.fround(x);
const trunc = (x: number): number => Math.trunc(x);

/** Every byte by a table. */
function byTable(image: Image, table: ArrayLike<number>): Image {
  const data = new Uint8Array(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = table[image.data[i]!]!;
  return { ...image, data };
}

const table = (at: (byte: number) => number): number[] => Array.from({ length: 256 }, (_, byte) => at(byte));
const clamped = (x: number): number => trunc(Math.min(255, Math.max(0, x)));

/** factor a + (1 - factor) b, cut to a byte: in single precision and truncated, as torchvision does. */
const blend = (a: number, b: number, factor: number): number =>
  clamped(fround(fround(fround(factor) * a) + fround(fround(1 - factor) * b)));
const blendBatch = (a: Tensor, b: Tensor, factor: Tensor): Tensor =>
  factor.mul(a).add(factor.neg().add(1).mul(b)).clamp(0, 1);

function blendImages(a: Image, b: Image, factor: number): Image {
  const data = new Uint8Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = blend(a.data[i]!, b.data[i]!, factor);
  return { ...a, data };
}

const luma = [0.2989, 0.587, 0.114] as const;

/** The brightness of each pixel, truncated to a byte; that of a grey picture is itself. */
function lumaOf({ channels, data, width, height }: Image): Uint8Array {
  if (channels === 1) return data;
  const result = new Uint8Array(width * height);
  for (let i = 0; i < result.length; i++) {
    const at = i * channels;
    const [r, g, b] = [fround(luma[0]) * data[at]!, fround(luma[1]) * data[at + 1]!, fround(luma[2]) * data[at + 2]!];
    result[i] = trunc(fround(fround(fround(r) + fround(g)) + fround(b)));
  }
  return result;
}

function lumaOfBatch(images: Tensor): Tensor {
  if (images.shape[1] === 1) return images;
  const plane = (k: number): Tensor => images.slice([0, k], [null, k + 1]);
  return plane(0).mul(luma[0]).add(plane(1).mul(luma[1])).add(plane(2).mul(luma[2]));
}

/** The same without colour, in as many channels. */
function greyed(image: Image): Image {
  const grey = lumaOf(image);
  const data = new Uint8Array(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = grey[Math.floor(i / image.channels)]!;
  return { ...image, data };
}

/** The factor 1 changes nothing, 0 gives black. */
export const brightness: ColorOperation = {
  onHost: (image, factor) =>
    byTable(
      image,
      table((byte) => blend(byte, 0, factor)),
    ),
  onDevice: (x, factor) => factor.mul(x).clamp(0, 1),
};

/** The factor 1 changes nothing, 0 gives the mean brightness. */
export const contrast: ColorOperation = {
  onHost(image, factor) {
    const grey = lumaOf(image);
    const mean = fround(grey.reduce((sum, each) => sum + each, 0) / grey.length);
    return byTable(
      image,
      table((byte) => blend(byte, mean, factor)),
    );
  },
  onDevice: (x, factor) => blendBatch(x, lumaOfBatch(x).mean([1, 2, 3], { keepAxes: true }), factor),
};

/** The factor 1 changes nothing, 0 gives grey; grey pictures stay. */
export const saturation: ColorOperation = {
  onHost: (image, factor) => (image.channels === 1 ? image : blendImages(image, greyed(image), factor)),
  onDevice: (x, factor) => (x.shape[1] === 1 ? x : blendBatch(x, lumaOfBatch(x), factor)),
};

/** Turns the colours by a share of the circle, -0.5 to 0.5; grey pictures stay. A whole byte stays whole; torchvision loses one where floats end below it. */
export const hue: ColorOperation = {
  onHost(image, shift) {
    if (image.channels === 1) return image;
    const data = new Uint8Array(image.data.length);
    for (let at = 0; at < data.length; at += image.channels) {
      const [r, g, b] = [image.data[at]! / 255, image.data[at + 1]! / 255, image.data[at + 2]! / 255];
      const [high, low] = [Math.max(r, g, b), Math.min(r, g, b)];
      const range = high - low;
      const divisor = range === 0 ? 1 : range;
      const [toR, toG, toB] = [(high - r) / divisor, (high - g) / divisor, (high - b) / divisor];
      const angle = high === r ? toB - toG : high === g ? 2 + toR - toB : 4 + toG - toR;
      const turned = ((((range === 0 ? 0 : angle / 6 + 1) + shift) % 1) + 1) % 1;
      const share = range === 0 ? 0 : range / high;
      for (let k = 0; k < 3; k++) data[at + k] = trunc(component(turned, share, high, k) * 255.999);
      if (image.channels === 4) data[at + 3] = image.data[at + 3]!;
    }
    return { ...image, data };
  },
  onDevice(x, shift) {
    if (x.shape[1] === 1) return x;
    const [r, g, b] = [0, 1, 2].map((k) => x.slice([0, k], [null, k + 1])) as [Tensor, Tensor, Tensor];
    const high = r.maximum(g).maximum(b);
    const range = high.sub(r.minimum(g).minimum(b));
    const isGrey = range.equal(0);
    const divisor = where(isGrey, 1, range);
    const [toR, toG, toB] = [r, g, b].map((each) => high.sub(each).div(divisor)) as [Tensor, Tensor, Tensor];
    const angle = where(high.equal(r), toB.sub(toG), where(high.equal(g), toR.sub(toB).add(2), toG.sub(toR).add(4)));
    const turned = where(isGrey, 0, angle.div(6).add(1)).add(shift).floorMod(1);
    const share = where(isGrey, 0, range.div(where(isGrey, 1, high)));
    // max - saturation * max * clamp(min(k, 4 - k), 0, 1) with k = (n + 6 h) mod 6, for n = 5, 3, 1: the hexagon of hues in one formula
    const planes = [5, 3, 1].map((n) => {
      const k = turned.mul(6).add(n).floorMod(6);
      return high.sub(high.mul(share).mul(k.minimum(k.neg().add(4)).clamp(0, 1)));
    });
    return concat(planes, 1).clamp(0, 1);
  },
};

/** A channel (0 red, 1 green, 2 blue) of a colour by hue, saturation and value. */
function component(turned: number, share: number, value: number, channel: number): number {
  const k = ([5, 3, 1][channel]! + turned * 6) % 6;
  return Math.min(1, Math.max(0, value - value * share * Math.min(1, Math.max(0, Math.min(k, 4 - k)))));
}

/** value ** gamma on the scale 0 to 1. */
export const gamma: ColorOperation = {
  onHost: (image, power) =>
    byTable(
      image,
      table((byte) => trunc(Math.min(1, (byte / 255) ** power) * 255.999)),
    ),
  onDevice: (x, power) => x.maximum(1e-12).pow(power).clamp(0, 1),
};

/** The factor 1 changes nothing, 0 smooths, 2 sharpens. */
export const sharpness: ColorOperation = {
  onHost: (image, factor) => blendImages(image, smoothed(image), factor),
  onDevice: (x, factor) => blendBatch(x, smoothedBatch(x), factor),
};

/** Keeps so many of the upper bits, 0 to 8. */
export const posterize: ColorOperation = {
  onHost: (image, bits) =>
    byTable(
      image,
      table((byte) => byte & (256 - 2 ** (8 - bits))),
    ),
  onDevice(x, bits) {
    const step = bits.neg().add(8).mul(Math.LN2).exp().round();
    return x.mul(255).round().div(step).floor().mul(step).div(255);
  },
};

/** Turns values from a threshold on, 0 to 255, into their negative. */
export const solarize: ColorOperation = {
  onHost: (image, threshold) =>
    byTable(
      image,
      table((byte) => (byte >= threshold ? 255 - byte : byte)),
    ),
  // a quarter of a level: x / 255 as float may lie below the threshold that it is
  onDevice: (x, threshold) => where(x.mul(255).add(0.25).greaterEqual(threshold), x.neg().add(1), x),
};

/** The negative. */
export const invert: ColorOperation = {
  onHost: (image) =>
    byTable(
      image,
      table((byte) => 255 - byte),
    ),
  onDevice: (x) => x.neg().add(1),
};

/** Stretches each channel to the whole scale. */
export const autocontrast: ColorOperation = {
  onHost: (image) =>
    byChannel(image, (count) => {
      const low = count.findIndex((each) => each > 0);
      const high = count.findLastIndex((each) => each > 0);
      // torch divides a number by a tensor by way of its reciprocal
      const scale = fround(fround(1 / (high - low)) * 255);
      return low === high ? table((byte) => byte) : table((byte) => clamped(fround((byte - low) * scale)));
    }),
  onDevice(x) {
    const low = x.min([2, 3], { keepAxes: true });
    const range = x.max([2, 3], { keepAxes: true }).sub(low);
    const isFlat = range.equal(0);
    return where(isFlat, x, x.sub(low).div(where(isFlat, 1, range))).clamp(0, 1);
  },
};

/** Spreads the values of each channel so that all are about equally frequent. */
export const equalize: ColorOperation = {
  onHost: (image) =>
    byChannel(image, (count) => {
      const total = count.reduce((sum, each) => sum + each, 0);
      const step = Math.floor((total - count[count.findLastIndex((each) => each > 0)]!) / 255);
      if (step === 0) return table((byte) => byte);
      let sum = Math.floor(step / 2);
      return table((byte) => {
        const value = clamped(Math.floor(sum / step));
        sum += count[byte]!;
        return value;
      });
    }),
  onDevice(x) {
    const [n = 0, channels = 0, height = 0, width = 0] = x.shape;
    const rows = n * channels;
    const levels = x
      .clamp(0, 1)
      .mul(255)
      .round()
      .cast('int32')
      .reshape([rows, height * width]);
    // a histogram for each channel, beside each other
    const places = levels.add(arange(0, rows * 256, 256, { dtype: 'int32' }).reshape([rows, 1]));
    const ones = levels.mul(0).add(1).cast('float32').flatten();
    const count = zeros([rows * 256])
      .scatterAdd(places.flatten(), ones, 0)
      .reshape([rows, 256]);
    // Without the most bright value: what remains, over 255, is the step.
    const behind = count.flip(1).cumsum(1).flip(1);
    const last = where(behind.equal(count).logicalAnd(count.greater(0)), count, 0).max(1, { keepAxes: true });
    const step = count.sum(1, { keepAxes: true }).sub(last).div(255).floor();
    const isFlat = step.equal(0);
    const divisor = where(isFlat, 1, step);
    const before = count.cumsum(1).sub(count);
    const lookup = before.add(divisor.div(2).floor()).div(divisor).floor().clamp(0, 255);
    const spread = lookup
      .flatten()
      .gather(places.flatten(), 0)
      .reshape([rows, height * width]);
    return where(isFlat, levels.cast('float32'), spread).div(255).reshape(x.shape);
  },
};

/** Each channel by a table that its histogram makes. */
function byChannel(image: Image, make: (count: number[]) => ArrayLike<number>): Image {
  const { channels } = image;
  const data = new Uint8Array(image.data.length);
  for (let channel = 0; channel < channels; channel++) {
    const count = new Array<number>(256).fill(0);
    for (let i = channel; i < data.length; i += channels) count[image.data[i]!]!++;
    const lookup = make(count);
    for (let i = channel; i < data.length; i += channels) data[i] = lookup[image.data[i]!]!;
  }
  return { ...image, data };
}

/** Grey in as many channels, where the number is not 0. */
export const grayscale: ColorOperation = {
  onHost: (image, flag) => (flag && image.channels > 1 ? greyed(image) : image),
  onDevice: (x, flag) => (x.shape[1] === 1 ? x : where(flag.greater(0.5), lumaOfBatch(x).expand(x.shape), x)),
};
