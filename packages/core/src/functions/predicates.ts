/** Which elements are numbers, what stands in place of those that are not, and the bits of integers. */

import { isReal } from '../dtype.ts';
import { checkOptions, DTypeError } from '../errors.ts';
import { constant, type Node } from '../graph/node.ts';
import { equal, less, notEqual, where, xor } from '../ops/compare.ts';
import { abs } from '../ops/functions.ts';
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor.ts';
import { float, real } from './operands.ts';

const infinity = (): Node => float(Number.POSITIVE_INFINITY);
const most = 3.4028234663852886e38;

/**
 * True where x is NaN; bool, of the shape of x. Integers never are.
 *
 * @example
 * import { isNaN } from '@nn/core';
 * console.log(await isNaN([1, NaN]).array()); // => [false, true]
 */
function areNaN(x: TensorLike): Tensor {
  const v = real('isNaN', x);
  return wrap(notEqual(v, v));
}

/**
 * True where x is neither NaN nor infinite; bool, of the shape of x.
 *
 * @example
 * import { isFinite } from '@nn/core';
 * console.log(await isFinite([1, NaN, -Infinity]).array()); // => [true, false, false]
 */
function areFinite(x: TensorLike): Tensor {
  return wrap(less(abs(real('isFinite', x)), infinity()));
}

export { areFinite as isFinite, areNaN as isNaN };

/**
 * True where x is Infinity or -Infinity; bool, of the shape of x.
 *
 * @example
 * import { isInfinite } from '@nn/core';
 * console.log(await isInfinite([1, NaN, -Infinity]).array()); // => [false, false, true]
 */
export function isInfinite(x: TensorLike): Tensor {
  return wrap(equal(abs(real('isInfinite', x)), infinity()));
}

export interface NanToNumOptions {
  /** In place of NaN; 0 by default. */
  readonly nan?: number;
  /** In place of Infinity; the largest float32 by default. */
  readonly positiveInfinity?: number;
  /** In place of -Infinity; the lowest float32 by default. */
  readonly negativeInfinity?: number;
}

/**
 * x with numbers in place of NaN and the infinities; no gradient goes to those. Integers stay as they are.
 *
 * @example
 * import { nanToNum } from '@nn/core';
 * console.log(await nanToNum([1, NaN, Infinity], { positiveInfinity: 9 }).array()); // => [1, 0, 9]
 */
export function nanToNum(x: TensorLike, options: NanToNumOptions = {}): Tensor {
  checkOptions('nanToNum', options, ['nan', 'positiveInfinity', 'negativeInfinity']);
  const { nan = 0, positiveInfinity = most, negativeInfinity = -most } = options;
  const node = toNode(x, 'float32');
  if (node.dtype === 'int32' || node.dtype === 'bool') return wrap(node);
  const v = real('nanToNum', wrap(node));
  const high = where(equal(v, infinity()), float(positiveInfinity), v);
  const low = where(equal(v, float(Number.NEGATIVE_INFINITY)), float(negativeInfinity), high);
  return wrap(where(notEqual(v, v), float(nan), low));
}

/**
 * Every bit of an int32 turned over, -x - 1; of bool, not x. Throws DTypeError for float32, which has no bits to turn.
 *
 * @example
 * import { bitwiseNot, tensor } from '@nn/core';
 * console.log(await bitwiseNot(tensor([0, 5], { dtype: 'int32' })).array()); // => [-1, -6]
 */
export function bitwiseNot(x: TensorLike): Tensor {
  const node: Node = toNode(x, 'int32');
  if (isReal(node.dtype)) {
    throw new DTypeError('bitwiseNot', "float32 has no bits to turn: use x.cast('int32') or x.logicalNot().");
  }
  return wrap(xor(node, constant(node.dtype === 'bool' ? 1 : -1, node.dtype === 'bool' ? 'bool' : 'int32')));
}
