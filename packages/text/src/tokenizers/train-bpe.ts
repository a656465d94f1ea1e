/** Learns byte-level BPE from texts. Owns the first symbols; merges are in train-merges.ts, encoding in byte-pair.ts. */
import { type AbortSignalLike, checkOptions, ValueError } from '@nn/core';
import { BytePairModel } from './byte-pair.ts';
import { byteCharacters, bytesAsCharacters } from './bytes.ts';
import { listOf, type SpecialTokens } from './special.ts';
import { gpt2Words } from './split.ts';
import { Tokenizer } from './tokenizer.ts';
import { learnMerges } from './train-merges.ts';
import { countWords, type Texts } from './words.ts';

export interface TrainTokenizerOptions {
  /** How many tokens, special ones included. Default 8000. */
  readonly size?: number;
  /** Pairs or words that come less often are left out. Default 2 for BPE and WordPiece, 1 for words and characters. */
  readonly minimumCount?: number;
  /** The special tokens; they get the first ids. */
  readonly special?: SpecialTokens;
  /** Ends the training: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

const known = ['size', 'minimumCount', 'special', 'signal'];

export interface TrainBpeOptions extends TrainTokenizerOptions {
  /** Whether a space goes before a text that begins with none. Default false. */
  readonly addPrefixSpace?: boolean;
}

/**
 * Learns a byte-level BPE as GPT-2 has it: any text comes back as it was, and nothing is unknown. Special tokens have the first
 * ids, then the 256 bytes by their characters' code points, then merges, by Hugging Face's rules: of pairs that come equally
 * often that with the smaller ids first. (Radford et al. 2019.)
 *
 * Throws ValueError for a size that has no room for the bytes.
 *
 * @example
 * import { trainBpe } from '@nn/text';
 * const tokenizer = await trainBpe(['low lower lowest', 'slow slower'], { size: 262 });
 * console.log(tokenizer.tokenize('lowest lowlands 🙂').length, tokenizer.decode(tokenizer.encode('ß 🙂'))); // => 15 ß 🙂
 */
export async function trainBpe(texts: Texts, options: TrainBpeOptions = {}): Promise<Tokenizer> {
  checkOptions('trainBpe', options, [...known, 'addPrefixSpace']);
  const { size = 8000, minimumCount = 2, special = {}, signal, addPrefixSpace = false } = options;
  // a special token may be one of the bytes
  const tokens = [...new Set([...listOf('trainBpe', special), ...[...byteCharacters].sort()])];
  requireSize('trainBpe', size, tokens.length, 'special tokens and bytes');
  const counts = await countWords('trainBpe', texts, gpt2Words, signal);
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const words = Array.from(counts, ([word, count]) => ({
    symbols: Array.from(bytesAsCharacters(word), (character) => idOf.get(character)!),
    count,
  }));
  const join = (left: string, right: string): string => left + right;
  const merges = await learnMerges({ tokens, words, size, minimumCount, join, signal });
  return new Tokenizer({ model: new BytePairModel(tokens, merges, { addPrefixSpace }), special });
}

/** Throws ValueError where a size has no room for what must be in the vocabulary. */
export function requireSize(operation: string, size: number, least: number, what: string): void {
  if (Number.isInteger(size) && size >= least) return;
  throw new ValueError(operation, `size is ${size}: ${least} tokens are needed for the ${what} alone.`, {
    size,
    least,
  });
}
