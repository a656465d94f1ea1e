/** Small models for tests, written by hand as nodes and weights. */
import {
  type Attribute,
  type EncodedNode,
  type EncodedTensor,
  type EncodedValue,
  encodeModel,
} from '../export/encode.ts';
import type { ElementType } from '../format/element-types.ts';

/** A node: `node('Add', ['a', 'b'], 'y')`. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  domain = '',
): EncodedNode {
  return { operator, inputs, outputs: typeof outputs === 'string' ? [outputs] : outputs, attributes, domain };
}

export function floats(name: string, shape: readonly number[], values: readonly number[]): EncodedTensor {
  return { name, type: 'float32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

export function longs(name: string, shape: readonly number[], values: readonly number[]): EncodedTensor {
  return { name, type: 'int64', shape, bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) };
}

export function value(name: string, shape: readonly (number | string)[], type: ElementType = 'float32'): EncodedValue {
  return { name, type, shape };
}

export interface SmallModel {
  readonly nodes: readonly EncodedNode[];
  readonly inputs?: readonly EncodedValue[];
  readonly outputs?: readonly EncodedValue[];
  readonly weights?: readonly EncodedTensor[];
  readonly opset?: number;
}

/** The bytes of a model from `x` to `y`, unless it says otherwise. */
export function model({ nodes, inputs, outputs, weights = [], opset = 17 }: SmallModel): Uint8Array {
  const graph = {
    name: 'test',
    nodes,
    inputs: inputs ?? [value('x', ['n', 3])],
    outputs: outputs ?? [value('y', ['n', 3])],
    initializers: weights,
  };
  return encodeModel({ graph, opset }).model;
}
