/** Reductions of what is not NaN, as NumPy's and PyTorch's functions of these names. No gradient goes to a NaN. */

import type { Axes } from '../backend.ts';
import { checkOptions } from '../errors.ts';
import { constant, type Node } from '../graph/node.ts';
import { divide, maximum, subtract } from '../ops/arithmetic.ts';
import { equal, where } from '../ops/compare.ts';
import { cast, sqrt, square } from '../ops/functions.ts';
import { max, min, product, type ReduceOptions, sum } from '../ops/reduce.ts';
import { normalizeAxes } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { float, real } from './operands.ts';

/** x with `value` in place of NaN. */
const without = (x: Node, value: number): Node => where(equal(x, x), x, float(value));

/** How many are not NaN; float32. */
const countOf = (x: Node, axes?: number | Axes, options?: ReduceOptions): Node =>
  sum(cast(equal(x, x), 'float32'), axes, options);

/**
 * The sum of what is not NaN, over all axes by default; 0 of nothing.
 *
 * @example
 * import { nanSum } from '@nn/core';
 * console.log(await nanSum([1, NaN, 2]).item()); // => 3
 */
export function nanSum(x: TensorLike, axes?: number | Axes, options: ReduceOptions = {}): Tensor {
  checkOptions('nanSum', options, ['keepAxes']);
  return wrap(sum(without(real('nanSum', x), 0), axes, options));
}

/**
 * The product of what is not NaN, over all axes by default; 1 of nothing.
 *
 * @example
 * import { nanProd } from '@nn/core';
 * console.log(await nanProd([3, NaN, 2]).item()); // => 6
 */
export function nanProd(x: TensorLike, axes?: number | Axes, options: ReduceOptions = {}): Tensor {
  checkOptions('nanProd', options, ['keepAxes']);
  return wrap(product(without(real('nanProd', x), 1), axes, options));
}

/**
 * The mean of what is not NaN, over all axes by default; NaN of nothing.
 *
 * @example
 * import { nanMean } from '@nn/core';
 * console.log(await nanMean([1, NaN, 2]).item()); // => 1.5
 */
export function nanMean(x: TensorLike, axes?: number | Axes, options: ReduceOptions = {}): Tensor {
  checkOptions('nanMean', options, ['keepAxes']);
  const v = real('nanMean', x);
  return wrap(divide(sum(without(v, 0), axes, options), countOf(v, axes, options)));
}

type VarianceOptions = ReduceOptions & { readonly correction?: number };

function varianceOf(operation: string, x: TensorLike, axes: number | Axes | undefined, options: VarianceOptions): Node {
  const v = real(operation, x);
  const { correction = 1, ...rest } = options;
  const kept = { keepAxes: true };
  const mean = divide(sum(without(v, 0), axes, kept), countOf(v, axes, kept));
  const difference = where(equal(v, v), subtract(v, mean), float(0));
  const divisor = maximum(subtract(countOf(v, axes, rest), float(correction)), float(0));
  return divide(sum(square(difference), axes, rest), divisor);
}

/**
 * The variance of what is not NaN; `correction` (1 by default, Bessel's) is taken off the count.
 *
 * @example
 * import { nanVariance } from '@nn/core';
 * console.log(await nanVariance([1, NaN, 3]).item()); // => 2
 */
export function nanVariance(x: TensorLike, axes?: number | Axes, options: VarianceOptions = {}): Tensor {
  checkOptions('nanVariance', options, ['keepAxes', 'correction']);
  return wrap(varianceOf('nanVariance', x, axes, options));
}

/**
 * The square root of `nanVariance`; its gradient at 0 is 0.
 *
 * @example
 * import { nanStandardDeviation } from '@nn/core';
 * console.log(await nanStandardDeviation([1, NaN, 3], 0, { correction: 0 }).item()); // => 1
 */
export function nanStandardDeviation(x: TensorLike, axes?: number | Axes, options: VarianceOptions = {}): Tensor {
  checkOptions('nanStandardDeviation', options, ['keepAxes', 'correction']);
  const squared = varianceOf('nanStandardDeviation', x, axes, options);
  // a root has no slope at 0: take it of 1 there instead, and give 0
  const isZero = equal(squared, float(0));
  return wrap(where(isZero, float(0), sqrt(where(isZero, float(1), squared))));
}

function extreme(operation: string, x: TensorLike, axes: number | Axes | undefined, options: ReduceOptions): Node {
  const v = real(operation, x);
  const normal = normalizeAxes(operation, axes, v.shape.length);
  const isMax = operation === 'nanMax';
  const best = (isMax ? max : min)(
    without(v, isMax ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY),
    normal,
    options,
  );
  return where(equal(countOf(v, normal, options), float(0)), constant(Number.NaN, 'float32'), best);
}

/**
 * The largest element that is not NaN, over all axes by default; NaN where there is nothing else.
 *
 * @example
 * import { nanMax } from '@nn/core';
 * console.log(await nanMax([1, NaN, 3]).item()); // => 3
 */
export function nanMax(x: TensorLike, axes?: number | Axes, options: ReduceOptions = {}): Tensor {
  checkOptions('nanMax', options, ['keepAxes']);
  return wrap(extreme('nanMax', x, axes, options));
}

/**
 * The smallest element that is not NaN, over all axes by default; NaN where there is nothing else.
 *
 * @example
 * import { nanMin } from '@nn/core';
 * console.log(await nanMin([1, NaN, 3]).item()); // => 1
 */
export function nanMin(x: TensorLike, axes?: number | Axes, options: ReduceOptions = {}): Tensor {
  checkOptions('nanMin', options, ['keepAxes']);
  return wrap(extreme('nanMin', x, axes, options));
}
