/**
 * Activations as functions. All are elementwise and keep the shape, except softmax and logSoftmax, which work along an axis.
 * `activation-layers.ts` wraps them as layers.
 */
import { stopGradient, type Tensor, where } from '@nn/core';

/**
 * 1 / (1 + exp(-x)).
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { sigmoid } from '@nn/layers';
 * console.log(await sigmoid(tensor([0])).array()); // => [0.5]
 */
export function sigmoid(x: Tensor): Tensor {
  return x.sigmoid();
}

/**
 * The hyperbolic tangent.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { tanh } from '@nn/layers';
 * console.log(await tanh(tensor([0])).array()); // => [0]
 */
export function tanh(x: Tensor): Tensor {
  return x.tanh();
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
 * x where it is positive, `slope * x` elsewhere. (Maas et al. 2013.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { leakyRelu } from '@nn/layers';
 * console.log(await leakyRelu(tensor([-1, 2]), { slope: 0.5 }).array()); // => [-0.5, 2]
 */
export function leakyRelu(x: Tensor, options: { readonly slope?: number } = {}): Tensor {
  return where(x.greater(0), x, x.mul(options.slope ?? 0.01));
}

/** x where it is positive, alpha (exp(x) - 1) elsewhere. The inner `where` keeps exp finite for the branch not taken. */
function exponentialLinear(x: Tensor, alpha: number): Tensor {
  const positive = x.greater(0);
  return where(positive, x, where(positive, 0, x).expm1().mul(alpha));
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
  return exponentialLinear(x, options.alpha ?? 1);
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
 * x times the normal distribution function at x; `approximate: 'tanh'` is the formula of GPT-2. (Hendrycks and Gimpel 2016.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { gelu } from '@nn/layers';
 * console.log((await gelu(tensor([1])).item()).toFixed(4)); // => 0.8413
 */
export function gelu(x: Tensor, options: { readonly approximate?: 'none' | 'tanh' } = {}): Tensor {
  return x.gelu(options.approximate ?? 'none');
}

/**
 * x * sigmoid(x), also called swish. (Elfwing et al. 2017.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { silu } from '@nn/layers';
 * console.log((await silu(tensor([1])).item()).toFixed(4)); // => 0.7311
 */
export function silu(x: Tensor): Tensor {
  return x.mul(x.sigmoid());
}

/**
 * x * tanh(softplus(x)). (Misra 2019.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { mish } from '@nn/layers';
 * console.log((await mish(tensor([1])).item()).toFixed(4)); // => 0.8651
 */
export function mish(x: Tensor): Tensor {
  return x.mul(x.softplus().tanh());
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
  const { beta = 1 } = options;
  return beta === 1 ? x.softplus() : x.mul(beta).softplus().div(beta);
}

/**
 * exp(x) / sum(exp(x)) along an axis, the last by default: shares that sum to 1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { softmax } from '@nn/layers';
 * console.log(await softmax(tensor([3, 3])).array()); // => [0.5, 0.5]
 */
export function softmax(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
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
  return x.logSoftmax(options.axis ?? -1);
}

/**
 * x / 6 + 1/2, clamped to 0 to 1: a sigmoid of straight lines.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { hardSigmoid } from '@nn/layers';
 * console.log(await hardSigmoid(tensor([-4, 0, 4])).array()); // => [0, 0.5, 1]
 */
export function hardSigmoid(x: Tensor): Tensor {
  // flat at -3 and 3 too, as in PyTorch
  return where(x.abs().less(3), x.div(6).add(0.5), stopGradient(rampOf(x)));
}

/** The line from 0 at -3 to 1 at 3. */
function rampOf(x: Tensor): Tensor {
  return x.div(6).add(0.5).clamp(0, 1);
}

/**
 * x * hardSigmoid(x). (Howard et al. 2019.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { hardSwish } from '@nn/layers';
 * console.log(await hardSwish(tensor([-4, 4])).array()); // => [0, 4]
 */
export function hardSwish(x: Tensor): Tensor {
  // here the slope at the bounds is that of x (x + 3) / 6, as in PyTorch
  return x.mul(rampOf(x));
}
