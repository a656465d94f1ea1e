/**
 * onnxruntime-web on its WebAssembly provider: products, elementwise and inference; it does not train here.
 * Its inputs are arrays of the host, copied in and out on each run: that is part of its time.
 */
import { readFileSync } from 'node:fs';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { inferenceInput, modelData, modelSpec } from '../workloads/models.mjs';
import { operands, outcomeOf, samplePlaces } from '../workloads/operations.mjs';
import { encodeOnnx } from './onnx.mjs';

/** @typedef {import('./onnx.mjs').OnnxNode} OnnxNode */

/** @param {{ threads?: number }} options */
export async function start({ threads = 1 }) {
  env.wasm.numThreads = threads;
  env.logLevel = 'error';
  const file = new URL('../node_modules/onnxruntime-web/package.json', import.meta.url);
  return { version: JSON.parse(readFileSync(file, 'utf8')).version, detail: `wasm, ${threads} thread(s)` };
}

/** @type {Record<string, OnnxNode[]>} */
const formulas = {
  matmul: [{ type: 'MatMul', inputs: ['x0', 'x1'], outputs: ['y'] }],
  chain: [
    { type: 'Mul', inputs: ['x0', 'x1'], outputs: ['product'] },
    { type: 'Add', inputs: ['product', 'x2'], outputs: ['sum'] },
    { type: 'Tanh', inputs: ['sum'], outputs: ['tanh'] },
    { type: 'Sigmoid', inputs: ['x3'], outputs: ['sigmoid'] },
    { type: 'Mul', inputs: ['tanh', 'sigmoid'], outputs: ['y'] },
  ],
  rowSum: [{ type: 'ReduceSum', inputs: ['x0', 'axes'], outputs: ['y'], attributes: { keepdims: 0 } }],
  softmax: [{ type: 'Softmax', inputs: ['x0'], outputs: ['y'], attributes: { axis: 1 } }],
};

/** @param {string} name @param {string} input @param {string} output @returns {OnnxNode} y = x W^T + b, as PyTorch exports it */
const affine = (name, input, output) => ({
  type: 'Gemm',
  inputs: [input, `${name}.weight`, `${name}.bias`],
  outputs: [output],
  attributes: { transB: 1 },
});
/** @param {string} type @param {string} input @param {string} output @param {Record<string, number | readonly number[]>} [attributes] @returns {OnnxNode} */
const unary = (type, input, output, attributes = {}) => ({ type, inputs: [input], outputs: [output], attributes });
/** @param {string} name @param {string} input @param {string} output @returns {OnnxNode} */
const conv = (name, input, output) => ({
  type: 'Conv',
  inputs: [input, `${name}.weight`, `${name}.bias`],
  outputs: [output],
  attributes: { kernel_shape: [3, 3] },
});

/** @type {Record<string, OnnxNode[]>} */
const graphs = {
  mlp: [
    affine('0', 'x0', 'a'),
    unary('Relu', 'a', 'b'),
    affine('2', 'b', 'c'),
    unary('Relu', 'c', 'd'),
    affine('4', 'd', 'y'),
  ],
  cnn: [
    conv('0', 'x0', 'a'),
    unary('Relu', 'a', 'b'),
    conv('2', 'b', 'c'),
    unary('Relu', 'c', 'd'),
    unary('MaxPool', 'd', 'e', { kernel_shape: [2, 2], strides: [2, 2] }),
    unary('Flatten', 'e', 'f', { axis: 1 }),
    affine('6', 'f', 'g'),
    unary('Relu', 'g', 'h'),
    affine('8', 'h', 'y'),
  ],
};

/** @param {import('../workloads/list.mjs').Workload} workload @returns {Promise<import('../harness/session.mjs').Prepared>} */
export async function prepare(workload) {
  const { file, feeds } = workload.kind === 'infer' ? inference(workload) : operation(workload);
  const session = await InferenceSession.create(file, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
  const once = async () => /** @type {any} */ (await session.run(feeds)).y.data;
  return {
    result: async () => {
      const values = /** @type {Float32Array} */ (await once());
      return workload.kind === 'infer' ? { values: [...values] } : outcomeOf(values, samplePlaces(workload));
    },
    async run(count) {
      for (let k = 0; k < count; k++) await once();
    },
    release: () => void session.release(),
  };
}

/** @param {import('../workloads/list.mjs').Workload} workload */
function operation(workload) {
  const { kind, size } = workload;
  const nodes = formulas[kind];
  if (nodes === undefined) throw new Error(`no ${kind} here`);
  const shape = kind === 'chain' ? [size] : [size, size];
  const values = operands(workload);
  const inputs = values.map((_, k) => ({ name: `x${k}`, shape }));
  /** @type {Record<string, Tensor>} */
  const feeds = Object.fromEntries(values.map((array, k) => [`x${k}`, new Tensor('float32', array, shape)]));
  if (kind === 'rowSum') {
    // Axes are an input of ReduceSum: a node makes them, because initializers here are float32.
    const axes = { type: 'Cast', inputs: ['axis'], outputs: ['axes'], attributes: { to: 7 } };
    const file = encodeOnnx({
      nodes: [axes, ...nodes],
      inputs,
      outputs: [{ name: 'y', shape: [size] }],
      initializers: [{ name: 'axis', shape: [1], values: Float32Array.of(1) }],
    });
    return { file, feeds };
  }
  return { file: encodeOnnx({ nodes, inputs, outputs: [{ name: 'y', shape }] }), feeds };
}

/** @param {import('../workloads/list.mjs').Workload} workload */
function inference(workload) {
  const spec = modelSpec(workload.model);
  const nodes = graphs[spec.name];
  if (nodes === undefined) throw new Error(`no ${spec.name} here`);
  const { parameters } = modelData(spec);
  const { shape, values } = inferenceInput(spec, workload.batch);
  const initializers = spec.parameters.map(({ name, shape }) => ({
    name,
    shape,
    values: /** @type {Float32Array} */ (parameters.get(name)),
  }));
  const file = encodeOnnx({
    nodes,
    inputs: [{ name: 'x0', shape }],
    outputs: [{ name: 'y', shape: [workload.batch, spec.classes] }],
    initializers,
  });
  return { file, feeds: { x0: new Tensor('float32', values, shape) } };
}
