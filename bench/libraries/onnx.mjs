/**
 * Writes models as ONNX files in memory: the few messages of its protocol buffers that the benchmark needs.
 * Numbers of fields are those of onnx.proto3 (IR version 8, opset 17).
 */
import { sizeOf } from '../workloads/numbers.mjs';

/** @typedef {{ name: string, shape: readonly number[] }} ValueInfo  float32 */
/** @typedef {ValueInfo & { values: Float32Array }} Initializer */
/** @typedef {{ type: string, inputs: readonly string[], outputs: readonly string[], attributes?: Record<string, number | readonly number[]> }} OnnxNode */

/** @param {number} value @returns {number[]} */
function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

/** A field with a whole number. @param {number} field @param {number} value */
const number = (field, value) => Uint8Array.from([...varint(field << 3), ...varint(value)]);
/** A field with bytes: text, a message, or raw data. @param {number} field @param {Uint8Array} content */
const bytes = (field, content) =>
  join([Uint8Array.from([...varint((field << 3) | 2), ...varint(content.length)]), content]);
/** @param {number} field @param {string} value */
const text = (field, value) => bytes(field, new TextEncoder().encode(value));

/** @param {readonly Uint8Array[]} parts */
function join(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** AttributeProto: a whole number (type 2) or a list of them (type 7). @param {[string, number | readonly number[]]} entry */
function attribute([name, value]) {
  const content =
    typeof value === 'number' ? [number(3, value), number(20, 2)] : [...value.map((v) => number(8, v)), number(20, 7)];
  return bytes(5, join([text(1, name), ...content]));
}

/** @param {OnnxNode} node */
const nodeOf = ({ type, inputs, outputs, attributes = {} }) =>
  join([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, type),
    ...Object.entries(attributes).map(attribute),
  ]);

/** TensorProto with raw data; data type 1 is float32. @param {Initializer} initializer */
const tensorOf = ({ name, shape, values }) =>
  join([
    ...shape.map((extent) => number(1, extent)),
    number(2, 1),
    text(8, name),
    bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ]);

/** ValueInfoProto of a float32 tensor. @param {ValueInfo} info */
const valueInfoOf = ({ name, shape }) => {
  const dimensions = join(shape.map((extent) => bytes(1, number(1, extent))));
  const type = bytes(1, join([number(1, 1), bytes(2, dimensions)]));
  return join([text(1, name), bytes(2, type)]);
};

/**
 * ModelProto with one graph.
 * @param {{ nodes: readonly OnnxNode[], inputs: readonly ValueInfo[], outputs: readonly ValueInfo[], initializers?: readonly Initializer[] }} graph
 */
export function encodeOnnx({ nodes, inputs, outputs, initializers = [] }) {
  for (const { name, shape, values } of initializers) {
    if (values.length !== sizeOf(shape)) throw new Error(`onnx: ${name} has ${values.length} values for [${shape}].`);
  }
  const graph = join([
    ...nodes.map((node) => bytes(1, nodeOf(node))),
    text(2, 'graph'),
    ...initializers.map((initializer) => bytes(5, tensorOf(initializer))),
    ...inputs.map((input) => bytes(11, valueInfoOf(input))),
    ...outputs.map((output) => bytes(12, valueInfoOf(output))),
  ]);
  return join([number(1, 8), bytes(7, graph), bytes(8, join([text(1, ''), number(2, 17)]))]);
}
