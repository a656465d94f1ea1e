/** From the bytes of a file to a layer: recognises, reads, checks that everything is supported, then binds weights. */
import { checkOptions, FormatError } from '@nn/core';
import { anyKind, downloadOptionNames } from '@nn/serialize/formats';
import type { GraphMessage, ModelMessage } from '../format/model.ts';
import { readModel } from '../format/model.ts';
import { OnnxModel } from '../onnx-model.ts';
import { ReadyModel, type UnsupportedNode } from '../run/graph.ts';
import { Scope } from '../run/interpreter.ts';
import { otherKind } from './kind.ts';
import { type ExternalFiles, filesBeside, type OnnxSource, readSource, type SourceOptions } from './source.ts';
import { bindWeights, type Trainable } from './weights.ts';

export interface LoadOnnxOptions extends SourceOptions {
  /** Where weights lie that are in files of their own; by default, in Node, the model's folder. */
  readonly external?: ExternalFiles;
  /**
   * Which weights become parameters: all by default. Others are constants, and what follows from constants alone is computed
   * once, at load.
   */
  readonly trainable?: Trainable;
}

/** A model that was read, before anything is bound. */
export interface OpenModel {
  readonly message: ModelMessage;
  readonly graph: GraphMessage;
  readonly ready: ReadyModel;
}

/** Reads a model and says what is wrong with it. Throws FormatError for what is none. */
function openModel(bytes: Uint8Array): OpenModel {
  const other = otherKind(bytes);
  if (other !== undefined) throw new FormatError('loadOnnx/kind', other);
  const message = readModel(bytes);
  const { graph } = message;
  if (graph === null || message.irVersion < 1 || message.irVersion > 100) {
    throw new FormatError(
      'loadOnnx/kind',
      'the file holds no ONNX graph: it is another format, or damaged (a SavedModel of TensorFlow is converted by tf2onnx).',
    );
  }
  return { message, graph, ready: new ReadyModel(message, graph) };
}

/** As `openModel`; what is another format that one of our packages knows is called by its name. */
export async function openModelOf(bytes: Uint8Array): Promise<OpenModel> {
  try {
    return openModel(bytes);
  } catch (error) {
    if (!/^format\/loadOnnx\/(kind|damaged|truncated)$/.test(String(Object(error).kind))) throw error;
    const other = otherKind(bytes) === undefined ? anyKind(bytes.subarray(0, 512)) : undefined;
    // A model that is cut off begins as one.
    if (other === undefined || other.includes('model of ONNX')) throw error;
    throw new FormatError('loadOnnx/kind', other);
  }
}

/** One line for each kind of node that is not supported. */
export function describeUnsupported(nodes: readonly UnsupportedNode[]): string[] {
  const byOperator = new Map<string, UnsupportedNode[]>();
  for (const node of nodes) byOperator.set(node.operator, [...(byOperator.get(node.operator) ?? []), node]);
  return [...byOperator].map(([operator, list]) => {
    const names = list.slice(0, 3).map(({ node }) => `'${node}'`);
    const more = list.length > 3 ? `, and ${list.length - 3} more` : '';
    return `${operator} (opset ${list[0]?.version}): ${names.join(', ')}${more}`;
  });
}

/**
 * A network from an ONNX file as a layer: opsets 1 to 28, weights as parameters under the file's names, shapes of free sizes
 * bound at each call. Everything about shapes is computed on the host while the graph is built, so a call costs what the same
 * network written here costs. Products of operands that are read back from bytes (QuantizeLinear and DequantizeLinear around Gemm, MatMul,
 * Conv; MatMulInteger, ConvInteger, QLinearMatMul, QLinearConv) are made of the bytes; such weights stay bytes and are not trained.
 *
 * `source` is a path (in Node), an address ('https://...', 'hf://owner/name/file@revision'), bytes, a Blob or File. Throws FormatError for what is no ONNX file, for a damaged
 * one, and, before any work is done, for one with nodes that are not supported: the message lists all of them.
 *
 * @example
 * import { Linear, ReLU, Sequential } from '@nn/layers';
 * import { namedParameters, ones } from '@nn/core';
 * import { encodeOnnx, loadOnnx } from '@nn/onnx';
 * const bytes = await encodeOnnx(new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2)), [1, 3]);
 * const model = await loadOnnx(bytes);
 * console.log(model.forward(ones([1, 3])).shape, [...namedParameters(model).keys()].join(' ')); // => [1, 2] 0.weight 0.bias 2.weight 2.bias
 */
export async function loadOnnx(source: OnnxSource, options: LoadOnnxOptions = {}): Promise<OnnxModel> {
  checkOptions('loadOnnx', options, ['external', 'trainable', 'signal', ...downloadOptionNames]);
  const { external, trainable = true, ...reading } = options;
  const { message, graph, ready } = await openModelOf(await readSource(source, reading));
  if (ready.unsupported.length > 0) {
    const { length } = ready.unsupported;
    throw new FormatError(
      'loadOnnx/unsupported',
      `${length === 1 ? 'a node is' : `${length} nodes are`} not supported: ${describeUnsupported(ready.unsupported).join('; ')}.`,
      { nodes: ready.unsupported },
    );
  }
  const sparse = [...ready.graphs.keys()].find(({ hasSparse }) => hasSparse);
  if (sparse !== undefined) {
    throw new FormatError(
      'loadOnnx/sparse',
      `the graph '${sparse.name}' has sparse weights, which are not read: make them dense before the export.`,
    );
  }
  const scope = new Scope();
  const parameters = await bindWeights(ready, graph, scope, trainable, filesBeside(source, external, reading));
  reading.signal?.throwIfAborted();
  return new OnnxModel({ message, graph, ready, scope, parameters });
}
