/** Answers to questions (SQuAD) and the variety of generated text (distinct-n). */
import { checkOptions } from '@nn/core';
import { HostMetric } from '../host-metric.ts';
import { checkWhole } from '../inputs.ts';
import { countNgrams, overlap, paired, totalOf, words } from './n-grams.ts';

/** Lower case without punctuation and articles, as SQuAD's script does. */
function normalized(text: string): string {
  return words(
    text
      .toLowerCase()
      .replace(/[!-/:-@[-`{-~]/g, '')
      .replace(/\b(a|an|the)\b/g, ' '),
  ).join(' ');
}

function answerScores(prediction: string, answer: string): readonly [exact: number, f1: number] {
  const [found, wanted] = [normalized(prediction), normalized(answer)];
  const [a, b] = [countNgrams(words(found), 1), countNgrams(words(wanted), 1)];
  const [left, right] = [totalOf(a), totalOf(b)];
  // without an answer, F1 is whether both are empty
  if (left === 0 || right === 0) return [Number(found === wanted), Number(left === right)];
  return [Number(found === wanted), (2 * overlap(a, b)) / (left + right)];
}

/** Exact matches and F1 of words, each the best over the answers that are right. */
export interface AnswerScores {
  readonly exactMatch: number;
  readonly f1: number;
}

/**
 * SQuAD's exact match and F1 of answers, the mean over all updates; of several right answers the best counts.
 * (Rajpurkar et al. 2016.)
 *
 * @example
 * import { AnswerMatch } from '@nn/metrics';
 * const metric = new AnswerMatch();
 * metric.update('the cat sat down', ['A cat sat.', 'cat']);
 * console.log((await metric.read()).epoch); // => { exactMatch: 0, f1: 0.8 }
 */
export class AnswerMatch extends HostMetric<
  readonly [predictions: string | readonly string[], answers: readonly string[] | readonly (readonly string[])[]],
  AnswerScores
> {
  static override readonly name: string = 'AnswerMatch';

  constructor() {
    super('answer_match', true, 3);
  }

  protected override count(
    predictions: string | readonly string[],
    answers: readonly string[] | readonly (readonly string[])[],
  ): number[] {
    const sums = [0, 0, 0];
    for (const [prediction, given] of paired<string | readonly string[]>(this, predictions, answers)) {
      const scores = (typeof given === 'string' ? [given] : given).map((answer) => answerScores(prediction, answer));
      sums[0]! += 1;
      sums[1]! += Math.max(...scores.map(([exact]) => exact));
      sums[2]! += Math.max(...scores.map(([, f1]) => f1));
    }
    return sums;
  }

  protected override compute([count = 0, exact = 0, f1 = 0]: Float64Array): AnswerScores {
    return { exactMatch: exact / count, f1: f1 / count };
  }
}

export interface DistinctOptions {
  /** The length of the n-grams. Default 2. */
  readonly n?: number;
}

/**
 * distinct-n of texts: different n-grams of words over all of them, as the mean over the texts of all updates. (Li et al. 2016.)
 *
 * @example
 * import { DistinctNgrams } from '@nn/metrics';
 * const metric = new DistinctNgrams({ n: 1 });
 * metric.update(['so so good']);
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.6667
 */
export class DistinctNgrams extends HostMetric<readonly [texts: string | readonly string[]]> {
  static override readonly name: string = 'DistinctNgrams';

  readonly #n: number;

  constructor(options: DistinctOptions = {}) {
    checkOptions('DistinctNgrams', options, ['n']);
    const { n = 2 } = options;
    checkWhole('DistinctNgrams', 'n', n);
    super(`distinct_${n}`, true, 2);
    this.#n = n;
  }

  protected override count(texts: string | readonly string[]): number[] {
    let [sum, count] = [0, 0];
    for (const text of typeof texts === 'string' ? [texts] : texts) {
      const grams = countNgrams(words(text), this.#n);
      if (grams.size === 0) continue; // too short to have one
      sum += grams.size / totalOf(grams);
      count++;
    }
    return [sum, count];
  }

  protected override compute([sum = 0, count = 0]: Float64Array): number {
    return sum / count;
  }
}
