/** What happens to values that were computed with a parameter's old value once the new one has taken its memory. */
import { letInputsGo, type Node } from '../graph/node.ts';
import type { Storage } from '../graph/storage.ts';
import { nextVisit } from '../graph/walk.ts';

/** Realised nodes that depend on spent memory keep their value but lose their inputs. */
export function cutSpent(nodes: readonly Node[], spent: ReadonlyMap<Storage, string>): void {
  const clean = nextVisit();
  // all are known before one is cut, for others may lead through it
  const reasons: (string | undefined)[] = [];
  for (const node of nodes) reasons.push(node.storage === null ? undefined : spentBehind(node, spent, clean));
  for (let k = 0; k < nodes.length; k++) {
    const node = nodes[k]!;
    const parameter = reasons[k];
    if (parameter === undefined || node.inputs.length === 0) continue;
    letInputsGo(node);
    node.cut = `was computed with the value of ${parameter || 'a parameter'} before the last step: take what is carried from one step to the next out of the path with stopGradient().`;
  }
}

/**
 * The parameter of the first spent memory behind a node: in a step it is near, so the walk goes no further. What is found to lead
 * to none is marked `clean`, and entered once.
 */
function spentBehind(from: Node, spent: ReadonlyMap<Storage, string>, clean: number): string | undefined {
  const visit = nextVisit();
  const stack: Node[] = [from];
  const met: Node[] = [];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (node.visit === visit || node.visit === clean) continue;
    node.visit = visit;
    met.push(node);
    const { inputs, storage } = node;
    if (inputs.length === 0) {
      const parameter = storage === null ? undefined : spent.get(storage);
      if (parameter !== undefined) return parameter;
    }
    for (let k = inputs.length - 1; k >= 0; k--) stack.push(inputs[k]!);
  }
  for (const node of met) node.visit = clean;
  return undefined;
}
