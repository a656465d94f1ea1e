/** How element-by-element primitives are declared, and how their operands are brought to one dtype and shape. */
import type { Alu, DType } from '../backend.ts';
import { isComputable, isFloat, promote } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { apply, constant, type Node } from '../graph/node.ts';
import { definePrimitive, type Primitive } from '../graph/primitive.ts';
import { broadcastShapes } from '../shape.ts';
import { cast } from './functions.ts';
import { expandTo } from './views.ts';

/** The cotangents of the inputs, from that of the output `y`: the chain rule, one line an operation. */
type Rule = (g: Node, inputs: readonly Node[], y: Node, needs: readonly boolean[]) => readonly (Node | null)[];

export interface PointwiseDefinition {
  readonly name: string;
  readonly op: Alu;
  /** The dtype of the result, where it is not that of the inputs. */
  readonly result?: DType;
  readonly gradient?: Rule;
}

/**
 * A primitive that applies one scalar function to elements at equal positions.
 * @__NO_SIDE_EFFECTS__
 */
export function pointwise(definition: PointwiseDefinition): Primitive<null> {
  const { name, op, result, gradient } = definition;
  return definePrimitive<null>({
    name,
    kind: 'pointwise',
    infer: (inputs) => {
      const last = inputs[inputs.length - 1] as Node;
      return { dtype: result ?? last.dtype, shape: last.shape };
    },
    ...(gradient === undefined
      ? {}
      : { gradient: (g: Node, node: Node<null>, needs: readonly boolean[]) => gradient(g, node.inputs, node, needs) }),
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
export function binary(primitive: Primitive<null>, a: Node, b: Node, kind: 'arithmetic' | 'float' | 'any'): Node {
  checkComputable(primitive.name, a);
  checkComputable(primitive.name, b);
  let dtype = promote(a.dtype, b.dtype);
  if (kind === 'float') dtype = 'float32';
  else if (kind === 'arithmetic' && dtype === 'bool') dtype = 'int32';
  const shape = broadcastShapes(primitive.name, a.shape, b.shape);
  return apply(primitive, [expandTo(cast(a, dtype), shape), expandTo(cast(b, dtype), shape)], null);
}

/** One operand of a function on real numbers; integers are cast. */
export function unary(primitive: Primitive<null>, x: Node): Node {
  checkComputable(primitive.name, x);
  return apply(primitive, [isFloat(x.dtype) ? x : cast(x, 'float32')], null);
}

/** A number of the library's own, in the dtype of the tensor it meets. */
export function like(x: Node, value: number): Node {
  return constant(value, isFloat(x.dtype) || !Number.isInteger(value) ? 'float32' : 'int32');
}

export function checkComputable(operation: string, x: Node): void {
  if (!isComputable(x.dtype)) {
    throw new DTypeError(
      `${operation}: ${x.dtype} only stores; operations compute in float32, int32 and bool. Cast first: x.cast('float32').`,
      { operation, dtype: x.dtype },
    );
  }
}
