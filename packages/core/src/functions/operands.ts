/** What the functions of tensors in this folder share: operands as float32 nodes of one shape, and polynomials. */

import type { DType } from '../backend.ts';
import { constant, type Node } from '../graph/node.ts';
import { add, multiply, negate } from '../ops/arithmetic.ts';
import { equal, less, or, where } from '../ops/compare.ts';
import { fitting } from '../ops/fitting.ts';
import { cast, reciprocal } from '../ops/functions.ts';
import { computable as computableNode } from '../ops/pointwise.ts';
import { expandTo } from '../ops/views.ts';
import { broadcastShapes } from '../shape.ts';
import { isTensor, type TensorLike, toNode } from '../tensor.ts';

/** A number of the library's own. */
export const float = (value: number): Node => constant(value, 'float32');

/** The operand of a function that computes in its dtype. */
export function computable(operation: string, x: TensorLike, dtype: DType = 'float32'): Node {
  return computableNode(operation, toNode(x, dtype));
}

/** The operand of a function on real numbers: integers are cast. */
export function real(operation: string, x: TensorLike): Node {
  return cast(computable(operation, x), 'float32');
}

/** Values that are written into x, in its dtype: fractions do not become whole without a word. */
export function valuesFor(operation: string, x: Node, values: TensorLike): Node {
  const node = computable(operation, values, x.dtype);
  return fitting(operation, node, x.dtype, !isTensor(values));
}

/** Two operands in one shape, so that a rule for their gradients need not add up what broadcasting repeated. */
export function realPair(operation: string, a: TensorLike, b: TensorLike): readonly [Node, Node] {
  const [left, right] = [real(operation, a), real(operation, b)];
  const shape = broadcastShapes(operation, left.shape, right.shape);
  return [expandTo(left, shape), expandTo(right, shape)];
}

/** c0 + x (c1 + x (c2 + ...)), by Horner's rule. */
export function polynomial(x: Node, coefficients: readonly number[]): Node {
  const [last, ...others] = coefficients.toReversed();
  return others.reduce((sum, coefficient) => add(multiply(sum, x), float(coefficient)), float(last ?? 0));
}

/** `y`, which belongs to |x|, with the sign of x: an odd function; a zero keeps its sign, too. */
export function odd(x: Node, y: Node): Node {
  return where(equal(x, float(0)), x, where(less(x, float(0)), negate(y), y));
}

/** Below 0, or the zero of that side. */
export const isNegative = (x: Node): Node => or(less(x, float(0)), less(reciprocal(x), float(0)));
