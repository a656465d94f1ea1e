/**
 * A graph made ready to run: nodes in an order in which each finds its inputs, each with its operator and the version that the
 * file means. Owns sorting, local functions and the list of what is not supported; runs nothing.
 */
import { FormatError } from '@nn/core';
import type { AttributeMessage, FunctionMessage, GraphMessage, ModelMessage, NodeMessage } from '../format/model.ts';
import { operators } from '../operators/index.ts';
import type { Operator } from './call.ts';

export interface ReadyNode {
  readonly message: NodeMessage;
  readonly version: number;
  readonly operator: Operator;
}

export interface ReadyGraph {
  readonly nodes: readonly ReadyNode[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly message: GraphMessage;
}

/** A node that nothing here computes. */
export interface UnsupportedNode {
  /** With its domain, where that is not ONNX's own. */
  readonly operator: string;
  readonly node: string;
  readonly version: number;
}

/** Nodes of functions inside of functions, at most. */
const deepestCalls = 32;

/** The graphs of a model, by their messages. */
export class ReadyModel {
  readonly graphs: Map<GraphMessage, ReadyGraph> = new Map();
  readonly unsupported: UnsupportedNode[] = [];
  readonly #functions = new Map<string, FunctionMessage>();

  constructor(model: ModelMessage, graph: GraphMessage) {
    for (const found of model.functions) {
      const key = `${found.domain}:${found.name}:${found.overload}`;
      if (this.#functions.has(key)) {
        throw new FormatError('loadOnnx/doubled', `the function '${found.name}' is there twice: the file is damaged.`);
      }
      this.#functions.set(key, found);
    }
    this.#prepare(graph, model.opsets, new Set(), 0);
  }

  get(graph: GraphMessage): ReadyGraph {
    const found = this.graphs.get(graph);
    if (found === undefined)
      throw new FormatError('loadOnnx/graph', `the graph '${graph.name}' does not belong to the model.`);
    return found;
  }

  #prepare(graph: GraphMessage, opsets: ReadonlyMap<string, number>, outer: ReadonlySet<string>, depth: number): void {
    const known = new Set(outer);
    for (const { name } of graph.initializers) known.add(name);
    for (const { name } of graph.inputs) known.add(name);
    const sorted = inOrder(graph.nodes, known);
    const inside = new Set(known);
    for (const { outputs } of sorted) for (const name of outputs) inside.add(name);
    for (const { name } of graph.outputs) {
      if (!inside.has(name)) throw unknownName(`the graph '${graph.name}'`, name);
    }
    const nodes = sorted.map((message) => this.#ready(message, opsets, inside, depth));
    this.graphs.set(graph, {
      nodes,
      inputs: graph.inputs.map(({ name }) => name),
      outputs: graph.outputs.map(({ name }) => name),
      message: graph,
    });
  }

  #ready(
    message: NodeMessage,
    opsets: ReadonlyMap<string, number>,
    names: ReadonlySet<string>,
    depth: number,
  ): ReadyNode {
    const version = opsets.get(message.domain) ?? (message.domain === '' ? 1 : 0);
    const own = this.#functions.get(`${message.domain}:${message.operator}:${message.overload}`);
    if (own !== undefined) return { message, version, operator: this.#function(own, message, depth) };
    for (const inner of graphsOf(message)) this.#prepare(inner, opsets, names, depth);
    const operator = message.domain === '' ? operators.get(message.operator) : undefined;
    if (operator === undefined) {
      const where = message.domain === '' ? '' : `${message.domain}:`;
      const node = message.name || message.outputs.find((output) => output !== '') || '';
      this.unsupported.push({ operator: `${where}${message.operator}`, node, version });
    }
    return { message, version, operator: operator ?? notSupported };
  }

  /** A local function as an operator: its body sees nothing but its inputs and attributes. */
  #function(found: FunctionMessage, message: NodeMessage, depth: number): Operator {
    if (depth >= deepestCalls) {
      throw new FormatError(
        'loadOnnx/deep',
        `functions call each other more than ${deepestCalls} deep ('${found.name}').`,
      );
    }
    const attributes = new Map<string, AttributeMessage>(found.defaults.map((given) => [given.name, given]));
    for (const [name, given] of message.attributes) attributes.set(name, given);
    const value = { kind: 'unknown', elementType: 0, shape: null } as const;
    const body: GraphMessage = {
      name: found.name,
      nodes: found.nodes.map((node) => withAttributes(node, attributes)),
      initializers: [],
      inputs: found.inputs.map((name) => ({ name, type: value })),
      outputs: found.outputs.map((name) => ({ name, type: value })),
      hasSparse: false,
    };
    this.#prepare(body, found.opsets, new Set(), depth + 1);
    return function* (call) {
      const inputs = found.inputs.map((_, k) => call.inputs[k] ?? null);
      return yield* call.runInner(body, inputs);
    };
  }
}

