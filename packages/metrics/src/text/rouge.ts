/** ROUGE: what a summary shares with its reference, as Google's rouge_score counts it. (Lin 2004.) */
import { checkOptions } from '@nn/core';
import { HostMetric } from '../host-metric.ts';
import { countNgrams, overlap, paired, totalOf } from './n-grams.ts';

export type RougeKind = 'rouge1' | 'rouge2' | 'rougeL' | 'rougeLsum';

const kinds: readonly RougeKind[] = ['rouge1', 'rouge2', 'rougeL', 'rougeLsum'];

/** Lower case, and everything but a-z and 0-9 is a gap. No stemming. */
function tokens(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .split(' ')
    .filter((word) => word !== '');
}

/** Lengths of the longest common subsequences of all beginnings: [a + 1][b + 1]. */
function subsequences(a: readonly string[], b: readonly string[]): Uint32Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = 1; i <= a.length; i++) {
    const [row, above] = [table[i]!, table[i - 1]!];
    for (let j = 1; j <= b.length; j++) {
      row[j] = a[i - 1] === b[j - 1] ? above[j - 1]! + 1 : Math.max(above[j]!, row[j - 1]!);
    }
  }
  return table;
}

/** The positions in `reference` that a longest common subsequence with `found` goes through. */
function matched(reference: readonly string[], found: readonly string[]): number[] {
  const table = subsequences(reference, found);
  const positions: number[] = [];
  let [i, j] = [reference.length, found.length];
  while (i > 0 && j > 0) {
    if (reference[i - 1] === found[j - 1]) {
      positions.push(i - 1);
      i--;
      j--;
    } else if (table[i]![j - 1]! > table[i - 1]![j]!) j--;
    else i--;
  }
  return positions;
}

function fScore(hits: number, found: number, wanted: number): number {
  return hits === 0 ? 0 : (2 * hits) / (found + wanted);
}

function nGramScore(found: readonly string[], wanted: readonly string[], n: number): number {
  const [a, b] = [countNgrams(found, n), countNgrams(wanted, n)];
  return fScore(overlap(a, b), totalOf(a), totalOf(b));
}

/** For each sentence of the reference the union of what it shares with the sentences found; each word counts once. */
function summaryScore(found: string, wanted: string): number {
  const split = (text: string): string[][] =>
    text
      .split('\n')
      .map(tokens)
      .filter(({ length }) => length > 0);
  const [sentences, references] = [split(found), split(wanted)];
  const [left, right] = [countNgrams(sentences.flat(), 1), countNgrams(references.flat(), 1)];
  const [foundTotal, wantedTotal] = [totalOf(left), totalOf(right)];
  let hits = 0;
  for (const reference of references) {
    const union = new Set(sentences.flatMap((sentence) => matched(reference, sentence)));
    for (const position of [...union].sort((a, b) => a - b)) {
      const word = reference[position]!;
      const [a, b] = [left.get(word) ?? 0, right.get(word) ?? 0];
      if (a === 0 || b === 0) continue;
      hits++;
      left.set(word, a - 1);
      right.set(word, b - 1);
    }
  }
  return fScore(hits, foundTotal, wantedTotal);
}

/** F-scores by kind. */
export type RougeScores = Readonly<Record<RougeKind, number>>;

/**
 * ROUGE-1, -2, -L and -Lsum, the mean F-score of all pairs over all updates. For Lsum sentences end at a newline.
 *
 * @example
 * import { ROUGE } from '@nn/metrics';
 * const rouge = new ROUGE();
 * rouge.update('My name is John', 'Is your name John');
 * console.log((await rouge.read()).epoch); // => { rouge1: 0.75, rouge2: 0, rougeL: 0.5, rougeLsum: 0.5 }
 */
export class ROUGE extends HostMetric<
  readonly [predictions: string | readonly string[], references: string | readonly string[]],
  RougeScores
> {
  static override readonly name: string = 'ROUGE';

  constructor(options: Readonly<Record<string, never>> = {}) {
    checkOptions('ROUGE', options, []);
    super('rouge', true, 1 + kinds.length);
  }

  protected override count(predictions: string | readonly string[], references: string | readonly string[]): number[] {
    const sums = [0, 0, 0, 0, 0];
    for (const [prediction, reference] of paired<string>(this, predictions, references)) {
      const [found, wanted] = [tokens(prediction), tokens(reference)];
      const longest = subsequences(wanted, found).at(-1)?.at(-1) ?? 0;
      const scores = [
        1,
        nGramScore(found, wanted, 1),
        nGramScore(found, wanted, 2),
        fScore(longest, found.length, wanted.length),
        summaryScore(prediction, reference),
      ];
      scores.forEach((score, k) => {
        sums[k]! += score;
      });
    }
    return sums;
  }

  protected override compute([count = 0, ...sums]: Float64Array): RougeScores {
    const [rouge1, rouge2, rougeL, rougeLsum] = sums.map((sum) => sum / count) as [number, number, number, number];
    return { rouge1, rouge2, rougeL, rougeLsum };
  }
}
