/**
 * What may be said: masks over tokens from rules over texts. Owns the way from texts to tokens, also where a character is several of
 * them; generation asks for masks.
 */
import { ValueError } from '@nn/core';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { TokenBytes } from './token-bytes.ts';

/** What is known when a mask is asked for. */
export interface ConstraintState {
  readonly row: number;
  /** What was generated so far. */
  readonly ids: readonly number[];
}

/** Which tokens may come next, true or 1 at each id; null where all may. */
export type Constraint = (state: ConstraintState) => ArrayLike<number | boolean> | null;

/** What a text is to a rule: it cannot become right, it can, it is right and may go on, or it is right and ends. */
export type Verdict = 'wrong' | 'begun' | 'right' | 'ended';

/**
 * A constraint from a rule over texts, as a grammar is: a token may come while the text with it can become right, and the end token
 * where it is right. The rule is asked for each token of the vocabulary at each step, so it should be quick. Where tokens are bytes,
 * a last character of which not all bytes have come is U+FFFD; bytes that are no text never come.
 *
 * @example
 * import { characterTokenizer, textConstraint } from '@nn/text';
 * const tokenizer = characterTokenizer(['0123456789abc'], { special: { end: '$' } });
 * const number = textConstraint(tokenizer, (text) => (/^\d+$/.test(text) ? 'right' : text === '' ? 'begun' : 'wrong'));
 * console.log(Array.from(number({ row: 0, ids: [] }) ?? []).filter(Boolean).length); // => 10
 */
export function textConstraint(tokenizer: Tokenizer, rule: (text: string) => Verdict): Constraint {
  const end = endOf('textConstraint', tokenizer);
  const bytes = TokenBytes.of(tokenizer);
  return ({ ids }) => {
    const mask = new Uint8Array(tokenizer.size);
    const said = bytes?.said(ids) ?? { text: tokenizer.decode(ids), tail: '' };
    const now = said.tail === '' ? rule(said.text) : 'begun';
    if (now === 'right' || now === 'ended') mask[end] = 1;
    if (now === 'ended') return mask;
    for (let id = 0; id < mask.length; id++) {
      if (tokenizer.specialIds.has(id)) continue;
      const text = bytes === null ? tokenizer.decode([...ids, id]) : bytes.with(said, id);
      // a token that adds nothing could come for ever
      if (text !== null && (text !== said.text || said.tail !== '') && rule(text) !== 'wrong') mask[id] = 1;
    }
    return mask;
  };
}

/**
 * A constraint that lets one of these texts be said, whole: as for classes, commands or names.
 *
 * @example
 * import { characterTokenizer, oneOfTexts } from '@nn/text';
 * const tokenizer = characterTokenizer(['yes no'], { special: { end: '$' } });
 * const mask = oneOfTexts(tokenizer, ['yes', 'no'])({ row: 0, ids: [] }) ?? [];
 * console.log(Array.from(mask).flatMap((may, id) => (may ? [tokenizer.tokenOf(id)] : []))); // => [ 'n', 'y' ]
 */
export function oneOfTexts(tokenizer: Tokenizer, texts: readonly string[]): Constraint {
  const end = endOf('oneOfTexts', tokenizer);
  if (texts.length === 0) throw new ValueError('oneOfTexts', 'needs at least one text.');
  const bytes = TokenBytes.of(tokenizer);
  if (bytes === null) {
    return textConstraint(tokenizer, (text) => {
      const longer = texts.some((each) => each.length > text.length && each.startsWith(text));
      const isWhole = texts.includes(text);
      if (isWhole) return longer ? 'right' : 'ended';
      return longer ? 'begun' : 'wrong';
    });
  }
  // the tokens that a rest begins with, byte by byte
  const spelled = texts.map((text) => bytes.spelled(text));
  return ({ ids }) => {
    const mask = new Uint8Array(tokenizer.size);
    const said = bytes.joined(ids);
    for (const text of spelled) {
      if (!text.startsWith(said)) continue;
      if (text.length === said.length) mask[end] = 1;
      for (const id of bytes.beginning(text, said.length)) mask[id] = 1;
    }
    return mask;
  };
}

function endOf(operation: string, { ids }: Tokenizer): number {
  if (ids.end !== null) return ids.end;
  throw new ValueError(operation, 'the tokenizer has no end token, so nothing could end.');
}

/** Throws ValueError for an `allow` that is no function. */
export function checkAllow(operation: string, allow: unknown): void {
  if (allow === undefined || typeof allow === 'function') return;
  throw new ValueError(
    operation,
    `allow is ${allow === null ? 'null' : `of the type ${typeof allow}`}: it must be a function, as oneOfTexts and textConstraint make them.`,
  );
}

/**
 * The mask of a state over `width` tokens; null where all may come. Tokens from `speakable` on never do: they have no text. Throws
 * ValueError for what is no mask over the tokens of the model or the `known` ones of its tokenizer.
 */
export function maskOf(
  operation: string,
  allow: Constraint | undefined,
  state: ConstraintState,
  { width, known, speakable }: { readonly width: number; readonly known: number; readonly speakable: number },
): ArrayLike<number | boolean> | null {
  const mask: ArrayLike<number | boolean> | null | undefined = allow === undefined ? null : allow(state);
  if (mask === null) {
    return speakable >= width ? null : new Uint8Array(width).fill(1, 0, speakable);
  }
  const length: unknown = mask?.length;
  if (length === width || length === known) return mask;
  const what = typeof length === 'number' ? `a mask of ${length} tokens` : `${typeof mask} without a length`;
  const either = known < width ? ` or ${known}` : '';
  throw new ValueError(
    operation,
    `allow gave ${what}: it must give true or false for each of ${width}${either} tokens, or null where all may come.`,
    { row: state.row, step: state.ids.length },
  );
}
