/** Where debugging listens: to the graph being built, and to what is asked of a device. */
import type { TensorData } from '../backend.ts';
import type { Node } from './node.ts';

/** What goes back to each input. */
export type Backward = readonly (Node | null)[];

export interface Hooks {
  /** After an operation that is made of others: its name, what it was given, and the node that stands for it. */
  onComposite: ((name: string, inputs: readonly Node[], attributes: unknown, result: Node) => void) | null;
  /** After an operation made a node. */
  onNode: ((node: Node) => void) | null;
  /** Of indices whose values are not known yet: `check` says what is wrong with them. */
  onIndices: ((index: Node, check: (values: TensorData) => Error | null) => void) | null;
  /** Around a gradient rule, whose nodes belong to the operation `of`. */
  onGradient: (<T>(of: Node, rule: () => T) => T) | null;
  /** In place of a gradient rule: what goes back to each input, or null for what the rule says. */
  onChain: ((of: Node, cotangent: Node, needs: readonly boolean[], rule: () => Backward) => Backward | null) | null;
  /** Before `roots` are computed and variables move on: resolves when they may, rejects when something was found. */
  inspect: ((roots: readonly Node[]) => Promise<void>) | null;
}

/** Says what operation made `result` out of others, so that who writes graphs down can call it by its name. */
export function named<N extends Node>(name: string, inputs: readonly Node[], attributes: unknown, result: N): N {
  hooks.onComposite?.(name, inputs, attributes, result);
  return result;
}

/** Runs `work` on placeholders, which nobody can compute: debugging sees what stands for them in the end. */
export function unseen<T>(work: () => T): T {
  const { onNode, onIndices } = hooks;
  hooks.onNode = null;
  hooks.onIndices = null;
  try {
    return work();
  } finally {
    hooks.onNode = onNode;
    hooks.onIndices = onIndices;
  }
}

export const hooks: Hooks = {
  onComposite: null,
  onNode: null,
  onIndices: null,
  onGradient: null,
  onChain: null,
  inspect: null,
};
