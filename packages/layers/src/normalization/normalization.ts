/**
 * BatchNorm, LayerNorm and GroupNorm (others are in files of their names): subtract a mean, divide by a deviation, scale and shift.
 * They differ in the axes of the mean; BatchNorm also keeps running statistics for evaluation.
 */
import {
  checkOptions,
  isTraining,
  type Parameter,
  parameter,
  type Shape,
  ShapeError,
  showShape,
  type Tensor,
  where,
} from '@nn/core';
import { constantParameter, countOf, type Layer, requireChannels, requireWhole, sizeAt } from '../layer.ts';
import { type MaskOptions, maskLike } from '../mask.ts';

/**
 * The first element along `axes`, kept. Less it, numbers far from 0 are small ones, whose sum keeps the digits that theirs
 * would lose. Results do not depend on it, so neither do gradients.
 */
function firstOf(x: Tensor, axes: readonly number[]): Tensor | number {
  if (x.size === 0) return 0;
  return x.at(...x.shape.map((_, axis) => (axes.includes(axis) ? [0, 1] : [null]))).stopGradient();
}

/** (x - mean) / sqrt(variance + epsilon) over `axes`, with the biased variance that all three layers use. */
export function standardize(x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  const near = x.sub(firstOf(x, axes));
  const centered = near.sub(near.mean(axes, { keepAxes: true }));
  const variance = centered.square().mean(axes, { keepAxes: true });
  return centered.mul(variance.add(epsilon).rsqrt());
}

/** x weight + bias, with both laid out as `shape`. */
export function scaleAndShift(x: Tensor, weight: Parameter | null, bias: Parameter | null, shape: Shape): Tensor {
  const scaled = weight === null ? x : x.mul(weight.reshape(shape));
  return bias === null ? scaled : scaled.add(bias.reshape(shape));
}

export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** Share of the new batch in the running statistics; null for the plain mean over all batches. Default 0.1. */
  readonly momentum?: number | null;
  /** Whether to learn a scale and a shift per channel. Default true. */
  readonly affine?: boolean;
  /** Whether to keep running statistics. Without them evaluation uses the batch's own. Default true. */
  readonly trackRunningStatistics?: boolean;
}

/** What BatchNorm1d, BatchNorm2d and BatchNorm3d share; they differ in the rank of their input. */
export abstract class BatchNorm implements Layer {
  readonly takesMask: true = true;
  readonly channels: number;
  readonly epsilon: number;
  momentum: number | null;
  /** [channels], 1 at first; null without `affine`. */
  weight: Parameter | null;
  /** [channels], 0 at first; null without `affine`. */
  bias: Parameter | null;
  /** [channels], not trained: assigned by `forward` in training. */
  runningMean: Parameter | null = null;
  runningVar: Parameter | null = null;
  /** Scalar int32: batches seen. */
  numBatchesTracked: Parameter | null = null;

  constructor(channels: number, options: BatchNormOptions) {
    const { epsilon = 1e-5, momentum = 0.1, affine = true, trackRunningStatistics = true } = options;
    requireWhole('BatchNorm', 'channels', channels);
    this.channels = channels;
    this.epsilon = epsilon;
    this.momentum = momentum;
    this.weight = affine ? constantParameter([channels], 1) : null;
    this.bias = affine ? constantParameter([channels], 0) : null;
    if (trackRunningStatistics) {
      this.runningMean = constantParameter([channels], 0, true);
      this.runningVar = constantParameter([channels], 1, true);
      this.numBatchesTracked = parameter(new Int32Array(1), { shape: [], buffer: true });
    }
  }

  /** The statistics are of the rows (or rows and steps) that `mask` counts; those left out are normalised with the rest. */
  protected normalize(input: Tensor, options: MaskOptions): Tensor {
    checkOptions(String(this), options, ['mask']);
    const { mask } = options;
    const perChannel = [this.channels, ...new Array<number>(input.rank - 2).fill(1)];
    // no samples, no statistics: of the last batch a process of several may have none
    if (input.shape[0] === 0) return scaleAndShift(input, this.weight, this.bias, perChannel);
    const { runningMean, runningVar } = this;
    let centered: Tensor;
    let variance: Tensor;
    const usesRunning = !isTraining() || this.#isFrozen();
    if (usesRunning && runningMean !== null && runningVar !== null) {
      centered = input.sub(runningMean.reshape(perChannel));
      variance = runningVar.reshape(perChannel);
    } else {
      const axes = Array.from({ length: input.rank }, (_, axis) => axis).filter((axis) => axis !== 1);
      const counted = mask === undefined ? null : maskLike(String(this), mask, input);
      const count = countOf(input.shape) / this.channels;
      if (isTraining() && count <= 1) {
        throw new ShapeError(
          String(this),
          `the batch ${showShape(input.shape)} has one value per channel, which has no variance: train on more than one sample.`,
          { layer: String(this), shape: input.shape },
        );
      }
      const meanOf = (x: Tensor): Tensor =>
        counted === null
          ? x.mean(axes, { keepAxes: true })
          : where(counted.keep, x, 0).sum(axes, { keepAxes: true }).div(counted.count);
      // the first element may be one that does not count
      const first = counted === null ? firstOf(input, axes) : 0;
      const near = counted === null ? input.sub(first) : input;
      const mean = meanOf(near);
      centered = near.sub(mean);
      variance = meanOf(centered.square());
      // the unbiased variance divides by one less
      const unbiased = counted === null ? count / (count - 1) : counted.count.div(counted.count.sub(1).maximum(1));
      if (isTraining()) this.#track(mean.add(first).stopGradient(), variance.stopGradient(), unbiased);
    }
    const standard = centered.mul(variance.add(this.epsilon).rsqrt());
    return scaleAndShift(standard, this.weight, this.bias, perChannel);
  }

