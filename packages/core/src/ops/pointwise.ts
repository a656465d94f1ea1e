/** How element-by-element primitives are declared, and how their operands are brought to one dtype and shape. */
import type { Alu, DType } from '../backend.ts';
import { isComputable, isHalf, isReal, promote } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { type Binary, definePrimitive, type Inputs, type Primitive, type Unary } from '../graph/primitive.ts';
import { broadcastShapes } from '../shape.ts';
import { cast } from './functions.ts';
import { expandTo } from './views.ts';

export interface PointwiseDefinition<I extends Inputs>
  extends Pick<Primitive<null, I>, 'name' | 'isCheap' | 'gradient' | 'steep'> {
  readonly op: Alu;
  /** The dtype of the result, where it is not that of the inputs. */
  readonly result?: DType;
}

/**
 * A primitive that applies one scalar function to elements at equal positions.
 * @__NO_SIDE_EFFECTS__
 */
export function pointwise<I extends Inputs>(definition: PointwiseDefinition<I>): Primitive<null, I> {
  const { op, result, ...rules } = definition;
  return definePrimitive<null, I>({
    ...rules,
    kind: 'pointwise',
    infer: (inputs) => {
      const last = inputs[inputs.length - 1] as Node;
      return { dtype: result ?? last.dtype, shape: last.shape };
    },
    lower: (node, at) => {
      const { length } = node.inputs;
      const first = at.input(0, at.index);
      if (length === 1) return at.emit(op, node.dtype, first);
      const second = at.input(1, at.index);
      if (length === 2) return at.emit(op, node.dtype, first, second);
      return at.emit(op, node.dtype, first, second, at.input(2, at.index));
    },
  });
}

/** Brings two operands to a common dtype and shape. Sums of bool count, so arithmetic on bool is int32. */
export function binary(
  primitive: Primitive<null, Binary>,
  a: Node,
  b: Node,
  kind: 'arithmetic' | 'float' | 'any',
): Node {
  const left = computable(primitive.name, a);
  const right = computable(primitive.name, b);
  let dtype = promote(left.dtype, right.dtype);
  if (kind === 'float') dtype = 'float32';
  else if (kind === 'arithmetic' && dtype === 'bool') dtype = 'int32';
  const shape = broadcastShapes(primitive.name, a.shape, b.shape);
  return apply(primitive, [expandTo(cast(left, dtype), shape), expandTo(cast(right, dtype), shape)], null);
}

/** One operand of a function on real numbers; integers are cast. */
export function unary(primitive: Primitive<null, Unary>, x: Node): Node {
  return apply(primitive, [cast(computable(primitive.name, x), 'float32')], null);
}

/** A number of the library's own, in the dtype of the tensor it meets. */
export function like(x: Node, value: number): Node {
  return constant(value, isReal(x.dtype) || !Number.isInteger(value) ? 'float32' : 'int32');
}

/** Half floats read as float32, which loses nothing. */
export const widened = (x: Node): Node => (isHalf(x.dtype) ? cast(x, 'float32') : x);

/** What an operation computes with: half floats are widened. Throws DTypeError for bytes, which may mean anything. */
export function computable(operation: string, x: Node): Node {
  const wide = widened(x);
  if (isComputable(wide.dtype)) return wide;
  throw new DTypeError(
    operation,
    `${x.dtype} only stores; operations compute in float32, int32 and bool. Cast first: x.cast('float32').`,
    { operation, dtype: x.dtype },
  );
}
