/** Augmentations that move pixels, by the names and defaults of torchvision; masks and boxes go along. What is drawn follows its classes' formulas. */
import { checkOptions, type Tensor, ValueError, where } from '@nn/core';
import type { RandomSequence } from '@nn/data';
import { type Size, sizeOf } from '../images/image.ts';
import { crop, mirrored, resize } from '../images/resize.ts';
import { blurPlane } from './filters.ts';
import { column, columns, type Transform } from './transform.ts';
import { affineMatrix, type Fill, moveBoxes, projective, warping } from './warp.ts';

type Range = readonly [low: number, high: number];

const between = (random: RandomSequence, [low, high]: Range): number => random.uniform(low, high);
const around = (value: number | Range): Range => (typeof value === 'number' ? [-value, value] : value);

/** Throws a `ValueError` unless the number is a probability. */
export function checkChance(operation: string, what: string, value: number): void {
  if (value >= 0 && value <= 1) return;
  throw new ValueError(operation, `${what} is ${value}: a probability lies between 0 and 1.`, { [what]: value });
}

/**
 * Mirrors left and right with one chance, top and bottom with another.
 *
 * @example
 * import { RandomSequence } from '@nn/data';
 * import { augment, imageOf, randomFlip } from '@nn/vision';
 * const image = imageOf(new Uint8Array([1, 2]), 2, 1, 1);
 * const boxes = { corners: new Float32Array([0, 0, 1, 1]), labels: new Int32Array([3]) };
 * const flipped = augment(randomFlip({ horizontal: 1 }), { image, boxes }, new RandomSequence(0));
 * console.log(flipped.image.data, flipped.boxes?.corners); // => Uint8Array(2) [ 2, 1 ] Float32Array(4) [ 1, 0, 2, 1 ]
 */
export function randomFlip(options: { readonly horizontal?: number; readonly vertical?: number } = {}): Transform {
  checkOptions('randomFlip', options, ['horizontal', 'vertical']);
  const { horizontal = 0.5, vertical = 0 } = options;
  checkChance('randomFlip', 'horizontal', horizontal);
  checkChance('randomFlip', 'vertical', vertical);
  return {
    name: 'randomFlip',
    outputSize: (size) => size,
    count: () => 2,
    draw: (random) => [Number(random.uniform() < horizontal), Number(random.uniform() < vertical)],
    onHost(sample, drawn) {
      const { image, mask, boxes } = sample;
      const [across, down] = [drawn[0] === 1, drawn[1] === 1];
      if (!across && !down) return sample;
      const forward = (x: number, y: number, to: Float64Array): void => {
        to[0] = across ? image.width - x : x;
        to[1] = down ? image.height - y : y;
      };
      return {
        image: mirrored(image, across, down),
        ...(mask && { mask: mirrored(mask, across, down) }),
        ...(boxes && { boxes: moveBoxes(boxes, image, forward) }),
      };
    },
    onDevice(batch, drawn) {
      const flipped = (x: Tensor): Tensor => {
        const across = where(column(drawn, 0).greater(0.5), x.flip(3), x);
        return where(column(drawn, 1).greater(0.5), across.flip(2), across);
      };
      const { images, masks, ...rest } = batch;
      return { ...rest, images: flipped(images), ...(masks && { masks: flipped(masks) }) };
    },
  };
}

/**
 * A part of so many pixels from anywhere in the picture, with `padding` of `fill` around it first, as torchvision's `RandomCrop`. A picture that is smaller
 * is put anywhere within the part.
 */
