/**
 * The chain rule with rules from outside: what goes back through an operation, seen and replaced one application at a time.
 * For explanations of networks (guided backpropagation, DeepLift). The walk itself is in autograd/.
 */
import { applyRule } from './autograd/gradients.ts';
import { ShapeError } from './errors.ts';
import { hooks } from './graph/hooks.ts';
import type { Node } from './graph/node.ts';
import { checkSynchronous } from './settings.ts';
import { sameShape, show } from './shape.ts';
import { nodeOf, type Tensor, wrap } from './tensor.ts';
import { type GraphNode, viewOf } from './trace-graph.ts';

/** One application of the chain rule. */
export interface ChainStep {
  /** The operation that is gone back through. */
  readonly node: GraphNode;
  /** What came back to its result, of the same shape. */
  readonly cotangent: Tensor;
  /** Which of its inputs a gradient is wanted of. */
  readonly needs: readonly boolean[];
  /** What the operation's own rule gives each input that needs it; null: nothing. */
  own(): (Tensor | null)[];
}

/**
 * Runs `work` with a chain rule of one's own: `rule` is asked at each operation that gradients go back through, and says what
 * each input gets, or null for the operation's own rule. The gradients are to be asked for inside of `work`. The results are
 * tensors like any other.
 *
 * Throws ShapeError where what is given has not the shape of its input.
 *
 * @example
 * import { gradients, tensor, withChainRule } from '@nn/core';
 * const x = tensor([1, 2]);
 * const straight = withChainRule(
 *   ({ node, cotangent }) => (node.operation === 'exp' ? [cotangent] : null),
 *   () => gradients(x.exp().sum(), [x])[0],
 * );
 * console.log(await straight.array()); // => [1, 1]
 */
export function withChainRule<T>(rule: (step: ChainStep) => readonly (Tensor | null)[] | null, work: () => T): T {
  const outer = hooks.onChain;
  hooks.onChain = (node, cotangent, needs, own) => {
    const given = rule({ node: viewOf(node), cotangent: wrap(cotangent), needs, own: () => own().map(wrapped) });
    return given && node.inputs.map((input, k) => checked(node, input, given[k] ?? null, needs[k] === true));
  };
  try {
    return checkSynchronous('withChainRule', work());
  } finally {
    hooks.onChain = outer;
  }
}

/**
 * What the rule of an operation gives each of its inputs for a cotangent of its result. With `at` the rule is that of other
 * inputs of the same shapes. Null: no gradient flows there.
 *
 * @example
 * import { applyChainRule, tensor, traceGraph } from '@nn/core';
 * const { result, nodeOf } = traceGraph(() => tensor([3]).mul(tensor([5])));
 * const back = applyChainRule(nodeOf(result), tensor([1]));
 * console.log(await Promise.all(back.map((x) => x?.array()))); // => [[5], [3]]
 */
export function applyChainRule(node: GraphNode, cotangent: Tensor, at?: readonly Tensor[]): (Tensor | null)[] {
  const of = nodeOf('applyChainRule', node.tensor);
  const g = nodeOf('applyChainRule', cotangent);
  if (!sameShape(g.shape, of.shape)) {
    throw new ShapeError(
      'applyChainRule',
      `the cotangent ${show(g.shape)} must have the shape of the result, ${show(of.shape)}.`,
    );
  }
  const needs = of.inputs.map(() => true);
  const inputs = at?.map((x) => nodeOf('applyChainRule', x)) ?? of.inputs;
  return applyRule(g, of, needs, inputs).map(wrapped);
}

const wrapped = (node: Node | null): Tensor | null => node && wrap(node);

function checked(node: Node, input: Node, given: Tensor | null, needed: boolean): Node | null {
  if (!needed || given === null) return null;
  const back = nodeOf('withChainRule', given);
  if (sameShape(back.shape, input.shape)) return back;
  throw new ShapeError(
    'withChainRule',
    `the rule for ${node.primitive.name} gave ${show(back.shape)} for an input of the shape ${show(input.shape)}.`,
    { operation: node.primitive.name },
  );
}
