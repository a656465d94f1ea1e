/** Edits between sequences, and the error rates made of them: WER, CER, MER, WIL, and the distance itself. */
import { checkChoices, checkOptions } from '@nn/core';
import { HostMetric } from '../host-metric.ts';
import { paired, words } from './n-grams.ts';

/**
 * The fewest insertions, deletions and substitutions that turn one sequence into the other. (Levenshtein 1966.)
 *
 * @example
 * import { editDistance } from '@nn/metrics';
 * console.log(editDistance([...'kitten'], [...'sitting'])); // => 3
 */
export function editDistance(from: readonly unknown[], to: readonly unknown[]): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1]! + Number(from[i - 1] !== to[j - 1]);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}

/** Of the alignments with the fewest edits the one with the most hits: [edits, hits]. */
export function align(from: readonly unknown[], to: readonly unknown[]): readonly [edits: number, hits: number] {
  type Cell = readonly [edits: number, hits: number];
  const better = (a: Cell, b: Cell): Cell => (b[0] < a[0] || (b[0] === a[0] && b[1] > a[1]) ? b : a);
  let row: Cell[] = Array.from({ length: to.length + 1 }, (_, j) => [j, 0]);
  for (let i = 1; i <= from.length; i++) {
    const next: Cell[] = [[i, 0]];
    for (let j = 1; j <= to.length; j++) {
      const isHit = from[i - 1] === to[j - 1];
      const [[edits, hits], above, left] = [row[j - 1]!, row[j]!, next[j - 1]!];
      const both: Cell = isHit ? [edits, hits + 1] : [edits + 1, hits];
      next.push(better(better(both, [above[0] + 1, above[1]]), [left[0] + 1, left[1]]));
    }
    row = next;
  }
  return row.at(-1)!;
}

type Batch = readonly [predictions: string | readonly string[], references: string | readonly string[]];

/** Edits, hits, and lengths of predictions and references. */
abstract class EditMetric extends HostMetric<Batch> {
  readonly #split: (text: string) => readonly string[];

  constructor(name: string, split: (text: string) => readonly string[], higherIsBetter = false) {
    super(name, higherIsBetter, 5);
    this.#split = split;
  }

  protected override count(predictions: string | readonly string[], references: string | readonly string[]): number[] {
    const sums = [0, 0, 0, 0, 0];
    for (const [prediction, reference] of paired<string>(this, predictions, references)) {
      const [found, wanted] = [this.#split(prediction), this.#split(reference)];
      const [edits, hits] = align(found, wanted);
      [edits, hits, found.length, wanted.length, 1].forEach((value, k) => {
        sums[k]! += value;
      });
    }
    return sums;
  }
}

/**
 * The word error rate: edits over the words of the references, of the whole corpus; above 1 where much is inserted.
 *
 * @example
 * import { WordErrorRate } from '@nn/metrics';
 * const metric = new WordErrorRate();
 * metric.update(['this is the prediction', 'there is an other sample'], ['this is the reference', 'there is another one']);
 * console.log((await metric.read()).epoch); // => 0.5
 */
export class WordErrorRate extends EditMetric {
  static override readonly name: string = 'WordErrorRate';

  constructor() {
    super('word_error_rate', words);
  }

  protected override compute([edits = 0, , , wanted = 0]: Float64Array): number {
    return edits / wanted;
  }
}

/**
 * The character error rate: edits over the characters of the references, of the whole corpus.
 *
 * @example
 * import { CharacterErrorRate } from '@nn/metrics';
 * const metric = new CharacterErrorRate();
 * metric.update(['this is the prediction', 'there is an other sample'], ['this is the reference', 'there is another one']);
 * console.log((await metric.read()).epoch.toFixed(6)); // => 0.341463
 */
export class CharacterErrorRate extends EditMetric {
  static override readonly name: string = 'CharacterErrorRate';

  constructor() {
    super('character_error_rate', (text) => [...text]);
  }

  protected override compute([edits = 0, , , wanted = 0]: Float64Array): number {
    return edits / wanted;
  }
}

/**
 * The match error rate: the share of aligned words that are wrong, 0 to 1. (Morris et al. 2004.)
 *
 * @example
 * import { MatchErrorRate } from '@nn/metrics';
 * const metric = new MatchErrorRate();
 * metric.update(['this is the prediction', 'there is an other sample'], ['this is the reference', 'there is another one']);
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.4444
 */
export class MatchErrorRate extends EditMetric {
  static override readonly name: string = 'MatchErrorRate';

  constructor() {
    super('match_error_rate', words);
  }

  protected override compute([edits = 0, hits = 0]: Float64Array): number {
    return edits / (edits + hits);
  }
}

/**
 * Word information lost: 1 - hits^2 / (words found x words wanted). (Morris et al. 2004.)
 *
 * @example
 * import { WordInformationLost } from '@nn/metrics';
 * const metric = new WordInformationLost();
 * metric.update(['this is the prediction', 'there is an other sample'], ['this is the reference', 'there is another one']);
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.6528
 */
export class WordInformationLost extends EditMetric {
  static override readonly name: string = 'WordInformationLost';

  constructor() {
    super('word_information_lost', words);
  }

  protected override compute([, hits = 0, found = 0, wanted = 0]: Float64Array): number {
    return 1 - ((hits / wanted) * hits) / found;
  }
}

export interface EditDistanceOptions {
  /** What is one step: a character or a word. Default 'characters'. */
  readonly of?: 'characters' | 'words';
}

/**
 * The mean number of edits between prediction and reference, over all updates.
 *
 * @example
 * import { EditDistance } from '@nn/metrics';
 * const metric = new EditDistance();
 * metric.update(['kitten', 'same'], ['sitting', 'same']);
 * console.log((await metric.read()).epoch); // => 1.5
 */
export class EditDistance extends EditMetric {
  static override readonly name: string = 'EditDistance';

  constructor(options: EditDistanceOptions = {}) {
    checkOptions('EditDistance', options, ['of']);
    checkChoices('EditDistance', options, { of: ['characters', 'words'] });
    super('edit_distance', options.of === 'words' ? words : (text) => [...text]);
  }

  protected override compute([edits = 0, , , , pairs = 0]: Float64Array): number {
    return edits / pairs;
  }
}
