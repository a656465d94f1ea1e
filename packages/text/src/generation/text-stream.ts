/**
 * Text from tokens as they come: no half of a character, and nothing that may turn out to be a stop string. Owns what is held
 * back; tokens come from generate.ts.
 */
import type { Tokenizer } from '../tokenizers/tokenizer.ts';

/** After so many tokens only the last few are kept: what they add to a text no longer depends on those before. */
const [MOST, CONTEXT] = [64, 8];

export class TextStream {
  readonly #tokenizer: Tokenizer;
  readonly #stops: readonly string[];
  readonly #words: readonly string[];
  /** The last tokens. */
  #ids: number[] = [];
  /** How much of their text was given out. */
  #given = 0;

  /** `words` are those of ids from the tokenizer's size on, as a pointer-generator copies them. */
  constructor(tokenizer: Tokenizer, stops: readonly string[], words: readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#stops = stops;
    this.#words = words;
  }

  /** The text that is sure after one more token, and whether a stop string ends it. */
  push(id: number): { readonly text: string; readonly isStopped: boolean } {
    this.#ids.push(id);
    const known = this.#text();
    // a stop string has not begun in what was given out
    const fresh = known.slice(this.#given);
    const ends = this.#stops.map((stop) => fresh.indexOf(stop)).filter((at) => at >= 0);
    if (ends.length > 0) return { text: this.#give(fresh, Math.min(...ends)), isStopped: true };
    // half of a character decodes as U+FFFD
    const clean = fresh.endsWith('\ufffd') ? fresh.length - 1 : fresh.length;
    const text = this.#give(fresh, clean - this.#held(fresh));
    if (this.#ids.length > MOST && this.#given === known.length) {
      this.#ids = this.#ids.slice(-CONTEXT);
      this.#given = this.#text().length;
    }
    return { text, isStopped: false };
  }

  /** What was held back, when nothing more comes. */
  rest(): string {
    const fresh = this.#text().slice(this.#given);
    return this.#give(fresh, fresh.length);
  }

  #text(): string {
    return textOf(this.#tokenizer, this.#ids, this.#words);
  }

  #give(fresh: string, count: number): string {
    const text = fresh.slice(0, Math.max(0, count));
    this.#given += text.length;
    return text;
  }

  /** How many characters at the end may be the beginning of a stop string. */
  #held(fresh: string): number {
    let most = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, fresh.length); length > most; length--) {
        if (fresh.endsWith(stop.slice(0, length))) most = length;
      }
    }
    return most;
  }
}

/** The text of ids, of which those from the tokenizer's size on are words of their own. */
export function textOf(tokenizer: Tokenizer, ids: readonly number[], words: readonly string[]): string {
  const { size } = tokenizer;
  if (ids.every((id) => id < size)) return tokenizer.decode(ids);
  const spoken = ids.map((id) => (id < size ? tokenizer.decode([id]) : (words[id - size] ?? '')));
  return spoken.filter((word) => word !== '').join(' ');
}
