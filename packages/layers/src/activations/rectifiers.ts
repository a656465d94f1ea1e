/**
 * Activations that are about x where it is positive and about 0, or a bounded number, where it is not. All are elementwise.
 * `layers.ts` and `layers-with-options.ts` wrap them as layers.
 */
import { checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { clampedFlat } from './flat.ts';

export interface ThresholdOptions {
  /** Values up to it are replaced. */
  readonly threshold: number;
  /** What they are replaced by. */
  readonly value: number;
}

/** x where it is positive, alpha (exp(x) - 1) elsewhere. The inner `where` keeps exp finite for the branch not taken. */
function exponentialLinear(x: Tensor, alpha: number): Tensor {
  const positive = x.greater(0);
  return where(positive, x, where(positive, 0, x).expm1().mul(alpha));
}

/**
 * max(x, 0); its gradient at 0 is 0.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { relu } from '@nn/layers';
 * console.log(await relu(tensor([-1, 2])).array()); // => [0, 2]
 */
export function relu(x: Tensor): Tensor {
  return x.relu();
}

/**
 * x clamped to 0 to 6; flat at both bounds, as in PyTorch. (Krizhevsky 2010.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { relu6 } from '@nn/layers';
 * console.log(await relu6(tensor([-1, 2, 9])).array()); // => [0, 2, 6]
 */
export function relu6(x: Tensor): Tensor {
  return clampedFlat(x, 0, 6);
}

/**
 * x where it is positive, `slope * x` elsewhere. (Maas et al. 2013.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { leakyRelu } from '@nn/layers';
 * console.log(await leakyRelu(tensor([-1, 2]), { slope: 0.5 }).array()); // => [-0.5, 2]
 */
export function leakyRelu(x: Tensor, options: { readonly slope?: number } = {}): Tensor {
  checkOptions('leakyRelu', options, ['slope']);
  return where(x.greater(0), x, x.mul(options.slope ?? 0.01));
}

/**
 * x where it is positive, `alpha * (exp(x) - 1)` elsewhere. (Clevert et al. 2015.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { elu } from '@nn/layers';
 * console.log(await elu(tensor([0, 2])).array()); // => [0, 2]
 */
export function elu(x: Tensor, options: { readonly alpha?: number } = {}): Tensor {
  checkOptions('elu', options, ['alpha']);
  return exponentialLinear(x, options.alpha ?? 1);
}

/**
 * x where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere: its slope has no step for any alpha. (Barron 2017.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { celu } from '@nn/layers';
 * console.log(await celu(tensor([0, 2]), { alpha: 2 }).array()); // => [0, 2]
 */
export function celu(x: Tensor, options: { readonly alpha?: number } = {}): Tensor {
  checkOptions('celu', options, ['alpha']);
  const { alpha = 1 } = options;
  if (alpha === 0) throw new ValueError('celu', 'alpha is 0: it divides x, so it must be another number.', { alpha });
  const positive = x.greater(0);
  return where(positive, x, where(positive, 0, x).div(alpha).expm1().mul(alpha));
}

/**
 * The self-normalising elu: scale * elu(x, alpha) with fixed numbers. (Klambauer et al. 2017.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { selu } from '@nn/layers';
 * console.log((await selu(tensor([1])).item()).toFixed(4)); // => 1.0507
 */
export function selu(x: Tensor): Tensor {
  return exponentialLinear(x, 1.6732632423543772).mul(1.0507009873554805);
}

/**
 * log(1 + exp(beta x)) / beta, a smooth relu that does not overflow.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { softplus } from '@nn/layers';
 * console.log(await softplus(tensor([100])).array()); // => [100]
 */
export function softplus(x: Tensor, options: { readonly beta?: number } = {}): Tensor {
  checkOptions('softplus', options, ['beta']);
  const { beta = 1 } = options;
  return beta === 1 ? x.softplus() : x.mul(beta).softplus().div(beta);
}

/**
 * (x + sqrt(x^2 + b)) / 2: a smooth relu without exponentials. (Barron 2021.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { squareplus } from '@nn/layers';
 * console.log(await squareplus(tensor([0, 1.5])).array()); // => [1, 2]
 */
export function squareplus(x: Tensor, options: { readonly b?: number } = {}): Tensor {
  checkOptions('squareplus', options, ['b']);
  const { b = 4 } = options;
  // (x + r) / 2 = b / (2 (r - x)), which keeps its digits where x is negative
  const root = x.square().add(b).sqrt();
  return where(
    x.less(0),
    root
      .sub(where(x.less(0), x, 0))
      .reciprocal()
      .mul(b),
    root.add(x),
  ).mul(0.5);
}

/**
 * 0 up to -1, x from 1 on, ((x + 1) / 2)^2 between: a smooth relu that reaches 0. (Keras' `sparse_plus`.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { sparsePlus } from '@nn/layers';
 * console.log(await sparsePlus(tensor([-2, 0, 3])).array()); // => [0, 0.25, 3]
 */
export function sparsePlus(x: Tensor): Tensor {
  return where(x.lessEqual(-1), 0, where(x.less(1), x.add(1).square().mul(0.25), x));
}

/**
 * x where it is above `threshold`, `value` elsewhere.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { threshold } from '@nn/layers';
 * console.log(await threshold(tensor([0, 1, 2]), { threshold: 1, value: -5 }).array()); // => [-5, -5, 2]
 */
export function threshold(x: Tensor, options: ThresholdOptions): Tensor {
  checkOptions('threshold', options, ['threshold', 'value']);
  return where(x.lessEqual(options.threshold), options.value, x);
}
