/** Augmentations of colour, by the names and defaults of torchvision's classes; masks and boxes stay where they are. */
import { arange, checkOptions, type Tensor, ValueError, where } from '@nn/core';
import type { RandomSequence } from '@nn/data';
import type { Image, Size } from '../images/image.ts';
import * as colors from './colors.ts';
import { gaussianBlur, gaussianBlurBatch } from './filters.ts';
import { checkChance } from './geometry.ts';
import { column, compose, randomApply, sizeOfBatch, type Transform } from './transform.ts';

/** A transformation of colours by one number. */
export function coloring(
  name: string,
  operation: colors.ColorOperation,
  draw: (random: RandomSequence, size: Size) => number,
): Transform {
  return {
    name,
    outputSize: (size) => size,
    count: () => 1,
    draw: (random, size) => [draw(random, size)],
    onHost: (sample, drawn) => ({ ...sample, image: operation.onHost(sample.image, drawn[0]!) }),
    onDevice: (batch, drawn) => ({ ...batch, images: operation.onDevice(batch.images, column(drawn, 0)) }),
  };
}

const jittered: Readonly<Record<string, colors.ColorOperation>> = {
  brightness: colors.brightness,
  contrast: colors.contrast,
  saturation: colors.saturation,
  hue: colors.hue,
};

export interface ColorJitterOptions {
  /** A factor from 1 - x to 1 + x; nothing where not given. */
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
  /** A turn from -x to x, at most 0.5. */
  readonly hue?: number;
}

/**
 * Brightness, contrast, saturation and hue by random factors. They come in this order; torchvision's `ColorJitter` shuffles them.
 *
 * @example
 * import { RandomSequence } from '@nn/data';
 * import { augment, colorJitter, imageOf } from '@nn/vision';
 * const image = imageOf(new Uint8Array([100, 150, 200]), 1, 1, 3);
 * const jitter = colorJitter({ brightness: 0.5, hue: 0.1 });
 * const [a, b] = [1, 1].map((seed) => augment(jitter, { image }, new RandomSequence(seed)).image.data.join());
 * console.log(a === b, a === image.data.join()); // => true false
 */
export function colorJitter(options: ColorJitterOptions = {}): Transform {
  checkOptions('colorJitter', options, ['brightness', 'contrast', 'saturation', 'hue']);
  const factors = Object.entries({ brightness: 0, contrast: 0, saturation: 0, hue: 0, ...options });
  for (const [name, value] of factors) {
    if (value >= 0 && (name !== 'hue' || value <= 0.5)) continue;
    throw new ValueError('colorJitter', `${name} is ${value}: at least 0${name === 'hue' ? ', at most 0.5' : ''}.`);
  }
  const steps = factors
    .filter(([, value]) => value > 0)
    .map(([name, value]) => {
      const operation = jittered[name]!;
      const low = name === 'hue' ? -value : Math.max(0, 1 - value);
      return coloring(name, operation, (random) => random.uniform(low, name === 'hue' ? value : 1 + value));
    });
  return { ...compose(...steps), name: 'colorJitter' };
}

/** Grey in as many channels, with a chance of 0.1 where not given. */
export function randomGrayscale(probability = 0.1): Transform {
  checkChance('randomGrayscale', 'probability', probability);
  return coloring('randomGrayscale', colors.grayscale, (random) => Number(random.uniform() < probability));
}

/** Sharper (a factor above 1) or softer (below 1), with a chance. */
export function randomSharpness(factor: number, probability = 0.5): Transform {
  return randomApply(
    coloring('randomSharpness', colors.sharpness, () => factor),
    probability,
  );
}

/** Values from `threshold` on, 0 to 255, become their negative, with a chance. */
export function randomSolarize(threshold: number, probability = 0.5): Transform {
  return randomApply(
    coloring('randomSolarize', colors.solarize, () => threshold),
    probability,
  );
}

/** Keeps the upper `bits` of each byte, with a chance. */
export function randomPosterize(bits: number, probability = 0.5): Transform {
  if (!Number.isInteger(bits) || bits < 0 || bits > 8) {
    throw new ValueError('randomPosterize', `bits is ${bits}: a whole number from 0 to 8.`, { bits });
  }
  return randomApply(
    coloring('randomPosterize', colors.posterize, () => bits),
    probability,
  );
}

/** Equalises the histogram of each channel, with a chance. */
export function randomEqualize(probability = 0.5): Transform {
  return randomApply(
    coloring('randomEqualize', colors.equalize, () => 0),
    probability,
  );
}

/** Stretches each channel to the whole scale, with a chance. */
export function randomAutocontrast(probability = 0.5): Transform {
  return randomApply(
    coloring('randomAutocontrast', colors.autocontrast, () => 0),
    probability,
  );
}

