/**
 * Lengths, distances and angles. Each scales what it squares by powers of two where that would leave float32, has the
 * gradient 0 where it has a corner at 0, and broadcasts where it takes two tensors.
 */
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import { svdNodes } from '../linalg/factorisations.ts';
import { divide, maximum, multiply, subtract } from '../ops/arithmetic.ts';
import { equal, less, notEqual, where } from '../ops/compare.ts';
import { norm } from '../ops/composite.ts';
import { abs, cast } from '../ops/functions.ts';
import { gather } from '../ops/indexing.ts';
import { max, min, type ReduceOptions, sum } from '../ops/reduce.ts';
import { narrow, permute, reshape, unsqueeze } from '../ops/views.ts';
import { broadcastShapes, normalizeAxes, normalizeAxis, show } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { float, real, realPair } from './operands.ts';
import { table } from './tables.ts';

/** Reduced axes dropped, unless they are to be kept. */
function finish(kept: Node, axes: readonly number[], { keepAxes }: ReduceOptions): Node {
  return keepAxes === true
    ? kept
    : reshape(
        kept,
        kept.shape.filter((_, axis) => !axes.includes(axis)),
      );
}

/** The norm of any real order of |x|, kept axes. */
function lengthOf(operation: string, v: Node, order: number, axes: readonly number[]): Node {
  if (order > 0 && order !== Number.POSITIVE_INFINITY) return norm(v, axes, { order, keepAxes: true });
  if (Math.abs(order) === Number.POSITIVE_INFINITY) {
    if (axes.some((axis) => v.shape[axis] === 0)) {
      throw new ShapeError(operation, `of order ${order} over an empty axis of ${show(v.shape)} there is none.`);
    }
    return (order > 0 ? max : min)(abs(v), axes, { keepAxes: true });
  }
  if (order === 0) return sum(cast(notEqual(v, float(0)), 'float32'), axes, { keepAxes: true });
  if (!(order < 0)) throw new ValueError(operation, `the order must be a number, got ${order}.`, { order });
  // 1 / norm of the reciprocals: an element of 0 makes it 0
  const isZero = equal(v, float(0));
  const inverse = norm(divide(float(1), where(isZero, float(1), v)), axes, { order: -order, keepAxes: true });
  const hasZero = less(float(0), sum(cast(isZero, 'float32'), axes, { keepAxes: true }));
  return where(hasZero, float(0), divide(float(1), inverse));
}

/**
 * The norm of vectors of any order: (sum of |x|^p)^(1/p), the largest or smallest magnitude for Infinity and -Infinity, the
 * number of elements other than 0 for 0. Over all axes by default.
 *
 * @example
 * import { vectorNorm } from '@nn/core';
 * console.log(await vectorNorm([3, -4]).item(), await vectorNorm([3, -4], -Infinity).item()); // => 5 3
 */
export function vectorNorm(
  x: TensorLike,
  order = 2,
  axes?: number | readonly number[],
  options: ReduceOptions = {},
): Tensor {
  checkOptions('vectorNorm', options, ['keepAxes']);
  const v = real('vectorNorm', x);
  const normal = normalizeAxes('vectorNorm', axes, v.shape.length);
  return wrap(finish(lengthOf('vectorNorm', v, order, normal), normal, options));
}

/**
 * The norm of matrices, over the last two axes by default: 'fro', the root of the sum of squares (the default), 1 and -1, the
 * largest and smallest sum of magnitudes of a column, Infinity and -Infinity, of a row; 2 and -2, the largest and smallest singular
 * value, and 'nuclear', their sum (PyTorch's 'nuc').
 *
 * @example
 * import { matrixNorm } from '@nn/core';
 * console.log(await matrixNorm([[1, -2], [3, 4]], 1).item()); // => 6
 */
export function matrixNorm(
  x: TensorLike,
  order: 'fro' | 'nuclear' | number = 'fro',
  axes: readonly [number, number] = [-2, -1],
  options: ReduceOptions = {},
): Tensor {
  checkOptions('matrixNorm', options, ['keepAxes']);
  const v = real('matrixNorm', x);
  const [rows, columns] = axes.map((axis) => normalizeAxis('matrixNorm', axis, v.shape.length)) as [number, number];
  const both = normalizeAxes('matrixNorm', [rows, columns], v.shape.length);
  if (order === 'fro') return wrap(finish(norm(v, both, { keepAxes: true }), both, options));
  if (order === 'nuclear' || Math.abs(order) === 2) {
    const others = v.shape.map((_, axis) => axis).filter((axis) => axis !== rows && axis !== columns);
    const [, values] = svdNodes(permute(v, [...others, rows, columns]), false);
    const found = order === 'nuclear' ? sum(values, -1) : (order > 0 ? max : min)(values, -1);
    const kept = v.shape.map((size, axis) => (both.includes(axis) ? 1 : size));
    return wrap(finish(reshape(found, kept), both, options));
  }
  const isColumns = Math.abs(order) === 1;
  if (!isColumns && Math.abs(order) !== Number.POSITIVE_INFINITY) {
    throw new ValueError('matrixNorm', `no order ${order}: 'fro', 'nuclear', 1, -1, 2, -2, Infinity or -Infinity.`, {
      order,
    });
  }
  const sums = sum(abs(v), isColumns ? rows : columns, { keepAxes: true });
  const extreme = (order > 0 ? max : min)(sums, isColumns ? columns : rows, { keepAxes: true });
  return wrap(finish(extreme, both, options));
}

