/** Tokenizers of characters and of words, whose vocabulary is what the texts have. Owns the choice of tokens. */
import { checkOptions, ValueError } from '@nn/core';
import { listOf, type SpecialTokens } from './special.ts';
import { Tokenizer } from './tokenizer.ts';
import { byCodePoint } from './train-word-piece.ts';
import { unitsOf, WordLevelModel, type WordLevelOptions } from './word-level.ts';

export interface PlainTokenizerOptions {
  /** How many tokens at most, special ones included: those that come most often. Default: all. */
  readonly size?: number;
  /** What comes less often is left out. Default 1. */
  readonly minimumCount?: number;
  readonly special?: SpecialTokens;
  /** All in lower case. Default false. */
  readonly lowercase?: boolean;
}

/**
 * A token for each character (code point) of the texts, by code point. What is unknown becomes `special.unknown`, or is left
 * out where there is none; `unknownIn` and `batch` count it.
 *
 * @example
 * import { characterTokenizer } from '@nn/text';
 * const tokenizer = characterTokenizer(['hello']);
 * console.log(tokenizer.encode('hole'), tokenizer.unknownIn('help')); // => [ 1, 3, 2, 0 ] Map(1) { 'p' => 1 }
 */
export function characterTokenizer(texts: Iterable<string>, options: PlainTokenizerOptions = {}): Tokenizer {
  return plainTokenizer('characterTokenizer', texts, 'character', options);
}

/**
 * A token for each word and each run of signs of the texts, the most frequent first. Decoding puts spaces between.
 *
 * @example
 * import { wordTokenizer } from '@nn/text';
 * const tokenizer = wordTokenizer(['to be, or not to be'], { special: { unknown: '?' } });
 * console.log(tokenizer.tokenize('to see'), tokenizer.size); // => [ 'to', '?' ] 6
 */
export function wordTokenizer(texts: Iterable<string>, options: PlainTokenizerOptions = {}): Tokenizer {
  return plainTokenizer('wordTokenizer', texts, 'word', options);
}

function plainTokenizer(
  operation: string,
  texts: Iterable<string>,
  unit: WordLevelOptions['unit'],
  options: PlainTokenizerOptions,
): Tokenizer {
  checkOptions(operation, options, ['size', 'minimumCount', 'special', 'lowercase']);
  if (typeof texts === 'string')
    throw new ValueError(operation, 'takes many texts, got one: put it into a list, [text].');
  const { size = Number.POSITIVE_INFINITY, minimumCount = 1, special = {}, lowercase = false } = options;
  const how: WordLevelOptions = { unit, lowercase, unknown: special.unknown ?? null };
  const counts = new Map<string, number>();
  for (const text of texts) {
    if (typeof text !== 'string') throw new ValueError(operation, `takes texts, got ${typeof text}.`);
    for (const piece of unitsOf(text, how)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  const first = listOf(operation, special);
  const often = [...counts].filter(([piece, count]) => count >= minimumCount && !first.includes(piece));
  const ordered = new Map(byCodePoint(often.map(([piece]) => piece)).map((piece, place) => [piece, place]));
  often.sort(([a, m], [b, n]) => n - m || ordered.get(a)! - ordered.get(b)!);
  const kept = often.slice(0, Math.max(0, size - first.length)).map(([piece]) => piece);
  const tokens = [...first, ...(unit === 'word' ? kept : byCodePoint(kept))];
  if (kept.length === 0) throw new ValueError(operation, `the texts have no ${unit} to learn from.`);
  return new Tokenizer({ model: new WordLevelModel(tokens, how), special });
}
