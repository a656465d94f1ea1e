/**
 * What is known to be padded: loaders mark it, and layers for which the steps of a row depend on each other ask, so that
 * they can say which lengths they need. Owns only the marks; nothing is computed from them.
 */
import type { Node } from './graph/node.ts';
import { inputsFirst } from './graph/walk.ts';
import { nodeOf, type Tensor } from './tensor.ts';

const padded = new WeakSet<Node>();
/** Whether there was ever a mark: programs without padding look at no graph. */
let isAny = false;

/**
 * For loaders of your own: says that steps at the end of some rows of `x` are padding.
 *
 * @example
 * import { isPadded, markPadded, tensor } from '@nn/core';
 * const tokens = tensor([[4, 2], [7, 0]]);
 * markPadded(tokens);
 * console.log(isPadded(tokens.add(1))); // => true
 */
export function markPadded(x: Tensor): void {
  padded.add(nodeOf('markPadded', x));
  isAny = true;
}

/** For layers: whether `x` is what `markPadded` marked, or was made from it. */
export function isPadded(x: Tensor): boolean {
  return isAny && inputsFirst([nodeOf('isPadded', x)], ({ inputs }) => inputs).some((node) => padded.has(node));
}

/** For compiled functions: `placeholder` stands for an argument. */
export function passMark(argument: Node, placeholder: Node): void {
  if (padded.has(argument)) padded.add(placeholder);
}
