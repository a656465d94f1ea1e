/**
 * A graph as others may read it: for writers of formats, and whoever shows what a model does. Owns the view; nodes themselves
 * stay inside of core.
 */
import type { DType, Shape } from './backend.ts';
import { hooks } from './graph/hooks.ts';
import type { Node } from './graph/node.ts';
import { checkSynchronous } from './settings.ts';
import { nodeOf, type Tensor, wrap } from './tensor.ts';

/** A node of a graph. Equal nodes are one object. */
export interface GraphNode {
  /** The operation of core: 'add', 'contraction', 'reshape'; 'data' has values, 'scalar' and 'constant' are their attributes. */
  readonly operation: string;
  readonly inputs: readonly GraphNode[];
  readonly attributes: unknown;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The tensor that the node is, to read it. */
  readonly tensor: Tensor;
}

/** An operation that is made of others. */
export interface CompositeNode {
  readonly name: string;
  readonly inputs: readonly GraphNode[];
  readonly attributes: unknown;
}

export interface GraphTrace<T> {
  readonly result: T;
  nodeOf(x: Tensor): GraphNode;
  /** What a node stands for, where an operation made of others made it: 'softmax' of a product. */
  compositeOf(node: GraphNode): CompositeNode | undefined;
}

/** Equal nodes are one object, whoever looks at them. */
const views = /* @__PURE__ */ new WeakMap<Node, GraphNode>();

class View implements GraphNode {
  readonly #node: Node;
  #inputs: readonly GraphNode[] | null = null;

  constructor(node: Node) {
    this.#node = node;
  }

  get operation(): string {
    return this.#node.primitive.name;
  }

  get inputs(): readonly GraphNode[] {
    this.#inputs ??= this.#node.inputs.map(viewOf);
    return this.#inputs;
  }

  get attributes(): unknown {
    return this.#node.attributes;
  }

  get dtype(): DType {
    return this.#node.dtype;
  }

  get shape(): Shape {
    return this.#node.shape;
  }

  get tensor(): Tensor {
    return wrap(this.#node);
  }
}

/** A node as others may read it. */
export function viewOf(node: Node): GraphNode {
  let view = views.get(node);
  if (view === undefined) {
    view = new View(node);
    views.set(node, view);
  }
  return view;
}

/**
 * Runs `work` and keeps what was made of what: the graph behind each tensor, and the names of operations that are made of
 * others (softmax, relu, matmul, maxPool). Nothing is computed.
 *
 * @example
 * import { ones, traceGraph } from '@nn/core';
 * const trace = traceGraph(() => ones([2, 3]).mul(2).softmax());
 * const node = trace.nodeOf(trace.result);
 * console.log(trace.compositeOf(node)?.name, node.shape); // => softmax [2, 3]
 */
export function traceGraph<T>(work: () => T): GraphTrace<T> {
  const composites = new Map<GraphNode, CompositeNode>();
  const outer = hooks.onComposite;
  hooks.onComposite = (name, inputs, attributes, result) => {
    outer?.(name, inputs, attributes, result);
    const node = viewOf(result);
    const given = inputs.map(viewOf);
    if (!given.includes(node)) composites.set(node, { name, inputs: given, attributes });
  };
  try {
    const result = checkSynchronous('traceGraph', work());
    return {
      result,
      nodeOf: (x) => viewOf(nodeOf('traceGraph', x)),
      compositeOf: (node) => composites.get(node),
    };
  } finally {
    hooks.onComposite = outer;
  }
}
