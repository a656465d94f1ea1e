/** Windows over pictures: Gaussian blur and sharpness, as torchvision computes them for tensors, on the host and for batches. */
import { arange, reflectionPad, type Tensor, where } from '@nn/core';
import type { Image, Size } from '../images/image.ts';
import { roundHalfEven } from '../images/resize.ts';
import { sizeOfBatch } from './transform.ts';

/** The weights of a Gaussian at `length` places around the middle; their sum is 1. */
function gaussian(length: number, sigma: number): number[] {
  const weights = Array.from({ length }, (_, i) => Math.exp(-0.5 * ((i - (length - 1) / 2) / sigma) ** 2));
  const sum = weights.reduce((total, each) => total + each, 0);
  return weights.map((each) => each / sum);
}

/** Where a place outside lies when the line is mirrored at its ends, without repeating them. */
function mirrored(i: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const at = ((i % period) + period) % period;
  return at < length ? at : period - at;
}

/** A plane of numbers blurred by a window of `length` pixels each way, mirrored at the edges. */
export function blurPlane(plane: Float64Array, { width, height }: Size, length: number, sigma: number): Float64Array {
  const weights = gaussian(length, sigma);
  const half = (length - 1) / 2;
  const across = new Float64Array(plane.length);
  const result = new Float64Array(plane.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < length; k++) sum += weights[k]! * plane[y * width + mirrored(x + k - half, width)]!;
      across[y * width + x] = sum;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < length; k++) sum += weights[k]! * across[mirrored(y + k - half, height) * width + x]!;
      result[y * width + x] = sum;
    }
  }
  return result;
}

export function gaussianBlur(image: Image, length: number, sigma: number): Image {
  const { width, height, channels } = image;
  const data = new Uint8Array(image.data.length);
  for (let channel = 0; channel < channels; channel++) {
    const plane = Float64Array.from({ length: width * height }, (_, i) => image.data[i * channels + channel]!);
    blurPlane(plane, image, length, sigma).forEach((value, i) => {
      data[i * channels + channel] = roundHalfEven(value);
    });
  }
  return { width, height, channels, data };
}

/** `sigma` is [N, 1, 1, 1]: each picture has a window of its own. The sums of shifted pictures are fused into two passes. */
export function gaussianBlurBatch(images: Tensor, length: number, sigma: Tensor): Tensor {
  const half = (length - 1) / 2;
  const { height, width } = sizeOfBatch(images);
  const weights = Array.from({ length }, (_, k) =>
    sigma
      .reciprocal()
      .mul(k - half)
      .square()
      .mul(-0.5)
      .exp(),
  );
  const total = weights.reduce((sum, each) => sum.add(each));
  const pass = (x: Tensor, axis: 2 | 3): Tensor => {
    const amounts = [0, 1, 2, 3].map((k) => (k === axis ? [half, half] : [0, 0]) as [number, number]);
    const padded = half === 0 ? x : reflectionPad(x, amounts);
    const moved = weights.map((weight, k) => {
      const starts = [0, 0, axis === 2 ? k : 0, axis === 3 ? k : 0];
      const stops = [null, null, axis === 2 ? k + height : null, axis === 3 ? k + width : null];
      return padded.slice(starts, stops).mul(weight);
    });
    return moved.reduce((sum, each) => sum.add(each)).div(total);
  };
  return pass(pass(images, 3), 2);
}

/** The mean of 13 weights that torchvision blends with for sharpness: 1 around, 5 in the middle; the edge stays as it is. */
export function smoothed(image: Image): Image {
  const { width, height, channels, data } = image;
  if (width <= 2 || height <= 2) return image;
  const result = data.slice();
  const line = width * channels;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * line + channels; i < (y + 1) * line - channels; i++) {
      let sum = 4 * data[i]!;
      for (let row = i - line; row <= i + line; row += line)
        sum += data[row - channels]! + data[row]! + data[row + channels]!;
      result[i] = roundHalfEven(sum / 13);
    }
  }
  return { width, height, channels, data: result };
}

export function smoothedBatch(images: Tensor): Tensor {
  const { height, width } = sizeOfBatch(images);
  if (height <= 2 || width <= 2) return images;
  const padded = images.pad([
    [0, 0],
    [0, 0],
    [1, 1],
    [1, 1],
  ]);
  let sum = images.mul(4);
  for (let y = 0; y < 3; y++) {
    for (let x = 0; x < 3; x++) sum = sum.add(padded.slice([0, 0, y, x], [null, null, y + height, x + width]));
  }
  const inside = (length: number, shape: number[]): Tensor => {
    const at = arange(length).reshape(shape);
    return at.greater(0).logicalAnd(at.less(length - 1));
  };
  const both = inside(height, [1, 1, height, 1]).logicalAnd(inside(width, [1, 1, 1, width]));
  return where(both, sum.div(13), images);
}
