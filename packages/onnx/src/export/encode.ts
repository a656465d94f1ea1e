/**
 * A graph as the bytes of an ONNX file (IR 8): messages in the order of onnx.proto3. Owns field numbers and the split of what
 * protobuf cannot hold; which nodes there are is for the exporter.
 */
import { ValueError } from '@nn/core';
import { codeOf, type ElementType } from '../format/element-types.ts';
import { MessageWriter } from '../protobuf/writer.ts';

/** An attribute: a whole number, a float (`{ float: 1 }`, since numbers of JavaScript do not say), text, lists, a tensor. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: EncodedTensor }
  | { readonly graph: EncodedGraph };

export interface EncodedNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly name?: string;
  readonly domain?: string;
}

export interface EncodedTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Little-endian elements. */
  readonly bytes: Uint8Array;
}

export interface EncodedValue {
  readonly name: string;
  readonly type: ElementType;
  /** Sizes; a name for one that is free. */
  readonly shape: readonly (number | string)[];
}

export interface EncodedGraph {
  readonly name: string;
  readonly nodes: readonly EncodedNode[];
  readonly inputs: readonly EncodedValue[];
  readonly outputs: readonly EncodedValue[];
  readonly initializers: readonly EncodedTensor[];
}

export interface EncodedModel {
  readonly graph: EncodedGraph;
  readonly opset: number;
  readonly irVersion?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** The file beside the model that takes the bytes of weights, with those of at least `threshold` bytes. */
  readonly external?: { readonly name: string; readonly threshold: number };
  /** The most bytes of the file without those beside it: 2^31 - 1 where not given, as protobuf has it. */
  readonly mostBytes?: number;
}

export interface ModelFiles {
  readonly model: Uint8Array;
  /** What belongs into the file beside the model, or null. */
  readonly data: Uint8Array | null;
}

/** Protobuf counts bytes in 31 bits. */
const largest = 2 ** 31 - 1;

export function encodeModel(model: EncodedModel): ModelFiles {
  const outside = model.external === undefined ? null : new Outside(model.external.name, model.external.threshold);
  const message = new MessageWriter()
    .integer(1, model.irVersion ?? 8)
    .text(2, 'nn')
    .message(7, graphMessage(model.graph, outside))
    .message(8, new MessageWriter().text(1, '').integer(2, model.opset));
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    message.message(14, new MessageWriter().text(1, key).text(2, value));
  }
  if (message.length > (model.mostBytes ?? largest)) {
    throw new ValueError(
      'encodeOnnx/large',
      `the model has ${message.length} bytes, and a file of ONNX holds 2 GiB: encodeOnnx(model, shapes, { external: 'model.onnx.data' }) puts its weights beside it.`,
    );
  }
  return { model: message.finish(), data: outside?.finish() ?? null };
}

/** The bytes of weights, one after the other, each at a multiple of 64. */
class Outside {
  readonly name: string;
  readonly threshold: number;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(name: string, threshold: number) {
    this.name = name;
    this.threshold = threshold;
  }

  add(bytes: Uint8Array): number {
    const padding = (64 - (this.#length % 64)) % 64;
    const offset = this.#length + padding;
    this.#parts.push(new Uint8Array(padding), bytes);
    this.#length = offset + bytes.length;
    return offset;
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

function graphMessage(graph: EncodedGraph, outside: Outside | null): MessageWriter {
  const message = new MessageWriter();
  for (const node of graph.nodes) message.message(1, nodeMessage(node));
  message.text(2, graph.name);
  for (const tensor of graph.initializers) message.message(5, tensorMessage(tensor, outside));
  for (const value of graph.inputs) message.message(11, valueMessage(value));
  for (const value of graph.outputs) message.message(12, valueMessage(value));
  return message;
}

function nodeMessage({
  operator,
  inputs,
  outputs,
  attributes = {},
  name = '',
  domain = '',
}: EncodedNode): MessageWriter {
  const message = new MessageWriter();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  if (name !== '') message.text(3, name);
  message.text(4, operator);
  for (const [key, value] of Object.entries(attributes)) message.message(5, attributeMessage(key, value));
  if (domain !== '') message.text(7, domain);
  return message;
}

function attributeMessage(name: string, value: Attribute): MessageWriter {
  const message = new MessageWriter().text(1, name);
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
  if (typeof value === 'number') return message.integer(3, value).integer(20, 2);
  if (typeof value === 'string') return message.bytes(4, utf8(value)).integer(20, 3);
  if ('float' in value) return message.float(2, value.float).integer(20, 1);
  if ('floats' in value) return message.floats(7, value.floats).integer(20, 6);
  if ('tensor' in value) return message.message(5, tensorMessage(value.tensor, null)).integer(20, 4);
  if ('graph' in value) return message.message(6, graphMessage(value.graph, null)).integer(20, 5);
  if (value.every((item) => typeof item === 'number')) return message.integers(8, value).integer(20, 7);
  for (const item of value) message.bytes(9, utf8(String(item)));
  return message.integer(20, 8);
}

function tensorMessage({ name, type, shape, bytes }: EncodedTensor, outside: Outside | null): MessageWriter {
  const message = new MessageWriter().integers(1, shape).integer(2, codeOf(type)).text(8, name);
  if (outside === null || bytes.length < outside.threshold) return message.bytes(9, bytes);
  const entry = (key: string, value: string): MessageWriter => new MessageWriter().text(1, key).text(2, value);
  return message
    .message(13, entry('location', outside.name))
    .message(13, entry('offset', String(outside.add(bytes))))
    .message(13, entry('length', String(bytes.length)))
    .integer(14, 1);
}

function valueMessage({ name, type, shape }: EncodedValue): MessageWriter {
  const sizes = new MessageWriter();
  for (const size of shape) {
    const dimension = new MessageWriter();
    sizes.message(1, typeof size === 'number' ? dimension.integer(1, size) : dimension.text(2, size));
  }
  const tensor = new MessageWriter().integer(1, codeOf(type)).message(2, sizes);
  return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensor));
}