  /** running += momentum * (batch - running), with the unbiased variance, as PyTorch does. */
  #track(mean: Tensor, variance: Tensor, correction: number | Tensor): void {
    const { runningMean, runningVar, numBatchesTracked } = this;
    if (runningMean === null || runningVar === null || numBatchesTracked === null) return;
    const batches = numBatchesTracked.add(1);
    const share = this.momentum ?? batches.cast('float32').reciprocal();
    const unbiased = variance.reshape([this.channels]).mul(correction);
    const oldMean = runningMean.stopGradient();
    const oldVariance = runningVar.stopGradient();
    runningMean.assign(oldMean.add(mean.reshape([this.channels]).sub(oldMean).mul(share)));
    runningVar.assign(oldVariance.add(unbiased.sub(oldVariance).mul(share)));
    numBatchesTracked.assign(batches);
  }

  /** Whether `freeze` reached the running statistics: they stand for the batch's in training too, and do not move. */
  #isFrozen(): boolean {
    return this.runningMean?.frozen === true && this.runningVar?.frozen === true;
  }

  abstract forward(input: Tensor, options?: MaskOptions): Tensor;
}

/**
 * Normalises each channel over the batch: [N, channels] or [N, channels, length], the shape stays.
 *
 * Training uses the statistics of the batch and updates `runningMean`, `runningVar` and `numBatchesTracked`; evaluation
 * uses these, and so does training once `freeze` has reached them. With `mask` padding counts nothing in the statistics.
 * Defaults and names are those of PyTorch's `nn.BatchNorm1d`. (Ioffe and Szegedy 2015.)
 * Throws ShapeError for another rank or number of channels, and in training for a single value per channel.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { BatchNorm1d } from '@nn/layers';
 * const y = new BatchNorm1d(1, { epsilon: 0 }).forward(tensor([[1], [3]]));
 * console.log(await y.array()); // => [[-1], [1]]
 */
export class BatchNorm1d extends BatchNorm {
  constructor(channels: number, options: BatchNormOptions = {}) {
    super(channels, options);
  }

  override forward(input: Tensor, options: MaskOptions = {}): Tensor {
    requireChannels(String(this), input, this.channels, [2, 3], input.rank === 3 ? 'length' : '');
    return this.normalize(input, options);
  }

  override toString(): string {
    return `BatchNorm1d(${this.channels})`;
  }
}

/**
 * Normalises each channel over the batch and space: [N, channels, height, width], the shape stays.
 *
 * Training uses the statistics of the batch and updates `runningMean`, `runningVar` and `numBatchesTracked`; evaluation
 * uses these, and so does training once `freeze` has reached them. With `mask` padding counts nothing in the statistics.
 * Defaults and names are those of PyTorch's `nn.BatchNorm2d`. (Ioffe and Szegedy 2015.)
 * Throws ShapeError for another rank or number of channels, and in training for a single value per channel.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { BatchNorm2d } from '@nn/layers';
 * console.log(new BatchNorm2d(8).forward(zeros([4, 8, 14, 14])).shape); // => [4, 8, 14, 14]
 */
export class BatchNorm2d extends BatchNorm {
  constructor(channels: number, options: BatchNormOptions = {}) {
    super(channels, options);
  }

  override forward(input: Tensor, options: MaskOptions = {}): Tensor {
    requireChannels(String(this), input, this.channels, [4], 'height, width');
    return this.normalize(input, options);
  }

  override toString(): string {
    return `BatchNorm2d(${this.channels})`;
  }
}

/**
 * Normalises each channel over the batch and space: [N, channels, depth, height, width], the shape stays.
 *
 * Training uses the statistics of the batch and updates `runningMean`, `runningVar` and `numBatchesTracked`; evaluation
 * uses these, and so does training once `freeze` has reached them. With `mask` padding counts nothing in the statistics.
 * Defaults and names are those of PyTorch's `nn.BatchNorm3d`. (Ioffe and Szegedy 2015.)
 * Throws ShapeError for another rank or number of channels, and in training for a single value per channel.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { BatchNorm3d } from '@nn/layers';
 * console.log(new BatchNorm3d(8).forward(zeros([4, 8, 3, 5, 5])).shape); // => [4, 8, 3, 5, 5]
 */
