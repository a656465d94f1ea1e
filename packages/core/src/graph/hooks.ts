/** Where debugging listens to the graph being built. */
import type { Node } from './node.ts';

export interface Hooks {
  /** After an operation made a node. */
  onNode: ((node: Node) => void) | null;
}

export const hooks: Hooks = { onNode: null };
