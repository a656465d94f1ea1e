/** What happens to values that were computed with a parameter's old value once the new one has taken its memory. */
import { letInputsGo, type Node } from '../graph/node.ts';
import type { Storage } from '../graph/storage.ts';
import { inputsFirst } from '../graph/walk.ts';

/** Realised nodes that depend on spent memory keep their value but lose their inputs. */
export function cutSpent(nodes: readonly Node[], spent: ReadonlyMap<Storage, string>): void {
  const order = inputsFirst(nodes, ({ inputs }) => inputs);
  const parameterOf: (string | undefined)[] = new Array(order.length);
  order.forEach((node, position) => {
    if (node.inputs.length === 0) {
      if (node.storage !== null) parameterOf[position] = spent.get(node.storage);
      return;
    }
    for (const { order: input } of node.inputs) parameterOf[position] ??= parameterOf[input];
  });
  const reasons = nodes.map((node) => parameterOf[node.order]);
  nodes.forEach((node, k) => {
    const parameter = reasons[k];
    if (parameter === undefined || node.storage === null || node.inputs.length === 0) return;
    letInputsGo(node);
    node.cut = `was computed with the value of ${parameter || 'a parameter'} before the last step: take what is carried from one step to the next out of the path with stopGradient().`;
  });
}
