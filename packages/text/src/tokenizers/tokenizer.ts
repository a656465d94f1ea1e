/**
 * A tokenizer: a model that cuts text into tokens, with special tokens around and inside. Owns special tokens, pairs,
 * decoding and tokenizer.json; how a word is cut is in the models, padding in batch.ts.
 */
import { checkOptions, excerpt, ValueError } from '@nn/core';
import {
  type BatchOptions,
  batchOptionNames,
  checkBatchOptions,
  type EncodedRow,
  padRows,
  shares,
  type TokenBatch,
} from './batch.ts';
import { idsOf, type TokenModel } from './model.ts';
import { listOf, type Role, roles, type SpecialTokens, type Template, templateJson, templateOf } from './special.ts';

export interface EncodeOptions {
  /** Whether special tokens go around the text. Default true. */
  readonly special?: boolean;
}

export interface DecodeOptions {
  /** Whether special tokens are written out. Default false. */
  readonly special?: boolean;
}

/** A text, or a first and a second text. */
export type TextOrPair = string | readonly [first: string, second: string];

/** What `new Tokenizer` is given; `loadTokenizer` and the trainers make one. */
export interface TokenizerParts {
  readonly model: TokenModel;
  readonly special?: SpecialTokens;
  /** Where special tokens stand. Default: begin, text, end; in pairs separators between. */
  readonly template?: Template;
}

/**
 * Text to ids and back. Made by `trainBpe`, `trainWordPiece`, `trainUnigram`, `characterTokenizer`, `wordTokenizer` or
 * `loadTokenizer`. Special tokens that are written in a text are found there, as in the libraries of Hugging Face: replace
 * them first in texts that you do not trust.
 *
 * @example
 * import { characterTokenizer } from '@nn/text';
 * const tokenizer = characterTokenizer(['abc'], { special: { begin: '^', end: '$' } });
 * const ids = tokenizer.encode('cab');
 * console.log(ids, tokenizer.decode(ids)); // => [ 0, 4, 2, 3, 1 ] cab
 */
export class Tokenizer {
  readonly model: TokenModel;
  readonly special: SpecialTokens;
  /** The id of the token of each role, null where there is none. */
  readonly ids: Readonly<Record<Role, number | null>>;
  readonly #template: Template;
  readonly #idOf: ReadonlyMap<string, number>;
  /** The ids of all special tokens. */
  readonly specialIds: ReadonlySet<number>;
  /** Cuts a text at special tokens, which stand at odd places of the result; null where there are none. */
  readonly #finder: RegExp | null;

