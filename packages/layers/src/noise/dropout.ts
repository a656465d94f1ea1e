/** Dropout, as a function and as a layer. Whether it acts is decided by core's `isTraining()`. */
import { bernoulli, isTraining, type Tensor, ValueError, where } from '@nn/core';
import type { Layer } from '../layer.ts';

/** Throws ValueError for a rate outside 0 to 1. */
export function requireRate(rate: number, layer = 'Dropout'): void {
  if (!(rate >= 0 && rate <= 1)) {
    throw new ValueError(layer, `the rate is ${rate}: it is the share of values to drop, from 0 to 1.`, { rate });
  }
}

/**
 * Sets a random share `rate` of the values to 0 and divides the others by `1 - rate`; changes nothing in evaluation.
 * (Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".)
 *
 * @example
 * import { evaluate, ones } from '@nn/core';
 * import { dropout } from '@nn/layers';
 * console.log(await evaluate(() => dropout(ones([3]), 0.5)).array()); // => [1, 1, 1]
 */
export function dropout(input: Tensor, rate = 0.5): Tensor {
  requireRate(rate);
  if (rate === 0 || !isTraining()) return input;
  if (rate === 1) return input.mul(0);
  return where(bernoulli(input.shape, 1 - rate), input.mul(1 / (1 - rate)), 0);
}

/**
 * `dropout` as a layer; the shape stays. Throws ValueError for a rate outside 0 to 1.
 *
 * @example
 * import { evaluate, ones } from '@nn/core';
 * import { Dropout } from '@nn/layers';
 * const layer = new Dropout(0.2);
 * console.log(await evaluate(() => layer.forward(ones([3]))).array()); // => [1, 1, 1]
 */
export class Dropout implements Layer {
  readonly rate: number;

  constructor(rate = 0.5) {
    requireRate(rate);
    this.rate = rate;
  }

  forward(input: Tensor): Tensor {
    return dropout(input, this.rate);
  }

  toString(): string {
    return `Dropout(${this.rate})`;
  }
}
