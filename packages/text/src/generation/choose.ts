/**
 * Which token comes next, by the scores of a model: penalties, what is allowed, temperature, the shares that are cut off, and a draw.
 * Owns these rules on the host, in double precision; they are those of Hugging Face's generation.
 */
import { ValueError } from '@nn/core';
import { heaviest, inOrder, largest } from './select.ts';

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
  if (!(repetitionPenalty > 0 && repetitionPenalty < Number.POSITIVE_INFINITY)) {
    wrong('repetitionPenalty', repetitionPenalty, 'a number above 0');
  }
  if (!Number.isFinite(presencePenalty)) wrong('presencePenalty', presencePenalty, 'a number');
  if (!Number.isFinite(frequencyPenalty)) wrong('frequencyPenalty', frequencyPenalty, 'a number');
}

/** What came before. */
export interface Past {
  readonly prompt: readonly number[];
  readonly generated: readonly number[];
}

/** Scores after penalties, and -Infinity where a token is not allowed; written into `result`. */
export function adjusted(
  scores: ArrayLike<number>,
  options: ChoiceOptions,
  past: Past,
  allowed: ArrayLike<number | boolean> | null,
  result: Float64Array = new Float64Array(scores.length),
): Float64Array {
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = options;
  result.set(scores);
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

/** The tokens that may come after all cuts, in no order. */
interface Candidates {
  readonly ids: Int32Array;
  /** What they weigh together. */
  readonly weight: number;
}

/** Chooses token after token by the same rules, in memory that serves all of them. */
export class TokenChoice {
  readonly #options: ChoiceOptions;
  readonly #scores: Float64Array;
  readonly #ids: Int32Array;
  /** By id: exp((score - the largest) / temperature), where it is a candidate's. */
  readonly #weights: Float64Array;

  constructor(options: ChoiceOptions, size: number) {
    this.#options = options;
    this.#scores = new Float64Array(size);
    this.#ids = new Int32Array(size);
    this.#weights = new Float64Array(size);
  }

  /**
   * A token by its chances, from a random number in [0, 1): the first whose chance and those of the more probable ones together
   * are above the number, found without an order of all. -1 where no token may come.
   */
  token(scores: ArrayLike<number>, past: Past, allowed: ArrayLike<number | boolean> | null, random: number): number {
    adjusted(scores, this.#options, past, allowed, this.#scores);
    const { ids, weight } = this.#candidates();
    const { count } = heaviest(ids, this.#scores, this.#weights, (sum) => sum > random * weight);
    return ids[count - 1] ?? -1;
  }

  /** The chances of all candidates, in order. */
  chances(scores: ArrayLike<number>): { readonly id: number; readonly probability: number }[] {
    this.#scores.set(scores);
    const { ids, weight } = this.#candidates();
    return inOrder(ids, this.#scores).map((id) => ({ id, probability: this.#weights[id]! / weight }));
  }

  /** What topK, minP and topP leave. */
  #candidates(): Candidates {
    const [scores, weights, { length }] = [this.#scores, this.#weights, this.#scores];
    const { temperature = 1, topK = length, topP = 1, minP = 0 } = this.#options;
    const count = temperature === 0 ? 1 : Math.min(topK, length);
    const best = count < length ? largest(scores, count) : null;
    const most = best === null ? maximum(scores) : scores[best[0]!]!;
    // the most probable token weighs 1, so minP is a weight; topP is a share of all that topK left
    let [kept, total, weight] = [0, 0, 0];
    for (let i = 0; i < count; i++) {
      const id = best === null ? i : best[i]!;
      const score = scores[id]!;
      if (score === Number.NEGATIVE_INFINITY) continue;
      const each = temperature === 0 ? 1 : Math.exp((score - most) / temperature);
      total += each;
      if (!(each > 0 && each >= minP)) continue;
      weights[id] = each;
      weight += each;
      this.#ids[kept++] = id;
    }
    const ids = this.#ids.subarray(0, kept);
    if (!(topP < 1)) return { ids, weight };
    const enough = topP * total;
    const share = heaviest(ids, scores, weights, (sum) => sum >= enough);
    return { ids: ids.subarray(0, share.count), weight: share.weight };
  }
}

function maximum(scores: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) most = Math.max(most, scores[i]!);
  return most;
}

/**
 * The chances of each token that may come, the most probable first: softmax(scores / temperature), cut by topK, minP and topP, and
 * made to sum to 1. Of equal scores the smaller id is first. Throws ValueError for scores that are NaN or Infinity.
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
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (score < Number.POSITIVE_INFINITY) continue;
    const message = `score ${id} is ${score}: scores are numbers, or -Infinity for what may not come.`;
    throw new ValueError('tokenChances', message, { id, score });
  }
  return new TokenChoice(options, scores.length).chances(scores);
}

/**
 * log of the sum of exp over a row of scores: what makes log-probabilities of them. Throws ValueError where the model gives no
 * numbers, for nothing that is chosen by them would mean anything.
 */
export function logSumExp(operation: string, scores: ArrayLike<number>, row: number, step: number): number {
  const most = maximum(scores);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - most);
  const result = most + Math.log(sum);
  if (Number.isFinite(result)) return result;
  throw new ValueError(
    operation,
    `the model's scores of row ${row} at step ${step} are no finite numbers: look for NaN or infinity in its weights.`,
    { row, step },
  );
}
