/** Matrices of derivatives: one batched pass forwards or backwards instead of one pass a row. */
import { Batching } from './autograd/batching.ts';
import { gradientNodes } from './autograd/gradients.ts';
import { checkOptions, ValueError } from './errors.ts';
import { grad } from './gradients.ts';
import { unseen } from './graph/hooks.ts';
import { constant, type Node, placeholder } from './graph/node.ts';
import { forwardMap } from './linearize.ts';
import { equal } from './ops/compare.ts';
import { cast } from './ops/functions.ts';
import { indexAlong } from './ops/sources.ts';
import { moveAxis, reshape } from './ops/views.ts';
import { checkSynchronous } from './settings.ts';
import { nodeOf, type Tensor, wrap } from './tensor.ts';

export interface JacobianOptions {
  /** A pass for each element of x, forwards, or for each of the result, backwards; by default what takes fewer of them. */
  readonly mode?: 'forward' | 'backward';
}

/**
 * All first derivatives of a function with respect to its first argument x: [...shape of f(x), ...shape of x].
 *
 * @example
 * import { jacobian, type Tensor, tensor } from '@nn/core';
 * const f = (x: Tensor) => x.square().matmul(tensor([[1, 0], [1, 1]]));
 * console.log(await jacobian(f)(tensor([1, 2])).array()); // => [[2, 4], [0, 4]]
 */
export function jacobian<Rest extends readonly unknown[]>(
  f: (x: Tensor, ...rest: Rest) => Tensor,
  options: JacobianOptions = {},
): (x: Tensor, ...rest: Rest) => Tensor {
  checkOptions('jacobian', options, ['mode']);
  const { mode } = options;
  if (mode !== undefined && mode !== 'forward' && mode !== 'backward') {
    throw new ValueError('jacobian', `the mode is 'forward' or 'backward', got ${JSON.stringify(mode)}.`, { mode });
  }
  return (x, ...rest) => {
    const value = checkSynchronous('jacobian', f(x, ...rest));
    const isForward = mode === undefined ? x.size < value.size : mode === 'forward';
    const rows = isForward ? pushBasis(value, x) : pullBasis(value, x);
    return wrap(reshape(rows, [...value.shape, ...x.shape]));
  };
}

/**
 * The matrix of second derivatives of a scalar function of x [n]: [n, n]; for other shapes x is flattened.
 *
 * @example
 * import { hessian, type Tensor, tensor } from '@nn/core';
 * const f = (x: Tensor) => x.prod();
 * console.log(await hessian(f)(tensor([2, 3])).array()); // => [[0, 1], [1, 0]]
 */
export function hessian(f: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  return (x) => jacobian(grad(f), { mode: 'backward' })(x).reshape([x.size, x.size]);
}

/** For each element of the result what a cotangent of 1 there gives x: [results, ...x]. */
function pullBasis(value: Tensor, x: Tensor): Node {
  const of = nodeOf('jacobian', value);
  const row = placeholder('float32', of.shape, of.backend);
  const [pulled] = unseen(() => gradientNodes(of, [nodeOf('jacobian', x)], row));
  if (pulled === null || pulled === undefined) return constant(0, 'float32', [of.size, ...x.shape]);
  return new Batching(of.size, [[row, basis(of)]]).all(pulled);
}

/** For each element of x what a tangent of 1 there gives the result: [...value, x]. */
function pushBasis(value: Tensor, x: Tensor): Node {
  const at = nodeOf('jacobian', x);
  const row = placeholder('float32', at.shape, at.backend);
  const pushed = unseen(() => forwardMap(value, [x])([wrap(row)])).node;
  const rows = new Batching(at.size, [[row, basis(at)]]).all(pushed);
  return moveAxis(rows, 0, value.shape.length);
}

/** Each element of x alone: [size, ...x]. */
function basis({ size, shape }: Node): Node {
  const square = [size, size];
  return reshape(cast(equal(indexAlong(square, 0), indexAlong(square, 1)), 'float32'), [size, ...shape]);
}
