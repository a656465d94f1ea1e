/**
 * A language model that counts: how often each character followed the last few. Contexts that were never seen fall back on shorter
 * ones (Witten and Bell 1991), down to all characters alike. What a network has to be held against.
 */

/** Bits per character of `text` under the counts of `learned`, with up to `order` characters before each. */
export function nGramBits(learned: string, text: string, order: number): number {
  const counts = new Map<string, number>();
  const totals = new Map<string, number>();
  const kinds = new Map<string, number>();
  for (let at = 0; at < learned.length; at++) {
    for (let length = 0; length <= Math.min(order, at); length++) {
      const context = learned.slice(at - length, at);
      const gram = context + learned[at];
      const before = counts.get(gram) ?? 0;
      counts.set(gram, before + 1);
      totals.set(context, (totals.get(context) ?? 0) + 1);
      if (before === 0) kinds.set(context, (kinds.get(context) ?? 0) + 1);
    }
  }
  const characters = (kinds.get('') ?? 0) + 1; // and one for those never seen
  let bits = 0;
  for (let at = 0; at < text.length; at++) {
    let chance = 1 / characters;
    for (let length = 0; length <= Math.min(order, at); length++) {
      const context = text.slice(at - length, at);
      const total = totals.get(context);
      if (total === undefined) break;
      const own = kinds.get(context) ?? 0;
      chance = ((counts.get(context + text[at]) ?? 0) + own * chance) / (total + own);
    }
    bits -= Math.log2(chance);
  }
  return bits / text.length;
}
