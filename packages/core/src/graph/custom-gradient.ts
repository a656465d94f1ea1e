/**
 * Nodes that are their first input but have a gradient rule of their own. Owns the three transparent primitives;
 * kernels never see them.
 */
import { apply, type Node } from './node.ts';
import { definePrimitive, type Primitive } from './primitive.ts';

type Rule = (cotangent: Node, needs: readonly boolean[]) => readonly (Node | null)[];

const transparent = {
  kind: 'transparent' as const,
  infer: (inputs: readonly { readonly dtype: Node['dtype']; readonly shape: Node['shape'] }[]) => ({
    dtype: (inputs[0] as Node).dtype,
    shape: (inputs[0] as Node).shape,
  }),
  lower: (): never => {
    throw new Error('a transparent node is never lowered');
  },
};

export const CustomGradient: Primitive<Rule> = definePrimitive<Rule>({
  name: 'customGradient',
  ...transparent,
  gradient: (g, node, needs) => [null, ...node.attributes(g, needs.slice(1))],
});

export const StopGradient: Primitive<null> = definePrimitive<null>({
  name: 'stopGradient',
  ...transparent,
  gradient: () => [null],
});

/**
 * The value of a variable from an assignment on. A node of its own for each assignment: it is what gradients are taken
 * with respect to, before and after it has memory. No gradient passes through.
 */
export const Assigned: Primitive<null> = definePrimitive<null>({
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
