/**
 * Tokens as bytes, of tokenizers whose texts are the bytes of their tokens one after the other: a character may be several tokens, and
 * a token may end inside of one. Owns what of a text is whole; bytes are written as texts of code units below 256.
 */
import type { Tokenizer } from '../tokenizers/tokenizer.ts';

/** What was said: whole characters, and the first bytes of one that is not. */
export interface SaidBytes {
  readonly text: string;
  readonly tail: string;
}

const encoder = /* @__PURE__ */ new TextEncoder();

export class TokenBytes {
  /** By id; null for special tokens. */
  readonly #bytes: readonly (string | null)[];
  /** By id: the token as a text of its own; null where it is none. */
  readonly #texts: readonly (string | null)[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #longest: number;

  /** Null where a text is not the bytes of its tokens. */
  static of(tokenizer: Tokenizer): TokenBytes | null {
    const bytesOf = tokenizer.model.bytesOf?.bind(tokenizer.model);
    if (bytesOf === undefined) return null;
    return new TokenBytes(
      tokenizer.model.tokens.map((token, id) => (tokenizer.specialIds.has(id) ? null : written(bytesOf(token)))),
    );
  }

  private constructor(bytes: readonly (string | null)[]) {
    this.#bytes = bytes;
    this.#texts = bytes.map((each) => {
      const whole = each === null ? null : wholeOf(each);
      return whole === null || whole.tail !== '' ? null : whole.text;
    });
    this.#ids = new Map(bytes.flatMap((each, id) => (each === null || each === '' ? [] : [[each, id] as const])));
    this.#longest = bytes.reduce((most, each) => Math.max(most, each?.length ?? 0), 0);
  }

  spelled(text: string): string {
    return written(encoder.encode(text));
  }

  /** The bytes of tokens. */
  joined(ids: readonly number[]): string {
    return ids.map((id) => this.#bytes[id] ?? '').join('');
  }

  said(ids: readonly number[]): SaidBytes {
    // what is no text at all is as if nothing of it could be whole
    return wholeOf(this.joined(ids)) ?? { text: '\ufffd', tail: '' };
  }

  /** The text with one more token, U+FFFD for a last character that is not whole; null where that is no text. */
  with({ text, tail }: SaidBytes, id: number): string | null {
    const own = this.#texts[id];
    if (tail === '' && own !== undefined && own !== null) return text + own;
    const bytes = this.#bytes[id];
    const whole = bytes === null || bytes === undefined ? null : wholeOf(tail + bytes);
    if (whole === null) return null;
    return text + whole.text + (whole.tail === '' ? '' : '\ufffd');
  }

  /** The tokens that the bytes from a place on begin with. */
  *beginning(bytes: string, start: number): Iterable<number> {
    const most = Math.min(bytes.length, start + this.#longest);
    for (let stop = start + 1; stop <= most; stop++) {
      const id = this.#ids.get(bytes.slice(start, stop));
      if (id !== undefined) yield id;
    }
  }
}

function written(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The whole characters of bytes, and the bytes of one that is begun; null for what is no UTF-8. */
function wholeOf(written: string): SaidBytes | null {
  const bytes = Uint8Array.from(written, (unit) => unit.charCodeAt(0));
  try {
    // as of a stream: throws for what is wrong, and waits for the rest of what is begun
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
    return { text, tail: written.slice(encoder.encode(text).length) };
  } catch {
    return null;
  }
}
