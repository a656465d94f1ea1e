/** Models as ONNX files: traces `forward`, names what it finds, writes. */
import {
  checkOptions,
  type GraphNode,
  namedParameters,
  type Parameter,
  type Tensor,
  type TensorData,
  ValueError,
} from '@nn/core';
import { GraphBuilder } from './builder.ts';
import { type EncodedValue, encodeModel, type ModelFiles } from './encode.ts';
import { type Dimension, type InputSpecification, type Item, Traces } from './traces.ts';
import { NodeWriter } from './write-nodes.ts';

/** Something with a `forward` of tensors. */
export interface Exported {
  readonly forward: (...inputs: never[]) => unknown;
}

export interface EncodeOnnxOptions {
  /** The operator set, 17 (the default, which every runtime reads) to 23. */
  readonly opset?: number;
  /**
   * Sizes that may differ from call to call: `{ batch: 0 }` frees axis 0 of every input; a list says an axis for each input, or
   * null for one that has none.
   */
  readonly dynamic?: Readonly<Record<string, number | readonly (number | null)[]>>;
  /** 'int32' for inputs that are indices, for all or one by one. Default 'float32'. */
  readonly dtype?: 'float32' | 'int32' | readonly ('float32' | 'int32')[];
  /** Names of the inputs; by default 'input', or 'input_0', 'input_1', ... */
  readonly inputs?: readonly string[];
  /** Names of the outputs; by default 'output', or those of the record that `forward` gives. */
  readonly outputs?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface EncodeOnnxFilesOptions extends EncodeOnnxOptions {
  /** The name of the file beside the model that takes the weights. */
  readonly external: string;
}

/**
 * The bytes of an ONNX file (IR 8) that computes what `model.forward` does in evaluation, with weights under their state-dict
 * names and operators that readers know: Gemm, Conv, LSTM, LayerNormalization, Softmax. `inputShapes` is the shape of the input, or a
 * list of shapes.
 *
 * With `external` the weights go into a file of their own, which models past 2 GiB need: the result is then `{ model, data }`.
 * Throws ValueError for operations that ONNX has nothing for, and for sizes that do not follow the free ones.
 *
 * @example
 * import { Linear, Sequential, Tanh } from '@nn/layers';
 * import { encodeOnnx, loadOnnx } from '@nn/onnx';
 * const bytes = await encodeOnnx(new Sequential(new Linear(3, 2), new Tanh()), [1, 3], { dynamic: { batch: 0 } });
 * const { inputs } = await loadOnnx(bytes);
 * console.log(inputs[0]?.shape); // => ['batch', 3]
 */
export function encodeOnnx(
  model: Exported,
  inputShapes: readonly number[] | readonly (readonly number[])[],
  options: EncodeOnnxFilesOptions,
): Promise<ModelFiles>;
export function encodeOnnx(
  model: Exported,
  inputShapes: readonly number[] | readonly (readonly number[])[],
  options?: EncodeOnnxOptions,
): Promise<Uint8Array>;
export async function encodeOnnx(
  model: Exported,
  inputShapes: readonly number[] | readonly (readonly number[])[],
  options: EncodeOnnxOptions & Partial<EncodeOnnxFilesOptions> = {},
): Promise<Uint8Array | ModelFiles> {
  checkOptions('encodeOnnx', options, ['opset', 'dynamic', 'dtype', 'inputs', 'outputs', 'metadata', 'external']);
  const { opset = 17, metadata, external } = options;
  if (!Number.isInteger(opset) || opset < 17 || opset > 23) {
    throw new ValueError('encodeOnnx/opset', `opset is ${opset}: 17 to 23 are written.`, { opset });
  }
  const specifications = inputsOf(inputShapes, options);
  const inputNames = namesOf(options.inputs, specifications.length, 'input');
  const call = (inputs: readonly Tensor[]): unknown => Reflect.apply(model.forward, model, [...inputs]);
  const traces = new Traces(model, call, specifications);
  const sources = new Map<string, { input: string; axis: number }>();
  specifications.forEach(({ free }, k) => {
    for (const [axis, name] of free) if (!sources.has(name)) sources.set(name, { input: inputNames[k]!, axis });
  });
  const builder = new GraphBuilder(opset, sources);
  const outputNames = options.outputs ?? traces.outputNames;
  if (outputNames.length !== traces.outputs.length) {
    throw new ValueError(
      'encodeOnnx/outputs',
      `${outputNames.length} names for ${traces.outputs.length} outputs were given.`,
    );
  }
  for (const name of [...inputNames, ...outputNames]) builder.unique(name);

  const parameters = namedParameters(model);
  const found = leavesOf(traces);
  const data = new Map<GraphNode, TensorData>();
  await Promise.all(found.map(async (node) => void data.set(node, await node.tensor.data())));
  const leaves = new Map<GraphNode, string>(traces.inputs.map((item, k) => [item[0]!, inputNames[k]!]));
  const weights = new Map<GraphNode, [string, Parameter]>();
  for (const [name, parameter] of parameters) {
    const node = traces.shared(parameter);
    if (!leaves.has(node)) {
      leaves.set(node, name);
      weights.set(node, [name, parameter]);
      builder.unique(name);
    }
  }
  for (const [node, [, parameter]] of weights) if (!data.has(node)) data.set(node, await parameter.data());

  const writer = new NodeWriter(builder, traces, leaves, data);
  for (const [k, item] of traces.outputs.entries()) builder.output(writer.write(item), outputNames[k]!);
  const used = new Set(builder.nodes.flatMap(({ inputs }) => inputs));
  for (const [node, [name]] of weights) {
    if (used.has(name)) builder.weight(name, node.dtype, node.shape, data.get(node)!);
  }
  const files = encodeModel({
    graph: {
      name: 'nn',
      nodes: builder.nodes,
      inputs: traces.inputs.map((item, k) => valueFor(inputNames[k]!, item, traces.shapeOf(item))),
      outputs: traces.outputs.map((item, k) => valueFor(outputNames[k]!, item, traces.shapeOf(item))),
      initializers: builder.initializers.filter(({ name }) => used.has(name)),
    },
    opset,
    ...(metadata === undefined ? {} : { metadata }),
    ...(external === undefined ? {} : { external: { name: external, threshold: 1024 } }),
  });
  return external === undefined ? files.model : files;
}

function valueFor(name: string, item: Item, shape: readonly Dimension[]): EncodedValue {
  return {
    name,
    type: item[0]!.dtype,
    shape: shape.map((size, axis) => {
      if (typeof size === 'number') return size;
      return size !== 'irregular' && size.slope === 1 && size.offset === 0 ? size.name : `${name}_${axis}`;
    }),
  };
}

function namesOf(given: readonly string[] | undefined, count: number, usual: string): readonly string[] {
  if (given !== undefined && given.length !== count) {
    throw new ValueError('encodeOnnx/inputs', `${given.length} names for ${count} inputs were given.`);
  }
  return given ?? (count === 1 ? [usual] : Array.from({ length: count }, (_, k) => `${usual}_${k}`));
}

function inputsOf(
  shapes: readonly number[] | readonly (readonly number[])[],
  { dynamic = {}, dtype = 'float32' }: EncodeOnnxOptions,
): InputSpecification[] {
  const isShape = (value: unknown): value is readonly number[] =>
    Array.isArray(value) && value.every((size) => Number.isInteger(size) && size >= 0);
  const list: unknown = isShape(shapes) ? [shapes] : shapes;
  if (!Array.isArray(list) || !list.every(isShape)) {
    throw new ValueError(
      'encodeOnnx/shapes',
      `the input shapes are ${JSON.stringify(shapes)}: give the shape of the input, as [1, 784], or a list with one for each.`,
    );
  }
  return list.map((shape, k) => {
    const free = new Map<number, string>();
    for (const [name, axes] of Object.entries(dynamic)) {
      const axis = typeof axes === 'number' ? axes : (axes[k] ?? null);
      if (axis === null) continue;
      const normal = axis < 0 ? axis + shape.length : axis;
      if (!(normal in shape)) {
        throw new ValueError(
          'encodeOnnx/dynamic',
          `'${name}' is axis ${axis}, and input ${k} is [${shape.join(', ')}].`,
        );
      }
      free.set(normal, name);
    }
    return { shape, dtype: typeof dtype === 'string' ? dtype : (dtype[k] ?? 'float32'), free };
  });
}

/** Leaves with values that are no inputs of the model. */
function leavesOf(traces: Traces): GraphNode[] {
  const inputs = new Set(traces.inputs.map((item) => item[0]!));
  const seen = new Set<GraphNode>();
  const stack = traces.outputs.map((item) => item[0]!);
  const leaves: GraphNode[] = [];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node) || inputs.has(node)) continue;
    seen.add(node);
    if (node.operation === 'data') leaves.push(node);
    stack.push(...node.inputs);
  }
  return leaves;
}
