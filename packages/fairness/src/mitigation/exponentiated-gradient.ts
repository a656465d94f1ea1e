/**
 * In training: any learner that takes weights, made fair by asking it again with other labels and weights. A game between the
 * learner and prices of unfairness; what comes out is a mix of models. (Agarwal et al. 2018.)
 */
import { checkOptions, ValueError } from '@nn/core';
import { type Attributes, checkBinary, groupsOf } from '../groups.ts';

export interface ExponentiatedGradientOptions<Model> {
  /** Trains a model on 0-or-1 labels, one a sample, each counting as much as its weight. */
  readonly fit: (labels: Uint8Array, weights: Float64Array) => Promise<Model>;
  /** The 0-or-1 predictions of a model for all samples. */
  readonly predict: (model: Model) => Promise<ArrayLike<number>>;
  /** Default 'demographicParity'. */
  readonly constraint?: 'demographicParity' | 'equalizedOdds';
  /** How far a group's rate may be from that of all. Default 0.01. */
  readonly slack?: number;
  /** The most that a unit of unfairness may cost, in units of error: too much, and models swing from one extreme to the other. Default 2. */
  readonly bound?: number;
  /** How fast prices follow. Default 1. */
  readonly learningRate?: number;
  /** Models that are trained. Default 20. */
  readonly rounds?: number;
}

/** A mix of models: a sample is predicted by one of them, drawn by these shares. */
export interface FairMixture<Model> {
  readonly models: readonly Model[];
  readonly shares: Float64Array;
  /** The largest distance of a group's rate to that of all, of the mix. */
  readonly gap: number;
  /** The share of wrong predictions of the mix. */
  readonly error: number;
}

/**
 * Trains `rounds` models. Each round the learner sees labels and weights of the cost
 * c = (1 - 2y) / n + sum over groups of price (1[in g] / n_g - 1 / n), label 1 where it is below 0; prices grow
 * exponentially with the gap. (Their algorithm 1, with equal shares of all rounds.)
 *
 * @example
 * import { exponentiatedGradient } from '@nn/fairness';
 * const groups = ['a', 'a', 'a', 'b', 'b', 'b'];
 * // a learner that may give each group an answer of its own
 * const byGroup = async (labels: Uint8Array, weights: Float64Array) => groups.map((group) => {
 *   const for1 = groups.reduce((sum, other, i) => sum + (other === group ? (2 * labels[i]! - 1) * weights[i]! : 0), 0);
 *   return Number(for1 > 0);
 * });
 * const { gap } = await exponentiatedGradient([1, 1, 0, 0, 0, 1], groups, { fit: byGroup, predict: async (model) => model, rounds: 60 });
 * console.log(gap < 0.1); // => true
 */
export async function exponentiatedGradient<Model>(
  targets: ArrayLike<number>,
  groups: Attributes,
  options: ExponentiatedGradientOptions<Model>,
): Promise<FairMixture<Model>> {
  checkOptions('exponentiatedGradient', options, [
    'fit',
    'predict',
    'constraint',
    'slack',
    'bound',
    'learningRate',
    'rounds',
  ]);
  const {
    fit,
    predict,
    constraint = 'demographicParity',
    slack = 0.01,
    learningRate = 1,
    bound = 2,
    rounds = 20,
  } = options;
  checkBinary('exponentiatedGradient', 'target', targets);
  for (const [name, value] of Object.entries({ slack, bound, learningRate })) {
    if (!(value > 0 && Number.isFinite(value)))
      throw new ValueError('exponentiatedGradient', `${name} is ${value}: it must be a finite number above 0.`, {
        [name]: value,
      });
  }
  if (!(Number.isInteger(rounds) && rounds >= 1))
    throw new ValueError('exponentiatedGradient', `rounds is ${rounds}: it must be a whole number from 1.`, { rounds });
  const size = targets.length;
  const everybody = Array.from({ length: size }, (_, i) => i);
  const events =
    constraint === 'demographicParity' ? [everybody] : [0, 1].map((y) => everybody.filter((i) => targets[i] === y));
  const parts = [...groupsOf('exponentiatedGradient', groups, size).values()];
  // a moment: the rate of a group within an event, less that of the whole event; both signs have a price
  const moments = events.flatMap((event) => {
    const isIn = new Set(event);
    return parts
      .map((part) => part.filter((i) => isIn.has(i)))
      .filter((part) => part.length > 0)
      .map((part) => ({ part, event }));
  });
  const gapsOf = (chances: ArrayLike<number>): number[] => {
    const mean = (of: readonly number[]): number => of.reduce((sum, i) => sum + chances[i]!, 0) / of.length;
    return moments.map(({ part, event }) => mean(part) - mean(event));
  };
  const theta = new Float64Array(2 * moments.length);
  const models: Model[] = [];
  const mixed = new Float64Array(size);
  for (let round = 0; round < rounds; round++) {
    // prices, together no more than the bound; the largest is taken out, for exp has an end
    const most = Math.max(0, ...theta);
    const raw = Array.from(theta, (each) => Math.exp(each - most));
    const total = Math.exp(-most) + raw.reduce((sum, each) => sum + each, 0);
    const costs = Float64Array.from({ length: size }, (_, i) => (1 - 2 * targets[i]!) / size);
    moments.forEach(({ part, event }, k) => {
      const price = (bound * (raw[2 * k]! - raw[2 * k + 1]!)) / total;
      for (const i of part) costs[i] = costs[i]! + price / part.length;
      for (const i of event) costs[i] = costs[i]! - price / event.length;
    });
    const labels = Uint8Array.from(costs, (cost) => Number(cost < 0));
    const model = await fit(
      labels,
      costs.map((cost) => Math.abs(cost) * size),
    );
    const predictions = await predict(model);
    models.push(model);
    for (let i = 0; i < size; i++) mixed[i] = mixed[i]! + predictions[i]! / rounds;
    gapsOf(predictions).forEach((gap, k) => {
      theta[2 * k] = theta[2 * k]! + learningRate * (gap - slack);
      theta[2 * k + 1] = theta[2 * k + 1]! + learningRate * (-gap - slack);
    });
  }
  return {
    models,
    shares: new Float64Array(rounds).fill(1 / rounds),
    gap: Math.max(...gapsOf(mixed).map(Math.abs)),
    error: mixed.reduce((sum, chance, i) => sum + Math.abs(chance - targets[i]!), 0) / size,
  };
}
