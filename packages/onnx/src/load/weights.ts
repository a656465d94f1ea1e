/**
 * What of a file is trained and what is constant. Weights become parameters under the names of the file, statistics of
 * batches become buffers, and everything that follows from constants alone is computed once.
 */
import { FormatError, isNNError, type Parameter, parameter } from '@nn/core';
import { isFloat } from '../format/element-types.ts';
import type { GraphMessage, NodeMessage, TensorMessage } from '../format/model.ts';
import { decodeTensor } from '../format/tensors.ts';
import { graphsOf, namesRead, type ReadyGraph, type ReadyModel } from '../run/graph.ts';
import { runNode, runWaiting, type Scope } from '../run/interpreter.ts';
import { DeviceTensor, HostTensor, type MaybeValue, sizeOf, type TextTensor, type Value } from '../values/value.ts';
import type { ReadBeside } from './source.ts';

/** Inputs that say how an operator works rather than what it multiplies: never trained, and wanted on the host. */
const settings: Readonly<Record<string, readonly number[]>> = {
  Resize: [1, 2, 3],
  Upsample: [1],
  Pad: [1, 2],
  Clip: [1, 2],
  Dropout: [1, 2],
  Range: [0, 1, 2],
  NonMaxSuppression: [2, 3, 4],
  OneHot: [1, 2],
  QuantizeLinear: [1, 2],
  DequantizeLinear: [1, 2],
  QLinearMatMul: [1, 2, 4, 5, 6, 7],
  QLinearConv: [1, 2, 4, 5, 6, 7],
  RotaryEmbedding: [1, 2, 3],
  STFT: [1, 2, 3],
  Pow: [1],
};

/** Inputs that move while training, but by no gradient. */
const statistics: Readonly<Record<string, readonly number[]>> = { BatchNormalization: [3, 4] };

/** Operators that give something else each time, or in training: never computed beforehand. */
const neverFolded = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Bernoulli',
  'Multinomial',
  'Dropout',
  'BatchNormalization',
]);

/** The most elements that a constant grows to, unless what it was made of was large as well. */
const largestFolded = 2 ** 16;

export type Trainable = boolean | ((name: string) => boolean);

/** The parameters of a graph, which it puts into `scope` with all constants. */
export async function bindWeights(
  ready: ReadyModel,
  graph: GraphMessage,
  scope: Scope,
  trainable: Trainable,
  beside: ReadBeside,
): Promise<Map<string, Parameter>> {
  await fetchOutside(ready, beside);
  const roles = rolesOf(graph);
  const isTrained = (name: string): boolean => (typeof trainable === 'function' ? trainable(name) : trainable);
  const found = new Map<string, Parameter>();
  const bind = (name: string, value: HostTensor | TextTensor): MaybeValue => {
    const role = roles.get(name) ?? 'weight';
    const isNumber = value.kind === 'text' || !isFloat(value.type) || value.shape.length === 0;
    if (isNumber || role === 'setting' || (role === 'weight' && !isTrained(name))) return value;
    const made = parameter(Float32Array.from(value.data), {
      shape: value.shape,
      borrow: true,
      name,
      ...(role === 'statistic' ? { buffer: true } : {}),
    });
    found.set(name, made);
    return new DeviceTensor(value.type, made);
  };
  for (const message of graph.initializers) scope.values.set(message.name, bind(message.name, decodeTensor(message)));
  await fold(ready, graph, scope, (name, value) => {
    // old writers keep weights in Constant nodes
    const isWeight =
      value.kind === 'host' &&
      value.data.length > 1 &&
      (roles.get(name) === 'weight' || roles.get(name) === 'statistic');
    return isWeight ? bind(name, value) : value;
  });
  return found;
}

type Role = 'weight' | 'statistic' | 'setting';

/** What each name is used as; where uses differ, the first one that trains it least. */
function rolesOf(graph: GraphMessage): Map<string, Role> {
  const roles = new Map<string, Role>();
  const products = new Set([
    'Conv',
    'ConvTranspose',
    'Gemm',
    'MatMul',
    'PRelu',
    'BatchNormalization',
    'LSTM',
    'GRU',
    'RNN',
    'LayerNormalization',
    'InstanceNormalization',
    'GroupNormalization',
  ]);
  const initial = new Set(graph.initializers.map(({ name }) => name));
  const note = (name: string, role: Role): void => {
    if (roles.get(name) !== 'setting') roles.set(name, role);
  };
  for (const { operator, inputs } of graph.nodes) {
    inputs.forEach((name, k) => {
      if (settings[operator]?.includes(k)) note(name, 'setting');
      else if (statistics[operator]?.includes(k)) note(name, 'statistic');
      else if (initial.has(name) || (products.has(operator) && k > 0)) note(name, 'weight');
    });
  }
  return roles;
}

