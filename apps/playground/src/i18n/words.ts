/**
 * What a language of the page is: one object with all the words, in as many files as its writer likes (english/ and chinese/
 * have one for each part of the page). The type asks for every key that English has.
 */
import type { Key } from './english.ts';
import type { GlossaryWords } from './english-glossary.ts';
import type { PlaceKey } from './english-places.ts';

/** What the page was told: an error of the packages, of the worker, or a warning about data. */
export interface Told {
  readonly kind: string;
  /** In English. */
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type Facts = Told['data'];

/** A text for each key of the English part. */
export type Words<English> = { readonly [Name in keyof English]: string };

export interface ErrorWords {
  /** By kind: `{name}` is the fact of that name; a `*` stands for any operation. */
  readonly kinds: Readonly<Record<string, string | ((facts: Facts, tell: (said: Told) => string) => string)>>;
  /** What stands before the English words of a kind that is not among them, by the class of the error, and for all others. */
  readonly classes: Readonly<Record<string, string>>;
  readonly other: string;
  readonly colon: string;
}

/** The words of the places beside the board. */
export type PlaceWords = Readonly<Record<PlaceKey, string>>;

export interface LanguageWords {
  /** The tag of the document (BCP 47). */
  readonly tag: string;
  /** What the language calls itself. */
  readonly name: string;
  readonly words: Readonly<Record<Key, string>>;
  /** Fetched with the first place beside the board: the page without them is no longer for it. */
  readonly places: () => Promise<PlaceWords>;
  /** Fetched when it is opened. */
  readonly glossary: () => Promise<GlossaryWords>;
  /** Null where errors are told as the packages tell them. */
  readonly errors: ErrorWords | null;
}