export function randomCrop(
  size: number | Size,
  options: { readonly padding?: number; readonly fill?: number } = {},
): Transform {
  checkOptions('randomCrop', options, ['padding', 'fill']);
  const target = sizeOf('randomCrop', size);
  const { padding = 0, fill = 0 } = options;
  const start = (random: RandomSequence, have: number, want: number): number => {
    const room = have + 2 * padding - want;
    return room >= 0 ? random.integer(room + 1) - padding : -padding - random.integer(1 - room);
  };
  const onDevice = projective({
    name: 'randomCrop',
    count: 6,
    interpolation: 'nearest',
    fill,
    outputSize: () => target,
    draw: (random, { width, height }) => {
      const [left, top] = [start(random, width, target.width), start(random, height, target.height)];
      return [1, 0, left, 0, 1, top];
    },
  });
  return {
    ...onDevice,
    // whole pixels, so that the host only copies
    onHost({ image, mask, boxes }, drawn) {
      const [left, top] = [drawn[2]!, drawn[5]!];
      const forward = (x: number, y: number, to: Float64Array): void => {
        to[0] = x - left;
        to[1] = y - top;
      };
      return {
        image: crop(image, { left, top, ...target }, { fill }),
        ...(mask && { mask: crop(mask, { left, top, ...target }) }),
        ...(boxes && { boxes: moveBoxes(boxes, target, forward) }),
      };
    },
  };
}

export interface ResizedCropOptions {
  /** The share of the picture's area; 0.08 to 1 where not given. */
  readonly scale?: Range;
  /** Width to height; 3/4 to 4/3 where not given. */
  readonly ratio?: Range;
}

/**
 * A part of random area and shape, in a size that is always the same (Inception's crop), as torchvision's `RandomResizedCrop`. On the host it is
 * resized antialiased, as PIL does; on the device by four neighbours, as torchvision's tensors are, so start there from pictures
 * that are not much larger.
 */
export function randomResizedCrop(size: number | Size, options: ResizedCropOptions = {}): Transform {
  checkOptions('randomResizedCrop', options, ['scale', 'ratio']);
  const target = sizeOf('randomResizedCrop', size);
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] } = options;
  if (!(scale[0] > 0 && scale[0] <= scale[1] && ratio[0] > 0 && ratio[0] <= ratio[1])) {
    throw new ValueError(
      'randomResizedCrop',
      `scale is ${scale.join(' to ')} and ratio ${ratio.join(' to ')}: both must be positive and rise.`,
    );
  }
  /** left, top, width, height in pixels; after ten parts that do not fit the middle, as wide as the ratios allow. */
  const part = (random: RandomSequence, { width, height }: Size): readonly [number, number, number, number] => {
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = width * height * between(random, scale);
      const shape = Math.exp(between(random, [Math.log(ratio[0]), Math.log(ratio[1])]));
      const [w, h] = [Math.round(Math.sqrt(area * shape)), Math.round(Math.sqrt(area / shape))];
      if (w < 1 || h < 1 || w > width || h > height) continue;
      const top = random.integer(height - h + 1);
      return [random.integer(width - w + 1), top, w, h];
    }
    const shape = width / height;
    const w = shape > ratio[1] ? Math.round(height * ratio[1]) : width;
    const h = shape < ratio[0] ? Math.round(width / ratio[0]) : height;
    return [Math.floor((width - w) / 2), Math.floor((height - h) / 2), w, h];
  };
  const onDevice = projective({
    name: 'randomResizedCrop',
    count: 6,
    outputSize: () => target,
    draw: (random, from) => {
      const [left, top, width, height] = part(random, from);
      return [width / target.width, 0, left, 0, height / target.height, top];
    },
  });
  return {
    ...onDevice,
    onHost({ image, mask, boxes }, drawn) {
      const box = {
        left: Math.round(drawn[2]!),
        top: Math.round(drawn[5]!),
        width: Math.round(drawn[0]! * target.width),
        height: Math.round(drawn[4]! * target.height),
      };
      const forward = (x: number, y: number, to: Float64Array): void => {
        to[0] = ((x - box.left) * target.width) / box.width;
        to[1] = ((y - box.top) * target.height) / box.height;
      };
      return {
        image: resize(crop(image, box), target),
        ...(mask && { mask: resize(crop(mask, box), target, { resampling: 'nearest' }) }),
        ...(boxes && { boxes: moveBoxes(boxes, target, forward) }),
      };
    },
  };
}

/** Turns about the middle by up to so many degrees to either side, as torchvision's `RandomRotation` without `expand`. */
export function randomRotation(degrees: number | Range, options: Fill = {}): Transform {
  checkOptions('randomRotation', options, ['interpolation', 'fill']);
  return { ...randomAffine({ degrees, ...options }), name: 'randomRotation' };
}

