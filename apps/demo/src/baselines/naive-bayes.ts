/**
 * Naive Bayes on words and pairs of words, each counted once a text: the rule that short texts must be measured with.
 * (Binarised multinomial naive Bayes: Wang and Manning 2012.)
 */

export interface NaiveBayes {
  /** How much more a term speaks for the side 1: the difference of its log-probabilities. */
  readonly ratios: ReadonlyMap<string, number>;
  readonly bias: number;
}

/** The words of a text and their pairs, each once. */
export function termsOf(words: readonly string[]): string[] {
  return [...new Set([...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)])];
}

/** The runs of four and five letters of the words, with the spaces around these, each once; a shorter word is one as a whole. */
export function lettersOf(words: readonly string[]): string[] {
  return [...new Set(words.flatMap(lettersOfWord))];
}

export function lettersOfWord(word: string): string[] {
  const letters = Array.from(` ${word} `);
  if (letters.length <= 4) return [letters.join('')];
  return [4, 5].flatMap((length) =>
    Array.from({ length: Math.max(0, letters.length - length + 1) }, (_, at) =>
      letters.slice(at, at + length).join(''),
    ),
  );
}

/** Counts terms of both sides, each a time more than it came. */
export function fitNaiveBayes(
  texts: readonly (readonly string[])[],
  sides: readonly number[],
  parts: (words: readonly string[]) => string[] = termsOf,
): NaiveBayes {
  const counts = new Map<string, [number, number]>();
  const totals: [number, number] = [0, 0];
  const sizes: [number, number] = [0, 0];
  texts.forEach((words, i) => {
    const side = sides[i] === 1 ? 1 : 0;
    sizes[side]++;
    for (const term of parts(words)) {
      const own = counts.get(term) ?? [0, 0];
      own[side]++;
      totals[side]++;
      counts.set(term, own);
    }
  });
  const ratios = new Map<string, number>();
  for (const [term, [zero, one]] of counts) {
    const share = (count: number, side: 0 | 1): number => Math.log((count + 1) / (totals[side] + counts.size));
    ratios.set(term, share(one, 1) - share(zero, 0));
  }
  return { ratios, bias: Math.log(sizes[1] / sizes[0]) };
}

/** The logarithm of the odds for the side 1; terms never seen say nothing. */
export function oddsOf({ ratios, bias }: NaiveBayes, words: readonly string[]): number {
  return termsOf(words).reduce((sum, term) => sum + (ratios.get(term) ?? 0), bias);
}
