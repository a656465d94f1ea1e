/**
 * Pictures whose pixels come from elsewhere in the picture: one function says where, in pixels from the upper left corner (the middle of the first pixel is
 * 0.5, 0.5), and is used for bytes on the host, for batches on the device, and backwards for boxes. Outside lies `fill`. Values equal
 * those of torchvision's tensors, which are `grid_sample` with `align_corners=False`.
 */
import { arange, gridSample, stack, type Tensor } from '@nn/core';
import type { RandomSequence } from '@nn/data';
import type { Image, Size } from '../images/image.ts';
import { roundHalfEven } from '../images/resize.ts';
import { type Boxes, columns, type Pictured, sizeOfBatch, type Transform } from './transform.ts';

export type Interpolation = 'nearest' | 'bilinear';

export interface Fill {
  /** 'bilinear' where not given. */
  readonly interpolation?: Interpolation;
  /** What lies outside, 0 to 255; 0 where not given. Masks are filled with 0. */
  readonly fill?: number;
}

/** A point, written into the list that is passed. */
export type Place = (x: number, y: number, to: Float64Array) => void;

/** The picture of `size` whose point (x, y) is the one that `place` says. */
export function warp(
  image: Image,
  size: Size,
  place: Place,
  { interpolation = 'bilinear', fill = 0 }: Fill = {},
): Image {
  const { width, height, channels, data } = image;
  const result = new Uint8Array(size.width * size.height * channels);
  const point = new Float64Array(2);
  const line = width * channels;
  let at = 0;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++, at += channels) {
      place(x + 0.5, y + 0.5, point);
      const [u, v] = [point[0]! - 0.5, point[1]! - 0.5];
      if (interpolation === 'nearest') {
        const [left, top] = [roundHalfEven(u), roundHalfEven(v)];
        const isInside = left >= 0 && top >= 0 && left < width && top < height;
        const from = top * line + left * channels;
        for (let k = 0; k < channels; k++) result[at + k] = isInside ? data[from + k]! : fill;
        continue;
      }
      const [left, top] = [Math.floor(u), Math.floor(v)];
      const [across, down] = [u - left, v - top];
      const isLeft = left >= 0 && left < width;
      const isRight = left + 1 >= 0 && left + 1 < width;
      const isTop = top >= 0 && top < height;
      const isBelow = top + 1 >= 0 && top + 1 < height;
      const a = isLeft && isTop ? (1 - across) * (1 - down) : 0;
      const b = isRight && isTop ? across * (1 - down) : 0;
      const c = isLeft && isBelow ? (1 - across) * down : 0;
      const d = isRight && isBelow ? across * down : 0;
      const from = top * line + left * channels;
      const outside = (1 - a - b - c - d) * fill;
      for (let k = 0; k < channels; k++) {
        let sum = outside;
        if (a > 0) sum += a * data[from + k]!;
        if (b > 0) sum += b * data[from + channels + k]!;
        if (c > 0) sum += c * data[from + line + k]!;
        if (d > 0) sum += d * data[from + line + channels + k]!;
        result[at + k] = roundHalfEven(sum);
      }
    }
  }
  return { ...size, channels, data: result };
}

/** The same for a batch: `x` and `y` say for each pixel of the result, [N or 1, height, width], where it comes from. */
export function warpBatch(
  images: Tensor,
  x: Tensor,
  y: Tensor,
  { interpolation = 'bilinear', fill = 0 }: Fill = {},
): Tensor {
  const { height, width } = sizeOfBatch(images);
  const count = images.shape[0]!;
  const grid = stack([x.mul(2 / width).sub(1), y.mul(2 / height).sub(1)], -1);
  const [, rows, columns] = grid.shape as [number, number, number, number];
  const places = grid.expand([count, rows, columns, 2]);
  const inside = gridSample(images, places, { mode: interpolation });
  if (fill === 0) return inside;
  const share = gridSample(images.slice([0, 0, 0, 0], [null, 1]).mul(0).add(1), places, { mode: interpolation });
  return inside.add(
    share
      .neg()
      .add(1)
      .mul(fill / 255),
  );
}