/** Runs every node whose inputs are constants, in order. */
async function fold(
  ready: ReadyModel,
  graph: GraphMessage,
  scope: Scope,
  bind: (name: string, value: Value) => MaybeValue,
): Promise<void> {
  const isConstant = (name: string): boolean => {
    const value = scope.find(name);
    return value !== undefined && value !== null && value.kind !== 'device' && value.kind !== 'sequence';
  };
  for (const node of ready.get(graph).nodes) {
    const { message } = node;
    if (neverFolded.has(message.operator) || !namesRead(message).every(isConstant)) continue;
    if (graphsOf(message).length > 0 || isOfBytes(ready.get(graph), message, scope)) continue;
    const results = await runWaiting(runNode({ ready, listener: null, trains: false }, node, scope)).catch(ofTheFile);
    for (const [k, name] of message.outputs.entries()) {
      const value = results[k] ?? null;
      if (name === '' || value === null) continue;
      if (value.kind === 'device') {
        // what is larger than all that it was made of is made when it is used
        if (value.tensor.size > Math.max(largestFolded, 4 * sizeOfInputs(message, scope))) {
          for (const output of message.outputs) scope.values.delete(output);
          break;
        }
        const data = await value.tensor.data();
        scope.values.set(
          name,
          bind(
            name,
            new HostTensor(value.type, value.shape, data instanceof Float32Array ? data : Float64Array.from(data)),
          ),
        );
      } else scope.values.set(name, bind(name, value));
    }
  }
}

/** Whether a node makes weights of bytes into numbers that are multiplied with others made of bytes: those products take the bytes. */
function isOfBytes(
  { nodes, outputs }: ReadyGraph,
  { operator, inputs, outputs: [name] }: NodeMessage,
  scope: Scope,
): boolean {
  const levels = scope.find(inputs[0] ?? '') ?? null;
  if (operator !== 'DequantizeLinear' || levels?.kind !== 'host' || levels.shape.length < 2) return false;
  const makers = new Map(nodes.flatMap(({ message }) => message.outputs.map((output) => [output, message] as const)));
  const comesFromBytes = (value: string): boolean => {
    const maker = makers.get(value);
    if (maker === undefined) return false;
    if (maker.operator === 'DequantizeLinear') return true;
    return ['Reshape', 'Flatten', 'Transpose'].includes(maker.operator) && comesFromBytes(maker.inputs[0] ?? '');
  };
  const isMultiplied = (value: string | undefined): boolean => {
    if (value === undefined || outputs.includes(value)) return false;
    const readers = nodes.filter(({ message }) => message.inputs.includes(value));
    return readers.every(({ message }) => {
      if (message.operator === 'Transpose') return isMultiplied(message.outputs[0]);
      const isProduct = ['Gemm', 'MatMul', 'Conv'].includes(message.operator) && message.inputs[1] === value;
      return isProduct && comesFromBytes(message.inputs[0] ?? '');
    });
  };
  return (levels.type === 'int8' || levels.type === 'uint8') && isMultiplied(name);
}

/** What is wrong with a node whose inputs are all in the file is wrong with the file. */
function ofTheFile(error: unknown): never {
  if (!isNNError(error) || error.code === 'format' || error.code === 'backend') throw error;
  throw new FormatError('loadOnnx/node', error.message, error.data);
}

function sizeOfInputs({ inputs }: NodeMessage, scope: Scope): number {
  return inputs.reduce((sum, name) => {
    const value = scope.find(name) ?? null;
    return value === null || value.kind === 'sequence' ? sum : sum + sizeOf(value.shape);
  }, 0);
}

/** Puts bytes of other files in the place of pointers to them, in every graph of the model. */
async function fetchOutside(ready: ReadyModel, beside: ReadBeside): Promise<void> {
  for (const graph of ready.graphs.keys()) {
    const inAttributes = graph.nodes.flatMap(({ attributes }) =>
      [...attributes.values()].flatMap(({ tensor, tensors }) => (tensor === null ? tensors : [tensor])),
    );
    for (const message of [...graph.initializers, ...inAttributes])
      if (message.isExternal) await fetchTensor(message, beside);
  }
}

async function fetchTensor(message: TensorMessage, beside: ReadBeside): Promise<void> {
  const { external } = message;
  const length = external.get('length');
  message.raw = await beside(
    external.get('location') ?? '',
    Number(external.get('offset') ?? 0),
    length === undefined ? null : Number(length),
  );
  message.isExternal = false;
}
