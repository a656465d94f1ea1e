/**
 * What a model does, once for each size that may vary: the same graph with other numbers in it. Where a number differs from
 * trace to trace, it depends on a free size, and how is found by comparing. Knows nothing of ONNX.
 */
import { evaluate, type GraphNode, isTensor, noGradient, type Tensor, tensor, traceGraph, ValueError } from '@nn/core';
import { layersOf, watch } from '@nn/layers';
import { type LayerCall, layerCall } from './layer-calls.ts';

/** A node, in all traces. */
export type Item = readonly GraphNode[];

/** An operation with a name: one that core makes of others, or a layer. */
export interface Mark {
  readonly name: string;
  readonly attributes: unknown;
  readonly inputs: readonly (Item | null)[];
  /** For a layer, its results; else the node itself. */
  readonly results: readonly Item[];
}

/** A size: a number, `slope` times a free size and `offset` more, or something that no line describes. */
export type Dimension =
  | number
  | { readonly name: string; readonly slope: number; readonly offset: number }
  | 'irregular';

export interface InputSpecification {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  /** The name of each free axis. */
  readonly free: ReadonlyMap<number, string>;
}

interface Trace {
  readonly inputs: readonly GraphNode[];
  readonly outputs: readonly GraphNode[];
  readonly marks: ReadonlyMap<GraphNode, number>;
  readonly calls: readonly {
    readonly call: LayerCall;
    readonly inputs: readonly (GraphNode | null)[];
    readonly results: readonly GraphNode[];
  }[];
  readonly compositeOf: ReturnType<typeof traceGraph>['compositeOf'];
  readonly nodeOf: (x: Tensor) => GraphNode;
}

/** How much larger a free size is in its traces: the second one shows whether the line through the first is one. */
const steps = [1, 5];

export class Traces {
  readonly #traces: readonly Trace[];
  readonly #names: readonly string[];
  readonly #sizes: ReadonlyMap<string, number>;
  readonly outputNames: readonly string[];
  readonly #items: WeakMap<GraphNode, Item> = new WeakMap();

