/** Numbers as people type them. */

/** What a field says, within its limits; the number before where it is empty or says none. */
export function readNumber(text: string, before: number, low: number, high: number): number {
  const given = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(given) ? Math.min(high, Math.max(low, given)) : before;
}
