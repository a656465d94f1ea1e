/** chrF and chrF++: F-scores of character and word n-grams. (Popovic 2015, 2017.) */
import { checkOptions, ValueError } from '@nn/core';
import { HostMetric } from '../host-metric.ts';
import { checkWhole } from '../inputs.ts';
import { countNgrams, overlap, paired, totalOf, words } from './n-grams.ts';

export interface ChrfOptions {
  /** The longest n-grams of characters. Default 6. */
  readonly characters?: number;
  /** The longest n-grams of words: 0 is chrF, 2 is chrF++. Default 0. */
  readonly words?: number;
  /** How much more recall counts than precision. Default 2. */
  readonly beta?: number;
  readonly lowercase?: boolean;
}

/** Words with the punctuation at one of their ends off, as chrF++ does. */
function splitWords(text: string): string[] {
  return words(text).flatMap((word) => {
    if (word.length > 1 && /[!-/:-@[-`{-~]$/.test(word)) return [word.slice(0, -1), word.slice(-1)];
    return word.length > 1 && /^[!-/:-@[-`{-~]/.test(word) ? [word.slice(0, 1), word.slice(1)] : [word];
  });
}

/**
 * chrF of a corpus, 0 to 1, over all updates: the mean F-score over the orders of n-grams of characters (without white
 * space) and, for chrF++, of words. As sacreBLEU's, without its effective order.
 *
 * @example
 * import { ChrF } from '@nn/metrics';
 * const chrf = new ChrF();
 * chrf.update('the cat sat', 'the cat sat');
 * console.log((await chrf.read()).epoch); // => 1
 */
export class ChrF extends HostMetric<
  readonly [predictions: string | readonly string[], references: string | readonly string[]]
> {
  static override readonly name: string = 'ChrF';

  readonly #characters: number;
  readonly #words: number;
  readonly #beta: number;
  readonly #lowercase: boolean;

  constructor(options: ChrfOptions = {}) {
    checkOptions('ChrF', options, ['characters', 'words', 'beta', 'lowercase']);
    const { characters = 6, words: wordOrder = 0, beta = 2, lowercase = false } = options;
    checkWhole('ChrF', 'characters', characters);
    checkWhole('ChrF', 'words', wordOrder, 0);
    if (!(beta > 0)) throw new ValueError('ChrF', `beta is ${beta}: it must be above 0.`, { beta });
    super(wordOrder > 0 ? 'chrf_plus_plus' : 'chrf', true, 3 * (characters + wordOrder));
    [this.#characters, this.#words, this.#beta, this.#lowercase] = [characters, wordOrder, beta, lowercase];
  }

  protected override count(predictions: string | readonly string[], references: string | readonly string[]): number[] {
    const sums = new Array<number>(3 * (this.#characters + this.#words)).fill(0);
    for (const pair of paired<string>(this, predictions, references)) {
      const [found, wanted] = pair.map((text) => (this.#lowercase ? text.toLowerCase() : text)) as [string, string];
      const characters = (text: string): string[] => [...text.replace(/\s+/g, '')];
      for (let k = 0; k < this.#characters + this.#words; k++) {
        const isWord = k >= this.#characters;
        const n = isWord ? k - this.#characters + 1 : k + 1;
        const [a, b] = [found, wanted].map((text) => countNgrams(isWord ? splitWords(text) : characters(text), n)) as [
          Map<string, number>,
          Map<string, number>,
        ];
        [overlap(a, b), totalOf(a), totalOf(b)].forEach((count, row) => {
          sums[3 * k + row]! += count;
        });
      }
    }
    return sums;
  }

  protected override compute(totals: Float64Array): number {
    const orders = totals.length / 3;
    const square = this.#beta ** 2;
    let [sum, counted] = [0, 0];
    for (let k = 0; k < orders; k++) {
      const [shared = 0, found = 0, wanted = 0] = totals.slice(3 * k, 3 * k + 3);
      if (found === 0 && wanted === 0) continue; // texts too short for the order
      counted++;
      // (1 + b^2) P R / (b^2 P + R)
      sum += shared === 0 ? 0 : ((1 + square) * shared) / (square * wanted + found);
    }
    return counted === 0 ? Number.NaN : sum / counted;
  }
}
