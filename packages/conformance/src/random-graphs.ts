/**
 * Random graphs as data: they can be built on any backend, printed, and made smaller while they still fail. Which
 * operations they have is the generator's matter.
 */
import { type Backend, type Tensor, type TensorData, tensor } from '@nn/core';
import { GraphGenerator } from './random-graph-generator.ts';

export type GraphDType = 'float32' | 'int32' | 'bool';

export interface GraphLeaf {
  readonly kind: 'leaf';
  readonly dtype: GraphDType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface GraphStep {
  readonly kind: 'step';
  /** How it is written: `sum(axes 0, 2)`. */
  readonly name: string;
  /** Positions of earlier values. */
  readonly operands: readonly number[];
  readonly apply: (operands: readonly Tensor[]) => Tensor;
}

export interface RandomGraph {
  readonly seed: number;
  readonly values: readonly (GraphLeaf | GraphStep)[];
  /** Positions of the results. */
  readonly roots: readonly number[];
}

/** The graph number `seed`, of about `length` operations. */
export function randomGraph(seed: number, length = 14): RandomGraph {
  return new GraphGenerator(seed).run(length);
}

/** The tensors of a graph, one for each value that its roots need (null for the others). */
export function buildGraph(graph: RandomGraph, backend: Backend): (Tensor | null)[] {
  const needed = neededValues(graph);
  const tensors: (Tensor | null)[] = [];
  graph.values.forEach((value, position) => {
    if (!needed.has(position)) tensors.push(null);
    else if (value.kind === 'leaf') tensors.push(leafTensor(value, backend));
    else tensors.push(value.apply(value.operands.map((operand) => tensors[operand]!)));
  });
  return tensors;
}

export function leafTensor({ data, shape, dtype }: GraphLeaf, backend: Backend): Tensor {
  return tensor(data, { shape, dtype, backend });
}

/** The positions that the roots depend on, themselves included. */
export function neededValues({ values, roots }: RandomGraph): Set<number> {
  const needed = new Set<number>(roots);
  for (let position = values.length - 1; position >= 0; position--) {
    const value = values[position]!;
    if (needed.has(position) && value.kind === 'step') for (const operand of value.operands) needed.add(operand);
  }
  return needed;
}

/** One line a value: `v3 = sum(axes 0) of v1`. */
export function printGraph(graph: RandomGraph): string {
  const needed = neededValues(graph);
  const lines = graph.values.flatMap((value, position) => {
    if (!needed.has(position)) return [];
    if (value.kind === 'step')
      return [`v${position} = ${value.name} of ${value.operands.map((k) => `v${k}`).join(', ')}`];
    const numbers = value.data.length > 24 ? `${value.data.slice(0, 24).join(', ')}, ...` : value.data.join(', ');
    return [`v${position} = ${value.dtype} [${value.shape.join(', ')}]: ${numbers}`];
  });
  return [...lines, `results: ${graph.roots.map((k) => `v${k}`).join(', ')}`].join('\n');
}

/**
 * A smaller graph that still fails: one root where one is enough, and computed values replaced by their numbers, as far
 * as `fails` allows. `valuesOf` gives the right numbers of every needed value.
 */
export async function shrinkGraph(
  graph: RandomGraph,
  fails: (graph: RandomGraph) => Promise<boolean>,
  valuesOf: (graph: RandomGraph) => Promise<(GraphLeaf | null)[]>,
): Promise<RandomGraph> {
  let smallest = graph;
  for (const root of graph.roots) {
    const alone = { ...graph, roots: [root] };
    if (await fails(alone)) {
      smallest = alone;
      break;
    }
  }
  const numbers = await valuesOf(smallest);
  let isSmaller = true;
  while (isSmaller) {
    isSmaller = false;
    for (let position = 0; position < smallest.values.length; position++) {
      if (smallest.values[position]!.kind === 'leaf' || !neededValues(smallest).has(position)) continue;
      const number = numbers[position];
      if (number === null || number === undefined) continue;
      const cut = { ...smallest, values: smallest.values.with(position, number) };
      const isEarlierRoot = smallest.roots.length > 1 && !smallest.roots.includes(position);
      const shorter = { ...smallest, values: smallest.values.slice(0, position + 1), roots: [position] };
      if (isEarlierRoot && (await fails(shorter))) smallest = shorter;
      else if (!cut.roots.includes(position) && (await fails(cut))) smallest = cut;
      else continue;
      isSmaller = true;
    }
  }
  return smallest;
}