/** Boxes whose corners go where `forward` says: the rectangle around what they become, cut at the edges. */
export function moveBoxes({ corners, labels }: Boxes, { width, height }: Size, forward: Place): Boxes {
  const kept: number[] = [];
  const classes: number[] = [];
  const point = new Float64Array(2);
  for (let n = 0; n < labels.length; n++) {
    const [left, top, right, bottom] = corners.subarray(4 * n, 4 * n + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    const high = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    // corners and the middles of the sides, which bend outwards in some distortions
    for (let i = 0; i < 9; i++) {
      forward(left + ((right - left) * (i % 3)) / 2, top + ((bottom - top) * Math.floor(i / 3)) / 2, point);
      for (let k = 0; k < 2; k++) {
        low[k] = Math.min(low[k]!, point[k]!);
        high[k] = Math.max(high[k]!, point[k]!);
      }
    }
    const box = [Math.max(0, low[0]!), Math.max(0, low[1]!), Math.min(width, high[0]!), Math.min(height, high[1]!)];
    const [across, down] = [box[2]! - box[0]!, box[3]! - box[1]!];
    if (!(across > 0 && down > 0 && across * down >= 1)) continue;
    kept.push(...box);
    classes.push(labels[n]!);
  }
  return { corners: Float32Array.from(kept), labels: Int32Array.from(classes) };
}

/** A transformation that moves pixels, given by where they come from. */
export interface Warping extends Fill {
  readonly name: string;
  outputSize?(size: Size): Size;
  count(size: Size): number;
  draw(random: RandomSequence, size: Size): ArrayLike<number>;
  /** Where points of the result come from. */
  place(drawn: ArrayLike<number>, from: Size): Place;
  /** Where points of the picture go to; found from `place` where not given, which must then move them little. */
  forward?(drawn: ArrayLike<number>, from: Size): Place;
  /** `place` for batches: x and y of the middles of pixels, [1, 1, width] and [1, height, 1], to where they come from. */
  placeBatch(drawn: Tensor, x: Tensor, y: Tensor, from: Size): readonly [Tensor, Tensor];
}

export function warping(of: Warping): Transform {
  const outputSize = of.outputSize ?? ((size: Size) => size);
  const mask = { interpolation: 'nearest', fill: 0 } as const;
  return {
    name: of.name,
    outputSize,
    count: of.count,
    draw: of.draw,
    onHost({ image, mask: labels, boxes }, drawn): Pictured {
      const size = outputSize(image);
      const place = of.place(drawn, image);
      return {
        image: warp(image, size, place, of),
        ...(labels && { mask: warp(labels, size, place, mask) }),
        ...(boxes && { boxes: moveBoxes(boxes, size, of.forward?.(drawn, image) ?? inverseOf(place)) }),
      };
    },
    onDevice({ images, masks, ...rest }, drawn) {
      const from = sizeOfBatch(images);
      const { width, height } = outputSize(from);
      const middles = (n: number, shape: number[]): Tensor => arange(n).cast('float32').add(0.5).reshape(shape);
      const [x, y] = of.placeBatch(drawn, middles(width, [1, 1, width]), middles(height, [1, height, 1]), from);
      const shape = [Math.max(x.shape[0]!, y.shape[0]!), height, width];
      const [u, v] = [x.expand(shape), y.expand(shape)];
      return { ...rest, images: warpBatch(images, u, v, of), ...(masks && { masks: warpBatch(masks, u, v, mask) }) };
    },
  };
}

/** The point that comes from a point, by steps that close in on it: for distortions that move neighbours alike. */
function inverseOf(place: Place): Place {
  const from = new Float64Array(2);
  return (x, y, to) => {
    let [u, v] = [x, y];
    for (let step = 0; step < 20; step++) {
      place(u, v, from);
      u += x - from[0]!;
      v += y - from[1]!;
    }
    to[0] = u;
    to[1] = v;
  };
}

/** Six numbers a, b, c, d, e, f: x' = a x + b y + c, y' = d x + e y + f. */
export type Affine = readonly [number, number, number, number, number, number];

/** A transformation by six numbers, or by eight with a denominator: g x + h y + 1. */
export function projective(
  of: Pick<Warping, 'name' | 'draw' | 'outputSize' | 'interpolation' | 'fill'> & { readonly count: 6 | 8 },
): Transform {
  const apply = (m: ArrayLike<number>): Place => {
    const [a, b, c, d, e, f, g = 0, h = 0] = Array.from(m) as [...Affine, number, number];
    return (x, y, to) => {
      const w = g * x + h * y + 1;
      to[0] = (a * x + b * y + c) / w;
      to[1] = (d * x + e * y + f) / w;
    };
  };
  return warping({
    ...of,
    count: () => of.count,
    place: apply,
    forward: (drawn) => apply(invertProjective(Array.from(drawn))),
    placeBatch(drawn, x, y) {
      const at = (k: number): Tensor => columns(drawn, k, k + 1).reshape([-1, 1, 1]);
      const u = at(0).mul(x).add(at(1).mul(y)).add(at(2));
      const v = at(3).mul(x).add(at(4).mul(y)).add(at(5));
      if (of.count === 6) return [u, v];
      const w = at(6).mul(x).add(at(7).mul(y)).add(1);
      return [u.div(w), v.div(w)];
    },
  });
}

/** The inverse of a matrix [[a, b, c], [d, e, f], [g, h, 1]] by its cofactors, scaled so that the last number is 1. */
export function invertProjective(m: readonly number[]): number[] {
  const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0, g = 0, h = 0] = m;
  const last = a * e - b * d;
  const rows = [e - f * h, c * h - b, b * f - c * e, f * g - d, a - c * g, c * d - a * f, d * h - e * g, b * g - a * h];
  return rows.map((value) => value / last);
}

/**
 * The matrix by which torchvision's `affine` finds where pixels come from: rotation by `angle` (clockwise, degrees), shear (degrees), scale, then translation
 * (pixels), about a point.
 */
export function affineMatrix(
  { angle = 0, translate = [0, 0], scale = 1, shear = [0, 0] }: AffineOptions,
  center: readonly [number, number],
): Affine {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const [turn, shearX, shearY] = [radians(angle), radians(shear[0]), radians(shear[1])];
  // forwards: R(turn) after the shear along y after the shear along x
  const a = Math.cos(turn - shearY) / Math.cos(shearY);
  const b = (-Math.cos(turn - shearY) * Math.tan(shearX)) / Math.cos(shearY) - Math.sin(turn);
  const c = Math.sin(turn - shearY) / Math.cos(shearY);
  const d = (-Math.sin(turn - shearY) * Math.tan(shearX)) / Math.cos(shearY) + Math.cos(turn);
  const [p, q, r, s] = [d / scale, -b / scale, -c / scale, a / scale];
  const [x, y] = [center[0] + translate[0], center[1] + translate[1]];
  return [p, q, center[0] - p * x - q * y, r, s, center[1] - r * x - s * y];
}

export interface AffineOptions {
  /** Degrees, clockwise. */
  readonly angle?: number;
  /** Pixels to the right and down. */
  readonly translate?: readonly [number, number];
  readonly scale?: number;
  /** Degrees along x and y. */
  readonly shear?: readonly [number, number];
}