export class BatchNorm3d extends BatchNorm {
  constructor(channels: number, options: BatchNormOptions = {}) {
    super(channels, options);
  }

  override forward(input: Tensor, options: MaskOptions = {}): Tensor {
    requireChannels(String(this), input, this.channels, [5], 'depth, height, width');
    return this.normalize(input, options);
  }

  override toString(): string {
    return `BatchNorm3d(${this.channels})`;
  }
}

export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether to learn a scale and a shift per element. Default true. */
  readonly affine?: boolean;
  /** Whether the shift is learned too. Default true. */
  readonly bias?: boolean;
}

/**
 * Normalises each sample over its last axes `shape`: [..., ...shape], the shape stays.
 *
 * `weight` (1 at first) and `bias` (0) have the shape `shape`, as in PyTorch's `nn.LayerNorm`. (Ba et al. 2016.)
 * Throws ShapeError when the input does not end in `shape`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { LayerNorm } from '@nn/layers';
 * console.log(await new LayerNorm(2, { epsilon: 0 }).forward(tensor([[1, 3], [10, 0]])).array()); // => [[-1, 1], [1, -1]]
 */
export class LayerNorm implements Layer {
  readonly shape: Shape;
  readonly epsilon: number;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(shape: number | Shape, options: LayerNormOptions = {}) {
    const { epsilon = 1e-5, affine = true, bias = true } = options;
    this.shape = typeof shape === 'number' ? [shape] : [...shape];
    for (const size of this.shape) requireWhole(String(this), 'each size', size);
    this.epsilon = epsilon;
    this.weight = affine ? constantParameter(this.shape, 1) : null;
    this.bias = affine && bias ? constantParameter(this.shape, 0) : null;
  }

  forward(input: Tensor): Tensor {
    const { shape } = this;
    const first = input.rank - shape.length;
    if (first < 0 || shape.some((size, axis) => input.shape[first + axis] !== size)) {
      throw new ShapeError(String(this), `the input must end in ${showShape(shape)}, got ${showShape(input.shape)}.`, {
        layer: String(this),
        shape: input.shape,
        expected: shape,
      });
    }
    const axes = shape.map((_, axis) => first + axis);
    return scaleAndShift(standardize(input, axes, this.epsilon), this.weight, this.bias, shape);
  }

  toString(): string {
    return `LayerNorm(${this.shape.join(', ')})`;
  }
}

export interface GroupNormOptions {
  readonly epsilon?: number;
  readonly affine?: boolean;
}

/**
 * Normalises each sample over groups of its channels and all of space: [N, channels, ...], the shape stays.
 *
 * `weight` (1 at first) and `bias` (0) are [channels], as in PyTorch's `nn.GroupNorm`. (Wu and He 2018.)
 * Throws ShapeError for another number of channels, or one that does not divide into the groups.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { GroupNorm } from '@nn/layers';
 * console.log(new GroupNorm(2, 8).forward(zeros([4, 8, 14, 14])).shape); // => [4, 8, 14, 14]
 */
export class GroupNorm implements Layer {
  readonly groups: number;
  readonly channels: number;
  readonly epsilon: number;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(groups: number, channels: number, options: GroupNormOptions = {}) {
    const { epsilon = 1e-5, affine = true } = options;
    this.groups = groups;
    this.channels = channels;
    this.epsilon = epsilon;
    requireWhole(String(this), 'groups', groups);
    requireWhole(String(this), 'channels', channels);
    if (channels % groups !== 0) {
      throw new ShapeError(
        String(this),
        `${channels} channels do not divide into ${groups} groups: channels must be a multiple of groups.`,
        { layer: String(this), groups, channels },
      );
    }
    this.weight = affine ? constantParameter([channels], 1) : null;
    this.bias = affine ? constantParameter([channels], 0) : null;
  }

  forward(input: Tensor): Tensor {
    if (input.rank < 2 || input.shape[1] !== this.channels) {
      throw new ShapeError(String(this), `takes [N, ${this.channels}, ...], got ${showShape(input.shape)}.`, {
        layer: String(this),
        shape: input.shape,
        expected: this.channels,
      });
    }
    const { channels } = this;
    const space = input.shape.slice(2);
    const grouped = input.reshape([sizeAt(input, 0), this.groups, (channels / this.groups) * countOf(space)]);
    const standard = standardize(grouped, [2], this.epsilon).reshape(input.shape);
    return scaleAndShift(standard, this.weight, this.bias, [channels, ...space.map(() => 1)]);
  }

  toString(): string {
    return `GroupNorm(${this.groups}, ${this.channels})`;
  }
}
