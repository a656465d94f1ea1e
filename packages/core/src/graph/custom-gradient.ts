/**
 * Nodes that are their first input but have a gradient rule of their own. Owns the three transparent primitives;
 * kernels never see them.
 */
import { apply, type Node } from './node.ts';
import { type Cotangent, definePrimitive, type Primitive, type TensorType, type Unary } from './primitive.ts';

/** The cotangent of each input behind the value, from that of the value. */
type Rule = (cotangent: Node) => readonly Cotangent[];
type Inputs = readonly [value: Node, ...behind: Node[]];

const transparent = {
  kind: 'transparent' as const,
  withoutGradient: [0],
  infer: ([{ dtype, shape }]: readonly [TensorType, ...TensorType[]]): TensorType => ({ dtype, shape }),
  lower: (): never => {
    throw new Error('a transparent node is never lowered');
  },
};

export const CustomGradient: Primitive<Rule, Inputs> = definePrimitive({
  name: 'customGradient',
  ...transparent,
  gradient: (g, _, { attributes: rule }) => [null, ...rule(g)],
});

export const StopGradient: Primitive<null, Unary> = definePrimitive<null, Unary>({
  name: 'stopGradient',
  ...transparent,
  gradient: () => [null],
});

/**
 * The value of a variable from an assignment on. A node of its own for each assignment: it is what gradients are taken
 * with respect to, before and after it has memory. No gradient passes through.
 */
export const Assigned: Primitive<null, Unary> = definePrimitive<null, Unary>({
  name: 'assigned',
  ...transparent,
  gradient: () => [null],
});

/** The value `y`, whose cotangent goes to `inputs` by `rule` instead of through the graph of `y`. */
export function customGradient(y: Node, inputs: readonly Node[], rule: Rule): Node {
  return apply(CustomGradient, [y, ...inputs], rule);
}

/** The value of `x` as if it were a constant. */
export function stopGradient(x: Node): Node {
  return x.primitive === StopGradient ? x : apply(StopGradient, [x], null);
}
