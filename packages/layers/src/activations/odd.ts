/**
 * Activations with f(-x) = -f(x), bounded ones and those that shrink towards 0, and the exponential. All are elementwise.
 * `layers.ts` and `layers-with-options.ts` wrap them as layers.
 */
import { checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { clampedFlat } from './flat.ts';

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
 * x clamped to `min` to `max`, -1 to 1 by default; flat at both bounds, as in PyTorch.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { hardTanh } from '@nn/layers';
 * console.log(await hardTanh(tensor([-3, 0.5, 3])).array()); // => [-1, 0.5, 1]
 */
export function hardTanh(x: Tensor, options: { readonly min?: number; readonly max?: number } = {}): Tensor {
  checkOptions('hardTanh', options, ['min', 'max']);
  const { min = -1, max = 1 } = options;
  if (!(min < max))
    throw new ValueError('hardTanh', `min is ${min} and max ${max}: min must be below max.`, { min, max });
  return clampedFlat(x, min, max);
}

/**
 * x - tanh(x).
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { tanhShrink } from '@nn/layers';
 * console.log((await tanhShrink(tensor([1])).item()).toFixed(4)); // => 0.2384
 */
export function tanhShrink(x: Tensor): Tensor {
  return x.sub(x.tanh());
}

/**
 * x / (1 + |x|).
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { softsign } from '@nn/layers';
 * console.log(await softsign(tensor([-1, 3])).array()); // => [-0.5, 0.75]
 */
export function softsign(x: Tensor): Tensor {
  return x.div(x.abs().add(1));
}

/**
 * 0 where |x| is at most `lambda`, 0.5 by default, x elsewhere.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { hardShrink } from '@nn/layers';
 * console.log(await hardShrink(tensor([-1, 0.5, 2])).array()); // => [-1, 0, 2]
 */
export function hardShrink(x: Tensor, options: { readonly lambda?: number } = {}): Tensor {
  checkOptions('hardShrink', options, ['lambda']);
  return where(x.abs().lessEqual(options.lambda ?? 0.5), 0, x);
}

/**
 * x moved towards 0 by `lambda`, 0.5 by default, and 0 within it. Throws ValueError for a negative lambda.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { softShrink } from '@nn/layers';
 * console.log(await softShrink(tensor([-1, 0.5, 2])).array()); // => [-0.5, 0, 1.5]
 */
export function softShrink(x: Tensor, options: { readonly lambda?: number } = {}): Tensor {
  checkOptions('softShrink', options, ['lambda']);
  const { lambda = 0.5 } = options;
  if (!(lambda >= 0)) throw new ValueError('softShrink', `lambda is ${lambda}: it must be at least 0.`, { lambda });
  return where(x.greater(lambda), x.sub(lambda), where(x.less(-lambda), x.add(lambda), 0));
}

/**
 * exp(x), for outputs that must be positive. (Keras' `exponential`.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { exponential } from '@nn/layers';
 * console.log(await exponential(tensor([0])).array()); // => [1]
 */
export function exponential(x: Tensor): Tensor {
  return x.exp();
}
