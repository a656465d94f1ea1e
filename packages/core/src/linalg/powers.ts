/** Powers of square matrices, and their exponential. */
import { ValueError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import type { Unary } from '../graph/primitive.ts';
import { where } from '../ops/compare.ts';
import { matmul } from '../ops/contract.ts';
import { concat } from '../ops/indexing.ts';
import { applyOnHost, defineOnHost, type HostPrimitive } from '../ops/on-host.ts';
import { like } from '../ops/pointwise.ts';
import { narrow, transpose } from '../ops/views.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { exponential } from './algorithms/exponential.ts';
import { fillFrom, onDiagonal, rowsOf, squares, zerosOf } from './batches.ts';
import { inverseNode } from './solving.ts';

// the derivative at A^T in the direction G stands beside the exponential of a larger matrix (Najfeld and Havel 1995):
// exp [A^T G; 0 A^T] = [exp(A^T) dA; 0 exp(A^T)]
const Exponential: HostPrimitive<null, Unary> = defineOnHost<null, Unary>({
  name: 'matrixExp',
  shape: ([a]) => a.shape,
  gradient: (g, [a]) => {
    const [n, rows] = [rowsOf(a), a.shape.length - 2];
    const turned = transpose(a);
    const upper = concat([turned, g], rows + 1);
    const lower = concat([zerosOf(a.shape), turned], rows + 1);
    const whole = applyOnHost(Exponential, [concat([upper, lower], rows)], null);
    return [narrow(narrow(whole, rows, 0, n), rows + 1, n, n)];
  },
  compute: ([a], result, [type]) => {
    const n = rowsOf(type);
    fillFrom(a as Float32Array, type, result, (matrix) => [exponential(matrix, n)]);
  },
});

/**
 * The exponential of square matrices [..., N, N]: I + A + A^2 / 2 + A^3 / 6 + ... The host computes it in double precision
 * (scaling and squaring, with a Padé approximation).
 *
 * @example
 * import { matrixExp } from '@nn/core';
 * console.log(await matrixExp([[0, 1], [0, 0]]).array()); // => [[1, 1], [0, 1]]
 */
export function matrixExp(a: TensorLike): Tensor {
  const matrix = squares('matrixExp', a);
  return wrap(matrix.shape.includes(0) ? zerosOf(matrix.shape) : applyOnHost(Exponential, [matrix], null));
}

/**
 * The n-th power of square matrices [..., N, N], for whole n: by repeated squaring, on the device; of the inverse for n
 * below 0, of which singular matrices have none.
 *
 * @example
 * import { matrixPower } from '@nn/core';
 * console.log(await matrixPower([[1, 1], [1, 0]], 10).array()); // => [[89, 55], [55, 34]]
 */
export function matrixPower(a: TensorLike, n: number): Tensor {
  if (!Number.isSafeInteger(n)) throw new ValueError('matrixPower', `the exponent must be a whole number, got ${n}.`);
  const matrix = squares('matrixPower', a);
  let base: Node = n < 0 ? inverseNode(matrix) : matrix;
  let result: Node | null = null;
  for (let left = Math.abs(n); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = result === null ? base : matmul(result, base);
    if (left > 1) base = matmul(base, base);
  }
  return wrap(result ?? where(onDiagonal(matrix), like(matrix, 1), like(matrix, 0)));
}
