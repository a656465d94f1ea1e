/** Matrices that are not square or not of full rank: the pseudo-inverse, least squares, the rank. */

import { gradientNodes } from '../autograd/gradients.ts';
import { checkOptions, ShapeError } from '../errors.ts';
import { real } from '../functions/operands.ts';
import { constant, type Node } from '../graph/node.ts';
import type { Binary, Unary } from '../graph/primitive.ts';
import { add, multiply, subtract } from '../ops/arithmetic.ts';
import { less } from '../ops/compare.ts';
import { cast } from '../ops/functions.ts';
import { applyOnHost, defineOnHost, type HostPrimitive } from '../ops/on-host.ts';
import { max, sum } from '../ops/reduce.ts';
import { expandTo, reshape, transpose, unsqueeze } from '../ops/views.ts';
import { sameShape, show } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { singularSystem } from './algorithms/singular.ts';
import { batchOf, columnsOf, commonBatch, fillFrom, matrices, product, rowsOf, zerosOf } from './batches.ts';
import { svdNodes } from './factorisations.ts';

export interface RankOptions {
  /**
   * Singular values up to this part of the largest count as 0; by default the larger size times 2^-23, the distance of
   * float32 numbers from 1, as in PyTorch.
   */
  readonly relativeTolerance?: number;
  /** Singular values up to this count as 0; 0 by default. */
  readonly absoluteTolerance?: number;
}

interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

function toleranceOf({ relativeTolerance, absoluteTolerance }: RankOptions, matrix: Node): Tolerance {
  const given = absoluteTolerance ?? 0;
  const usual = given > 0 ? 0 : Math.max(rowsOf(matrix), columnsOf(matrix)) * 2 ** -23;
  return { relative: relativeTolerance ?? usual, absolute: given };
}

const productDouble = (a: Float64Array, b: ArrayLike<number>, rows: number, inner: number, columns: number) => {
  const c = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const times = a[i * inner + k]!;
      for (let j = 0; j < columns; j++) c[i * columns + j]! += times * b[k * columns + j]!;
    }
  }
  return c;
};

/** V S^+ U^T, [columns, rows]. */
function pseudoInverse(matrix: Float64Array, rows: number, columns: number, { relative, absolute }: Tolerance) {
  const { values, left, right } = singularSystem(matrix, rows, columns);
  const limit = Math.max(absolute, relative * (values[0] ?? 0));
  const result = new Float64Array(columns * rows);
  values.forEach((value, k) => {
    if (!(value > limit)) return;
    for (let j = 0; j < columns; j++) {
      const times = right[k * columns + j]! / value;
      for (let i = 0; i < rows; i++) result[j * rows + i]! += times * left[k * rows + i]!;
    }
  });
  return result;
}

// P = A^+, of constant rank (Golub and Pereyra 1973):
// dA = -P^T G P^T + (I - A P) G^T P P^T + P^T P G^T (I - P A)
const PseudoInverse: HostPrimitive<Tolerance, Unary> = defineOnHost<Tolerance, Unary>({
  name: 'pinv',
  shape: ([a]) => [...batchOf(a), columnsOf(a), rowsOf(a)],
  gradient: (g, [a], p) => {
    const [pt, gt] = [transpose(p), transpose(g)];
    const beside = product(gt, p, pt);
    const below = product(pt, p, gt);
    const first = subtract(beside, product(a, p, beside));
    const second = subtract(below, product(below, p, a));
    return [subtract(add(first, second), product(pt, g, pt))];
  },
  compute: ([a], result, [type], tolerance) => {
    const [rows, columns] = [rowsOf(type), columnsOf(type)];
    fillFrom(a as Float32Array, type, result, (matrix) => [pseudoInverse(matrix, rows, columns, tolerance)]);
  },
});

function pinvNode(matrix: Node, tolerance: Tolerance): Node {
  const shape = [...batchOf(matrix), columnsOf(matrix), rowsOf(matrix)];
  return matrix.shape.includes(0) ? zerosOf(shape) : applyOnHost(PseudoInverse, [matrix], tolerance);
}

/**
 * The pseudo-inverse (Moore and Penrose) of A [..., M, N]: [..., N, M]. The gradient takes the rank as fixed: where a small
 * change of A would change it, there is none. The host computes it in double precision.
 *
 * @example
 * import { pinv } from '@nn/core';
 * console.log(await pinv([[2, 0], [0, 0]]).array()); // => [[0.5, 0], [0, 0]]
 */
export function pinv(a: TensorLike, options: RankOptions = {}): Tensor {
  checkOptions('pinv', options, ['relativeTolerance', 'absoluteTolerance']);
  const matrix = matrices('pinv', a);
  return wrap(pinvNode(matrix, toleranceOf(options, matrix)));
}

