/** What the compiler makes of tensors, as text: the graph, the kernels, and what memory they share. */
import { deviceOf } from './compile/device.ts';
import { renderProgram } from './compile/render.ts';
import { traceGraph } from './compile/trace.ts';
import type { Node } from './graph/node.ts';
import { getDefaultBackend } from './settings.ts';
import { show } from './shape.ts';
import type { Tensor } from './tensor.ts';

/**
 * The graph and the Program that would compute the tensors now. Nothing is run.
 *
 * @example
 * import { explain, tensor } from '@nn/core';
 * const x = tensor([1, 2, 3]);
 * console.log(explain(x.mul(2).add(1)).includes('1 steps')); // => true
 */
export function explain(...tensors: readonly Tensor[]): string {
  const nodes = tensors.map(({ node }) => node);
  const backend = nodes.find((node) => node.backend !== null)?.backend ?? getDefaultBackend();
  const graph = renderGraph(nodes);
  const { plan } = deviceOf(backend).prepare(
    nodes.filter(({ shape }) => !shape.includes(0)),
    [],
  );
  const paths = plan.executable?.paths;
  const taken =
    paths === undefined
      ? ''
      : `\n\npaths on ${backend.name}\n${paths.map((path, k) => `  step ${k}: ${path}`).join('\n')}`;
  return `graph\n${graph}\n\n${renderProgram(plan.program)}${taken}`;
}

function renderGraph(nodes: readonly Node[]): string {
  const { order, roots } = traceGraph(nodes, false, []);
  const positions = new Map(order.map((node, position) => [node, position]));
  const lines = order.map((node, position) => {
    const isLeaf = node.storage !== null;
    const inputs = isLeaf ? [] : node.inputs.flatMap((input) => positions.get(input) ?? []);
    const owner = node.storage?.owner?.name;
    const name = isLeaf ? (owner === undefined ? 'data' : `parameter ${owner}`) : node.primitive.name;
    const mark = roots.includes(node) ? '*' : ' ';
    return `${mark} #${position} ${name}(${inputs.map((input) => `#${input}`).join(', ')}) ${node.dtype}${show(node.shape)}`;
  });
  return lines.join('\n');
}
