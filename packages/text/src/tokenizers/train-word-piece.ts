/** Learns WordPiece from texts. Owns the first symbols; merges are in train-merges.ts, encoding in word-piece.ts. */
import { checkOptions } from '@nn/core';
import { listOf } from './special.ts';
import { bertNormalized, bertWords, characters } from './split.ts';
import { Tokenizer } from './tokenizer.ts';
import { requireSize, type TrainTokenizerOptions } from './train-bpe.ts';
import { learnMerges } from './train-merges.ts';
import { CONTINUES, WordPieceModel } from './word-piece.ts';
import { countWords, type Texts } from './words.ts';

export interface TrainWordPieceOptions extends TrainTokenizerOptions {
  /** All in lower case. Default true, as in bert-base-uncased. */
  readonly lowercase?: boolean;
  /** Letters without their accents. Default: as `lowercase`. */
  readonly stripAccents?: boolean;
}

const bertTokens = { padding: '[PAD]', unknown: '[UNK]', begin: '[CLS]', separator: '[SEP]', mask: '[MASK]' };

/**
 * Learns a WordPiece tokenizer as BERT has it: pieces are merged by how often they come, those inside of words with '##' in
 * front. Special tokens default to BERT's five. Ids follow code points where Hugging Face's vary from run to run.
 *
 * @example
 * import { trainWordPiece } from '@nn/text';
 * const tokenizer = await trainWordPiece(['The unfolding of folded folds'], { size: 40, minimumCount: 1 });
 * console.log(tokenizer.decode(tokenizer.encode('Unfolded')), tokenizer.tokenOf(2)); // => unfolded [CLS]
 */
export async function trainWordPiece(texts: Texts, options: TrainWordPieceOptions = {}): Promise<Tokenizer> {
  checkOptions('trainWordPiece', options, [
    ...['size', 'minimumCount', 'special', 'signal'],
    ...['lowercase', 'stripAccents'],
  ]);
  const { size = 8000, minimumCount = 2, signal, lowercase = true, stripAccents = lowercase } = options;
  const given = options.special ?? bertTokens;
  const special = { ...given, unknown: given.unknown ?? bertTokens.unknown };
  const normalization = { lowercase, stripAccents };
  const split = (text: string): readonly string[] => bertWords(bertNormalized(text, normalization));
  const counts = await countWords('trainWordPiece', texts, split, signal);
  const letters = new Set<string>();
  const inner = new Set<string>();
  const cut = Array.from(counts, ([word, count]) => {
    const pieces = characters(word).map((letter, i) => (i === 0 ? letter : CONTINUES + letter));
    for (const [i, piece] of pieces.entries()) (i === 0 ? letters : inner).add(piece);
    // a letter that stands only inside of words is in the alphabet, too
    for (const letter of characters(word)) letters.add(letter);
    return { pieces, count };
  });
  const first = listOf('trainWordPiece', special);
  const tokens = [...new Set([...first, ...byCodePoint(letters), ...byCodePoint(inner)])];
  requireSize('trainWordPiece', size, tokens.length, 'special tokens and characters of the texts');
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const words = cut.map(({ pieces, count }) => ({ symbols: pieces.map((piece) => idOf.get(piece)!), count }));
  const join = (left: string, right: string): string => left + right.slice(CONTINUES.length);
  await learnMerges({ tokens, words, size, minimumCount, join, signal });
  const model = new WordPieceModel(tokens, { unknown: special.unknown, lowercase, stripAccents });
  return new Tokenizer({ model, special });
}

/** By code points, which the order of JavaScript's strings is not. */
export function byCodePoint(texts: Iterable<string>): string[] {
  return [...texts].sort((a, b) => {
    const [left, right] = [characters(a), characters(b)];
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
      if (difference !== 0) return difference;
    }
    return left.length - right.length;
  });
}
