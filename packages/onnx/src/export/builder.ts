/** A graph of ONNX that grows: nodes, weights and constants with names of their own, and arithmetic for sizes that are free. */
import { type DType, type TensorData, ValueError } from '@nn/core';
import { bytesOf } from '../format/bytes.ts';
import type { ElementType } from '../format/element-types.ts';
import type { Attribute, EncodedNode, EncodedTensor } from './encode.ts';
import type { Dimension } from './traces.ts';

export class GraphBuilder {
  readonly nodes: EncodedNode[] = [];
  readonly initializers: EncodedTensor[] = [];
  readonly opset: number;
  readonly #taken = new Set<string>();
  /** Names of constants by their content. */
  readonly #constants = new Map<string, string>();
  readonly #sizes = new Map<string, string>();
  /** Where each free size is found: an input and its axis. */
  readonly #sources: ReadonlyMap<string, { readonly input: string; readonly axis: number }>;

  constructor(opset: number, sources: ReadonlyMap<string, { readonly input: string; readonly axis: number }>) {
    this.opset = opset;
    this.#sources = sources;
  }

  /** A name that nothing else has. */
  unique(wanted: string): string {
    let name = wanted;
    for (let k = 2; this.#taken.has(name); k++) name = `${wanted}_${k}`;
    this.#taken.add(name);
    return name;
  }

  /** A node of one output. */
  add(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.addMany(operator, inputs, 1, attributes)[0]!;
  }

  addMany(
    operator: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string[] {
    const base = operator.charAt(0).toLowerCase() + operator.slice(1);
    const outputs = Array.from({ length: count }, () => this.unique(base));
    this.nodes.push({ operator, inputs, outputs, attributes, name: `${outputs[0]}_node` });
    return outputs;
  }

  /** Gives a value the name of an output. */
  output(value: string, name: string): void {
    this.nodes.push({ operator: 'Identity', inputs: [value], outputs: [name], name: `${name}_node` });
  }

  weight(name: string, dtype: DType, shape: readonly number[], data: TensorData): string {
    const type: ElementType = dtype;
    this.initializers.push({ name, type, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    return name;
  }

  /** A constant, once for each content. */
  constant(type: ElementType, shape: readonly number[], values: readonly number[]): string {
    const key = `${type}:${shape.join()}:${values.map((value) => (Object.is(value, -0) ? '-0' : String(value))).join()}`;
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = this.unique('constant');
      this.#constants.set(key, name);
      this.initializers.push({ name, type, shape, bytes: bytesOf(type, values) ?? new Uint8Array(0) });
    }
    return name;
  }

  integers(values: readonly number[]): string {
    return this.constant('int64', [values.length], values);
  }

  /** A list of sizes, int64. */
  sizes(dimensions: readonly Dimension[], of: string): string {
    if (dimensions.every((size) => typeof size === 'number')) return this.integers(dimensions);
    const parts: string[] = [];
    let known: number[] = [];
    const flush = (): void => {
      if (known.length > 0) parts.push(this.integers(known));
      known = [];
    };
    for (const size of dimensions) {
      if (typeof size === 'number') known.push(size);
      else {
        flush();
        parts.push(this.size(size, of));
      }
    }
    flush();
    return parts.length === 1 ? parts[0]! : this.add('Concat', parts, { axis: 0 });
  }

  /** One size as a list of one, int64. */
  size(dimension: Dimension, of: string): string {
    if (typeof dimension === 'number') return this.integers([dimension]);
    if (dimension === 'irregular') {
      throw new ValueError(
        'encodeOnnx/dynamic',
        `${of} has a size that follows from the free ones in a way that is no multiple and sum: leave that axis out of dynamic.`,
      );
    }
    const { name, slope, offset } = dimension;
    const key = `${name}:${slope}:${offset}`;
    let found = this.#sizes.get(key);
    if (found !== undefined) return found;
    const source = this.#sources.get(name);
    if (source === undefined) throw new ValueError('encodeOnnx/dynamic', `there is no input with an axis '${name}'.`);
    found = this.add('Shape', [source.input], { start: source.axis, end: source.axis + 1 });
    if (slope !== 1) found = this.add('Mul', [found, this.integers([slope])]);
    if (offset !== 0) found = this.add('Add', [found, this.integers([offset])]);
    this.#sizes.set(key, found);
    return found;
  }

  /** A reduction over axes, which are an attribute or an input by version. */
  reduce(operator: string, x: string, axes: readonly number[], keepAxes: boolean): string {
    const isInput = operator === 'ReduceSum' || this.opset >= 18;
    const keepdims = keepAxes ? 1 : 0;
    return isInput
      ? this.add(operator, [x, this.integers(axes)], { keepdims })
      : this.add(operator, [x], { axes, keepdims });
  }
}
