/** What may be said: masks over tokens from rules over texts. Owns the way from texts to tokens; generation asks for masks. */
import { ValueError } from '@nn/core';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';

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
 * where it is right. The rule is asked for each token of the vocabulary at each step, so it should be quick.
 *
 * @example
 * import { characterTokenizer, textConstraint } from '@nn/text';
 * const tokenizer = characterTokenizer(['0123456789abc'], { special: { end: '$' } });
 * const number = textConstraint(tokenizer, (text) => (/^\d+$/.test(text) ? 'right' : text === '' ? 'begun' : 'wrong'));
 * console.log(Array.from(number({ row: 0, ids: [] }) ?? []).filter(Boolean).length); // => 10
 */
export function textConstraint(tokenizer: Tokenizer, rule: (text: string) => Verdict): Constraint {
  const { end } = tokenizer.ids;
  if (end === null) throw new ValueError('textConstraint', 'the tokenizer has no end token, so nothing could end.');
  return ({ ids }) => {
    const said = tokenizer.decode(ids);
    const now = rule(said);
    const mask = new Uint8Array(tokenizer.size);
    if (now === 'right' || now === 'ended') mask[end] = 1;
    if (now === 'ended') return mask;
    for (let id = 0; id < mask.length; id++) {
      if (id === end) continue;
      const text = tokenizer.decode([...ids, id]);
      if (text.length > said.length && rule(text) !== 'wrong') mask[id] = 1;
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
  if (texts.length === 0) throw new ValueError('oneOfTexts', 'needs at least one text.');
  return textConstraint(tokenizer, (text) => {
    const longer = texts.some((each) => each.length > text.length && each.startsWith(text));
    const isWhole = texts.includes(text);
    if (isWhole) return longer ? 'right' : 'ended';
    return longer ? 'begun' : 'wrong';
  });
}
