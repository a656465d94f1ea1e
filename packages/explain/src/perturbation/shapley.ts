/** Shapley values: exact, by all coalitions of features, with interactions of two; and by the kernel, from some of them. */
import { checkOptions, hostUniform, type Tensor, tensor, ValueError } from '@nn/core';
import { type Explained, requireWhole, scorerOf, type TargetOptions } from '../model.ts';
import { solvePositive } from './least-squares.ts';
import {
  type AbsenceOptions,
  absenceOf,
  type GroupOptions,
  maskOf,
  type Players,
  playersOf,
  readScores,
  scoresWith,
  spread,
} from './players.ts';

export interface ShapleyOptions extends TargetOptions, GroupOptions, AbsenceOptions {
  /** What stands for a feature that is not there: a number, or a tensor that spreads over the input. Default 0. */
  readonly baseline?: number | Tensor | undefined;
}

/** What each feature adds to the score. */
export interface Shapley {
  /** Of the shape of the input; elements of one feature share its number. */
  readonly attributions: Tensor;
  /** One number a feature: [N, features]. */
  readonly values: Tensor;
  /** The score of each sample, and of the sample without any feature: [N]. Their difference is the sum of the values. */
  readonly scores: Tensor;
  readonly baselineScores: Tensor;
}

/** What pairs of features add, too. */
export interface ShapleyInteractions extends Shapley {
  /**
   * [N, features, features]: beside the diagonal half of what two features add together, on it what a feature adds alone. The
   * sum of a row is the feature's Shapley value.
   */
  readonly interactions: Tensor;
}

const MOST_EXACT = 15;

/**
 * The mean, over all orders in which features come in, of what each adds to the score: by the scores of all 2^features
 * coalitions, so for at most 15 features (or groups). With `interactions` also those of pairs, as shap's TreeExplainer has them.
 * (Shapley 1953; interactions: Fujimoto et al. 2006.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { exactShapley } from '@nn/explain';
 * const model = (x: Tensor) => x.prod(1);
 * const { values, interactions } = await exactShapley(model, tensor([[2, 3]]), { interactions: true });
 * console.log(await values.array(), await interactions.array()); // => [[3, 3]] [[[0, 3], [3, 0]]]
 */
export function exactShapley(
  model: Explained,
  x: Tensor,
  options: ShapleyOptions & { readonly interactions: true },
): Promise<ShapleyInteractions>;
export function exactShapley(
  model: Explained,
  x: Tensor,
  options?: ShapleyOptions & { readonly interactions?: false },
): Promise<Shapley>;
export async function exactShapley(
  model: Explained,
  x: Tensor,
  options: ShapleyOptions & { readonly interactions?: boolean } = {},
): Promise<Shapley | ShapleyInteractions> {
  const operation = 'exactShapley';
  checkOptions(operation, options, ['target', 'groups', 'baseline', 'background', 'interactions']);
  const players = playersOf(operation, x, options.groups);
  const { count } = players;
  if (count > MOST_EXACT) {
    throw new ValueError(
      operation,
      `${count} features have 2^${count} coalitions: take kernelShap, or put elements into at most ${MOST_EXACT} groups.`,
      { features: count },
    );
  }
  const rows = Array.from({ length: 2 ** count }, (_, coalition) =>
    Uint8Array.from({ length: count }, (__, k) => (coalition >> k) & 1),
  );
  const v = await valuesOf(operation, model, x, options, players, rows);
  const samples = x.shape[0] as number;
  const at = (coalition: number, n: number): number => v[coalition * samples + n] as number;
  // |S|! (M - |S| - 1)! / M!, by the size of S: what comes before a feature
  const weight = Array.from({ length: count }, (_, size) => 1 / (count * binomial(count - 1, size)));
  const sizes = Uint8Array.from({ length: 2 ** count }, (_, coalition) => bitsOf(coalition));
  const values = new Float64Array(samples * count);
  for (let coalition = 0; coalition < 2 ** count; coalition++) {
    for (let k = 0; k < count; k++) {
      if ((coalition >> k) & 1) continue;
      const w = weight[sizes[coalition] as number] as number;
      for (let n = 0; n < samples; n++) {
        values[n * count + k] =
          (values[n * count + k] as number) + w * (at(coalition | (1 << k), n) - at(coalition, n));
      }
    }
  }
  const ends = (n: number): [number, number] => [at(0, n), at(2 ** count - 1, n)];
  const found = resultOf(values, samples, players, ends);
  if (options.interactions !== true) return found;
  return { ...found, interactions: interactionsOf(values, samples, count, sizes, at) };
}

