/**
 * Numbers of fewer than eight bits in bytes, read as int32. A product whose operands are read like this, or by `cast('int32')`, reads the
 * bytes themselves, and a backend may multiply bytes: see docs/decisions/0043-bytes-in-products.md.
 */

import { isByte } from '../dtype.ts';
import { DTypeError, ValueError } from '../errors.ts';
import { constant, type Node } from '../graph/node.ts';
import { multiply } from '../ops/arithmetic.ts';
import { and, shiftRight } from '../ops/compare.ts';
import { cast } from '../ops/functions.ts';
import { indexAlong } from '../ops/sources.ts';
import { expandTo, unsqueeze } from '../ops/views.ts';
import { nodeOf, type Tensor, wrap } from '../tensor.ts';

function bytesOf(operation: string, x: Tensor): Node {
  const node = nodeOf(operation, x);
  if (isByte(node.dtype)) return node;
  throw new DTypeError(operation, `the tensor is ${node.dtype}, and bytes are int8 or uint8: x.cast('uint8') first.`, {
    dtype: node.dtype,
  });
}

/**
 * The lowest `count` bits (1 to 7) of each byte as int32, from 0 to 2^count - 1, in the shape of `x`. What is known to have 7 bits and
 * no sign can be multiplied with int8 by instructions that take bytes.
 *
 * Throws DTypeError for a tensor that is not int8 or uint8, ValueError for another count.
 *
 * @example
 * import { lowBits, tensor } from '@nn/core';
 * const x = tensor([3, 130, 255], { dtype: 'uint8' });
 * console.log(await lowBits(x, 7).array()); // => [3, 2, 127]
 */
export function lowBits(x: Tensor, count: number): Tensor {
  const node = bytesOf('lowBits', x);
  if (!Number.isInteger(count) || count < 1 || count > 7) {
    throw new ValueError('lowBits', `${count} bits: a byte has 1 to 7 low bits. For all eight use cast('int32').`, {
      count,
    });
  }
  return wrap(and(cast(node, 'int32'), constant(2 ** count - 1, 'int32')));
}

/**
 * Both halves of each byte as int32 from 0 to 15: of [..., n] bytes [..., 2, n], the low halves before the high ones. So two rows of
 * n whole numbers of four bits are stored as one of n bytes.
 *
 * Throws DTypeError for a tensor that is not int8 or uint8, or for one without axes.
 *
 * @example
 * import { halfBytes, tensor } from '@nn/core';
 * const x = tensor([0x21, 0xf3], { dtype: 'uint8' });
 * console.log(await halfBytes(x).array()); // => [[1, 3], [2, 15]]
 */
export function halfBytes(x: Tensor): Tensor {
  const node = bytesOf('halfBytes', x);
  const { shape } = node;
  if (shape.length === 0) {
    throw new ValueError('halfBytes', 'a single byte has no axis to lay its halves along: x.reshape([1]) first.', {});
  }
  const both = [...shape.slice(0, -1), 2, shape.at(-1)!];
  const shift = multiply(indexAlong(both, both.length - 2), constant(4, 'int32'));
  const bytes = cast(expandTo(unsqueeze(node, -2), both), 'int32');
  return wrap(and(shiftRight(bytes, shift), constant(15, 'int32')));
}
