/**
 * Products, maxima, minima and log-sums of all elements up to each one. Each is made in log2(n) passes in which every element
 * meets the one twice as far before it (Hillis and Steele 1986): arithmetic only, with gradients of every order that divide
 * by nothing, so they are right at zeros. The running sum has a primitive of its own: Tensor.cumsum.
 */
import { stopGradient } from '../graph/custom-gradient.ts';
import { constant, type Node } from '../graph/node.ts';
import { maximum, minimum, multiply } from '../ops/arithmetic.ts';
import { equal, notEqual, or, where } from '../ops/compare.ts';
import { cast } from '../ops/functions.ts';
import { concat, takeAlong } from '../ops/indexing.ts';
import { checkComputable } from '../ops/pointwise.ts';
import { indexAlong } from '../ops/sources.ts';
import { narrow, reshape } from '../ops/views.ts';
import { normalizeAxis } from '../shape.ts';
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor.ts';
import { logAddExp } from './logarithms.ts';

/** Values of a row and where they stood. */
export interface Placed {
  readonly values: Tensor;
  /** int32 positions along the axis. */
  readonly indices: Tensor;
}

/** All elements up to each one, combined; `combine` is associative. */
export function running(x: Node, axis: number, combine: (earlier: Node, later: Node) => Node): Node {
  const size = x.shape[axis]!;
  let y = x;
  for (let distance = 1; distance < size; distance *= 2) {
    const rest = size - distance;
    y = concat(
      [narrow(y, axis, 0, distance), combine(narrow(y, axis, 0, rest), narrow(y, axis, distance, rest))],
      axis,
    );
  }
  return y;
}

/** An operand with at least one axis: a scalar is a row of one element. */
function rowsOf(
  operation: string,
  x: TensorLike,
  axis: number,
): { node: Node; along: number; back: (y: Node) => Tensor } {
  const given = toNode(x, 'float32');
  checkComputable(operation, given);
  const row = given.shape.length === 0 ? reshape(given, [1]) : given;
  const node = row.dtype === 'bool' ? cast(row, 'int32') : row;
  return {
    node,
    along: normalizeAxis(operation, axis, node.shape.length),
    back: (y) => wrap(reshape(y, given.shape)),
  };
}

/**
 * The product of all elements up to each one along an axis, of the shape of x; bool counts as int32. Gradients are right at
 * zeros, to every order.
 *
 * @example
 * import { cumprod } from '@nn/core';
 * console.log(await cumprod([1, 2, 3, 4], 0).array()); // => [1, 2, 6, 24]
 */
export function cumprod(x: TensorLike, axis: number): Tensor {
  const { node, along, back } = rowsOf('cumprod', x, axis);
  return back(running(node, along, multiply));
}

/**
 * log(sum of exp) of all elements up to each one along an axis, without overflow.
 *
 * @example
 * import { logCumSumExp } from '@nn/core';
 * const y = await logCumSumExp([1000, 1000], 0).data();
 * console.log(y[1]?.toFixed(3)); // => 1000.693
 */
export function logCumSumExp(x: TensorLike, axis: number): Tensor {
  const { node, along, back } = rowsOf('logCumSumExp', x, axis);
  return back(running(cast(node, 'float32'), along, (a, b) => logAddExp(wrap(a), wrap(b)).node));
}

function cumulativeExtreme(
  operation: string,
  x: TensorLike,
  axis: number,
  extreme: (a: Node, b: Node) => Node,
): Placed {
  const { node, along, back } = rowsOf(operation, x, axis);
  const best = stopGradient(running(node, along, extreme));
  // an element that equals the best so far is it: of ties the last. NaN is the best from where it stands
  const isBest = or(equal(node, best), notEqual(node, node));
  const places = where(isBest, indexAlong(node.shape, along), constant(0, 'int32'));
  const indices = running(places, along, maximum);
  // read from x, so that the cotangent goes to where the value came from
  const values = node.size === 0 ? node : takeAlong(node, indices, along);
  return { values: back(values), indices: back(indices) };
}

/**
 * The largest of all elements up to each one along an axis, and where it stood (of equal ones the last, as PyTorch has it).
 * From a NaN on all are NaN. The gradient goes to the elements that were chosen.
 *
 * @example
 * import { cummax } from '@nn/core';
 * const { values, indices } = cummax([1, 3, 2, 3], 0);
 * console.log(await values.array(), await indices.array()); // => [1, 3, 3, 3] [0, 1, 1, 3]
 */
export function cummax(x: TensorLike, axis: number): Placed {
  return cumulativeExtreme('cummax', x, axis, maximum);
}

/**
 * The smallest of all elements up to each one along an axis, and where it stood; see `cummax`.
 *
 * @example
 * import { cummin } from '@nn/core';
 * const { values, indices } = cummin([3, 1, 2, 1], 0);
 * console.log(await values.array(), await indices.array()); // => [3, 1, 1, 1] [0, 1, 1, 3]
 */
export function cummin(x: TensorLike, axis: number): Placed {
  return cumulativeExtreme('cummin', x, axis, minimum);
}