/** sum over S of |S|! (M - |S| - 2)! / (2 (M - 1)!) (v(S i j) - v(S i) - v(S j) + v(S)), and the rest on the diagonal. */
function interactionsOf(
  values: Float64Array,
  samples: number,
  count: number,
  sizes: Uint8Array,
  at: (coalition: number, n: number) => number,
): Tensor {
  const table = new Float64Array(samples * count * count);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const pair = (1 << i) | (1 << j);
      for (let coalition = 0; coalition < 2 ** count; coalition++) {
        if (coalition & pair) continue;
        const w = 1 / (2 * (count - 1) * binomial(count - 2, sizes[coalition] as number));
        for (let n = 0; n < samples; n++) {
          const more =
            at(coalition | pair, n) - at(coalition | (1 << i), n) - at(coalition | (1 << j), n) + at(coalition, n);
          for (const [a, b] of [
            [i, j],
            [j, i],
          ] as const) {
            const place = (n * count + a) * count + b;
            table[place] = (table[place] as number) + w * more;
          }
        }
      }
    }
  }
  for (let n = 0; n < samples; n++) {
    for (let i = 0; i < count; i++) {
      const row = (n * count + i) * count;
      const others = table.subarray(row, row + count).reduce((sum, value) => sum + value, 0);
      table[row + i] = (values[n * count + i] as number) - others;
    }
  }
  return tensor(Float32Array.from(table), { shape: [samples, count, count] });
}

export interface KernelShapOptions extends ShapleyOptions {
  /**
   * How many coalitions are looked at. Default 2 features + 2048, as in shap; where there are no more than that, all, and the
   * values are exact.
   */
  readonly samples?: number;
}

/**
 * Shapley values from some coalitions: the additive function that fits their scores best under Shapley's kernel, with both ends
 * met exactly. Coalitions come with their complements. All samples share them, so that the model sees one batch. (Lundberg and
 * Lee 2017; pairs: Covert and Lee 2021.)
 *
 * Throws ValueError where the samples do not determine the values.
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { kernelShap } from '@nn/explain';
 * const model = (x: Tensor) => x.mul(tensor([3, -2, 1])).sum(1);
 * const { values } = await kernelShap(model, tensor([[5, 1, 4]]));
 * console.log((await values.array(2)).map((row) => row.map(Math.round))); // => [[15, -2, 4]]
 */
export async function kernelShap(model: Explained, x: Tensor, options: KernelShapOptions = {}): Promise<Shapley> {
  const operation = 'kernelShap';
  checkOptions(operation, options, ['target', 'groups', 'baseline', 'background', 'samples']);
  const players = playersOf(operation, x, options.groups);
  const { count } = players;
  const { samples: wanted = 2 * count + 2048 } = options;
  requireWhole(operation, 'samples', wanted, 2);
  const inner = count < 30 && 2 ** count - 2 <= wanted ? allCoalitions(count) : drawnCoalitions(count, wanted);
  const rows = [new Uint8Array(count), new Uint8Array(count).fill(1), ...inner.rows];
  const v = await valuesOf(operation, model, x, options, players, rows);
  const samples = x.shape[0] as number;
  const at = (row: number, n: number): number => v[row * samples + n] as number;
  const values = fitted(operation, inner, samples, count, at);
  return resultOf(values, samples, players, (n) => [at(0, n), at(1, n)]);
}

interface Coalitions {
  readonly rows: readonly Uint8Array[];
  readonly weights: Float64Array;
}

/** Every coalition but the empty and the whole one, weighted by the kernel (M - 1) / (C(M, s) s (M - s)). */
function allCoalitions(count: number): Coalitions {
  const rows = Array.from({ length: Math.max(0, 2 ** count - 2) }, (_, coalition) =>
    Uint8Array.from({ length: count }, (__, k) => ((coalition + 1) >> k) & 1),
  );
  const weights = Float64Array.from(rows, (row) => {
    const size = row.reduce((sum, bit) => sum + bit, 0);
    return (count - 1) / (binomial(count, size) * size * (count - size));
  });
  return { rows, weights };
}