export interface RandomAffineOptions extends Fill {
  /** Up to so many degrees to either side, or from one to another; 0 where not given. */
  readonly degrees?: number | Range;
  /** Up to these shares of width and height to either side. */
  readonly translate?: Range;
  /** Factors of the size; below 1 the picture shrinks. */
  readonly scale?: Range;
  /** Degrees along x, to either side or from one to another. */
  readonly shear?: number | Range;
}

/** Turns, moves, scales and shears about the middle, as torchvision's `RandomAffine`. */
export function randomAffine(options: RandomAffineOptions = {}): Transform {
  checkOptions('randomAffine', options, ['degrees', 'translate', 'scale', 'shear', 'interpolation', 'fill']);
  const { degrees = 0, translate = [0, 0], scale = [1, 1], shear = 0, ...filled } = options;
  if (!(scale[0] > 0 && scale[0] <= scale[1])) {
    throw new ValueError('randomAffine', `scale is ${scale.join(' to ')}: both must be positive and rise.`, { scale });
  }
  return projective({
    name: 'randomAffine',
    count: 6,
    ...filled,
    draw(random, { width, height }) {
      const shift = (most: number): number => Math.round(between(random, [-most, most]));
      const drawn = {
        angle: between(random, around(degrees)),
        translate: [shift(translate[0] * width), shift(translate[1] * height)],
        scale: between(random, scale),
        shear: [between(random, around(shear)), 0],
      } as const;
      return affineMatrix(drawn, [width / 2, height / 2]);
    },
  });
}

/** Moves the corners inwards by up to `distortion` of half the sides, as torchvision's `RandomPerspective`. */
export function randomPerspective(
  options: Fill & { readonly distortion?: number; readonly probability?: number } = {},
): Transform {
  checkOptions('randomPerspective', options, ['distortion', 'probability', 'interpolation', 'fill']);
  const { distortion = 0.5, probability = 0.5, ...filled } = options;
  checkChance('randomPerspective', 'probability', probability);
  return projective({
    name: 'randomPerspective',
    count: 8,
    ...filled,
    draw(random, { width, height }) {
      if (random.uniform() >= probability) return [1, 0, 0, 0, 1, 0, 0, 0];
      const [most, deep] = [Math.trunc((distortion * width) / 2), Math.trunc((distortion * height) / 2)];
      const [x, y] = [(): number => random.integer(most + 1), (): number => random.integer(deep + 1)];
      const corners = [
        [0, 0],
        [width - 1, 0],
        [width - 1, height - 1],
        [0, height - 1],
      ] as const;
      const moved = [
        [x(), y()],
        [width - 1 - x(), y()],
        [width - 1 - x(), height - 1 - y()],
        [x(), height - 1 - y()],
      ] as const;
      return perspectiveMatrix(corners, moved);
    },
  });
}

type Point = readonly [number, number];

