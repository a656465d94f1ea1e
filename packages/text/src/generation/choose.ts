/**
 * Which token comes next, by the scores of a model: penalties, what is allowed, temperature, the shares that are cut off, and a draw.
 * Owns these rules on the host, in double precision; they are those of Hugging Face's generation.
 */
import { randomValue, ValueError } from '@nn/core';

export interface ChoiceOptions {
  /** Scores are divided by this: below 1 surer, above 1 more varied; 0 takes the most probable token. Default 1. */
  readonly temperature?: number;
  /** Only so many tokens with the highest scores. Default: all. */
  readonly topK?: number;
  /** Only the most probable tokens that have this share together. (Holtzman et al. 2020.) Default 1. */
  readonly topP?: number;
  /** Only tokens that are at least this times as probable as the most probable one. (Nguyen et al. 2024.) Default 0. */
  readonly minP?: number;
  /** Scores of tokens that came, in the prompt or after, are divided by this (multiplied where negative). (Keskar et al. 2019.) Default 1. */
  readonly repetitionPenalty?: number;
  /** Taken off the scores of tokens that were generated. Default 0. */
  readonly presencePenalty?: number;
  /** Taken off the scores of tokens for each time that they were generated. Default 0. */
  readonly frequencyPenalty?: number;
}

export const choiceNames: readonly string[] = [
  ...['temperature', 'topK', 'topP', 'minP'],
  ...['repetitionPenalty', 'presencePenalty', 'frequencyPenalty'],
];

/** Throws ValueError for options out of range. */
export function checkChoice(operation: string, options: ChoiceOptions): void {
  const { temperature = 1, topK = 1, topP = 1, minP = 0, repetitionPenalty = 1 } = options;
  const { presencePenalty = 0, frequencyPenalty = 0 } = options;
  const wrong = (name: string, value: number, what: string): void => {
    throw new ValueError(operation, `${name} is ${value}: it must be ${what}.`, { [name]: value });
  };
  if (!(temperature >= 0)) wrong('temperature', temperature, 'at least 0');
  if (!(Number.isInteger(topK) && topK >= 1)) wrong('topK', topK, 'a whole number of at least 1');
  if (!(topP > 0 && topP <= 1)) wrong('topP', topP, 'above 0 and at most 1');
  if (!(minP >= 0 && minP <= 1)) wrong('minP', minP, 'from 0 to 1');
  if (!(repetitionPenalty > 0)) wrong('repetitionPenalty', repetitionPenalty, 'above 0');
  if (!Number.isFinite(presencePenalty)) wrong('presencePenalty', presencePenalty, 'a number');
  if (!Number.isFinite(frequencyPenalty)) wrong('frequencyPenalty', frequencyPenalty, 'a number');
}

/** What came before. */
export interface Past {
  readonly prompt: readonly number[];
  readonly generated: readonly number[];
}

/** Scores after penalties, and -Infinity where a token is not allowed. */
export function adjusted(
  scores: Float32Array,
  options: ChoiceOptions,
  past: Past,
  allowed: ArrayLike<number | boolean> | null,
): Float64Array {
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = options;
  const result = Float64Array.from(scores);
  if (repetitionPenalty !== 1) {
    for (const id of new Set([...past.prompt, ...past.generated])) {
      const score = result[id];
      if (score !== undefined) result[id] = score > 0 ? score / repetitionPenalty : score * repetitionPenalty;
    }
  }
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    const counts = new Map<number, number>();
    for (const id of past.generated) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) result[id]! -= presencePenalty + count * frequencyPenalty;
  }
  if (allowed !== null) {
    for (let id = 0; id < result.length; id++) if (!allowed[id]) result[id] = Number.NEGATIVE_INFINITY;
  }
  return result;
}

/**
 * The chances of each token that may come, the most probable first: softmax(scores / temperature), cut by topK, minP and topP, and
 * made to sum to 1. Of equal scores the smaller id is first.
 *
 * @example
 * import { tokenChances } from '@nn/text';
 * const chances = tokenChances([Math.log(6), Math.log(3), Math.log(1)], { topK: 2 });
 * console.log(chances.map(({ id, probability }) => `${id}: ${probability.toFixed(3)}`)); // => [ '0: 0.667', '1: 0.333' ]
 */
export function tokenChances(
  scores: ArrayLike<number>,
  options: ChoiceOptions = {},
): { readonly id: number; readonly probability: number }[] {
  checkChoice('tokenChances', options);
  const { temperature = 1, topK = scores.length, topP = 1, minP = 0 } = options;
  const order = largest(scores, temperature === 0 ? 1 : Math.min(topK, scores.length));
  const [first] = order;
  if (first === undefined || scores[first] === Number.NEGATIVE_INFINITY) return [];
  if (temperature === 0) return [{ id: first, probability: 1 }];
  const most = scores[first]!;
  const weights = order.map((id) => Math.exp((scores[id]! - most) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let kept = 0;
  let share = 0;
  // the first stays; another one while those before it have less than topP
  while (kept < order.length && weights[kept]! > 0 && weights[kept]! >= minP && (kept === 0 || share < topP * total)) {
    share += weights[kept]!;
    kept++;
  }
  return order.slice(0, kept).map((id, i) => ({ id, probability: weights[i]! / share }));
}

/** Ids of the `count` largest scores, in order. */
export function largest(scores: ArrayLike<number>, count: number): number[] {
  const before = (a: number, b: number): number => scores[b]! - scores[a]! || a - b;
  if (count * 8 >= scores.length)
    return Array.from(scores, (_, id) => id)
      .sort(before)
      .slice(0, count);
  // few of many: kept in order while all pass
  const best: number[] = [];
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (best.length === count && !(score > scores[best[count - 1]!]!)) continue;
    if (best.length === count) best.pop();
    let at = best.length;
    while (at > 0 && score > scores[best[at - 1]!]!) at--;
    best.splice(at, 0, id);
  }
  return best;
}

/** A token by its chances, from the random number of a seed, a row and a step. */
export function draw(
  chances: readonly { readonly id: number; readonly probability: number }[],
  seed: number,
  row: number,
  step: number,
): number {
  let left = randomValue(seed, row, step);
  for (const { id, probability } of chances) {
    left -= probability;
    if (left < 0) return id;
  }
  return chances.at(-1)!.id;
}

/** log of the sum of exp over a row of scores: what makes log-probabilities of them. */
export function logSumExp(scores: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) most = Math.max(most, scores[i]!);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - most);
  return most + Math.log(sum);
}