/** Coalitions of sizes drawn by what the kernel gives all of a size together, 1 / (s (M - s)), each with its complement. */
function drawnCoalitions(count: number, wanted: number): Coalitions {
  const chances = Array.from({ length: count - 1 }, (_, i) => 1 / ((i + 1) * (count - i - 1)));
  const whole = chances.reduce((sum, chance) => sum + chance, 0);
  const rows: Uint8Array[] = [];
  const order = Uint32Array.from({ length: count }, (_, k) => k);
  while (rows.length < wanted) {
    const draws = hostUniform(count + 1);
    let left = (draws[count] as number) * whole;
    let size = 1;
    while (size < count - 1 && left >= (chances[size - 1] as number)) left -= chances[size++ - 1] as number;
    const row = new Uint8Array(count);
    for (let k = 0; k < size; k++) {
      const other = k + Math.floor((draws[k] as number) * (count - k));
      [order[k], order[other]] = [order[other] as number, order[k] as number];
      row[order[k] as number] = 1;
    }
    rows.push(
      row,
      row.map((bit) => 1 - bit),
    );
  }
  rows.length = wanted;
  return { rows, weights: new Float64Array(rows.length).fill(1) };
}

/**
 * The weighted least squares fit of v(S) - v(nothing) by the sum of the values in S, under the condition that all together are
 * v(all) - v(nothing): the last feature's value is what the others leave.
 */
function fitted(
  operation: string,
  { rows, weights }: Coalitions,
  samples: number,
  count: number,
  at: (row: number, n: number) => number,
): Float64Array {
  const free = count - 1;
  const a = new Float64Array(free * free);
  const b = new Float64Array(free * samples);
  const z = new Float64Array(free);
  rows.forEach((row, r) => {
    const last = row[free] as number;
    const w = weights[r] as number;
    for (let k = 0; k < free; k++) z[k] = (row[k] as number) - last;
    for (let i = 0; i < free; i++) {
      const wz = w * (z[i] as number);
      if (wz === 0) continue;
      for (let j = 0; j < free; j++) a[i * free + j] = (a[i * free + j] as number) + wz * (z[j] as number);
      for (let n = 0; n < samples; n++) {
        const y = at(r + 2, n) - at(0, n) - last * (at(1, n) - at(0, n));
        b[i * samples + n] = (b[i * samples + n] as number) + wz * y;
      }
    }
  });
  if (!solvePositive(a, free, b, samples)) {
    throw new ValueError(
      operation,
      `${rows.length} samples do not determine the values of ${count} features: take more samples.`,
      { samples: rows.length, features: count },
    );
  }
  const values = new Float64Array(samples * count);
  for (let n = 0; n < samples; n++) {
    let rest = at(1, n) - at(0, n);
    for (let k = 0; k < free; k++) {
      values[n * count + k] = b[k * samples + n] as number;
      rest -= b[k * samples + n] as number;
    }
    values[n * count + free] = rest;
  }
  return values;
}

async function valuesOf(
  operation: string,
  model: Explained,
  x: Tensor,
  options: ShapleyOptions,
  players: Players,
  rows: readonly Uint8Array[],
): Promise<Float64Array> {
  const score = scorerOf(operation, model, options.target);
  return readScores(scoresWith(score, x, absenceOf(operation, x, options), maskOf(players, rows)));
}

function resultOf(
  values: Float64Array,
  samples: number,
  players: Players,
  ends: (n: number) => [nothing: number, all: number],
): Shapley {
  const each = Array.from({ length: samples }, (_, n) => ends(n));
  return {
    attributions: spread(values, samples, players),
    values: tensor(Float32Array.from(values), { shape: [samples, players.count] }),
    scores: tensor(each.map(([, all]) => all)),
    baselineScores: tensor(each.map(([nothing]) => nothing)),
  };
}

function binomial(n: number, k: number): number {
  let product = 1;
  for (let i = 0; i < k; i++) product = (product * (n - i)) / (i + 1);
  return product;
}

function bitsOf(value: number): number {
  let bits = 0;
  for (let left = value; left > 0; left &= left - 1) bits++;
  return bits;
}
