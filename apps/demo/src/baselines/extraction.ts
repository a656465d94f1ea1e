/** Headlines without learning to write: words taken from the text itself. */

/** The first words. */
export function firstWords(text: string, count: number): string {
  return text.split(' ').slice(0, count).join(' ');
}

/**
 * The words that stand for a text, by tf-idf: those that come often in it and in few others, in the order in which they come. Returns
 * the function of a text.
 */
export function tfIdfWords(texts: readonly string[], count: number): (text: string) => string {
  const inTexts = new Map<string, number>();
  for (const text of texts)
    for (const word of new Set(text.split(' '))) inTexts.set(word, (inTexts.get(word) ?? 0) + 1);
  return (text) => {
    const words = text.split(' ');
    const times = new Map<string, number>();
    for (const word of words) times.set(word, (times.get(word) ?? 0) + 1);
    const weight = (word: string): number =>
      times.get(word)! * Math.log((texts.length + 1) / ((inTexts.get(word) ?? 0) + 1));
    const best = new Set([...times.keys()].sort((a, b) => weight(b) - weight(a)).slice(0, count));
    return [...times.keys()].filter((word) => best.has(word)).join(' ');
  };
}
