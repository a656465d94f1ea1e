/** TER: edits of a translation where moving a run of words is one edit. (Snover et al. 2006.) */
import { checkOptions } from '@nn/core';
import { HostMetric } from '../host-metric.ts';
import { editDistance } from './edit-distance.ts';
import { paired, words } from './n-grams.ts';

/** The longest run that is moved, and how far: as tercom and sacreBLEU bound the search. */
const [longestRun, farthest] = [10, 50];

/** A move of one run that lowers the distance most; null where none does. */
function bestShift(
  found: readonly string[],
  wanted: readonly string[],
  distance: number,
): { readonly words: string[]; readonly distance: number } | null {
  let best: { readonly words: string[]; readonly distance: number } | null = null;
  for (let start = 0; start < found.length; start++) {
    for (let target = 0; target < wanted.length; target++) {
      if (start === target || Math.abs(start - target) > farthest) continue;
      // only runs that stand in the reference as they are
      let length = 0;
      while (
        length < longestRun &&
        start + length < found.length &&
        found[start + length] === wanted[target + length] &&
        target + length < wanted.length
      ) {
        length++;
        const run = found.slice(start, start + length);
        const rest = [...found.slice(0, start), ...found.slice(start + length)];
        const at = Math.min(target, rest.length);
        const moved = [...rest.slice(0, at), ...run, ...rest.slice(at)];
        const now = editDistance(moved, wanted);
        if (now < (best?.distance ?? distance)) best = { words: moved, distance: now };
      }
    }
  }
  return best;
}

/** Moves, greedily the best first, and the edits that are left. */
export function translationEdits(found: readonly string[], wanted: readonly string[]): number {
  let [now, distance, shifts] = [found, editDistance(found, wanted), 0];
  for (let next = bestShift(now, wanted, distance); next !== null; next = bestShift(now, wanted, distance)) {
    // a move costs 1: it has to save more
    if (next.distance + 1 > distance) break;
    [now, distance] = [next.words, next.distance];
    shifts++;
  }
  return distance + shifts;
}

export interface TerOptions {
  readonly lowercase?: boolean;
}

/**
 * The translation edit rate of a corpus: the fewest edits and moves over the mean length of the references, over all
 * updates. The search for moves is greedy, as in tercom; words split at white space.
 *
 * @example
 * import { TranslationEditRate } from '@nn/metrics';
 * const metric = new TranslationEditRate();
 * metric.update('on the mat the cat sat', ['the cat sat on the mat']);
 * console.log((await metric.read()).epoch.toFixed(4)); // => 0.1667
 */
export class TranslationEditRate extends HostMetric<
  readonly [predictions: string | readonly string[], references: readonly string[] | readonly (readonly string[])[]]
> {
  static override readonly name: string = 'TranslationEditRate';

  readonly #lowercase: boolean;

  constructor(options: TerOptions = {}) {
    checkOptions('TranslationEditRate', options, ['lowercase']);
    super('translation_edit_rate', false, 2);
    this.#lowercase = options.lowercase ?? false;
  }

  protected override count(
    predictions: string | readonly string[],
    references: readonly string[] | readonly (readonly string[])[],
  ): number[] {
    const split = (text: string): string[] => words(this.#lowercase ? text.toLowerCase() : text);
    let [edits, length] = [0, 0];
    for (const [prediction, given] of paired<string | readonly string[]>(this, predictions, references)) {
      const targets = (typeof given === 'string' ? [given] : given).map(split);
      const found = split(prediction);
      edits += Math.min(...targets.map((wanted) => translationEdits(found, wanted)));
      length += targets.reduce((sum, wanted) => sum + wanted.length, 0) / targets.length;
    }
    return [edits, length];
  }

  protected override compute([edits = 0, length = 0]: Float64Array): number {
    return edits / length;
  }
}
