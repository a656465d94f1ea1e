/**
 * Text from tokens as they come: no half of a character, and nothing that may turn out to be a stop string. Owns what is held
 * back; tokens come from generate.ts.
 */
import type { Tokenizer } from '../tokenizers/tokenizer.ts';

export class TextStream {
  readonly #tokenizer: Tokenizer;
  readonly #stops: readonly string[];
  readonly #words: readonly string[];
  readonly #ids: number[] = [];
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
    const whole = this.#whole();
    const ends = this.#stops.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
    if (ends.length > 0) return { text: this.#give(whole, Math.min(...ends)), isStopped: true };
    // half of a character decodes as U+FFFD
    const clean = whole.endsWith('\ufffd') ? whole.length - 1 : whole.length;
    return { text: this.#give(whole, clean - this.#held(whole)), isStopped: false };
  }

  /** What was held back, when nothing more comes. */
  rest(): string {
    const whole = this.#whole();
    return this.#give(whole, whole.length);
  }

  #whole(): string {
    return textOf(this.#tokenizer, this.#ids, this.#words);
  }

  #give(whole: string, stop: number): string {
    if (stop <= this.#given) return '';
    const text = whole.slice(this.#given, stop);
    this.#given = stop;
    return text;
  }

  /** How many characters at the end may be the beginning of a stop string. */
  #held(whole: string): number {
    let most = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, whole.length); length > most; length--) {
        if (whole.endsWith(stop.slice(0, length))) most = length;
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
