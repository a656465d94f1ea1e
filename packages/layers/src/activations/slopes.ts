/** Leaky rectifiers whose slope is learnt (`PReLU`) or drawn (`RReLU`). Owns their parameters and draws. */
import {
  checkOptions,
  isTraining,
  type Parameter,
  ShapeError,
  showShape,
  type Tensor,
  uniform,
  ValueError,
  where,
} from '@nn/core';
import { constantParameter, type Layer, requireWhole } from '../layer.ts';
import { leakyRelu } from './rectifiers.ts';

/**
 * x where it is positive, `weight * x` elsewhere, with one weight for all or one for each channel (axis 1 of [N, channels,
 * ...], the axis of [channels]). Keras' PReLU has one for each value of a sample, and starts at 0. (He et al. 2015.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { PReLU } from '@nn/layers';
 * console.log(await new PReLU().forward(tensor([-2, 2])).array()); // => [-0.5, 2]
 */
export class PReLU implements Layer {
  readonly weight: Parameter;

  constructor(channels = 1, options: { readonly init?: number } = {}) {
    checkOptions('PReLU', options, ['init']);
    requireWhole('PReLU', 'channels', channels);
    this.weight = constantParameter([channels], options.init ?? 0.25);
  }

  forward(input: Tensor): Tensor {
    const channels = this.weight.size;
    const axis = input.rank < 2 ? 0 : 1;
    if (channels > 1 && input.shape[axis] !== channels) {
      throw new ShapeError(String(this), `takes [N, ${channels}, ...], got ${showShape(input.shape)}.`, {
        shape: input.shape,
        expected: channels,
      });
    }
    const after = channels === 1 ? 0 : input.rank - axis - 1;
    const slope = this.weight.reshape([channels, ...new Array<number>(after).fill(1)]);
    const isPositive = input.greater(0);
    const y = where(isPositive, input, input.mul(slope));
    return input.rank === 0 ? y.reshape([]) : y;
  }

  toString(): string {
    return `PReLU(${this.weight.size})`;
  }
}

/**
 * x where it is positive, `slope * x` elsewhere: in training with a slope drawn for each value from `lower` to `upper`, in
 * evaluation with their mean. (Xu et al. 2015.)
 *
 * @example
 * import { evaluate, tensor } from '@nn/core';
 * import { RReLU } from '@nn/layers';
 * const layer = new RReLU({ lower: 0.25, upper: 0.75 });
 * console.log(await evaluate(() => layer.forward(tensor([-2, 2]))).array()); // => [-1, 2]
 */
export class RReLU implements Layer {
  readonly lower: number;
  readonly upper: number;

  constructor(options: { readonly lower?: number; readonly upper?: number } = {}) {
    checkOptions('RReLU', options, ['lower', 'upper']);
    const { lower = 1 / 8, upper = 1 / 3 } = options;
    if (!(lower <= upper)) {
      throw new ValueError('RReLU', `lower is ${lower} and upper ${upper}: lower must not be above upper.`, {
        lower,
        upper,
      });
    }
    this.lower = lower;
    this.upper = upper;
  }

  forward(input: Tensor): Tensor {
    if (!isTraining()) return leakyRelu(input, { slope: (this.lower + this.upper) / 2 });
    const slope = uniform(input.shape, { low: this.lower, high: this.upper });
    return where(input.greater(0), input, input.mul(slope));
  }

  toString(): string {
    return `RReLU(${this.lower}, ${this.upper})`;
  }
}