/** The negative, with a chance. */
export function randomInvert(probability = 0.5): Transform {
  return randomApply(
    coloring('randomInvert', colors.invert, () => 0),
    probability,
  );
}

/** A gamma from a range. */
export function randomGamma(low: number, high: number): Transform {
  if (!(low > 0 && low <= high))
    throw new ValueError('randomGamma', `the range is ${low} to ${high}: positive, and rising.`);
  return coloring('randomGamma', colors.gamma, (random) => random.uniform(low, high));
}

/** Blurs by a window of `size` pixels, odd, with a standard deviation from a range, as torchvision's `GaussianBlur`. */
export function randomBlur(size: number, sigma: readonly [low: number, high: number] = [0.1, 2]): Transform {
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0 || !(sigma[0] > 0 && sigma[0] <= sigma[1])) {
    throw new ValueError(
      'randomBlur',
      `the window is ${size} and sigma ${sigma.join(' to ')}: an odd number, and a positive range.`,
    );
  }
  const operation = {
    onHost: (image: Parameters<typeof gaussianBlur>[0], drawn: number) => gaussianBlur(image, size, drawn),
    onDevice: (x: Tensor, drawn: Tensor) => gaussianBlurBatch(x, size, drawn),
  };
  return coloring('randomBlur', operation, (random) => random.uniform(...sigma));
}

export interface ErasingOptions {
  readonly probability?: number;
  /** The share of the area; 0.02 to 0.33 where not given. */
  readonly scale?: readonly [low: number, high: number];
  /** Height to width; 0.3 to 3.3 where not given. */
  readonly ratio?: readonly [low: number, high: number];
  /** What is put there, 0 to 255. */
  readonly fill?: number;
  /** The class that the mask gets there, such as the one that a loss ignores; the mask stays as it is where not given. */
  readonly maskFill?: number;
}

/**
 * Covers a random rectangle (Zhong et al. 2020), as torchvision's `RandomErasing`. What is covered is still there: boxes stay, and the mask too unless
 * `maskFill` says what it gets.
 */
export function randomErasing(options: ErasingOptions = {}): Transform {
  checkOptions('randomErasing', options, ['probability', 'scale', 'ratio', 'fill', 'maskFill']);
  const { probability = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], fill = 0, maskFill } = options;
  checkChance('randomErasing', 'probability', probability);
  return {
    name: 'randomErasing',
    outputSize: (size) => size,
    count: () => 4,
    /** left, top, right, bottom. */
    draw(random, { width, height }) {
      if (random.uniform() >= probability) return [0, 0, 0, 0];
      for (let attempt = 0; attempt < 10; attempt++) {
        const area = width * height * random.uniform(...scale);
        const shape = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
        const [h, w] = [Math.round(Math.sqrt(area * shape)), Math.round(Math.sqrt(area / shape))];
        if (h >= height || w >= width) continue;
        const top = random.integer(height - h + 1);
        const left = random.integer(width - w + 1);
        return [left, top, left + w, top + h];
      }
      return [0, 0, 0, 0];
    },
    onHost(sample, drawn) {
      const [left, top, right, bottom] = Array.from(drawn) as [number, number, number, number];
      const covered = (image: Image, value: number): Image => {
        const { width, channels } = image;
        const data = image.data.slice();
        for (let y = top; y < bottom; y++)
          data.fill(value, (y * width + left) * channels, (y * width + right) * channels);
        return { ...image, data };
      };
      const { mask } = sample;
      const masked = mask && maskFill !== undefined && { mask: covered(mask, maskFill) };
      return { ...sample, image: covered(sample.image, fill), ...masked };
    },
    onDevice(batch, drawn) {
      const inside = insideBox(batch.images, drawn);
      const { masks } = batch;
      return {
        ...batch,
        images: where(inside, fill / 255, batch.images),
        ...(masks && maskFill !== undefined && { masks: where(inside, maskFill, masks) }),
      };
    },
  };
}

/** Which pixels lie within the rectangle of each element, [N, 1, height, width]; `drawn` begins with left, top, right, bottom. */
export function insideBox(images: Tensor, drawn: Tensor): Tensor {
  const { height, width } = sizeOfBatch(images);
  const line = (length: number, shape: number[]): Tensor => arange(length).reshape(shape);
  const [x, y] = [line(width, [1, 1, 1, width]), line(height, [1, 1, height, 1])];
  const within = (at: Tensor, low: number): Tensor =>
    at.greaterEqual(column(drawn, low)).logicalAnd(at.less(column(drawn, low + 2)));
  return within(x, 0).logicalAnd(within(y, 1));
}
