/** Random graphs: whatever core makes one kernel of, stores or runs step by step gives the same bits as the oracle. */
import { type Backend, gradientsOrNull, type Tensor } from '@nn/core';
import type { ConformanceCase, ConformanceOptions } from '../case.ts';
import { ConformanceError, exactly, expectClose, type Values } from '../compare.ts';
import { readAll, weighted } from '../operation.ts';
import { oracle } from '../oracle.ts';
import {
  buildGraph,
  type GraphDType,
  type GraphLeaf,
  printGraph,
  type RandomGraph,
  randomGraph,
  shrinkGraph,
} from '../random-graphs.ts';
import { reference } from '../reference.ts';

/** How the values of a graph are asked for. */
const modes: Readonly<Record<string, (graph: RandomGraph, backend: Backend) => Promise<Values[]>>> = {
  'in one program': async (graph, backend) => {
    const tensors = buildGraph(graph, backend);
    return readAll(graph.roots.map((root) => tensors[root]!));
  },
  'with every value stored': async (graph, backend) => {
    const tensors = buildGraph(graph, backend);
    const all = tensors.filter((x) => x !== null);
    const values = await readAll(all);
    return graph.roots.map((root) => values[all.indexOf(tensors[root]!)]!);
  },
  'one operation after the other': async (graph, backend) => {
    const values = new Map<number, Values>();
    for (const [position, x] of buildGraph(graph, backend).entries()) {
      if (x !== null) values.set(position, (await readAll([x]))[0]!);
    }
    return graph.roots.map((root) => values.get(root)!);
  },
};

export function randomGraphCases({ seed = 1, randomCases = 40 }: ConformanceOptions): ConformanceCase[] {
  return Array.from({ length: randomCases }, (_, k) => [
    graphCase(seed + k),
    ...(k % 4 === 0 ? [slopeCase(seed + k)] : []),
  ]).flat();
}

function graphCase(seed: number): ConformanceCase {
  return {
    group: 'random graphs',
    name: `seed ${seed}, bit for bit`,
    needs: [],
    run: async ({ backend }) => {
      const graph = randomGraph(seed);
      // step by step is slow on devices that compile for long: now and then is enough
      const chosen = Object.keys(modes).slice(0, seed % 4 === 0 ? 3 : 2);
      for (const mode of chosen) {
        const failure = await differenceOf(graph, mode, backend, true);
        if (failure === null) continue;
        const smallest = await shrinkGraph(
          graph,
          async (g) => (await differenceOf(g, mode, backend)) !== null,
          oracleValues,
        );
        const still = await differenceOf(smallest, mode, backend);
        throw new ConformanceError(
          `randomGraph(${seed}), ${mode}: ${failure.message}\nThe smallest part that fails (${still?.message}):\n${printGraph(smallest)}`,
        );
      }
    },
  };
}

/** What is wrong with a graph on the backend, or null. `isWhole`: it is as its seed says, not a part. */
async function differenceOf(
  graph: RandomGraph,
  mode: string,
  backend: Backend,
  isWhole = false,
): Promise<Error | null> {
  const compute = modes[mode]!;
  const right = () => modes['in one program']!(graph, reference({ rounding: 'float32' }));
  const expected = await (isWhole ? oracle(`randomGraph(${graph.seed})`, right) : right());
  try {
    const actual = await compute(graph, backend);
    for (const [k, right] of expected.entries()) expectClose(actual[k]!, right, exactly, `v${graph.roots[k]}`);
    return null;
  } catch (error) {
    return error as Error;
  }
}

/** The oracle's numbers for every value that the graph needs. */
async function oracleValues(graph: RandomGraph): Promise<(GraphLeaf | null)[]> {
  const tensors = buildGraph(graph, reference({ rounding: 'float32' }));
  return Promise.all(
    tensors.map(async (x) => {
      if (x === null) return null;
      return { kind: 'leaf', dtype: x.dtype as GraphDType, shape: x.shape, data: await x.data() } as const;
    }),
  );
}

/** The gradients of a random graph, with the tolerance that long sums need; the backend's values are read before, or not. */
function slopeCase(seed: number): ConformanceCase {
  return {
    group: 'random graphs',
    name: `seed ${seed}, gradients`,
    needs: [],
    run: async ({ backend }) => {
      const graph = randomGraph(seed);
      const compute = async (on: Backend, isRead: (position: number) => boolean): Promise<Values[]> => {
        const tensors = buildGraph(graph, on);
        for (const [position, x] of tensors.entries()) {
          if (x !== null && isRead(position)) await readAll([x]);
        }
        const leaves = tensors.filter(
          (x, position): x is Tensor => x?.dtype === 'float32' && graph.values[position]!.kind === 'leaf',
        );
        const roots = graph.roots.map((root) => tensors[root]!);
        const slopes = gradientsOrNull(weighted(roots, on), leaves);
        return readAll(slopes.filter((slope) => slope !== null));
      };
      const expected = await oracle(`randomGraph(${seed}), gradients`, () => compute(reference(), () => false));
      for (const part of [0, 1]) {
        // first with nothing read, then with every second value
        const actual = await compute(backend, (position) => part === 1 && (position + seed) % 2 === 0);
        for (const [k, right] of expected.entries()) {
          const largest = Math.max(1, ...Array.from(right.data, Math.abs));
          const label = `randomGraph(${seed}), gradient ${k}${part === 1 ? ' after reads' : ''}`;
          expectClose(actual[k]!, right, { relative: 1e-4, absolute: 1e-5 * largest }, label);
        }
      }
    },
  };
}
