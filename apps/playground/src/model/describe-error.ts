/** What an error tells the page: data that can be posted, without the classes of the packages. */
import { isNNError } from '@nn/core';
import type { Told } from '../i18n/words.ts';

/** An error for the page: its kind and facts, by which the page finds words of its own, and its English words. */
export function describeError(error: unknown): Told {
  const message = error instanceof Error ? error.message : String(error);
  return isNNError(error)
    ? { kind: error.kind, message, data: plainFacts(error.data) }
    : { kind: '', message, data: {} };
}

/** Facts as they can be posted: data alone. */
function plainFacts(data: Told['data']): Told['data'] {
  try {
    return structuredClone(data);
  } catch {
    const isPlain = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';
    return Object.fromEntries(Object.entries(data).filter(([, value]) => isPlain(value)));
  }
}
