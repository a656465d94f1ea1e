/** Counts the words of texts for trainers. Owns the reading of texts that come one by one. */
import { type AbortSignalLike, ValueError } from '@nn/core';
import { breathing } from '../breathe.ts';

/** Texts at hand, or as they come: lines, documents, sentences. */
export type Texts = Iterable<string> | AsyncIterable<string>;

/** How often each word of the texts comes, as `split` cuts them. Throws ValueError for texts without a word. */
export async function countWords(
  operation: string,
  texts: Texts,
  split: (text: string) => readonly string[],
  signal?: AbortSignalLike,
): Promise<Map<string, number>> {
  if (typeof texts === 'string') {
    throw new ValueError(operation, 'takes many texts, got one: put it into a list, [text].');
  }
  const rest = breathing(signal);
  const counts = new Map<string, number>();
  for await (const text of texts) {
    if (typeof text !== 'string') throw new ValueError(operation, `takes texts, got ${typeof text}.`);
    for (const part of pieces(text)) {
      for (const word of split(part)) counts.set(word, (counts.get(word) ?? 0) + 1);
      await rest();
    }
  }
  if (counts.size === 0) throw new ValueError(operation, 'the texts have no words to learn from.');
  return counts;
}

const LONG = 2 ** 16;

/** A long text in parts that end at a line, so that the event loop lives. */
function* pieces(text: string): Iterable<string> {
  let start = 0;
  while (text.length - start > 2 * LONG) {
    // before white space that follows a letter, where no rule looks across
    let at = text.indexOf('\n', start + LONG);
    while (at >= 0 && /\s/u.test(text[at - 1]!)) at = text.indexOf('\n', at + 1);
    if (at < 0) break;
    yield text.slice(start, at);
    start = at;
  }
  yield text.slice(start);
}
