/**
 * Activations that make shares of a whole out of the values along an axis, the last by default.
 * `layers-with-options.ts` wraps them as layers.
 */
import { arange, checkOptions, type Tensor, where } from '@nn/core';
import { sizeAt } from '../layer.ts';

/**
 * exp(x) / sum(exp(x)) along an axis, the last by default: shares that sum to 1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { softmax } from '@nn/layers';
 * console.log(await softmax(tensor([3, 3])).array()); // => [0.5, 0.5]
 */
export function softmax(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  checkOptions('softmax', options, ['axis']);
  return x.softmax(options.axis ?? -1);
}

/**
 * The logarithm of softmax along an axis, the last by default; exact where softmax itself would round to 0.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { logSoftmax } from '@nn/layers';
 * console.log(await logSoftmax(tensor([0, -1000])).array()); // => [0, -1000]
 */
export function logSoftmax(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  checkOptions('logSoftmax', options, ['axis']);
  return x.logSoftmax(options.axis ?? -1);
}

/**
 * softmax of -x along an axis, the last by default: most for the least.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { softmin } from '@nn/layers';
 * console.log(await softmin(tensor([3, 3])).array()); // => [0.5, 0.5]
 */
export function softmin(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  checkOptions('softmin', options, ['axis']);
  return x.neg().softmax(options.axis ?? -1);
}

/**
 * The shares nearest to x along an axis, the last by default: they sum to 1, and small ones are exactly 0. (Martins and Astudillo 2016.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { sparsemax } from '@nn/layers';
 * console.log(await sparsemax(tensor([2, 1.5, 0])).array()); // => [0.75, 0.25, 0]
 */
export function sparsemax(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  checkOptions('sparsemax', options, ['axis']);
  const { axis = -1 } = options;
  const at = axis < 0 ? axis + x.rank : axis;
  const size = sizeAt(x, axis);
  // the sum of shares is the same for x + c: with the largest at 0 the sums below keep their digits
  const shifted = x.sub(x.max(axis, { keepAxes: true }).stopGradient());
  const sorted = shifted.stopGradient().sort(axis, { descending: true }).values;
  const order = arange(size)
    .add(1)
    .reshape(x.shape.map((_, a) => (a === at ? size : 1)));
  // the k-th largest has a share while 1 + k z_k is above the sum of the first k; tau is what the shares lie above
  const isIn = sorted.mul(order).add(1).greater(sorted.cumsum(axis));
  const last = where(isIn, sorted, Number.POSITIVE_INFINITY).min(axis, { keepAxes: true });
  const hasShare = shifted.stopGradient().greaterEqual(last);
  const count = hasShare.cast('float32').sum(axis, { keepAxes: true });
  const tau = where(hasShare, shifted, 0).sum(axis, { keepAxes: true }).sub(1).div(count);
  return where(hasShare, shifted.sub(tau).maximum(0), 0);
}
