/** What the compiler makes of tensors, as text: the graph, the kernels, and what memory they share. */
import { type Device, deviceOf } from './compile/device.ts';
import { renderProgram } from './compile/render.ts';
import { awaitsHost, traceGraph } from './compile/trace.ts';
import type { Node } from './graph/node.ts';
import { getDefaultBackend } from './settings.ts';
import { show } from './shape.ts';
import type { Tensor } from './tensor.ts';

/**
 * The graph and the Program that would compute the tensors now, and before them those for what only the host computes.
 * Nothing is run.
 *
 * @example
 * import { explain, tensor } from '@nn/core';
 * const x = tensor([1, 2, 3]);
 * console.log(explain(x.mul(2).add(1)).includes('1 steps')); // => true
 */
export function explain(...tensors: readonly Tensor[]): string {
  const nodes = tensors.map(({ node }) => node);
  const backend = nodes.find((node) => node.backend !== null)?.backend ?? getDefaultBackend();
  const device = deviceOf(backend);
  const before = device.hostWork(withElements(nodes), []).map((work) => {
    const inputs = [...new Set(work.flatMap((node) => node.inputs))];
    const what = work.map(({ primitive, dtype, shape }) => `${primitive.name} ${dtype}${show(shape)}`);
    return `${explainOn(device, inputs)}\n\nthen on the host, in double precision: ${what.join(', ')}\n\n`;
  });
  return `${before.join('')}${explainOn(device, nodes)}`;
}

const withElements = (nodes: readonly Node[]): Node[] => nodes.filter(({ shape }) => !shape.includes(0));

function explainOn(device: Device, nodes: readonly Node[]): string {
  const graph = renderGraph(nodes);
  const { plan } = device.prepare(withElements(nodes), []);
  const paths = plan.executable?.paths;
  const taken =
    paths === undefined
      ? ''
      : `\n\npaths on ${device.backend.name}\n${paths.map((path, k) => `  step ${k}: ${path}`).join('\n')}`;
  return `graph\n${graph}\n\n${renderProgram(plan.program)}${taken}`;
}

function renderGraph(nodes: readonly Node[]): string {
  const { order, roots } = traceGraph(nodes, false, []);
  const positions = new Map(order.map((node, position) => [node, position]));
  const lines = order.map((node, position) => {
    const isLeaf = node.storage !== null;
    const inputs = isLeaf || awaitsHost(node) ? [] : node.inputs.flatMap((input) => positions.get(input) ?? []);
    const owner = node.storage?.owner?.name;
    const operation = `${node.primitive.name}${awaitsHost(node) ? ' on the host' : ''}`;
    const name = isLeaf ? (owner === undefined ? 'data' : `parameter ${owner}`) : operation;
    const mark = roots.includes(node) ? '*' : ' ';
    return `${mark} #${position} ${name}(${inputs.map((input) => `#${input}`).join(', ')}) ${node.dtype}${show(node.shape)}`;
  });
  return lines.join('\n');
}
