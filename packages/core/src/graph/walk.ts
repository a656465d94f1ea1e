/** Walks over the graph. All are iterative: graphs of tens of thousands of nodes in a row are ordinary. */
import type { Node } from './node.ts';

let walks = 0;

/** A fresh mark for `node.visit`. */
export function nextVisit(): number {
  return ++walks;
}

/** Whether a gradient may go back from the node to its input `k`. */
export function passesGradient({ primitive }: Node, k: number): boolean {
  return primitive.withoutGradient?.includes(k) !== true;
}

/** The inputs that a gradient may go back to. */
export function inputsOfGradient(node: Node): readonly Node[] {
  if (node.primitive.withoutGradient === undefined) return node.inputs;
  return node.inputs.filter((_, k) => passesGradient(node, k));
}

/**
 * The nodes that `roots` reach through `inputsOf`, every node after its inputs. Each node's `order` is its place in the
 * list, until the next walk.
 */
export function inputsFirst(roots: readonly Node[], inputsOf: (node: Node) => readonly Node[]): Node[] {
  const visit = nextVisit();
  const order: Node[] = [];
  const stack: Node[] = [];
  const inputsOnStack: (readonly Node[])[] = [];
  const progress: number[] = [];
  const enter = (node: Node): void => {
    node.visit = visit;
    stack.push(node);
    inputsOnStack.push(inputsOf(node));
    progress.push(0);
  };
  for (const root of roots) {
    if (root.visit === visit) continue;
    enter(root);
    while (stack.length > 0) {
      const top = stack.length - 1;
      const inputs = inputsOnStack[top]!;
      const next = progress[top]!;
      if (next < inputs.length) {
        progress[top] = next + 1;
        const input = inputs[next]!;
        if (input.visit !== visit) enter(input);
      } else {
        const node = stack.pop()!;
        inputsOnStack.pop();
        progress.pop();
        node.order = order.length;
        order.push(node);
      }
    }
  }
  return order;
}
