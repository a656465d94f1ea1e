/**
 * WordPiece as BERT has it: of each word the longest piece of the vocabulary, then the longest of what is left, '##' in front.
 * Owns encoding and decoding; pieces are learned in train-word-piece.ts. (Wu et al. 2016; Devlin et al. 2019.)
 */
import { idsOf, type ModelJson, type TokenModel, vocabularyObject, WordCache } from './model.ts';
import { type BertNormalization, bertNormalized, characters, visitBertWords } from './split.ts';

export interface WordPieceOptions extends BertNormalization {
  readonly unknown: string;
  /** Longer words are unknown. */
  readonly longest?: number;
  /** Whether decoding takes away the spaces before signs, as HF's `cleanup`. */
  readonly cleanup?: boolean;
}

/** In front of pieces that go on with a word. */
export const CONTINUES = '##';

const cleanups: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

export class WordPieceModel implements TokenModel {
  readonly kind: string = 'WordPiece';
  readonly tokens: readonly string[];
  readonly options: Required<WordPieceOptions>;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #cache: WordCache<readonly number[] | null>;

  constructor(tokens: readonly string[], options: WordPieceOptions) {
    this.tokens = tokens;
    this.options = { longest: 100, cleanup: true, ...options };
    this.#ids = idsOf(tokens);
    this.#cache = new WordCache((word) => this.#cut(word));
  }

  encode(text: string, ids: number[], onUnknown: (piece: string) => void): void {
    const unknown = this.#ids.get(this.options.unknown);
    visitBertWords(bertNormalized(text, this.options), (word) => {
      const found = this.#cache.get(word);
      if (found !== null) {
        for (const id of found) ids.push(id);
        return;
      }
      onUnknown(word);
      if (unknown !== undefined) ids.push(unknown);
    });
  }

  /** Null where a part of the word has no piece. */
  #cut(word: string): readonly number[] | null {
    const letters = characters(word);
    if (letters.length > this.options.longest) return null;
    const ids: number[] = [];
    let start = 0;
    while (start < letters.length) {
      let found: number | undefined;
      let stop = letters.length;
      for (; stop > start && found === undefined; stop--) {
        const piece = letters.slice(start, stop).join('');
        found = this.#ids.get(start === 0 ? piece : CONTINUES + piece);
      }
      if (found === undefined) return null;
      ids.push(found);
      start = stop + 1;
    }
    return ids;
  }

  decode(tokens: readonly string[]): string {
    return tokens
      .map((token, i) => {
        const isPart = i > 0 && token.startsWith(CONTINUES);
        const spaced = isPart ? token.slice(CONTINUES.length) : i === 0 ? token : ` ${token}`;
        if (!this.options.cleanup) return spaced;
        return cleanups.reduce((text, [from, to]) => text.replaceAll(from, to), spaced);
      })
      .join('');
  }

  json(): ModelJson {
    const { unknown, longest, cleanup, lowercase, stripAccents } = this.options;
    return {
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: stripAccents,
        lowercase,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      decoder: { type: 'WordPiece', prefix: CONTINUES, cleanup },
      model: {
        type: 'WordPiece',
        unk_token: unknown,
        continuing_subword_prefix: CONTINUES,
        max_input_chars_per_word: longest,
        vocab: vocabularyObject(this.tokens),
      },
    };
  }
}
