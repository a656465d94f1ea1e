/** InstanceNorm: each channel of each sample by itself. Owns its running statistics, which are means over the samples. */
import { checkOptions, isTraining, type Parameter, parameter, ShapeError, showShape, type Tensor } from '@nn/core';

import { constantParameter, countOf, type Layer, requireChannels, requireWhole, spaceNames } from '../layer.ts';
import { scaleAndShift, standardize } from './normalization.ts';

export interface InstanceNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** Share of the new batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
  /** Whether to learn a scale and a shift per channel. Default false. */
  readonly affine?: boolean;
  /** Whether to keep running statistics and use them in evaluation. Default false. */
  readonly trackRunningStatistics?: boolean;
}

/** What the three share; they differ in how many axes space has. */
abstract class InstanceNorm implements Layer {
  readonly rank: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly momentum: number;
  /** [channels], 1 at first; null without `affine`. */
  weight: Parameter | null;
  /** [channels], 0 at first; null without `affine`. */
  bias: Parameter | null;
  /** [channels], not trained: assigned by `forward` in training; null without `trackRunningStatistics`. */
  runningMean: Parameter | null = null;
  runningVar: Parameter | null = null;
  /** Scalar int32: there for the names in PyTorch's files, which count nothing here either. */
  numBatchesTracked: Parameter | null = null;

  constructor(rank: number, channels: number, options: InstanceNormOptions) {
    const name = `InstanceNorm${rank}d(${channels})`;
    checkOptions(name, options, ['epsilon', 'momentum', 'affine', 'trackRunningStatistics']);
    const { epsilon = 1e-5, momentum = 0.1, affine = false, trackRunningStatistics = false } = options;
    requireWhole(name, 'channels', channels);
    this.rank = rank;
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

  forward(input: Tensor): Tensor {
    requireChannels(String(this), input, this.channels, [this.rank + 2], spaceNames[this.rank]!);
    const space = input.shape.slice(2);
    const perChannel = [this.channels, ...space.map(() => 1)];
    const { runningMean, runningVar } = this;
    const isFrozen = runningMean?.frozen === true && runningVar?.frozen === true;
    if (runningMean !== null && runningVar !== null && (!isTraining() || isFrozen)) {
      const scale = runningVar.add(this.epsilon).rsqrt();
      const standard = input.sub(runningMean.reshape(perChannel)).mul(scale.reshape(perChannel));
      return scaleAndShift(standard, this.weight, this.bias, perChannel);
    }
    if (countOf(space) <= 1) {
      throw new ShapeError(
        String(this),
        `${showShape(input.shape)} has one value per channel and sample, which has no variance: give more of space.`,
        { layer: String(this), shape: input.shape },
      );
    }
    const axes = space.map((_, axis) => axis + 2);
    if (isTraining()) this.#track(input.stopGradient(), axes);
    return scaleAndShift(standardize(input, axes, this.epsilon), this.weight, this.bias, perChannel);
  }

  /** running += momentum * (mean over the samples - running), with the unbiased variance, as PyTorch does. */
  #track(input: Tensor, axes: readonly number[]): void {
    const { runningMean, runningVar, momentum: share } = this;
    if (runningMean === null || runningVar === null) return;
    const oldMean = runningMean.stopGradient();
    const oldVariance = runningVar.stopGradient();
    runningMean.assign(oldMean.add(input.mean(axes).mean(0).sub(oldMean).mul(share)));
    runningVar.assign(oldVariance.add(input.variance(axes, { correction: 1 }).mean(0).sub(oldVariance).mul(share)));
  }

  toString(): string {
    return `InstanceNorm${this.rank}d(${this.channels})`;
  }
}

/**
 * Normalises each channel of each sample over its space: [N, channels, length], the shape stays.
 *
 * Names and defaults are those of PyTorch's `nn.InstanceNorm1d`: no `weight` and `bias` without `affine`, no running
 * statistics without `trackRunningStatistics`. (Ulyanov et al. 2016.)
 * Throws ShapeError for another rank or number of channels, and for a single value per channel unless statistics are known.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { InstanceNorm1d } from '@nn/layers';
 * console.log(new InstanceNorm1d(8).forward(zeros([4, 8, 14])).shape); // => [4, 8, 14]
 */
export class InstanceNorm1d extends InstanceNorm {
  constructor(channels: number, options: InstanceNormOptions = {}) {
    super(1, channels, options);
  }
}

/**
 * Normalises each channel of each sample over its space: [N, channels, height, width], the shape stays.
 *
 * Names and defaults are those of PyTorch's `nn.InstanceNorm2d`: no `weight` and `bias` without `affine`, no running
 * statistics without `trackRunningStatistics`. (Ulyanov et al. 2016.)
 * Throws ShapeError for another rank or number of channels, and for a single value per channel unless statistics are known.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { InstanceNorm2d } from '@nn/layers';
 * console.log(new InstanceNorm2d(8).forward(zeros([4, 8, 14, 14])).shape); // => [4, 8, 14, 14]
 */
export class InstanceNorm2d extends InstanceNorm {
  constructor(channels: number, options: InstanceNormOptions = {}) {
    super(2, channels, options);
  }
}

/**
 * Normalises each channel of each sample over its space: [N, channels, depth, height, width], the shape stays.
 *
 * Names and defaults are those of PyTorch's `nn.InstanceNorm3d`: no `weight` and `bias` without `affine`, no running
 * statistics without `trackRunningStatistics`. (Ulyanov et al. 2016.)
 * Throws ShapeError for another rank or number of channels, and for a single value per channel unless statistics are known.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { InstanceNorm3d } from '@nn/layers';
 * console.log(new InstanceNorm3d(8).forward(zeros([4, 8, 3, 5, 5])).shape); // => [4, 8, 3, 5, 5]
 */
export class InstanceNorm3d extends InstanceNorm {
  constructor(channels: number, options: InstanceNormOptions = {}) {
    super(3, channels, options);
  }
}
