/** Dropout of whole channels, for values that neighbours in space could tell anyway. `dropout.ts` drops single values. */
import { bernoulli, isTraining, ShapeError, showShape, type Tensor, where } from '@nn/core';

import { type Layer, spaceNames } from '../layer.ts';
import { requireRate } from './dropout.ts';

/** One draw for each channel of each sample, of the rank of the input: 1 where it stays. */
export function keptChannels(layer: string, input: Tensor, rate: number): Tensor {
  if (input.rank < 2) {
    throw new ShapeError(layer, `takes [N, channels, ...], got ${showShape(input.shape)}.`, {
      layer,
      shape: input.shape,
    });
  }
  const shape = input.shape.map((size, axis) => (axis < 2 ? size : 1));
  return bernoulli(shape, 1 - rate).notEqual(0);
}

/** What the three share; they differ in how many axes space has. */
abstract class ChannelDropout implements Layer {
  readonly rank: number;
  readonly rate: number;

  constructor(rank: number, rate: number) {
    requireRate(rate, `Dropout${rank}d`);
    this.rank = rank;
    this.rate = rate;
  }

  forward(input: Tensor): Tensor {
    const { rank, rate } = this;
    const form = `[N, channels, ${spaceNames[rank]}]`;
    if (input.rank !== rank + 2) {
      throw new ShapeError(
        String(this),
        `takes ${form}, got ${showShape(input.shape)}: for a single sample add the axis of the batch: x.unsqueeze(0).`,
        { layer: String(this), shape: input.shape },
      );
    }
    if (rate === 0 || !isTraining()) return input;
    if (rate === 1) return input.mul(0);
    return where(keptChannels(String(this), input, rate), input.mul(1 / (1 - rate)), 0);
  }

  toString(): string {
    return `Dropout${this.rank}d(${this.rate})`;
  }
}

/**
 * Drops whole channels: [N, channels, length], a random share `rate` of them set to 0, the others divided by `1 - rate`.
 * Changes nothing in evaluation. Keras' SpatialDropout1D, which has the channels last. (Tompson et al. 2015.)
 *
 * @example
 * import { evaluate, ones } from '@nn/core';
 * import { Dropout1d } from '@nn/layers';
 * console.log(evaluate(() => new Dropout1d(0.2).forward(ones([2, 3, 4]))).shape); // => [2, 3, 4]
 */
export class Dropout1d extends ChannelDropout {
  constructor(rate = 0.5) {
    super(1, rate);
  }
}

/**
 * Drops whole channels: [N, channels, height, width], a random share `rate` of them set to 0, the others divided by `1 - rate`.
 * Changes nothing in evaluation. Keras' SpatialDropout2D, which has the channels last. (Tompson et al. 2015.)
 *
 * @example
 * import { evaluate, ones } from '@nn/core';
 * import { Dropout2d } from '@nn/layers';
 * console.log(evaluate(() => new Dropout2d(0.2).forward(ones([2, 3, 4, 4]))).shape); // => [2, 3, 4, 4]
 */
export class Dropout2d extends ChannelDropout {
  constructor(rate = 0.5) {
    super(2, rate);
  }
}

/**
 * Drops whole channels: [N, channels, depth, height, width], a random share `rate` of them set to 0, the others divided by `1 - rate`.
 * Changes nothing in evaluation. Keras' SpatialDropout3D, which has the channels last. (Tompson et al. 2015.)
 *
 * @example
 * import { evaluate, ones } from '@nn/core';
 * import { Dropout3d } from '@nn/layers';
 * console.log(evaluate(() => new Dropout3d(0.2).forward(ones([2, 3, 4, 4, 4]))).shape); // => [2, 3, 4, 4, 4]
 */
export class Dropout3d extends ChannelDropout {
  constructor(rate = 0.5) {
    super(3, rate);
  }
}
