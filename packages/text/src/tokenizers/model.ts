/**
 * What every model of a tokenizer is: text without special tokens to ids, and tokens back to text. The models are in files of
 * their own; special tokens, pairs and batches are the tokenizer's (tokenizer.ts).
 */
import { FormatError } from '@nn/core';

/** The part of tokenizer.json that a model writes: how text is normalised, cut, looked up and put together again. */
export interface ModelJson {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly decoder: object | null;
  readonly model: object;
}

export interface TokenModel {
  /** As in tokenizer.json: 'BPE', 'WordPiece', 'Unigram', 'WordLevel'. */
  readonly kind: string;
  /** Tokens by id. */
  readonly tokens: readonly string[];
  /** Appends the ids of a text; tells each piece of text that is not in the vocabulary. */
  encode(text: string, ids: number[], onUnknown: (piece: string) => void): void;
  decode(tokens: readonly string[]): string;
  /** The bytes that a token stands for, where a text is the UTF-8 of its tokens one after the other. */
  bytesOf?(token: string): Uint8Array;
  json(): ModelJson;
}

/** Ids of tokens. Throws FormatError for two of the same, and for ids with holes between them. */
export function idsOf(tokens: readonly string[]): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    if (token === undefined)
      throw new FormatError('Tokenizer', `no token has the id ${id}, but higher ids exist.`, { id });
    if (ids.has(token)) {
      throw new FormatError('Tokenizer', `the token '${token}' stands at the ids ${ids.get(token)} and ${id}.`, {
        token,
      });
    }
    ids.set(token, id);
  }
  return ids;
}

export function vocabularyObject(tokens: readonly string[]): Record<string, number> {
  // without a prototype, so that '__proto__' is a token as any other
  const vocabulary: Record<string, number> = Object.create(null);
  for (const [id, token] of tokens.entries()) vocabulary[token] = id;
  return vocabulary;
}

/** Words that were cut already, up to so many. */
const MOST_CACHED = 100_000;

/** Remembers what `cut` made of a word: most words of a text came before. */
export class WordCache<T> {
  #words = new Map<string, T>();
  readonly #cut: (word: string) => T;

  constructor(cut: (word: string) => T) {
    this.#cut = cut;
  }

  get(word: string): T {
    const found = this.#words.get(word);
    if (found !== undefined) return found;
    const made = this.#cut(word);
    if (word.length > 64) return made; // rare, and would keep whole texts alive
    if (this.#words.size >= MOST_CACHED) this.#words = new Map();
    this.#words.set(word, made);
    return made;
  }
}
