/**
 * What went wrong, in the language of the page. Errors and warnings of the packages and of the worker come with a kind and
 * facts beside their English words (docs/errors.md lists them): a language has words for each kind that the page can meet,
 * with places for the facts. A kind that has none is told in English behind the name of its class.
 */
import { excerpt } from '@nn/core';
import type { ErrorWords, Told } from './words.ts';

/** The words for a kind, if it has any. */
function wordsOf(kinds: ErrorWords['kinds'], kind: string): ErrorWords['kinds'][string] | undefined {
  const found = [kind, kind.replace(/^([^/]+)\/[^/]+\//, '$1/*/')].find((name) => Object.hasOwn(kinds, name));
  return found === undefined ? undefined : kinds[found];
}

/** Whether there are words for a kind of error or warning. */
export function isTranslated(errors: ErrorWords, kind: string): boolean {
  return wordsOf(errors.kinds, kind) !== undefined;
}

/** What was told, in the words of a language; in English where a kind has no words, or a fact of its words is missing. */
export function tellError(errors: ErrorWords | null, { kind, message, data }: Told): string {
  if (errors === null) return message;
  const words = wordsOf(errors.kinds, kind);
  if (typeof words === 'function') return words(data, (said) => tellError(errors, said));
  let isWhole = words !== undefined;
  const text = words?.replace(/\{(\w+)\}/g, (_, name: string) => {
    const fact = data[name];
    if (fact === undefined || fact === null) isWhole = false;
    return excerpt(Array.isArray(fact) && name === 'shape' ? `[${fact.join(', ')}]` : String(fact), 60);
  });
  if (text !== undefined && isWhole) return text;
  const [code = ''] = kind.split('/');
  return `${Object.hasOwn(errors.classes, code) ? errors.classes[code] : errors.other}${errors.colon}${message}`;
}
