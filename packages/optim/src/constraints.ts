/**
 * What weights are made to keep after each update, as an option of an optimizer's group: functions from the new value to an
 * allowed one, in the same program. Owns no update.
 */
import { type Tensor, ValueError } from '@nn/core';

/** From the new value of a parameter to the value that it gets, of the same shape. */
export type Constraint = (parameter: Tensor) => Tensor;

/** Axes over which a norm is taken. */
export interface NormAxes {
  /** Default: all but the first, so one norm for each output of a `Linear` or a convolution; of a vector, its only axis. */
  readonly axes?: number | readonly number[];
}

const tiny = 1e-7;

function normOf(x: Tensor, axes: NormAxes['axes']): Tensor {
  const rest = x.rank < 2 ? undefined : x.shape.slice(1).map((_, i) => i + 1);
  const over = axes ?? rest;
  return x.square().sum(over, { keepAxes: true }).sqrt();
}

/**
 * Norms of at most `maximum` (default 2): larger ones are scaled down. (Srivastava et al. 2014; Keras' `MaxNorm`, whose
 * kernels have the outputs last.)
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { maxNorm, SGD } from '@nn/optim';
 * const weight = parameter([[3, 4], [0.3, 0.4]]);
 * const optimizer = new SGD({ weight }, { learningRate: 0.1, constraint: maxNorm(1) });
 * await optimizer.step(weight.sum().mul(0));
 * const [first, second] = await weight.norm(1).data();
 * console.log(first?.toFixed(2), second?.toFixed(2)); // => 1.00 0.50
 */
export function maxNorm(maximum = 2, { axes }: NormAxes = {}): Constraint {
  return minMaxNorm({ minimum: 0, maximum, ...(axes !== undefined && { axes }) });
}

/**
 * Norms between `minimum` (default 0) and `maximum` (default 1); `rate` (default 1) is the share of the way that is taken.
 * Keras' `MinMaxNorm`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { minMaxNorm } from '@nn/optim';
 * const allowed = minMaxNorm({ minimum: 2, maximum: 4 })(tensor([[1, 0], [3, 0], [8, 0]]));
 * console.log(await allowed.norm(1).round().array()); // => [2, 3, 4]
 */
export function minMaxNorm(
  options: { readonly minimum?: number; readonly maximum?: number; readonly rate?: number } & NormAxes = {},
): Constraint {
  const { minimum = 0, maximum = 1, rate = 1, axes } = options;
  if (!(minimum >= 0 && maximum >= minimum && rate >= 0 && rate <= 1)) {
    throw new ValueError(
      'minMaxNorm',
      `minimum ${minimum}, maximum ${maximum} and rate ${rate}: norms rise from 0, rates are from 0 to 1.`,
      { minimum, maximum, rate },
    );
  }
  return (parameter) => {
    const norm = normOf(parameter, axes);
    const wanted = norm
      .clamp(minimum, maximum)
      .mul(rate)
      .add(norm.mul(1 - rate));
    return parameter.mul(wanted.div(norm.add(tiny)));
  };
}

/**
 * No number below 0. Keras' `NonNeg`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { nonNegative } from '@nn/optim';
 * console.log(await nonNegative(tensor([-1, 2])).array()); // => [0, 2]
 */
export function nonNegative(parameter: Tensor): Tensor {
  return parameter.maximum(0);
}

/**
 * Norms of 1. Keras' `UnitNorm`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { unitNorm } from '@nn/optim';
 * const norms = unitNorm()(tensor([[3, 4], [0, 2]])).norm(1);
 * console.log((await norms.sum().item()).toFixed(3)); // => 2.000
 */
export function unitNorm({ axes }: NormAxes = {}): Constraint {
  return (parameter) => parameter.div(normOf(parameter, axes).add(tiny));
}
