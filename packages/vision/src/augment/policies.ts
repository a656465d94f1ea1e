/**
 * Policies that choose among operations: RandAugment, TrivialAugment, AugMix, with the operations and magnitudes of torchvision's `autoaugment.py`.
 * On the device every operation is computed for the whole batch and the chosen one is taken, in one program.
 */
import { checkOptions, type Tensor, ValueError } from '@nn/core';
import type { RandomSequence } from '@nn/data';
import type { Image, Size } from '../images/image.ts';
import * as colors from './colors.ts';
import { betaOf, gammaOf } from './mix.ts';
import { coloring } from './random-colors.ts';
import { column, columns, compose, identity, oneOf, type Pictured, sizeOfBatch, type Transform } from './transform.ts';
import { type Affine, affineMatrix, type Fill, projective } from './warp.ts';

/** A magnitude for a picture of this size. */
type Magnitude = (random: RandomSequence, size: Size) => number;

const degrees = (radians: number): number => (radians * 180) / Math.PI;

/** The matrix of a geometric operation of torchvision at a magnitude: shears are about the upper left corner. */
const matrices: Readonly<Record<string, (magnitude: number, size: Size) => Affine>> = {
  shearX: (m) => affineMatrix({ shear: [degrees(Math.atan(m)), 0] }, [0, 0]),
  shearY: (m) => affineMatrix({ shear: [0, degrees(Math.atan(m))] }, [0, 0]),
  translateX: (m, { width, height }) => affineMatrix({ translate: [Math.trunc(m), 0] }, [width / 2, height / 2]),
  translateY: (m, { width, height }) => affineMatrix({ translate: [0, Math.trunc(m)] }, [width / 2, height / 2]),
  // torchvision's rotate goes the other way than its affine
  rotate: (m, { width, height }) => affineMatrix({ angle: -m }, [width / 2, height / 2]),
};

const factor = (operation: colors.ColorOperation): colors.ColorOperation => ({
  onHost: (image, m) => operation.onHost(image, 1 + m),
  onDevice: (x, m) => operation.onDevice(x, m.add(1)),
});
const coloured: Readonly<Record<string, colors.ColorOperation>> = {
  brightness: /* @__PURE__ */ factor(colors.brightness),
  color: /* @__PURE__ */ factor(colors.saturation),
  contrast: /* @__PURE__ */ factor(colors.contrast),
  sharpness: /* @__PURE__ */ factor(colors.sharpness),
  posterize: colors.posterize,
  solarize: colors.solarize,
  autocontrast: colors.autocontrast,
  equalize: colors.equalize,
  invert: colors.invert,
};

/** The names of the operations, as in torchvision but for the case. */
export type PolicyOperation =
  | 'identity'
  | 'shearX'
  | 'shearY'
  | 'translateX'
  | 'translateY'
  | 'rotate'
  | 'brightness'
  | 'color'
  | 'contrast'
  | 'sharpness'
  | 'posterize'
  | 'solarize'
  | 'autocontrast'
  | 'equalize'
  | 'invert';

/** One of the operations at a magnitude, as torchvision applies it: factors are 1 + magnitude, posterize takes bits, solarize a threshold. */
export function policyOperation(name: PolicyOperation, magnitude: number | Magnitude, options: Fill = {}): Transform {
  const at: Magnitude = typeof magnitude === 'number' ? () => magnitude : magnitude;
  if (name === 'identity') return identity();
  const matrix = matrices[name];
  if (matrix) {
    const filled = { interpolation: 'nearest', ...options } as const;
    return projective({ name, count: 6, ...filled, draw: (random, size) => matrix(at(random, size), size) });
  }
  const color = coloured[name];
  if (!color) throw new ValueError('policyOperation', `there is no operation ${String(name)}.`, { name });
  return coloring(name, color, at);
}

/** `bins` magnitudes from low to high. */
const ramp = (low: number, high: number, bin: number, bins: number): number => low + ((high - low) * bin) / (bins - 1);