  constructor(model: object, call: (inputs: readonly Tensor[]) => unknown, inputs: readonly InputSpecification[]) {
    const sizes = new Map<string, number>();
    for (const { shape, free } of inputs) {
      for (const [axis, name] of free) sizes.set(name, Math.max(sizes.get(name) ?? 2, shape[axis] ?? 2));
    }
    this.#sizes = sizes;
    this.#names = [...sizes.keys()];
    const traceAt = (changed: string | null, more: number): [Trace, readonly string[]] => {
      const given = inputs.map(({ shape, dtype, free }) => {
        const actual = shape.map((size, axis) => {
          const name = free.get(axis);
          if (name === undefined) return size;
          return (sizes.get(name) ?? size) + (name === changed ? more : 0);
        });
        const count = actual.reduce((product, size) => product * size, 1);
        return tensor(dtype === 'int32' ? new Int32Array(count) : new Float32Array(count), { shape: actual });
      });
      return traceOnce(model, call, given);
    };
    const [first, names] = traceAt(null, 0);
    this.outputNames = names;
    this.#traces = [first, ...this.#names.flatMap((name) => steps.map((more) => traceAt(name, more)[0]))];
    const broken = this.#traces.find(
      ({ outputs, calls }) => outputs.length !== first.outputs.length || calls.length !== first.calls.length,
    );
    if (broken) throw differs();
  }

  get inputs(): readonly Item[] {
    return this.#zip((trace) => trace.inputs);
  }

  get outputs(): readonly Item[] {
    return this.#zip((trace) => trace.outputs);
  }

  /** A tensor that is the same in all traces, as a parameter is. */
  shared(x: Tensor): GraphNode {
    return this.#traces[0]!.nodeOf(x);
  }

  inputsOf(item: Item): readonly Item[] {
    const count = item[0]!.inputs.length;
    if (item.some(({ inputs, operation }) => inputs.length !== count || operation !== item[0]!.operation))
      throw differs();
    return Array.from({ length: count }, (_, k) => this.#item(item.map(({ inputs }) => inputs[k]!)));
  }

  /** The named operation that made a node. */
  markOf(item: Item): Mark | null {
    const calls = item.map((node, trace) => this.#traces[trace]!.marks.get(node));
    if (calls[0] !== undefined) {
      const [index] = calls;
      const all = this.#traces.map(({ calls: list }) => list[index]!);
      const { call, inputs, results } = all[0]!;
      return {
        name: call.kind,
        attributes: call.attributes,
        inputs: inputs.map((given, k) => (given === null ? null : this.#item(all.map((one) => one.inputs[k]!)))),
        results: results.map((_, k) => this.#item(all.map((one) => one.results[k]!))),
      };
    }
    const composites = item.map((node, trace) => this.#traces[trace]!.compositeOf(node));
    const [first] = composites;
    if (first === undefined) return null;
    if (composites.some((other) => other?.name !== first.name)) throw differs();
    return {
      name: first.name,
      attributes: composites.map((other) => other?.attributes),
      inputs: first.inputs.map((_, k) => this.#item(composites.map((other) => other!.inputs[k]!))),
      results: [item],
    };
  }

  /** A number of each trace as a size. */
  dimension(values: readonly number[]): Dimension {
    const base = values[0]!;
    let found: Dimension = base;
    for (const [k, name] of this.#names.entries()) {
      const [near, far] = [values[1 + 2 * k]! - base, values[2 + 2 * k]! - base];
      if (near === 0 && far === 0) continue;
      if (found !== base || far !== 5 * near) return 'irregular';
      found = { name, slope: near, offset: base - near * this.#sizes.get(name)! };
    }
    return found;
  }

  shapeOf(item: Item): Dimension[] {
    const rank = item[0]!.shape.length;
    if (item.some(({ shape }) => shape.length !== rank)) throw differs();
    return Array.from({ length: rank }, (_, axis) => this.dimension(item.map(({ shape }) => shape[axis]!)));
  }

  #zip(of: (trace: Trace) => readonly GraphNode[]): readonly Item[] {
    return of(this.#traces[0]!).map((_, k) => this.#item(this.#traces.map((trace) => of(trace)[k]!)));
  }

  /** One object for one node. */
  #item(nodes: readonly GraphNode[]): Item {
    const first = nodes[0]!;
    let item = this.#items.get(first);
    if (item === undefined) {
      item = nodes;
      this.#items.set(first, item);
    }
    return item;
  }
}

function differs(): ValueError {
  return new ValueError(
    'encodeOnnx/dynamic',
    'the model computes in another way for other sizes of the free axes: leave out dynamic, and export one file for each size.',
  );
}

function traceOnce(
  model: object,
  call: (inputs: readonly Tensor[]) => unknown,
  inputs: readonly Tensor[],
): [Trace, readonly string[]] {
  const seen: {
    readonly call: LayerCall;
    readonly inputs: readonly (Tensor | null)[];
    readonly results: readonly Tensor[];
  }[] = [];
  const restores = layersOf(model).map(({ layer, path }) =>
    watch(layer, (given, output) => {
      const found = layerCall(layer, path, given, output);
      if (found !== null) seen.push(found);
    }),
  );
  try {
    const trace = traceGraph(() => evaluate(() => noGradient(() => call(inputs))));
    const [names, outputs] = namedOutputs(trace.result);
    const marks = new Map<GraphNode, number>();
    const calls = seen.map(({ call: made, inputs: given, results }, index) => {
      const nodes = results.map(trace.nodeOf);
      for (const node of nodes) marks.set(node, index);
      return { call: made, inputs: given.map((x) => (x === null ? null : trace.nodeOf(x))), results: nodes };
    });
    return [
      {
        inputs: inputs.map(trace.nodeOf),
        outputs: outputs.map(trace.nodeOf),
        marks,
        calls,
        compositeOf: trace.compositeOf,
        nodeOf: trace.nodeOf,
      },
      names,
    ];
  } finally {
    for (const restore of restores) restore();
  }
}

/** A tensor is the output 'output'; of lists and records each has its place or name. */
function namedOutputs(result: unknown): [readonly string[], readonly Tensor[]] {
  if (isTensor(result)) return [['output'], [result]];
  const entries: (readonly [string, unknown])[] = Array.isArray(result)
    ? result.map((value, k) => [`output_${k}`, value] as const)
    : Object.entries(typeof result === 'object' && result !== null ? result : {});
  const tensors = entries.filter((entry): entry is [string, Tensor] => isTensor(entry[1]));
  if (tensors.length === 0 || tensors.length < entries.length) {
    throw new ValueError('encodeOnnx/outputs', 'forward must give a tensor, or a list or record of tensors.');
  }
  return [tensors.map(([name]) => name), tensors.map(([, value]) => value)];
}
