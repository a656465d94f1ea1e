/** How alike images are: PSNR, SSIM, MS-SSIM, and total variation. Images are [N, channels, height, width]. With gradients. */
import { averagePool, checkOptions, conv2d, ShapeError, showShape, type Tensor, tensor, ValueError } from '@nn/core';
import { type Batch, checkWeighting, requireSameShape, type Weighting } from '../inputs.ts';
import { type Elements, MeanMetric, meanOf, weighted } from '../mean-metric.ts';

export interface ImageOptions {
  /** The difference of the largest and smallest possible value: 1 for images in 0 to 1, 255 for bytes. */
  readonly range: number;
}

type ImageFormula = (operation: string, images: Tensor, targets: Tensor) => Tensor;

function requireImages(operation: string, { rank, shape }: Tensor): void {
  if (rank === 4) return;
  throw new ShapeError(operation, `images are [N, channels, height, width], got ${showShape(shape)}.`, { shape });
}

function requireImagePairs(operation: string, images: Tensor, targets: Tensor): void {
  requireSameShape(operation, images, targets);
  requireImages(operation, images);
}

function requireRange(operation: string, options: ImageOptions): number {
  const { range } = { ...options };
  if (range > 0) return range;
  throw new ValueError(operation, `range is ${range}: say how far apart values can be, 1 or 255.`, { range });
}

/** The mean squared error of each image: [N]. */
const errors: ImageFormula = (operation, images, targets) => {
  requireImagePairs(operation, images, targets);
  return images.sub(targets).square().mean([1, 2, 3]);
};

/** The window of SSIM: 11 x 11 with a Gaussian of deviation 1.5. */
const [windowSize, deviation] = [11, 1.5];