const notSupported: Operator = (call) => {
  throw call.error('the operator is not supported.');
};

/** Nodes such that each comes after those that make its inputs, and the order of the file where that is one. */
function inOrder(nodes: readonly NodeMessage[], known: ReadonlySet<string>): NodeMessage[] {
  const makers = new Map<string, NodeMessage>();
  for (const node of nodes) {
    for (const name of node.outputs) {
      if (name === '') continue;
      if (makers.has(name)) {
        throw new FormatError('loadOnnx/doubled', `two nodes make '${name}': the file is damaged.`, { name });
      }
      makers.set(name, node);
    }
  }
  const sorted: NodeMessage[] = [];
  const state = new Map<NodeMessage, 'open' | 'done'>();
  const stack: { node: NodeMessage; needs: readonly string[]; at: number }[] = [];
  const enter = (node: NodeMessage): void => {
    state.set(node, 'open');
    stack.push({ node, needs: namesRead(node), at: 0 });
  };
  for (const first of nodes) {
    if (state.has(first)) continue;
    enter(first);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      if (top.at === top.needs.length) {
        stack.pop();
        state.set(top.node, 'done');
        sorted.push(top.node);
        continue;
      }
      const name = top.needs[top.at++]!;
      const maker = makers.get(name);
      if (maker === undefined) {
        if (!known.has(name)) throw unknownName(labelOf(top.node), name);
        continue;
      }
      const seen = state.get(maker);
      if (seen === 'open') {
        throw new FormatError(
          'loadOnnx/circle',
          `${labelOf(maker)} needs its own result '${name}': the graph runs in a circle.`,
        );
      }
      if (seen === undefined) enter(maker);
    }
  }
  return sorted;
}

export function labelOf({ operator, name, outputs }: NodeMessage): string {
  return `${operator} '${name || outputs.find((output) => output !== '') || ''}'`;
}

function unknownName(who: string, name: string): FormatError {
  return new FormatError('loadOnnx/name', `${who} needs '${name}', which nothing makes: the file is damaged.`, {
    name,
  });
}

export function graphsOf({ attributes }: NodeMessage): GraphMessage[] {
  return [...attributes.values()].flatMap(({ graph, graphs }) => (graph === null ? graphs : [graph, ...graphs]));
}

/** The names that a node reads, with those that the graphs inside of it take from outside. */
export function namesRead(node: NodeMessage): string[] {
  const inner = graphsOf(node);
  const own = node.inputs.filter((name) => name !== '');
  return inner.length === 0 ? own : [...own, ...inner.flatMap((graph) => freeNames(graph, node.operator === 'If'))];
}

/** Branches of If have no inputs of their own: what some files list there comes from outside. */
function freeNames(graph: GraphMessage, isBranch: boolean): string[] {
  const made = new Set<string>();
  const listed = graph.inputs.map(({ name }) => name);
  if (!isBranch) for (const name of listed) made.add(name);
  for (const { name } of graph.initializers) made.add(name);
  for (const { outputs } of graph.nodes) for (const name of outputs) made.add(name);
  const read = [...graph.nodes.flatMap(namesRead), ...graph.outputs.map(({ name }) => name)];
  return [...(isBranch ? listed : []), ...read].filter((name) => !made.has(name));
}

/** A node of a function with the attributes of the call in place of references to them. */
function withAttributes(node: NodeMessage, given: ReadonlyMap<string, AttributeMessage>): NodeMessage {
  const attributes = new Map<string, AttributeMessage>();
  for (const [name, attribute] of node.attributes) {
    if (attribute.reference !== '') {
      const found = given.get(attribute.reference);
      if (found !== undefined) attributes.set(name, { ...found, name });
      continue;
    }
    const inside = (graph: GraphMessage): GraphMessage => ({
      ...graph,
      nodes: graph.nodes.map((inner) => withAttributes(inner, given)),
    });
    attributes.set(name, {
      ...attribute,
      graph: attribute.graph === null ? null : inside(attribute.graph),
      graphs: attribute.graphs.map(inside),
    });
  }
  return { ...node, attributes };
}