const signed: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'shearX',
  'shearY',
  'translateX',
  'translateY',
  'rotate',
  'brightness',
  'color',
  'contrast',
  'sharpness',
]);

/** The largest magnitudes of a policy; translations in pixels of a size. */
interface Space {
  readonly shear: number;
  readonly translate: (size: Size, axis: 'width' | 'height') => number;
  readonly rotate: number;
  readonly factor: number;
  /** Bits that posterize takes away at the most. */
  readonly posterize: number;
}

const factors: readonly PolicyOperation[] = ['brightness', 'color', 'contrast', 'sharpness'];
const names: readonly PolicyOperation[] = [
  'identity',
  'shearX',
  'shearY',
  'translateX',
  'translateY',
  'rotate',
  'brightness',
  'color',
  'contrast',
  'sharpness',
  'posterize',
  'solarize',
  'autocontrast',
  'equalize',
];

/** The magnitude of an operation at a bin. */
function magnitudeOf(space: Space, name: PolicyOperation, bin: number, bins: number, size: Size): number {
  if (name.startsWith('shear')) return ramp(0, space.shear, bin, bins);
  if (name.startsWith('translate'))
    return ramp(0, space.translate(size, name.endsWith('X') ? 'width' : 'height'), bin, bins);
  if (name === 'rotate') return ramp(0, space.rotate, bin, bins);
  if (name === 'posterize') return 8 - Math.round(bin / ((bins - 1) / space.posterize));
  if (name === 'solarize') return ramp(255, 0, bin, bins);
  return factors.includes(name) ? ramp(0, space.factor, bin, bins) : 0;
}

/** The operations of a space; `bin` chooses how strong they are. */
function operations(
  space: Space,
  among: readonly PolicyOperation[],
  bin: (random: RandomSequence) => number,
  bins: number,
  options: Fill,
): Transform[] {
  return among.map((name) =>
    policyOperation(
      name,
      (random, size) => {
        const magnitude = magnitudeOf(space, name, bin(random), bins, size);
        return signed.has(name) && random.uniform() < 0.5 ? -magnitude : magnitude;
      },
      options,
    ),
  );
}

export interface RandAugmentOptions extends Fill {
  /** Operations one after the other; 2 where not given. */
  readonly count?: number;
  /** The bin of all magnitudes; 9 of 31 where not given. */
  readonly magnitude?: number;
  readonly bins?: number;
}

/** So many operations, each chosen at random, all with one magnitude (Cubuk et al. 2020). */
export function randAugment(options: RandAugmentOptions = {}): Transform {
  checkOptions('randAugment', options, ['count', 'magnitude', 'bins', 'interpolation', 'fill']);
  const { count = 2, magnitude = 9, bins = 31, ...filled } = options;
  if (!(Number.isInteger(magnitude) && magnitude >= 0 && magnitude < bins)) {
    throw new ValueError('randAugment', `magnitude is ${magnitude}: a whole number below the ${bins} bins.`, {
      magnitude,
    });
  }
  const space: Space = {
    shear: 0.3,
    translate: (size, axis) => (150 / 331) * size[axis],
    rotate: 30,
    factor: 0.9,
    posterize: 4,
  };
  const one = oneOf(operations(space, names, () => magnitude, bins, filled));
  return { ...compose(...Array.from({ length: count }, () => one)), name: 'randAugment' };
}

/** One operation with a random magnitude, from a wide space (Müller and Hutter 2021). */
export function trivialAugment(options: Fill & { readonly bins?: number } = {}): Transform {
  checkOptions('trivialAugment', options, ['bins', 'interpolation', 'fill']);
  const { bins = 31, ...filled } = options;
  const space: Space = { shear: 0.99, translate: () => 32, rotate: 135, factor: 0.99, posterize: 6 };
  return { ...oneOf(operations(space, names, (random) => random.integer(bins), bins, filled)), name: 'trivialAugment' };
}