function gaussian(): number[] {
  const weights = Array.from({ length: windowSize }, (_, k) =>
    Math.exp(-((k - (windowSize - 1) / 2) ** 2) / (2 * deviation ** 2)),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Luminance times structure, and structure alone, as means over each image: [N] each. Windows lie inside of the image. */
function similarities(operation: string, images: Tensor, targets: Tensor, range: number): readonly [Tensor, Tensor] {
  const [n = 0, channels = 0, height = 0, width = 0] = images.shape;
  if (height < windowSize || width < windowSize) {
    throw new ShapeError(
      operation,
      `windows of ${windowSize} x ${windowSize} do not fit into ${showShape(images.shape)}: take larger images.`,
      { shape: images.shape },
    );
  }
  const weights = gaussian();
  const [down, across] = [
    tensor(weights).reshape([1, 1, windowSize, 1]),
    tensor(weights).reshape([1, 1, 1, windowSize]),
  ];
  const blur = (x: Tensor): Tensor => conv2d(conv2d(x.reshape([n * channels, 1, height, width]), down), across);
  const [x, y] = [blur(images), blur(targets)];
  const xx = blur(images.square()).sub(x.square());
  const yy = blur(targets.square()).sub(y.square());
  const xy = blur(images.mul(targets)).sub(x.mul(y));
  const [c1, c2] = [(0.01 * range) ** 2, (0.03 * range) ** 2];
  const structure = xy.mul(2).add(c2).div(xx.add(yy).add(c2));
  const luminance = x.mul(y).mul(2).add(c1).div(x.square().add(y.square()).add(c1));
  const mean = (map: Tensor): Tensor => map.reshape([n, map.size / n]).mean(1);
  return [mean(luminance.mul(structure)), mean(structure)];
}

const ssimOf =
  (options: ImageOptions): ImageFormula =>
  (operation, images, targets) => {
    requireImagePairs(operation, images, targets);
    return similarities(operation, images, targets, requireRange(operation, options))[0];
  };

/** The weights of the five scales. (Wang, Simoncelli and Bovik 2003.) */
const scales = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

const multiScaleOf =
  (options: ImageOptions): ImageFormula =>
  (operation, images, targets) => {
    requireImagePairs(operation, images, targets);
    const range = requireRange(operation, options);
    const least = windowSize * 2 ** (scales.length - 1);
    if (Math.min(images.shape[2] ?? 0, images.shape[3] ?? 0) < least) {
      throw new ShapeError(
        operation,
        `five scales need images of at least ${least} x ${least}, got ${showShape(images.shape)}: take the similarity of one scale.`,
        { shape: images.shape },
      );
    }
    let [x, y] = [images, targets];
    let product: Tensor | null = null;
    for (const [k, weight] of scales.entries()) {
      const [whole, structure] = similarities(operation, x, y, range);
      // a negative similarity has no power: it counts 0
      const factor = (k === scales.length - 1 ? whole : structure).maximum(1e-12).pow(weight);
      product = product === null ? factor : product.mul(factor);
      [x, y] = [x, y].map((image) => averagePool(image, { size: [2, 2] })) as [Tensor, Tensor];
    }
    return product as Tensor;
  };

const known = ['range'];

/** The mean of a formula per image as a function: 0-d. */
function imageMean(
  operation: string,
  formula: ImageFormula,
  images: Tensor,
  targets: Tensor,
  options: ImageOptions & Weighting,
): Tensor {
  checkOptions(operation, options, [...known, 'weights', 'mask']);
  return meanOf(weighted(operation, formula(operation, images, targets), options));
}

/** The mean of a formula per image over all updates. */
abstract class ImageMetric extends MeanMetric<Batch> {
  readonly #formula: ImageFormula;
  protected readonly range: number;

  constructor(name: string, formula: ImageFormula, options: ImageOptions) {
    super(name, true);
    checkOptions(new.target.name, options, known);
    this.range = requireRange(new.target.name, options);
    this.#formula = formula;
  }

  protected override elements(images: Tensor, targets: Tensor, weighting: Weighting = {}): Elements {
    const operation = String(this);
    return weighted(operation, this.#formula(operation, images, targets), checkWeighting(this, weighting));
  }
}

/**
 * The peak signal-to-noise ratio in decibels, of the mean squared error over all images: 0-d.
 *
 * @example
 * import { full, zeros } from '@nn/core';
 * import { peakSignalToNoise } from '@nn/metrics';
 * const value = peakSignalToNoise(full([1, 1, 2, 2], 0.1), zeros([1, 1, 2, 2]), { range: 1 });
 * console.log((await value.item()).toFixed(3)); // => 20.000
 */
export function peakSignalToNoise(images: Tensor, targets: Tensor, options: ImageOptions & Weighting): Tensor {
  const range = requireRange('peakSignalToNoise', options);
  const error = imageMean('peakSignalToNoise', errors, images, targets, options);
  return error
    .log()
    .neg()
    .add(2 * Math.log(range))
    .mul(10 / Math.LN10);
}

/**
 * The peak signal-to-noise ratio in decibels, of the mean squared error over all updates.
 *
 * @example
 * import { full, zeros } from '@nn/core';
 * import { PeakSignalToNoise } from '@nn/metrics';
 * const metric = new PeakSignalToNoise({ range: 1 });
 * metric.update(full([1, 1, 2, 2], 0.1), zeros([1, 1, 2, 2]));
 * console.log((await metric.read()).epoch.toFixed(3)); // => 20.000
 */
export class PeakSignalToNoise extends ImageMetric {
  static override readonly name: string = 'PeakSignalToNoise';

  constructor(options: ImageOptions) {
    super('peak_signal_to_noise', errors, options);
  }

  protected override finish(mean: number): number {
    return 10 * Math.log10(this.range ** 2 / mean);
  }
}

/**
 * The structural similarity (SSIM), the mean over images: 0-d, 1 for equal images. Gaussian windows of 11 x 11 inside of the
 * image, K 0.01 and 0.03. (Wang et al. 2004.)
 *
 * @example
 * import { uniform } from '@nn/core';
 * import { structuralSimilarity } from '@nn/metrics';
 * const x = uniform([1, 1, 16, 16]);
 * console.log((await structuralSimilarity(x, x, { range: 1 }).item()).toFixed(4)); // => 1.0000
 */
export function structuralSimilarity(images: Tensor, targets: Tensor, options: ImageOptions & Weighting): Tensor {
  return imageMean('structuralSimilarity', ssimOf(options), images, targets, options);
}

/**
 * The structural similarity (SSIM), the mean over the images of all updates.
 *
 * @example
 * import { uniform } from '@nn/core';
 * import { StructuralSimilarity } from '@nn/metrics';
 * const metric = new StructuralSimilarity({ range: 1 });
 * const x = uniform([1, 1, 16, 16]);
 * metric.update(x, x);
 * console.log((await metric.read()).epoch.toFixed(4)); // => 1.0000
 */
export class StructuralSimilarity extends ImageMetric {
  static override readonly name: string = 'StructuralSimilarity';

  constructor(options: ImageOptions) {
    super('structural_similarity', ssimOf(options), options);
  }
}

/**
 * The structural similarity over five scales (MS-SSIM), the mean over images of at least 176 x 176: 0-d.
 *
 * @example
 * import { uniform } from '@nn/core';
 * import { multiScaleSimilarity } from '@nn/metrics';
 * const x = uniform([1, 1, 176, 176]);
 * console.log((await multiScaleSimilarity(x, x, { range: 1 }).item()).toFixed(3)); // => 1.000
 */
export function multiScaleSimilarity(images: Tensor, targets: Tensor, options: ImageOptions & Weighting): Tensor {
  return imageMean('multiScaleSimilarity', multiScaleOf(options), images, targets, options);
}

/**
 * The structural similarity over five scales (MS-SSIM), the mean over the images of all updates.
 *
 * @example
 * import { uniform } from '@nn/core';
 * import { MultiScaleSimilarity } from '@nn/metrics';
 * const metric = new MultiScaleSimilarity({ range: 1 });
 * const x = uniform([1, 1, 176, 176]);
 * metric.update(x, x);
 * console.log((await metric.read()).epoch.toFixed(3)); // => 1.000
 */
export class MultiScaleSimilarity extends ImageMetric {
  static override readonly name: string = 'MultiScaleSimilarity';

  constructor(options: ImageOptions) {
    super('multi_scale_similarity', multiScaleOf(options), options);
  }
}

/** The sum of differences between neighbours, down and across: [N]. */
function variation(operation: string, images: Tensor): Tensor {
  requireImages(operation, images);
  const [, , height = 0, width = 0] = images.shape;
  const down = images.slice([0, 0, 1, 0]).sub(images.slice([0, 0, 0, 0], [null, null, height - 1, null]));
  const across = images.slice([0, 0, 0, 1]).sub(images.slice([0, 0, 0, 0], [null, null, null, width - 1]));
  return down
    .abs()
    .sum([1, 2, 3])
    .add(across.abs().sum([1, 2, 3]));
}

/**
 * The total variation of images, the mean over them: 0-d. (Rudin, Osher and Fatemi 1992, anisotropic.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { totalVariation } from '@nn/metrics';
 * console.log(await totalVariation(tensor([[[[0, 1], [0, 1]]]])).item()); // => 2
 */
export function totalVariation(images: Tensor, weighting: Weighting = {}): Tensor {
  checkOptions('totalVariation', weighting, ['weights', 'mask']);
  return meanOf(weighted('totalVariation', variation('totalVariation', images), weighting));
}

/**
 * The total variation of images, the mean over those of all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { TotalVariation } from '@nn/metrics';
 * const metric = new TotalVariation();
 * metric.update(tensor([[[[0, 1], [0, 1]]]]));
 * console.log((await metric.read()).epoch); // => 2
 */
export class TotalVariation extends MeanMetric<readonly [images: Tensor, weighting?: Weighting]> {
  static override readonly name: string = 'TotalVariation';

  constructor() {
    super('total_variation', null);
  }

  protected override elements(images: Tensor, weighting: Weighting = {}): Elements {
    return weighted('TotalVariation', variation('TotalVariation', images), checkWeighting(this, weighting));
  }
}
