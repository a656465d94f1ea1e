/** Noise of training: dropout that keeps mean and variance for `selu`, and normal noise. Changes nothing in evaluation. */
import { bernoulli, isTraining, normal, type Tensor, ValueError, where } from '@nn/core';
import type { Layer } from '../layer.ts';
import { keptChannels } from './channel-dropout.ts';
import { requireRate } from './dropout.ts';

/** What selu gives far below 0: -scale * alpha. */
const saturated = -1.7580993408473766;

/** Where not kept the value is what selu saturates at; a line then brings mean 0 and variance 1 back. */
function alphaDropped(input: Tensor, kept: Tensor, rate: number): Tensor {
  const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * saturated ** 2));
  const shift = -scale * saturated * rate;
  return where(kept, input, saturated).mul(scale).add(shift);
}

/**
 * Dropout for networks of `selu`: sets a share `rate` of the values to what selu saturates at, and keeps mean 0 and variance 1.
 * (Klambauer et al. 2017.)
 *
 * @example
 * import { evaluate, ones } from '@nn/core';
 * import { AlphaDropout } from '@nn/layers';
 * console.log(await evaluate(() => new AlphaDropout(0.2).forward(ones([3]))).array()); // => [1, 1, 1]
 */
export class AlphaDropout implements Layer {
  readonly rate: number;

  constructor(rate = 0.5) {
    requireRate(rate, 'AlphaDropout');
    this.rate = rate;
  }

  forward(input: Tensor): Tensor {
    const { rate } = this;
    if (rate === 0 || !isTraining()) return input;
    if (rate === 1) return input.mul(0);
    return alphaDropped(input, bernoulli(input.shape, 1 - rate).notEqual(0), rate);
  }

  toString(): string {
    return `AlphaDropout(${this.rate})`;
  }
}

/**
 * `AlphaDropout` of whole channels: [N, channels, ...].
 *
 * @example
 * import { evaluate, ones } from '@nn/core';
 * import { FeatureAlphaDropout } from '@nn/layers';
 * console.log(evaluate(() => new FeatureAlphaDropout(0.2).forward(ones([2, 3, 4]))).shape); // => [2, 3, 4]
 */
export class FeatureAlphaDropout implements Layer {
  readonly rate: number;

  constructor(rate = 0.5) {
    requireRate(rate, 'FeatureAlphaDropout');
    this.rate = rate;
  }

  forward(input: Tensor): Tensor {
    const { rate } = this;
    if (rate === 0 || !isTraining()) return input;
    if (rate === 1) return input.mul(0);
    return alphaDropped(input, keptChannels(String(this), input, rate), rate);
  }

  toString(): string {
    return `FeatureAlphaDropout(${this.rate})`;
  }
}

/**
 * Multiplies by normal numbers of mean 1 and deviation sqrt(rate / (1 - rate)). (Srivastava et al. 2014; Keras' GaussianDropout.)
 *
 * @example
 * import { evaluate, ones } from '@nn/core';
 * import { GaussianDropout } from '@nn/layers';
 * console.log(await evaluate(() => new GaussianDropout(0.2).forward(ones([3]))).array()); // => [1, 1, 1]
 */
export class GaussianDropout implements Layer {
  readonly rate: number;

  constructor(rate = 0.5) {
    requireRate(rate, 'GaussianDropout');
    if (rate === 1)
      throw new ValueError('GaussianDropout', 'the rate is 1: the noise would be infinite, stay below.', { rate });
    this.rate = rate;
  }

  forward(input: Tensor): Tensor {
    const { rate } = this;
    if (rate === 0 || !isTraining()) return input;
    return input.mul(normal(input.shape, { mean: 1, standardDeviation: Math.sqrt(rate / (1 - rate)) }));
  }

  toString(): string {
    return `GaussianDropout(${this.rate})`;
  }
}

/**
 * Adds normal numbers of mean 0. (Keras' GaussianNoise.)
 *
 * @example
 * import { evaluate, ones } from '@nn/core';
 * import { GaussianNoise } from '@nn/layers';
 * console.log(await evaluate(() => new GaussianNoise(0.2).forward(ones([3]))).array()); // => [1, 1, 1]
 */
export class GaussianNoise implements Layer {
  readonly standardDeviation: number;

  constructor(standardDeviation: number) {
    if (!(standardDeviation >= 0)) {
      throw new ValueError('GaussianNoise', `the standard deviation is ${standardDeviation}: it must be at least 0.`, {
        standardDeviation,
      });
    }
    this.standardDeviation = standardDeviation;
  }

  forward(input: Tensor): Tensor {
    const { standardDeviation } = this;
    if (standardDeviation === 0 || !isTraining()) return input;
    return input.add(normal(input.shape, { standardDeviation }));
  }

  toString(): string {
    return `GaussianNoise(${this.standardDeviation})`;
  }
}
