/**
 * Two graphs that one model made, of an input and of a baseline, node by node. Owns which node belongs to which, and which of
 * them change with the input.
 */
import { type GraphNode, type Tensor, traceGraph, ValueError } from '@nn/core';

export interface Twins {
  /** Of the input. */
  readonly output: Tensor;
  /** Of the baseline. */
  readonly baselineOutput: Tensor;
  /** The node in the baseline's graph; undefined for what does not change with the input. */
  twinOf(node: GraphNode): GraphNode | undefined;
  /** The operation that a node stands for, where it is made of others. */
  compositeOf(node: GraphNode): { readonly name: string; readonly attributes: unknown } | undefined;
}

/** Calls the model with the inputs and with the baselines. Throws ValueError where it does not do the same with both. */
export function twins(
  operation: string,
  call: (inputs: readonly Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  baselines: readonly Tensor[],
): Twins {
  const { result, nodeOf, compositeOf } = traceGraph(() => ({ output: call(inputs), other: call(baselines) }));
  // null: met, and the same whatever the input is
  const twin = new Map<GraphNode, GraphNode | null>();
  for (const [k, x] of inputs.entries()) twin.set(nodeOf(x), nodeOf(baselines[k] as Tensor));
  const stack: [GraphNode, GraphNode, boolean][] = [[nodeOf(result.output), nodeOf(result.other), false]];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [node, other, isLeft] = top;
    if (isLeft) {
      twin.set(node, node.inputs.some((input) => twin.get(input)) ? other : null);
    } else if (!twin.has(node)) {
      twin.set(node, null);
      if (node === other) continue;
      if (node.operation !== other.operation || node.inputs.length !== other.inputs.length) {
        throw new ValueError(
          operation,
          `the model does ${node.operation} with the input and ${other.operation} with the baseline: it must do the same with both.`,
        );
      }
      stack.push([node, other, true]);
      for (const [k, input] of node.inputs.entries()) stack.push([input, other.inputs[k] as GraphNode, false]);
    }
  }
  return {
    output: result.output,
    baselineOutput: result.other,
    twinOf: (node) => twin.get(node) ?? undefined,
    compositeOf,
  };
}
