/** Operations on several tensors, or with too many options to be methods. */
import { isReal } from './dtype.ts';
import { truth, where as whereNode } from './ops/compare.ts';
import { einsum as einsumNodes } from './ops/contract.ts';
import {
  type ConvolutionOptions,
  convolve,
  convolveTransposed,
  type TransposedConvolutionOptions,
} from './ops/convolution.ts';
import * as indexing from './ops/indexing.ts';
import {
  type AveragePoolOptions,
  averagePool as averagePoolNode,
  maxPool as maxPoolNode,
  type PoolOptions,
} from './ops/pooling.ts';
import { isTensor, nodeOf, type Tensor, type TensorLike, toNode, wrap } from './tensor.ts';

export type { AveragePoolOptions, ConvolutionOptions, PoolOptions, TransposedConvolutionOptions };

/**
 * `a` where the condition holds, else `b`; all three broadcast.
 *
 * @example
 * import { tensor, where } from '@nn/core';
 * const x = tensor([-1, 2]);
 * console.log(await where(x.less(0), 0, x).array()); // => [0, 2]
 */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  const partner = isTensor(a) ? a : isTensor(b) ? b : null;
  const dtype = partner === null || isReal(partner.dtype) ? 'float32' : 'int32';
  return wrap(whereNode(truth(toNode(condition, 'int32')), toNode(a, dtype), toNode(b, dtype)));
}

/**
 * Tensors joined along an axis; all other sizes are equal.
 *
 * @example
 * import { concat, tensor } from '@nn/core';
 * console.log(await concat([tensor([1]), tensor([2, 3])]).array()); // => [1, 2, 3]
 */
export function concat(tensors: readonly TensorLike[], axis = 0): Tensor {
  return wrap(
    indexing.concat(
      tensors.map((x) => toNode(x, 'float32')),
      axis,
    ),
  );
}

/** Tensors of one shape joined along a new axis. */
export function stack(tensors: readonly TensorLike[], axis = 0): Tensor {
  return wrap(
    indexing.stack(
      tensors.map((x) => toNode(x, 'float32')),
      axis,
    ),
  );
}

/**
 * Einstein's summation: letters name axes, repeated ones are multiplied, those missing at the right of '->' are summed,
 * '...' stands for leading axes that broadcast.
 *
 * @example
 * import { einsum, tensor } from '@nn/core';
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(await einsum('ii->', x).item()); // => 5
 */
export function einsum(equation: string, ...operands: readonly TensorLike[]): Tensor {
  return wrap(
    einsumNodes(
      equation,
      operands.map((x) => toNode(x, 'float32')),
    ),
  );
}

/** Cross-correlation of x [N, C, L] with weight [O, C / groups, K]: [N, O, L']. */
export function conv1d(x: TensorLike, weight: TensorLike, options: ConvolutionOptions = {}): Tensor {
  return wrap(convolve('conv1d', 1, toNode(x, 'float32'), toNode(weight, 'float32'), options));
}

/**
 * Cross-correlation of x [N, C, H, W] with weight [O, C / groups, KH, KW]: [N, O, H', W'].
 *
 * @example
 * import { conv2d, ones } from '@nn/core';
 * const y = conv2d(ones([1, 1, 3, 3]), ones([1, 1, 3, 3]), { padding: 'same' });
 * console.log(await y.flatten().array()); // => [4, 6, 4, 6, 9, 6, 4, 6, 4]
 */
export function conv2d(x: TensorLike, weight: TensorLike, options: ConvolutionOptions = {}): Tensor {
  return wrap(convolve('conv2d', 2, toNode(x, 'float32'), toNode(weight, 'float32'), options));
}

/** Cross-correlation of x [N, C, D, H, W] with weight [O, C / groups, KD, KH, KW]. */
export function conv3d(x: TensorLike, weight: TensorLike, options: ConvolutionOptions = {}): Tensor {
  return wrap(convolve('conv3d', 3, toNode(x, 'float32'), toNode(weight, 'float32'), options));
}

/** The adjoint of conv1d: x [N, I, L], weight [I, O / groups, K]. */
export function convTranspose1d(x: TensorLike, weight: TensorLike, options: TransposedConvolutionOptions = {}): Tensor {
  return wrap(convolveTransposed('convTranspose1d', 1, toNode(x, 'float32'), toNode(weight, 'float32'), options));
}

/** The adjoint of conv2d: x [N, I, H, W], weight [I, O / groups, KH, KW]. */
export function convTranspose2d(x: TensorLike, weight: TensorLike, options: TransposedConvolutionOptions = {}): Tensor {
  return wrap(convolveTransposed('convTranspose2d', 2, toNode(x, 'float32'), toNode(weight, 'float32'), options));
}

/** The adjoint of conv3d: x [N, I, D, H, W], weight [I, O / groups, KD, KH, KW]. */
export function convTranspose3d(x: TensorLike, weight: TensorLike, options: TransposedConvolutionOptions = {}): Tensor {
  return wrap(convolveTransposed('convTranspose3d', 3, toNode(x, 'float32'), toNode(weight, 'float32'), options));
}

/** The largest element of each window over the last axes; the gradient goes to the first of the largest. */
export function maxPool(x: Tensor, options: PoolOptions): Tensor {
  return wrap(maxPoolNode(nodeOf('maxPool', x), options));
}

/** The mean of each window over the last axes. */
export function averagePool(x: Tensor, options: AveragePoolOptions): Tensor {
  return wrap(averagePoolNode(nodeOf('averagePool', x), options));
}
