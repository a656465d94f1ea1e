/** Comparisons, logic, bits and selection. Comparisons have no gradient: their result is bool. */
import { isReal, promote } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import type { Binary, Primitive, Ternary } from '../graph/primitive.ts';
import { broadcastShapes } from '../shape.ts';
import { cast } from './functions.ts';
import { binary, computable, like, pointwise } from './pointwise.ts';
import { expandTo } from './views.ts';

export const Less: Primitive<null, Binary> = pointwise({ name: 'less', op: 'less', result: 'bool', isCheap: true });
export const Equal: Primitive<null, Binary> = pointwise({ name: 'equal', op: 'equal', result: 'bool' });
export const And: Primitive<null, Binary> = pointwise({ name: 'and', op: 'and' });
export const Or: Primitive<null, Binary> = pointwise({ name: 'or', op: 'or' });
export const Xor: Primitive<null, Binary> = pointwise({ name: 'xor', op: 'xor' });
export const ShiftLeft: Primitive<null, Binary> = pointwise({ name: 'shiftLeft', op: 'shl' });
export const ShiftRight: Primitive<null, Binary> = pointwise({ name: 'shiftRight', op: 'shr' });

// where(c, a, b): the cotangent goes where the value came from
export const Where: Primitive<null, Ternary> = pointwise({
  name: 'where',
  op: 'where',
  isCheap: true,
  gradient: (g, [condition]) => [null, () => where(condition, g, like(g, 0)), () => where(condition, like(g, 0), g)],
});

export const less = (a: Node, b: Node): Node => binary(Less, a, b, 'any');
export const equal = (a: Node, b: Node): Node => binary(Equal, a, b, 'any');
export const lessEqual = (a: Node, b: Node): Node => or(less(a, b), equal(a, b));
export const notEqual = (a: Node, b: Node): Node => not(equal(a, b));

export const and = (a: Node, b: Node): Node => bits(And, a, b);
export const or = (a: Node, b: Node): Node => bits(Or, a, b);
export const xor = (a: Node, b: Node): Node => bits(Xor, a, b);
export const shiftLeft = (a: Node, b: Node): Node => bits(ShiftLeft, a, b);
export const shiftRight = (a: Node, b: Node): Node => bits(ShiftRight, a, b);

export function not(x: Node): Node {
  return xor(truth(x), constant(1, 'bool'));
}

/** x != 0 as bool. */
export function truth(x: Node): Node {
  return cast(x, 'bool');
}

/** a where the condition holds, else b; all three broadcast. */
export function where(condition: Node, a: Node, b: Node): Node {
  const [left, right] = [computable('where', a), computable('where', b)];
  const dtype = promote(left.dtype, right.dtype);
  const shape = broadcastShapes('where', broadcastShapes('where', a.shape, b.shape), condition.shape);
  return apply(
    Where,
    [expandTo(truth(condition), shape), expandTo(cast(left, dtype), shape), expandTo(cast(right, dtype), shape)],
    null,
  );
}

function bits(primitive: typeof And, a: Node, b: Node): Node {
  if (isReal(a.dtype) || isReal(b.dtype)) {
    throw new DTypeError(primitive.name, "float32 has no bits to combine: use x.cast('int32') or x.notEqual(0).");
  }
  return binary(primitive, a, b, 'any');
}