export interface AugMixOptions extends Fill {
  /** How strong the operations are, 1 to 10. */
  readonly severity?: number;
  /** Chains that are mixed. */
  readonly width?: number;
  /** Operations of a chain; 1 to 3 at random where not given. */
  readonly depth?: number;
  /** Of the Dirichlet and the beta distribution of the shares. */
  readonly alpha?: number;
}

/**
 * The picture mixed with chains of operations over it, by random shares (Hendrycks et al. 2020). Masks, boxes and soft labels stay: a chain moves what it
 * mixes in by a few pixels, but the picture itself, which has the largest share on average, stays where it was.
 */
export function augMix(options: AugMixOptions = {}): Transform {
  checkOptions('augMix', options, ['severity', 'width', 'depth', 'alpha', 'interpolation', 'fill']);
  const { severity = 3, width = 3, depth, alpha = 1, ...filled } = options;
  if (!(Number.isInteger(severity) && severity >= 1 && severity <= 10)) {
    throw new ValueError('augMix', `severity is ${severity}: a whole number from 1 to 10.`, { severity });
  }
  const space: Space = { shear: 0.3, translate: (size, axis) => size[axis] / 3, rotate: 30, factor: 0.9, posterize: 4 };
  const among = names.filter((name) => name !== 'identity');
  const one = oneOf(operations(space, among, (random) => random.integer(severity), 10, filled));
  const most = depth ?? 3;
  const chain = compose(...Array.from({ length: most }, () => one));
  /** m of the picture, then for each chain its share and how many of its operations count, then the numbers of all. */
  const counts = (size: Size): number => 1 + width * (2 + chain.count(size));
  const long = (size: Size): number => chain.count(size) / most;
  return {
    name: 'augMix',
    outputSize: (size) => size,
    count: counts,
    draw(random, size) {
      const shares = Array.from({ length: width }, () => gammaOf(random, alpha));
      const total = shares.reduce((sum, each) => sum + each, 0);
      const picture = betaOf(random, alpha);
      const chains = shares.flatMap((share) => [
        share / total,
        depth ?? 1 + random.integer(3),
        ...Array.from(chain.draw(random, size)),
      ]);
      return [picture, ...chains];
    },
    onHost(sample: Pictured, drawn) {
      const { image } = sample;
      const [picture = 0, ...rest] = Array.from(drawn);
      const sums = Float64Array.from(image.data, (value) => picture * value);
      const each = 2 + chain.count(image);
      for (let k = 0; k < width; k++) {
        const [share = 0, count = 0, ...numbers] = rest.slice(k * each, (k + 1) * each);
        let mixed: Image = image;
        for (let i = 0; i < count; i++) {
          mixed = one.onHost({ image: mixed }, numbers.slice(i * long(image), (i + 1) * long(image))).image;
        }
        for (let i = 0; i < sums.length; i++) sums[i]! += (1 - picture) * share * mixed.data[i]!;
      }
      return { ...sample, image: { ...image, data: Uint8Array.from(sums, (value) => Math.trunc(value + 1e-6)) } };
    },
    onDevice(batch, drawn) {
      const { images } = batch;
      const size = sizeOfBatch(images);
      const each = 2 + chain.count(size);
      const picture = column(drawn, 0);
      let sum: Tensor = images.mul(picture);
      for (let k = 0; k < width; k++) {
        const base = 1 + k * each;
        const count = column(drawn, base + 1);
        let mixed: Tensor = images;
        for (let i = 0; i < most; i++) {
          const start = base + 2 + i * long(size);
          const next = one.onDevice({ images: mixed }, columns(drawn, start, start + long(size))).images;
          const isUsed = count.greater(i).cast('float32');
          mixed = next.mul(isUsed).add(mixed.mul(isUsed.neg().add(1)));
        }
        sum = sum.add(mixed.mul(column(drawn, base)).mul(picture.neg().add(1)));
      }
      return { ...batch, images: sum };
    },
  };
}
