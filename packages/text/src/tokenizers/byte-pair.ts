/**
 * Byte-level BPE as GPT-2 has it: the bytes of a word are merged pair by pair, the pair that was learned first before others.
 * Owns encoding and decoding; merges are learned in train-bpe.ts. (Sennrich, Haddow and Birch 2016; Radford et al. 2019.)
 */
import { FormatError } from '@nn/core';
import { bytesAsCharacters, bytesOfCharacters, textOfBytes } from './bytes.ts';
import { Heap } from './heap.ts';
import { idsOf, type ModelJson, type TokenModel, vocabularyObject, WordCache } from './model.ts';
import { visitGpt2Words } from './split.ts';

/** More than there are ids, so that a pair of them is one number. */
const PAIR = 2 ** 24;

interface Merge {
  readonly rank: number;
  readonly id: number;
}

/** Words with more symbols are merged with a heap. */
const SHORT = 48;

export class BytePairModel implements TokenModel {
  readonly kind: string = 'BPE';
  readonly tokens: readonly string[];
  /** Whether a space goes before a text that begins with none, so that the first word is as any other. */
  readonly addPrefixSpace: boolean;
  readonly #pairs: readonly (readonly [string, string])[];
  readonly #merges: ReadonlyMap<number, Merge>;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #cache: WordCache<readonly number[]>;

  constructor(
    tokens: readonly string[],
    merges: readonly (readonly [string, string])[],
    options: { readonly addPrefixSpace?: boolean } = {},
  ) {
    this.tokens = tokens;
    this.addPrefixSpace = options.addPrefixSpace ?? false;
    this.#ids = idsOf(tokens);
    this.#pairs = merges;
    const byPair = new Map<number, Merge>();
    for (const [rank, [left, right]] of merges.entries()) {
      const [a, b, id] = [this.#ids.get(left), this.#ids.get(right), this.#ids.get(left + right)];
      if (a === undefined || b === undefined || id === undefined) {
        throw new FormatError(
          'Tokenizer/merges',
          `merge ${rank} joins '${left}' and '${right}', but the vocabulary lacks ${a === undefined ? `'${left}'` : b === undefined ? `'${right}'` : `'${left + right}'`}.`,
          { merge: rank },
        );
      }
      const key = a * PAIR + b;
      if (!byPair.has(key)) byPair.set(key, { rank, id });
    }
    this.#merges = byPair;
    this.#cache = new WordCache((word) => this.#cut(word));
  }

  encode(text: string, ids: number[], onUnknown: (piece: string) => void): void {
    const whole = this.addPrefixSpace && text !== '' && !text.startsWith(' ') ? ` ${text}` : text;
    visitGpt2Words(whole, (word) => {
      for (const id of this.#cache.get(word)) {
        if (id >= 0) ids.push(id);
        else onUnknown(word);
      }
    });
  }

  /** Ids of a word; -1 for a byte that the vocabulary lacks. */
  #cut(word: string): readonly number[] {
    const symbols = Array.from(bytesAsCharacters(word), (character) => this.#ids.get(character) ?? -1);
    return symbols.length <= SHORT ? this.#mergeShort(symbols) : this.#mergeLong(symbols);
  }

  #mergeShort(symbols: number[]): readonly number[] {
    for (;;) {
      let best: Merge | undefined;
      let at = -1;
      for (let i = 0; i + 1 < symbols.length; i++) {
        const merge = this.#merges.get(symbols[i]! * PAIR + symbols[i + 1]!);
        if (merge !== undefined && (best === undefined || merge.rank < best.rank)) [best, at] = [merge, i];
      }
      if (best === undefined) return symbols;
      symbols.splice(at, 2, best.id);
    }
  }

  /** The same with a heap and links between neighbours: n log n, for words as long as a text. */
  #mergeLong(symbols: number[]): readonly number[] {
    const previous = symbols.map((_, i) => i - 1);
    const next = symbols.map((_, i) => (i + 1 < symbols.length ? i + 1 : -1));
    const heap = new Heap<{ readonly rank: number; readonly at: number; readonly pair: number; readonly id: number }>(
      (a, b) => a.rank < b.rank || (a.rank === b.rank && a.at < b.at),
    );
    const offer = (at: number): void => {
      const after = at < 0 ? -1 : next[at]!;
      if (after < 0) return;
      const pair = symbols[at]! * PAIR + symbols[after]!;
      const merge = this.#merges.get(pair);
      if (merge !== undefined) heap.push({ rank: merge.rank, at, pair, id: merge.id });
    };
    const gone = new Uint8Array(symbols.length);
    for (let i = 0; i < symbols.length; i++) offer(i);
    for (let entry = heap.pop(); entry !== undefined; entry = heap.pop()) {
      const { at, pair, id } = entry;
      const after = next[at]!;
      if (gone[at] === 1 || after < 0 || symbols[at]! * PAIR + symbols[after]! !== pair) continue;
      symbols[at] = id;
      gone[after] = 1;
      next[at] = next[after]!;
      if (next[at]! >= 0) previous[next[at]!] = at;
      offer(at);
      offer(previous[at]!);
    }
    return symbols.filter((_, i) => gone[i] === 0);
  }

  decode(tokens: readonly string[]): string {
    return textOfBytes(tokens.join(''));
  }

  bytesOf(token: string): Uint8Array {
    return bytesOfCharacters(token);
  }

  json(): ModelJson {
    const byteLevel = { type: 'ByteLevel', add_prefix_space: this.addPrefixSpace, trim_offsets: true, use_regex: true };
    return {
      normalizer: null,
      pre_tokenizer: byteLevel,
      decoder: byteLevel,
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: vocabularyObject(this.tokens),
        merges: this.#pairs,
      },
    };
  }
}