/** The eight numbers of the projection by which points of the result, `to`, come from those of the picture, `from`. */
export function perspectiveMatrix(from: readonly Point[], to: readonly Point[]): number[] {
  const rows: number[][] = [];
  to.forEach(([x, y], i) => {
    const [u, v] = from[i]!;
    rows.push([x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]);
  });
  // Gauss with pivots: eight equations.
  for (let k = 0; k < 8; k++) {
    let pivot = k;
    for (let row = k + 1; row < 8; row++) if (Math.abs(rows[row]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = row;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    if (Math.abs(rows[k]![k]!) < 1e-12) {
      throw new ValueError('perspectiveMatrix', 'three of the four points lie on one line.', { from, to });
    }
    for (let row = 0; row < 8; row++) {
      if (row === k) continue;
      const factor = rows[row]![k]! / rows[k]![k]!;
      for (let j = k; j < 9; j++) rows[row]![j] = rows[row]![j]! - factor * rows[k]![j]!;
    }
  }
  return rows.map((row, k) => row[8]! / row[k]!);
}

/**
 * Bends the picture as rubber: every pixel moves by a random amount that its neighbours share (Simard et al. 2003), as torchvision's `ElasticTransform`:
 * `alpha` is how far, `sigma` over how many pixels neighbours agree. It draws two numbers for each pixel.
 */
export function elasticTransform(options: Fill & { readonly alpha?: number; readonly sigma?: number } = {}): Transform {
  checkOptions('elasticTransform', options, ['alpha', 'sigma', 'interpolation', 'fill']);
  const { alpha = 50, sigma = 5, ...filled } = options;
  return warping({
    name: 'elasticTransform',
    ...filled,
    count: ({ width, height }) => 2 * width * height,
    draw(random, { width, height }) {
      const result = new Float64Array(2 * width * height);
      const reach = Math.floor(8 * sigma + 1);
      for (const [k, side] of [height, width].entries()) {
        const noise = Float64Array.from({ length: width * height }, () => random.uniform(-1, 1));
        const smooth = sigma > 0 ? blurPlane(noise, { width, height }, reach % 2 ? reach : reach + 1, sigma) : noise;
        // torchvision's numbers are in halves of the picture's width: x is scaled by the height, y by the width, as there
        const pixels = (alpha / side) * ((k === 0 ? width : height) / 2);
        for (let i = 0; i < smooth.length; i++) result[k * smooth.length + i] = smooth[i]! * pixels;
      }
      return result;
    },
    place(drawn, { width, height }) {
      const count = width * height;
      return (x, y, to) => {
        const column = Math.min(width - 1, Math.max(0, Math.floor(x)));
        const at = Math.min(height - 1, Math.max(0, Math.floor(y))) * width + column;
        to[0] = x + drawn[at]!;
        to[1] = y + drawn[count + at]!;
      };
    },
    placeBatch(drawn, x, y, { width, height }) {
      const count = width * height;
      const move = (k: number): Tensor => columns(drawn, k * count, (k + 1) * count).reshape([-1, height, width]);
      return [move(0).add(x), move(1).add(y)];
    },
  });
}

/** Stretches and squeezes the columns and rows of a grid of `steps` by up to `limit` of their width (Albumentations' `GridDistortion`). */
export function gridDistortion(options: Fill & { readonly steps?: number; readonly limit?: number } = {}): Transform {
  checkOptions('gridDistortion', options, ['steps', 'limit', 'interpolation', 'fill']);
  const { steps = 5, limit = 0.3, ...filled } = options;
  if (!Number.isInteger(steps) || steps < 1 || !(limit >= 0 && limit < 1)) {
    throw new ValueError(
      'gridDistortion',
      `steps is ${steps} and limit ${limit}: a whole number from 1, and a share below 1.`,
    );
  }
  /** Where the middles of `length` pixels come from: the cells get random widths, which together are the whole. */
  const line = (random: RandomSequence, length: number): number[] => {
    const widths = Array.from({ length: steps }, () => 1 + random.uniform(-limit, limit));
    const total = widths.reduce((sum, each) => sum + each, 0);
    const edges = [0];
    for (const each of widths) edges.push(edges.at(-1)! + (each / total) * length);
    return Array.from({ length }, (_, i) => {
      const at = ((i + 0.5) * steps) / length;
      const cell = Math.min(steps - 1, Math.floor(at));
      return edges[cell]! + (at - cell) * (edges[cell + 1]! - edges[cell]!);
    });
  };
  return warping({
    name: 'gridDistortion',
    ...filled,
    count: ({ width, height }) => width + height,
    draw: (random, { width, height }) => [...line(random, width), ...line(random, height)],
    place(drawn, { width, height }) {
      // between the middles of pixels along straight lines
      const at = (base: number, length: number, x: number): number => {
        const left = Math.min(length - 2, Math.max(0, Math.floor(x - 0.5)));
        if (length === 1) return drawn[base]!;
        const share = x - 0.5 - left;
        return drawn[base + left]! * (1 - share) + drawn[base + left + 1]! * share;
      };
      return (x, y, to) => {
        to[0] = at(0, width, x);
        to[1] = at(width, height, y);
      };
    },
    placeBatch(drawn, _x, _y, { width, height }) {
      return [
        columns(drawn, 0, width).reshape([-1, 1, width]),
        columns(drawn, width, width + height).reshape([-1, height, 1]),
      ];
    },
  });
}
