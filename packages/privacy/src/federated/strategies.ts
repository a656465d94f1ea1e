/**
 * How a server makes one model of many: means, server optimizers on the mean change, and rules that a few wrong clients
 * cannot move far. Vectors in, a vector out; who sent them is the server's business.
 */
import { checkOptions, type Stateful, ValueError } from '@nn/core';

/** What a client sends back. */
export interface ClientUpdate {
  /** Its model after its own training. */
  readonly vector: Float32Array;
  /** How many samples it trained on. */
  readonly examples: number;
}

/** Makes the next model. What it keeps from round to round is its state, which a checkpoint of the server holds. */
export interface FederatedStrategy extends Partial<Stateful> {
  readonly name: string;
  /** Whether it needs nothing but the weighted sum of all, so that single updates may stay masked. */
  readonly needsOnlyMean: boolean;
  aggregate(current: Float32Array, updates: readonly ClientUpdate[]): Float32Array;
}

/** The mean of the updates, each weighted by its examples, in double precision. */
export function weightedMean(updates: readonly ClientUpdate[]): Float32Array {
  const total = updates.reduce((sum, { examples }) => sum + examples, 0);
  const sum = new Float64Array(updates[0]?.vector.length ?? 0);
  for (const { vector, examples } of updates) {
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + (vector[i]! * examples) / total;
  }
  return Float32Array.from(sum);
}

/**
 * FedAvg: the mean of the clients' models, weighted by their examples. (McMahan et al. 2017.)
 *
 * @example
 * import { fedAvg } from '@nn/privacy';
 * const updates = [{ vector: Float32Array.of(1, 2), examples: 1 }, { vector: Float32Array.of(5, 2), examples: 3 }];
 * console.log(fedAvg().aggregate(Float32Array.of(0, 0), updates)); // => Float32Array(2) [ 4, 2 ]
 */
export function fedAvg(): FederatedStrategy {
  return { name: 'fedAvg', needsOnlyMean: true, aggregate: (_, updates) => weightedMean(updates) };
}

export interface ServerOptions {
  /** Of the server's step. Default 1 for momentum alone, else 0.1. */
  readonly learningRate?: number;
  /** Share of the old mean change that is kept. Default 0.9, of FedAdagrad 0. */
  readonly momentum?: number;
  /** The same of its squares. Default 0.99. */
  readonly secondMomentum?: number;
  /** How adaptive the steps are: the less, the more. Default 1e-3; squares start at its square. */
  readonly adaptivity?: number;
}

/** FedAvgM: the mean change with momentum, m = momentum m + change; w = w + learningRate m. (Hsu et al. 2019.) */
export function fedAvgM(options: Pick<ServerOptions, 'learningRate' | 'momentum'> = {}): FederatedStrategy {
  checkOptions('fedAvgM', options, ['learningRate', 'momentum']);
  const { learningRate = 1, momentum = 0.9 } = options;
  return adapted('fedAvgM', { mean: 0 }, (change, { mean }) =>
    change.map((each, i) => {
      mean[i] = momentum * mean[i]! + each;
      return learningRate * mean[i]!;
    }),
  );
}

/** FedAdam: squares fade, v = b2 v + (1 - b2) change^2. (Reddi et al. 2021, algorithm 2; no correction of the start.) */
export function fedAdam(options: ServerOptions = {}): FederatedStrategy {
  return adaptive('fedAdam', options, 0.9, (square, v, b2) => b2 * v + (1 - b2) * square);
}

/** FedYogi: squares move by their sign, v = v - (1 - b2) change^2 sign(v - change^2). (Reddi et al. 2021.) */
export function fedYogi(options: ServerOptions = {}): FederatedStrategy {
  return adaptive('fedYogi', options, 0.9, (square, v, b2) => v - (1 - b2) * square * Math.sign(v - square));
}

/** FedAdagrad: squares add up, v = v + change^2. (Reddi et al. 2021.) */
export function fedAdagrad(options: ServerOptions = {}): FederatedStrategy {
  return adaptive('fedAdagrad', options, 0, (square, v) => v + square);
}

function adaptive(
  name: string,
  options: ServerOptions,
  usualMomentum: number,
  next: (square: number, v: number, b2: number) => number,
): FederatedStrategy {
  checkOptions(name, options, ['learningRate', 'momentum', 'secondMomentum', 'adaptivity']);
  const { learningRate = 0.1, momentum = usualMomentum, secondMomentum = 0.99, adaptivity = 1e-3 } = options;
  return adapted(name, { mean: 0, squares: adaptivity ** 2 }, (change, { mean, squares }) =>
    change.map((each, i) => {
      mean[i] = momentum * mean[i]! + (1 - momentum) * each;
      squares[i] = next(each * each, squares[i]!, secondMomentum);
      return (learningRate * mean[i]!) / (Math.sqrt(squares[i]!) + adaptivity);
    }),
  );
}

/** What a server optimizer remembers of each number, in double precision. */
type Moments<Name extends string> = Readonly<Record<Name, Float64Array>>;

