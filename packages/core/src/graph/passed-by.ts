/**
 * Nodes that were made in another way than was asked for: the transpose of a product is the product of the transposes, so the
 * product itself is not on the way to it. Whoever wants a gradient with respect to that product, which he may hold, needs the
 * way that he asked for; it is kept here, weakly, because nobody can ask for a node that nobody holds.
 */
import type { Node } from './node.ts';

const asAsked = new WeakMap<Node, { readonly past: readonly WeakRef<Node>[]; readonly make: Make }>();
const passedBy = new WeakSet<Node>();

/** `past`: undefined where nobody holds the node any more. Null: it cannot be made. */
type Make = (past: readonly (Node | undefined)[], node: Node) => Node | null;

/** Notes that `node` was made past the nodes `past`; `make` gives what was asked for, and keeps no node alive. */
export function notePassedBy(node: Node, past: readonly Node[], make: Make): Node {
  for (const one of past) passedBy.add(one);
  asAsked.set(node, { past: past.map((one) => new WeakRef(one)), make });
  return node;
}

/** Whether a gradient with respect to the node needs the ways that were asked for. */
export function isPassedBy(node: Node): boolean {
  return passedBy.has(node);
}

/** The node as it was asked for, of equal value; itself where it was made so, or nobody holds what it was made past. */
export function asAskedFor(node: Node): Node {
  const found = asAsked.get(node);
  if (found === undefined) return node;
  const past = found.past.map((one) => one.deref());
  return past.some((one) => one !== undefined) ? (found.make(past, node) ?? node) : node;
}