/**
 * x divided by its norm along the axis, or by `eps` where that is larger: vectors of length 1.
 *
 * @example
 * import { normalize } from '@nn/core';
 * console.log(await normalize([[3, 4], [0, 0]], { axis: 1 }).mul(5).array()); // => [[3, 4], [0, 0]]
 */
export function normalize(
  x: TensorLike,
  options: { readonly order?: number; readonly axis?: number | readonly number[]; readonly eps?: number } = {},
): Tensor {
  checkOptions('normalize', options, ['order', 'axis', 'eps']);
  const { order = 2, axis = 1, eps = 1e-12 } = options;
  const v = real('normalize', x);
  const axes = normalizeAxes('normalize', axis, v.shape.length);
  return wrap(divide(v, maximum(lengthOf('normalize', v, order, axes), float(eps))));
}

/**
 * The cosine of the angle between a and b along an axis, both broadcast: their product over that of their norms, neither
 * smaller than `eps`.
 *
 * @example
 * import { cosineSimilarity } from '@nn/core';
 * console.log(await cosineSimilarity([[3, 0]], [[5, 0]]).array()); // => [1]
 */
export function cosineSimilarity(
  a: TensorLike,
  b: TensorLike,
  options: { readonly axis?: number; readonly eps?: number } = {},
): Tensor {
  checkOptions('cosineSimilarity', options, ['axis', 'eps']);
  const { axis = 1, eps = 1e-8 } = options;
  const [left, right] = realPair('cosineSimilarity', a, b);
  const along = normalizeAxis('cosineSimilarity', axis, left.shape.length);
  const unit = (v: Node): Node => divide(v, maximum(norm(v, along, { keepAxes: true }), float(eps)));
  return wrap(sum(multiply(unit(left), unit(right)), along));
}

function checkOrder(operation: string, order: number): void {
  if (order >= 0) return;
  throw new ValueError(operation, `the order must be a number from 0, got ${order}.`, { order });
}

/**
 * The distance of each row of a [..., P, M] to each row of b [..., R, M]: [..., P, R], leading axes broadcast. By
 * differences, which keeps the digits of near rows; order 2 by default, and any from 0 to Infinity.
 *
 * @example
 * import { cdist } from '@nn/core';
 * console.log(await cdist([[0, 0], [3, 0]], [[0, 4]]).array()); // => [[4], [5]]
 */
export function cdist(a: TensorLike, b: TensorLike, order = 2): Tensor {
  const [left, right] = [real('cdist', a), real('cdist', b)];
  checkOrder('cdist', order);
  const fits = left.shape.length >= 2 && right.shape.length >= 2 && left.shape.at(-1) === right.shape.at(-1);
  if (!fits) {
    throw new ShapeError(
      'cdist',
      `${show(left.shape)} and ${show(right.shape)}: needs rows of one length, [..., P, M] and [..., R, M].`,
      {
        a: left.shape,
        b: right.shape,
      },
    );
  }
  const [wide, tall] = [unsqueeze(left, left.shape.length - 1), unsqueeze(right, right.shape.length - 2)];
  broadcastShapes('cdist', wide.shape, tall.shape);
  const difference = subtract(wide, tall);
  const last = difference.shape.length - 1;
  return wrap(reshape(lengthOf('cdist', difference, order, [last]), difference.shape.slice(0, -1)));
}

/**
 * The distances between all pairs of rows of x [N, M], the upper triangle of `cdist` without its diagonal row by row:
 * [N (N - 1) / 2].
 *
 * @example
 * import { pdist } from '@nn/core';
 * console.log(await pdist([[0, 0], [3, 0], [0, 4]]).array()); // => [3, 4, 5]
 */
export function pdist(x: TensorLike, order = 2): Tensor {
  const v = real('pdist', x);
  checkOrder('pdist', order);
  if (v.shape.length !== 2) {
    throw new ShapeError('pdist', `${show(v.shape)} is not a matrix [N, M] of rows.`, { shape: v.shape });
  }
  const count = v.shape[0]!;
  const pairs = Array.from({ length: count }, (_, i) =>
    Array.from({ length: count - 1 - i }, (_, k) => [i, i + 1 + k] as const),
  ).flat();
  const rows = (side: 0 | 1): Node =>
    gather(
      v,
      table(
        Int32Array.from(pairs, (pair) => pair[side]),
        [pairs.length],
        v,
      ),
    );
  if (pairs.length === 0) return wrap(sum(narrow(v, 0, 0, 0), 1));
  return wrap(reshape(lengthOf('pdist', subtract(rows(0), rows(1)), order, [1]), [pairs.length]));
}