// in one go and in double precision, as the elements of a pseudo-inverse may be large and cancel in the product
const LeastSquares: HostPrimitive<Tolerance, Binary> = defineOnHost<Tolerance, Binary>({
  name: 'lstsq',
  shape: ([a, b]) => [...batchOf(a), columnsOf(a), columnsOf(b)],
  gradient: (g, [a, b], _, tolerance) => {
    const [ofA, ofB] = gradientNodes(product(pinvNode(a, tolerance), b), [a, b], g) as [Node, Node];
    return [ofA, ofB];
  },
  compute: ([a, b], result, [type, right], tolerance) => {
    const [rows, columns, sides] = [rowsOf(type), columnsOf(type), columnsOf(right)];
    fillFrom(a as Float32Array, type, result, (matrix, k) => {
      const inverse = pseudoInverse(matrix, rows, columns, tolerance);
      const side = (b as Float32Array).subarray(k * rows * sides, (k + 1) * rows * sides);
      return [productDouble(inverse, side, columns, rows, sides)];
    });
  },
});

/**
 * The X that makes A X - B smallest in the sum of squares, and of all such X the smallest: for A [..., M, N] of any rank and B
 * [..., M, K] or vectors [..., M], as for `solve`. `residuals` are the sums of squares, one for each column of B. The
 * gradient takes the rank as fixed. The host computes it in double precision.
 *
 * @example
 * import { lstsq } from '@nn/core';
 * const { solution, residuals } = lstsq([[1, 0], [1, 1], [1, 2]], [1, 3, 5]);
 * console.log((await solution.array(1)).map((x) => x.toFixed(4)).join(' ')); // => 1.0000 2.0000
 * console.log((await residuals.item()) < 1e-9); // => true
 */
export function lstsq(
  a: TensorLike,
  b: TensorLike,
  options: RankOptions = {},
): { readonly solution: Tensor; readonly residuals: Tensor } {
  checkOptions('lstsq', options, ['relativeTolerance', 'absoluteTolerance']);
  const matrix = matrices('lstsq', a);
  const given = real('lstsq', b);
  const isVector = given.shape.length === 1 || sameShape(given.shape, matrix.shape.slice(0, -1));
  if (given.shape.length === 0) throw new ShapeError('lstsq', 'the right side is a number, not a vector or matrix.');
  const sides = isVector ? unsqueeze(given, given.shape.length) : given;
  if (rowsOf(sides) !== rowsOf(matrix)) {
    throw new ShapeError(
      'lstsq',
      `matrices of ${rowsOf(matrix)} rows, but the right side ${show(given.shape)} has ${rowsOf(sides)}.`,
      { a: matrix.shape, b: given.shape },
    );
  }
  const batch = commonBatch('lstsq', matrix, sides);
  const [left, right] = [matrix, sides].map((x) => expandTo(x, [...batch, ...x.shape.slice(-2)])) as [Node, Node];
  const shape = [...batch, columnsOf(left), columnsOf(right)];
  const isEmpty = shape.includes(0) || left.shape.includes(0);
  const x = isEmpty ? zerosOf(shape) : applyOnHost(LeastSquares, [left, right], toleranceOf(options, matrix));
  const error = subtract(product(left, x), right);
  const residuals = sum(multiply(error, error), error.shape.length - 2);
  const finish = (y: Node): Tensor => wrap(isVector ? reshape(y, y.shape.slice(0, -1)) : y);
  return { solution: finish(x), residuals: finish(residuals) };
}

/**
 * How many singular values of A [..., M, N] are not 0, to a tolerance: [...], int32.
 *
 * @example
 * import { matrixRank } from '@nn/core';
 * console.log(await matrixRank([[1, 2], [2, 4]]).item()); // => 1
 */
export function matrixRank(a: TensorLike, options: RankOptions = {}): Tensor {
  checkOptions('matrixRank', options, ['relativeTolerance', 'absoluteTolerance']);
  const matrix = matrices('matrixRank', a);
  const { relative, absolute } = toleranceOf(options, matrix);
  const [, values] = svdNodes(matrix, false);
  const last = values.shape.length - 1;
  if (values.shape.includes(0)) return wrap(constant(0, 'int32', values.shape.slice(0, -1)));
  const limit = multiply(max(values, last, { keepAxes: true }), constant(relative, 'float32'));
  const isAbove = [limit, constant(absolute, 'float32')].map((least) => cast(less(least, values), 'int32'));
  return wrap(sum(multiply(...(isAbove as [Node, Node])), last));
}
