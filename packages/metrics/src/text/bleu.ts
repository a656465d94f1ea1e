/** BLEU: clipped n-gram precision of translations with a brevity penalty. (Papineni et al. 2002; Post 2018 for signatures.) */
import { checkChoices, checkOptions, ValueError } from '@nn/core';
import { HostMetric } from '../host-metric.ts';
import { checkWhole } from '../inputs.ts';
import { countNgrams, paired, totalOf, words } from './n-grams.ts';

export interface BleuOptions {
  /** '13a': as mteval and sacreBLEU split words. 'words': at white space. 'characters'. Default '13a'. */
  readonly tokenize?: '13a' | 'words' | 'characters';
  /**
   * What an n-gram order without a hit counts: 'exp' 1/2, 1/4, ... hits (sacreBLEU), 'addOne' adds 1 to orders above 1,
   * 'none' makes the score 0. Default 'exp'.
   */
  readonly smoothing?: 'exp' | 'addOne' | 'none';
  /** The longest n-grams. Default 4. */
  readonly order?: number;
  readonly lowercase?: boolean;
}

/** The words of a text as mteval-v13a splits it: punctuation off, except inside of numbers. */
export function tokenize13a(text: string): string[] {
  return ` ${text.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ').replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>')} `
    .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replace(/([^0-9])([.,])/g, '$1 $2 ')
    .replace(/([.,])([^0-9])/g, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
    .split(/\s+/)
    .filter((word) => word !== '');
}

/**
 * BLEU of a corpus, 0 to 1 (times 100 in papers), over all updates: sums over sentences, not the mean of their scores.
 * Compare only numbers with the same `signature`.
 *
 * @example
 * import { BLEU } from '@nn/metrics';
 * const bleu = new BLEU({ smoothing: 'none' });
 * bleu.update('the cat is on the mat', ['there is a cat on the mat', 'a cat is on the mat']);
 * console.log((await bleu.read()).epoch.toFixed(6)); // => 0.759836
 * console.log(bleu.signature); // => nrefs:2|case:mixed|eff:no|tok:13a|smooth:none|n:4
 */
export class BLEU extends HostMetric<
  readonly [predictions: string | readonly string[], references: readonly string[] | readonly (readonly string[])[]]
> {
  static override readonly name: string = 'BLEU';

  readonly #options: Required<BleuOptions>;
  #references = new Set<number>();

  constructor(options: BleuOptions = {}) {
    checkOptions('BLEU', options, ['tokenize', 'smoothing', 'order', 'lowercase']);
    checkChoices('BLEU', options, {
      tokenize: ['13a', 'words', 'characters'],
      smoothing: ['exp', 'addOne', 'none'],
    });
    const { tokenize = '13a', smoothing = 'exp', order = 4, lowercase = false } = options;
    checkWhole('BLEU', 'order', order);
    super('bleu', true, 2 + 2 * order);
    this.#options = { tokenize, smoothing, order, lowercase };
  }

  /** How the number was made, in sacreBLEU's form. */
  get signature(): string {
    const { tokenize, smoothing, order, lowercase } = this.#options;
    const references = this.#references.size === 1 ? [...this.#references][0] : 'var';
    const names = { '13a': '13a', words: 'none', characters: 'char', exp: 'exp', addOne: 'add-k[1]', none: 'none' };
    return `nrefs:${references}|case:${lowercase ? 'lc' : 'mixed'}|eff:no|tok:${names[tokenize]}|smooth:${names[smoothing]}|n:${order}`;
  }

  protected override count(
    predictions: string | readonly string[],
    references: readonly string[] | readonly (readonly string[])[],
  ): number[] {
    const { order } = this.#options;
    const sums = new Array<number>(2 + 2 * order).fill(0);
    for (const [prediction, given] of paired<string | readonly string[]>(this, predictions, references)) {
      const found = this.#tokens(prediction);
      const targets = (typeof given === 'string' ? [given] : given).map((text) => this.#tokens(text));
      if (targets.length === 0) throw new ValueError('BLEU', 'a prediction has no reference: give at least one.');
      this.#references.add(targets.length);
      // the closest length, the shorter of two as close
      const closest = targets
        .map(({ length }) => length)
        .reduce((best, length) => {
          const [now, before] = [Math.abs(length - found.length), Math.abs(best - found.length)];
          return now < before || (now === before && length < best) ? length : best;
        });
      sums[0]! += found.length;
      sums[1]! += closest;
      for (let n = 1; n <= order; n++) {
        const counts = countNgrams(found, n);
        const limits = targets.map((target) => countNgrams(target, n));
        let hits = 0;
        for (const [gram, count] of counts)
          hits += Math.min(count, Math.max(...limits.map((limit) => limit.get(gram) ?? 0)));
        sums[2 * n]! += hits;
        sums[2 * n + 1]! += totalOf(counts);
      }
    }
    return sums;
  }

  protected override compute([length = 0, reference = 0, ...counts]: Float64Array): number {
    const { order, smoothing } = this.#options;
    let [sum, halves] = [0, 1];
    for (let n = 0; n < order; n++) {
      let [hits, all] = [counts[2 * n] ?? 0, counts[2 * n + 1] ?? 0];
      if (smoothing === 'addOne' && n > 0) [hits, all] = [hits + 1, all + 1];
      if (hits === 0 && smoothing === 'exp' && all > 0) {
        halves *= 2;
        hits = 1 / halves;
      }
      if (hits === 0 || all === 0) return 0;
      sum += Math.log(hits / all) / order;
    }
    return Math.exp(sum + Math.min(0, 1 - reference / length));
  }

  #tokens(text: string): string[] {
    const { tokenize, lowercase } = this.#options;
    const cased = lowercase ? text.toLowerCase() : text;
    if (tokenize === '13a') return tokenize13a(cased);
    return tokenize === 'words' ? words(cased) : [...cased.replace(/\s+/g, '')];
  }
}
