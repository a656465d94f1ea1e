/**
 * How many classes losses were computed over: losses say it, and who weighs them by class can ask whether it has a weight for
 * each. Owns only the marks; nothing is computed from them.
 */
import type { Node } from './graph/node.ts';
import { nodeOf, type Tensor } from './tensor.ts';

const counts = new WeakMap<Node, number>();

/**
 * For losses of your own: says over how many classes the losses of samples were computed. It holds for this tensor, not for what
 * is made from it.
 *
 * @example
 * import { classCountOf, markClassCount, tensor } from '@nn/core';
 * const losses = tensor([0.7, 0.1]);
 * markClassCount(losses, 3);
 * console.log(classCountOf(losses), classCountOf(losses.mul(2))); // => 3 null
 */
export function markClassCount(losses: Tensor, classes: number): void {
  counts.set(nodeOf('markClassCount', losses), classes);
}

/** For what weighs losses by class: the number of classes that `markClassCount` told of them, or null. */
export function classCountOf(losses: Tensor): number | null {
  return counts.get(nodeOf('classCountOf', losses)) ?? null;
}
