/**
 * The unigram model of SentencePiece: of all ways to cut a word, the one whose pieces are most probable together. Owns the
 * search and the words; probabilities are learned in train-unigram.ts. (Kudo 2018.)
 */
import { ValueError } from '@nn/core';
import { idsOf, type ModelJson, type TokenModel, WordCache } from './model.ts';
import { META_SPACE, visitMetaWords } from './split.ts';
import { Pieces } from './trie.ts';

/** An unknown character costs so much more than the rarest piece. */
const UNKNOWN_PENALTY = 10;

/** A cut of a word: where each piece ends, and its id; -1 for a character that no piece has. */
export interface Cut {
  readonly ids: readonly number[];
  readonly ends: readonly number[];
}

/** Cuts words, in memory that serves one after the other. */
export class Cutter {
  readonly #pieces: Pieces;
  readonly #unknownScore: number;
  /** By place in the word: the best score of a cut that ends there, where its last piece starts, and the id of that. */
  #best: Float64Array = new Float64Array(64);
  #from: Int32Array = new Int32Array(64);
  #by: Int32Array = new Int32Array(64);

  constructor(pieces: Pieces, unknownScore: number) {
    this.#pieces = pieces;
    this.#unknownScore = unknownScore;
  }

  /**
   * The most probable cut of a word (Viterbi 1967), from code units to code units; surrogates stay together. `without`: a piece
   * that is left out.
   */
  cut(word: string, without = -1): Cut {
    const n = word.length;
    if (n >= this.#best.length) this.#widen(n + 1);
    const [best, from, by] = [this.#best, this.#from, this.#by];
    const { trie, ids: idOf, scores } = this.#pieces;
    best.fill(Number.NEGATIVE_INFINITY, 0, n + 1);
    best[0] = 0;
    for (let start = 0; start < n; start++) {
      const reached = best[start]!;
      if (reached === Number.NEGATIVE_INFINITY) continue;
      const width = isHighSurrogate(word, start) ? 2 : 1;
      let isCovered = false;
      let node = 0;
      for (let stop = start + 1; stop <= n; stop++) {
        node = trie.child(node, word.charCodeAt(stop - 1));
        if (node < 0) break;
        const id = idOf[node]!;
        if (id < 0 || id === without || stop < start + width) continue;
        if (stop === start + width) isCovered = true;
        const total = reached + scores[id]!;
        if (total > best[stop]!) {
          best[stop] = total;
          from[stop] = start;
          by[stop] = id;
        }
      }
      const stop = start + width;
      const total = reached + this.#unknownScore;
      if (!isCovered && total > best[stop]!) {
        best[stop] = total;
        from[stop] = start;
        by[stop] = -1;
      }
    }
    const ids: number[] = [];
    const ends: number[] = [];
    for (let at = n; at > 0; at = from[at]!) {
      ids.push(by[at]!);
      ends.push(at);
    }
    return { ids: ids.reverse(), ends: ends.reverse() };
  }

  #widen(least: number): void {
    const size = 2 * least;
    this.#best = new Float64Array(size);
    this.#from = new Int32Array(size);
    this.#by = new Int32Array(size);
  }
}

export function isHighSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xd800 && code < 0xdc00 && at + 1 < text.length;
}

export class UnigramModel implements TokenModel {
  readonly kind: string = 'Unigram';
  readonly tokens: readonly string[];
  /** Log-probabilities by id. */
  readonly scores: readonly number[];
  readonly unknownId: number;
  readonly #cache: WordCache<Cut>;

  constructor(pieces: readonly (readonly [token: string, score: number])[], unknownId: number) {
    this.tokens = pieces.map(([token]) => token);
    this.scores = pieces.map(([, score]) => score);
    if (!(Number.isInteger(unknownId) && unknownId >= 0 && unknownId < pieces.length)) {
      throw new ValueError(
        'Tokenizer',
        `unk_id is ${unknownId}: it must be the id of one of the ${pieces.length} pieces.`,
      );
    }
    this.unknownId = unknownId;
    idsOf(this.tokens); // throws for two of the same
    const unknownScore = this.scores.reduce((least, score) => Math.min(least, score), 0) - UNKNOWN_PENALTY;
    const own = new Pieces(pieces.map(([text, score]) => ({ text, score })));
    const cutter = new Cutter(own, unknownScore);
    this.#cache = new WordCache((word) => cutter.cut(META_SPACE + word));
  }

  encode(text: string, ids: number[], onUnknown: (piece: string) => void): void {
    visitMetaWords(text, (word) => {
      const cut = this.#cache.get(word);
      let wasUnknown = false;
      for (let i = 0; i < cut.ids.length; i++) {
        const id = cut.ids[i]!;
        if (id >= 0) ids.push(id);
        else {
          onUnknown((META_SPACE + word).slice(i === 0 ? 0 : cut.ends[i - 1]!, cut.ends[i]));
          if (!wasUnknown) ids.push(this.unknownId); // neighbours are one unknown token
        }
        wasUnknown = id < 0;
      }
    });
  }

  decode(tokens: readonly string[]): string {
    const text = tokens.join('').replaceAll(META_SPACE, ' ');
    return text.startsWith(' ') ? text.slice(1) : text;
  }

  json(): ModelJson {
    const space = { type: 'Metaspace', replacement: META_SPACE, prepend_scheme: 'always', split: true };
    return {
      normalizer: {
        type: 'Sequence',
        normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' }],
      },
      pre_tokenizer: space,
      decoder: space,
      model: {
        type: 'Unigram',
        unk_id: this.unknownId,
        vocab: this.tokens.map((token, id) => [token, this.scores[id]!]),
        byte_fallback: false,
      },
    };
  }
}