  /** Throws ValueError for a special token that the vocabulary lacks. */
  constructor({ model, special = {}, template }: TokenizerParts) {
    this.model = model;
    this.special = special;
    this.#idOf = idsOf(model.tokens);
    const list = listOf('Tokenizer', special);
    for (const token of list) this.#require(token);
    this.ids = Object.fromEntries(
      roles.map((role) => {
        const token = special[role];
        return [role, token === undefined ? null : this.#require(token)];
      }),
    ) as Record<Role, number | null>; // the cast: there is an entry for each role
    this.specialIds = new Set(list.map((token) => this.#require(token)));
    this.#template = template ?? templateOf(special);
    const escaped = [...list]
      .sort((a, b) => b.length - a.length)
      .map((token) => token.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
    this.#finder = escaped.length === 0 ? null : new RegExp(`(${escaped.join('|')})`);
  }

  /** How many tokens there are. */
  get size(): number {
    return this.model.tokens.length;
  }

  /** The id of a token as it is written in the vocabulary; undefined where there is none. */
  idOf(token: string): number | undefined {
    return this.#idOf.get(token);
  }

  /** The token of an id. Throws ValueError for an id that does not exist. */
  tokenOf(id: number): string {
    const token = this.model.tokens[id];
    if (token !== undefined) return token;
    throw new ValueError('Tokenizer', `there is no token ${id}: ids go from 0 to ${this.size - 1}.`, { id });
  }

  /** The ids of a text or a pair, special tokens around it. */
  encode(text: TextOrPair, options: EncodeOptions = {}): number[] {
    checkOptions('Tokenizer.encode', options, ['special']);
    return [...this.#row(text, options, ignore).ids];
  }

  /** The tokens of a text as they stand in the vocabulary, without special ones around it. */
  tokenize(text: string): string[] {
    return this.#plain(text, ignore).map((id) => this.tokenOf(id));
  }

  /** The pieces of a text that the vocabulary does not have, and how often they come. */
  unknownIn(text: string): Map<string, number> {
    const found = new Map<string, number>();
    this.#plain(text, (piece) => found.set(piece, (found.get(piece) ?? 0) + 1));
    return found;
  }

  /** The text of ids. Throws ValueError for an id that does not exist. */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    checkOptions('Tokenizer.decode', options, ['special']);
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.tokenOf(id);
      if (options.special || !this.specialIds.has(id)) tokens.push(token);
    }
    return this.model.decode(tokens);
  }

  /**
   * Texts or pairs as tensors [N, L], padded and cut as the options say. Throws ValueError where rows must be padded and there
   * is no token for it, or where `maxLength` has no room for a text beside its special tokens.
   *
   * @example
   * import { wordTokenizer } from '@nn/text';
   * const tokenizer = wordTokenizer(['so it goes'], { special: { padding: '[PAD]', unknown: '[UNK]' } });
   * const batch = tokenizer.batch(['it goes', 'so what']);
   * console.log(await batch.ids.array(), batch.unknown); // => [ [ 3, 2 ], [ 4, 1 ] ] Map(1) { 'what' => 1 }
   */
  batch(texts: readonly TextOrPair[], options: BatchOptions = {}): TokenBatch {
    checkOptions('Tokenizer.batch', options, batchOptionNames);
    checkBatchOptions('Tokenizer.batch', options);
    const unknown = new Map<string, number>();
    const count = (piece: string): void => {
      unknown.set(piece, (unknown.get(piece) ?? 0) + 1);
    };
    const rows = texts.map((text) => this.#row(text, options, count));
    const isUneven =
      options.fixed || options.multipleOf !== undefined || new Set(rows.map(({ ids }) => ids.length)).size > 1;
    if (isUneven && this.ids.padding === null) {
      throw new ValueError(
        'Tokenizer.batch',
        'rows of unequal length need a padding token: give one as special.padding.',
      );
    }
    return padRows(rows, this.ids.padding ?? 0, options, unknown);
  }

  /** The contents of tokenizer.json, which the libraries of Hugging Face read. */
  toJSON(): object {
    return {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [...this.specialIds]
        .sort((a, b) => a - b)
        .map((id) => ({
          ...{ id, content: this.tokenOf(id), single_word: false, lstrip: false, rstrip: false },
          ...{ normalized: false, special: true },
        })),
      post_processor: templateJson(this.#template, (token) => this.#idOf.get(token)),
      ...this.model.json(),
    };
  }

  #require(token: string): number {
    const id = this.#idOf.get(token);
    if (id !== undefined) return id;
    throw new ValueError('Tokenizer', `the special token '${excerpt(token)}' is not in the vocabulary.`, { token });
  }

  #plain(text: string, onUnknown: (piece: string) => void): number[] {
    const ids: number[] = [];
    const parts = this.#finder === null ? [text] : text.split(this.#finder);
    for (const [i, part] of parts.entries()) {
      if (i % 2 === 1) ids.push(this.#require(part));
      else if (part !== '') this.model.encode(part, ids, onUnknown);
    }
    return ids;
  }

  #row(text: TextOrPair, options: BatchOptions, onUnknown: (piece: string) => void): EncodedRow {
    const texts: readonly unknown[] = Array.isArray(text) ? text : [text];
    for (const part of texts) {
      if (typeof part === 'string') continue;
      throw new ValueError(
        'Tokenizer',
        `takes a text or a pair of texts, got ${part === null ? 'null' : typeof part}.`,
      );
    }
    const found = texts.map((part) => this.#plain(String(part), onUnknown));
    const places = texts.length === 2 ? this.#template.pair : this.#template.single;
    const used = options.special === false ? places.filter((place) => 'text' in place) : places;
    const room = (options.maxLength ?? Number.POSITIVE_INFINITY) - used.filter((place) => 'token' in place).length;
    if (room < 1) {
      throw new ValueError(
        'Tokenizer.batch',
        `maxLength is ${options.maxLength}, but ${used.length - texts.length} special tokens leave no room for text.`,
        { maxLength: options.maxLength },
      );
    }
    const kept = shares([found[0]?.length ?? 0, found[1]?.length ?? 0], room);
    const ids: number[] = [];
    const types: number[] = [];
    for (const place of used) {
      const part =
        'token' in place ? [this.#require(place.token)] : keepSide(found[place.text] ?? [], kept[place.text], options);
      for (const id of part) {
        ids.push(id);
        types.push(place.type);
      }
    }
    return { ids, types, cut: found.reduce((sum, part) => sum + part.length, 0) - kept[0] - kept[1] };
  }

  toString(): string {
    return `Tokenizer(${this.model.kind}, ${this.size})`;
  }
}

function ignore(): void {}

function keepSide(ids: readonly number[], count: number, { keep = 'start' }: BatchOptions): readonly number[] {
  if (ids.length <= count) return ids;
  return keep === 'start' ? ids.slice(0, count) : ids.slice(ids.length - count);
}
