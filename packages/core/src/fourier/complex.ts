/** Complex numbers as pairs of real ones, in a last axis of 2 (docs/decisions/0027-complex-pairs.md). */
import { ShapeError } from '../errors.ts';
import { hypot } from '../functions/combinations.ts';
import { real } from '../functions/operands.ts';
import { atan2 } from '../functions/trigonometry.ts';
import type { Node } from '../graph/node.ts';
import { add, multiply, negate, subtract } from '../ops/arithmetic.ts';
import { stack } from '../ops/indexing.ts';
import { like } from '../ops/pointwise.ts';
import { expandTo, narrow, reshape } from '../ops/views.ts';
import { broadcastShapes, show } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';

/** z as float32, with a last axis of 2. */
export function pairs(operation: string, z: TensorLike): Node {
  const node = real(operation, z);
  if (node.shape.at(-1) === 2) return node;
  throw new ShapeError(
    operation,
    `complex numbers are pairs in a last axis of 2, got ${show(node.shape)}: complex(x) makes them of real ones.`,
    { shape: node.shape },
  );
}

/** The real (0) or imaginary (1) parts. */
function part(z: Node, which: 0 | 1): Node {
  const last = z.shape.length - 1;
  return reshape(narrow(z, last, which, 1), z.shape.slice(0, -1));
}

const pairOf = (re: Node, im: Node): Node => stack([re, im], re.shape.length);

/**
 * Complex numbers of real and imaginary parts, which broadcast: pairs in a last axis of 2. Without the second all are real.
 *
 * @example
 * import { complex } from '@nn/core';
 * console.log(await complex([1, 2], 3).array()); // => [[1, 3], [2, 3]]
 */
export function complex(re: TensorLike, im?: TensorLike): Tensor {
  const first = real('complex', re);
  if (im === undefined) return wrap(pairOf(first, expandTo(like(first, 0), first.shape)));
  const second = real('complex', im);
  const shape = broadcastShapes('complex', first.shape, second.shape);
  return wrap(pairOf(expandTo(first, shape), expandTo(second, shape)));
}

/**
 * The real parts of complex numbers [..., 2]: [...].
 *
 * @example
 * import { realPart } from '@nn/core';
 * console.log(await realPart([[1, 2], [3, 4]]).array()); // => [1, 3]
 */
export function realPart(z: TensorLike): Tensor {
  return wrap(part(pairs('realPart', z), 0));
}

/**
 * The imaginary parts of complex numbers [..., 2]: [...].
 *
 * @example
 * import { imaginaryPart } from '@nn/core';
 * console.log(await imaginaryPart([[1, 2], [3, 4]]).array()); // => [2, 4]
 */
export function imaginaryPart(z: TensorLike): Tensor {
  return wrap(part(pairs('imaginaryPart', z), 1));
}

/**
 * Complex numbers [..., 2] with the other sign of their imaginary parts.
 *
 * @example
 * import { conjugate } from '@nn/core';
 * console.log(await conjugate([[1, 2]]).array()); // => [[1, -2]]
 */
export function conjugate(z: TensorLike): Tensor {
  const node = pairs('conjugate', z);
  return wrap(pairOf(part(node, 0), negate(part(node, 1))));
}

/**
 * The magnitudes of complex numbers [..., 2]: [...]. The gradient at 0 is 0.
 *
 * @example
 * import { magnitude } from '@nn/core';
 * console.log(await magnitude([[3, 4]]).array()); // => [5]
 */
export function magnitude(z: TensorLike): Tensor {
  const node = pairs('magnitude', z);
  return hypot(wrap(part(node, 0)), wrap(part(node, 1)));
}

/**
 * The angles of complex numbers [..., 2] in radians, from -pi to pi: [...].
 *
 * @example
 * import { angle } from '@nn/core';
 * console.log((await angle([0, 2]).item()).toFixed(4)); // => 1.5708
 */
export function angle(z: TensorLike): Tensor {
  const node = pairs('angle', z);
  return atan2(wrap(part(node, 1)), wrap(part(node, 0)));
}

/**
 * The product of complex numbers [..., 2], which broadcast.
 *
 * @example
 * import { complexProduct } from '@nn/core';
 * console.log(await complexProduct([1, 2], [3, 4]).array()); // => [-5, 10]
 */
export function complexProduct(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = [pairs('complexProduct', a), pairs('complexProduct', b)];
  const [ar, ai, br, bi] = [part(left, 0), part(left, 1), part(right, 0), part(right, 1)];
  return wrap(pairOf(subtract(multiply(ar, br), multiply(ai, bi)), add(multiply(ar, bi), multiply(ai, br))));
}