/** A strategy that steps by what `step` makes of the mean change, with moments that begin as `starts` and that it changes. */
function adapted<Name extends string>(
  name: string,
  starts: Readonly<Record<Name, number>>,
  step: (change: Float64Array, moments: Moments<Name>) => Float64Array,
): FederatedStrategy {
  const names = Object.keys(starts) as Name[]; // the cast: these are the keys
  let kept: Moments<Name> | null = null;
  const fresh = (size: number): Moments<Name> => recordOf(names, (each) => new Float64Array(size).fill(starts[each]));
  return {
    name,
    needsOnlyMean: true,
    aggregate: (current, updates) => {
      const mean = weightedMean(updates);
      if (names.some((each) => kept?.[each].length !== mean.length)) kept = null;
      kept ??= fresh(mean.length);
      const steps = step(
        Float64Array.from(mean, (value, i) => value - current[i]!),
        kept,
      );
      return current.map((value, i) => value + steps[i]!);
    },
    hostState: () => {
      const moments = kept;
      return moments && recordOf(names, (each) => [...moments[each]]);
    },
    loadHostState: (state) => {
      kept = state === null ? null : momentsOf(name, names, state);
    },
  };
}

/** Throws ValueError for what is not the state of such a strategy. */
function momentsOf<Name extends string>(name: string, names: readonly Name[], state: unknown): Moments<Name> {
  const found = new Map<string, unknown>(typeof state === 'object' && state !== null ? Object.entries(state) : []);
  return recordOf(names, (each) => {
    const values = found.get(each);
    if (Array.isArray(values) && values.every(Number.isFinite)) return Float64Array.from(values);
    throw new ValueError(
      name,
      `the state to restore has no list of numbers '${each}': it is that of another strategy.`,
      {
        found: [...found.keys()],
      },
    );
  });
}

function recordOf<Name extends string, T>(names: readonly Name[], of: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(names.map((each) => [each, of(each)])) as Record<Name, T>; // the cast: one for each name
}

/** The median of each number apart: up to half of the clients may send anything. (Yin et al. 2018.) */
export function coordinateMedian(): FederatedStrategy {
  return byCoordinate('coordinateMedian', (sorted) => {
    const half = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
  });
}

/** The mean of each number apart, without this share of the lowest and of the highest. (Yin et al. 2018.) */
export function trimmedMean(share = 0.2): FederatedStrategy {
  if (!(share >= 0 && share < 0.5)) {
    throw new ValueError('trimmedMean', `share is ${share}: it must be from 0 to below 0.5.`, { share });
  }
  return byCoordinate('trimmedMean', (sorted) => {
    const cut = Math.floor(share * sorted.length);
    const kept = sorted.subarray(cut, sorted.length - cut);
    return kept.reduce((sum, value) => sum + value, 0) / kept.length;
  });
}

function byCoordinate(name: string, choose: (sorted: Float64Array) => number): FederatedStrategy {
  return {
    name,
    needsOnlyMean: false,
    aggregate: (current, updates) => {
      const column = new Float64Array(updates.length);
      return current.map((_, i) => {
        for (let k = 0; k < updates.length; k++) column[k] = updates[k]!.vector[i]!;
        return choose(column.sort());
      });
    },
  };
}

/**
 * Krum: the update with the least sum of squared distances to its n - malicious - 2 nearest; with `keep` above 1 the mean
 * of so many. Throws ValueError for fewer than malicious + 3 updates. (Blanchard et al. 2017.)
 *
 * @example
 * import { krum } from '@nn/privacy';
 * const updates = [1, 1.1, 0.9, 100].map((value) => ({ vector: Float32Array.of(value), examples: 1 }));
 * console.log(krum({ malicious: 1 }).aggregate(Float32Array.of(0), updates)[0]); // => 1
 */
export function krum(options: { readonly malicious: number; readonly keep?: number }): FederatedStrategy {
  checkOptions('krum', options, ['malicious', 'keep']);
  const { malicious, keep = 1 } = options;
  return {
    name: 'krum',
    needsOnlyMean: false,
    aggregate: (_, updates) => {
      const near = updates.length - malicious - 2;
      if (near < 1) {
        throw new ValueError(
          'krum',
          `${updates.length} updates are too few to find ${malicious} malicious ones: at least ${malicious + 3} are needed.`,
          { updates: updates.length, malicious },
        );
      }
      const scores = updates.map(({ vector }, k) => {
        const distances = updates.flatMap((other, j) => (j === k ? [] : [squaredDistance(vector, other.vector)]));
        return distances
          .sort((a, b) => a - b)
          .slice(0, near)
          .reduce((sum, value) => sum + value, 0);
      });
      const best = [...updates.keys()].sort((a, b) => scores[a]! - scores[b]!).slice(0, keep);
      return weightedMean(best.map((k) => ({ vector: updates[k]!.vector, examples: 1 })));
    },
  };
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
