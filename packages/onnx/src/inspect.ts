/** What a file of ONNX holds, without binding its weights: for `npx @nn/onnx inspect`, and for pages that show a model. */
import { checkOptions } from '@nn/core';
import { downloadOptionNames, inspectionText } from '@nn/serialize/formats';
import { bitsOf, elementTypeOf } from './format/element-types.ts';
import { openModelOf } from './load/load-onnx.ts';
import { type OnnxSource, readSource, type SourceOptions } from './load/source.ts';
import { describe, infoOf, type OnnxValueInfo } from './onnx-model.ts';
import type { UnsupportedNode } from './run/graph.ts';
import { sizeOf } from './values/value.ts';

export interface OnnxNodeReport {
  readonly operator: string;
  readonly name: string;
  readonly outputs: readonly string[];
  /** Shapes of the weights that the node reads. */
  readonly weights: readonly (readonly number[])[];
}

export interface OnnxReport {
  readonly irVersion: number;
  readonly producer: string;
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly nodes: readonly OnnxNodeReport[];
  /** Elements and bytes of all weights. */
  readonly weights: { readonly elements: number; readonly bytes: number };
  /** Other files that hold weights. */
  readonly external: readonly string[];
  /** Nodes that `loadOnnx` would refuse, those inside of branches and loops too. */
  readonly unsupported: readonly UnsupportedNode[];
  /** The report as a table, which is also what Node's console shows. */
  toString(): string;
}

/**
 * What a file of ONNX holds: versions, inputs, outputs, nodes, weights, and what is not supported. Weights are not bound, and
 * those in other files not read. Throws FormatError for what is no ONNX file.
 *
 * @example
 * import { Linear } from '@nn/layers';
 * import { encodeOnnx, inspectOnnx } from '@nn/onnx';
 * const report = await inspectOnnx(await encodeOnnx(new Linear(3, 2), [1, 3]));
 * console.log(report.nodes.map(({ operator }) => operator).join(' '), report.weights.elements, report.unsupported.length); // => Gemm Identity 8 0
 */
export async function inspectOnnx(source: OnnxSource, options: SourceOptions = {}): Promise<OnnxReport> {
  checkOptions('inspectOnnx', options, ['signal', ...downloadOptionNames]);
  const { message, graph, ready } = await openModelOf(await readSource(source, options));
  const weights = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  let elements = 0;
  let bytes = 0;
  const external = new Set<string>();
  for (const { shape, type, external: place, isExternal } of weights.values()) {
    const known = elementTypeOf(type);
    elements += sizeOf(shape);
    bytes += Math.ceil((sizeOf(shape) * (known === undefined ? 0 : bitsOf(known))) / 8);
    if (isExternal) external.add(place.get('location') ?? '');
  }
  const facts = {
    irVersion: message.irVersion,
    producer: `${message.producer} ${message.producerVersion}`.trim(),
    opsets: message.opsets,
    metadata: message.metadata,
    inputs: graph.inputs.filter(({ name }) => !weights.has(name)).map(infoOf),
    outputs: graph.outputs.map(infoOf),
    nodes: graph.nodes.map(({ operator, domain, name, inputs, outputs }) => ({
      operator: domain === '' ? operator : `${domain}:${operator}`,
      name: name || (outputs[0] ?? ''),
      outputs,
      weights: inputs.flatMap((input) => {
        const found = weights.get(input);
        return found === undefined ? [] : [found.shape];
      }),
    })),
    weights: { elements, bytes },
    external: [...external],
    unsupported: ready.unsupported,
  };
  const asText = (): string => textOf(typeof source === 'string' ? source : 'the file', facts);
  return { ...facts, toString: asText, [Symbol.for('nodejs.util.inspect.custom')]: asText };
}

function textOf(title: string, report: Omit<OnnxReport, 'toString'>): string {
  const { irVersion, producer, opsets, metadata, inputs, outputs, nodes, weights, external, unsupported } = report;
  const versions = [...opsets].map(([domain, version]) => `${domain === '' ? 'ai.onnx' : domain} ${version}`);
  const written = producer === '' ? '' : `, by ${producer}`;
  const shown = ({ weights: shapes }: OnnxNodeReport): string =>
    shapes.map((shape) => `[${shape.join(', ')}]`).join(' ');
  const values = (list: readonly OnnxValueInfo[]): string[] => list.map((info) => `${info.name}: ${describe(info)}`);
  return inspectionText({
    title: `${title}: ONNX, IR ${irVersion}, opset ${versions.join(', ')}${written}, ${nodes.length === 1 ? '1 node' : `${nodes.length} nodes`}`,
    columns: ['operator', 'node', 'weights', 'elements'],
    rows: nodes.map((node) => [
      node.operator,
      node.name,
      shown(node),
      node.weights.reduce((sum, shape) => sum + sizeOf(shape), 0),
    ]),
    totals: ['total', '', `${weights.bytes} bytes`, weights.elements],
    sections: [
      { title: 'inputs', lines: values(inputs) },
      { title: 'outputs', lines: values(outputs) },
      { title: 'metadata', lines: [...metadata].map(([key, value]) => `${key}: ${value}`) },
      { title: 'weights in other files', lines: external },
      {
        title: 'not supported',
        lines: unsupported.map(({ operator, node, version }) => `${node}: ${operator} of opset ${version}`),
      },
    ],
  });
}
