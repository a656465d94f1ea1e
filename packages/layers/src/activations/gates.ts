/**
 * Activations between 0 and 1, and those that let x through a gate of such a shape. All are elementwise, but `glu`.
 * `layers.ts` and `layers-with-options.ts` wrap them as layers.
 */
import { checkOptions, ShapeError, showShape, stopGradient, type Tensor, where } from '@nn/core';
import { sizeAt } from '../layer.ts';
import { clampedFlat } from './flat.ts';

/** The line from 0 at -3 to 1 at 3. */
function rampOf(x: Tensor): Tensor {
  return x.div(6).add(0.5).clamp(0, 1);
}

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
 * log(sigmoid(x)), exact where sigmoid itself would round to 0.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { logSigmoid } from '@nn/layers';
 * console.log(await logSigmoid(tensor([-1000])).array()); // => [-1000]
 */
export function logSigmoid(x: Tensor): Tensor {
  return x.neg().softplus().neg();
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

/**
 * (x + 1) / 2, clamped to 0 to 1; flat from -1 down and from 1 up. (Keras' `sparse_sigmoid`.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { sparseSigmoid } from '@nn/layers';
 * console.log(await sparseSigmoid(tensor([-2, 0, 2])).array()); // => [0, 0.5, 1]
 */
export function sparseSigmoid(x: Tensor): Tensor {
  return clampedFlat(x, -1, 1).add(1).mul(0.5);
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

/**
 * x times the normal distribution function at x; `approximate: 'tanh'` is the formula of GPT-2. (Hendrycks and Gimpel 2016.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { gelu } from '@nn/layers';
 * console.log((await gelu(tensor([1])).item()).toFixed(4)); // => 0.8413
 */
export function gelu(x: Tensor, options: { readonly approximate?: 'none' | 'tanh' } = {}): Tensor {
  checkOptions('gelu', options, ['approximate']);
  return x.gelu(options.approximate ?? 'none');
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
 * The first half along an axis, the last by default, times the sigmoid of the second half. (Dauphin et al. 2017.) Throws ShapeError where the size of the axis is odd.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { glu } from '@nn/layers';
 * console.log(await glu(tensor([3, 0])).array()); // => [1.5]
 */
export function glu(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  checkOptions('glu', options, ['axis']);
  const { axis = -1 } = options;
  const size = sizeAt(x, axis);
  if (size % 2 !== 0) {
    throw new ShapeError(
      'glu',
      `axis ${axis} of ${showShape(x.shape)} has ${size} values: it must be even, to be halved.`,
      {
        shape: x.shape,
        axis,
      },
    );
  }
  const half = size / 2;
  const [values, gates] = x.split([half, half], axis);
  return values!.mul(gates!.sigmoid());
}
