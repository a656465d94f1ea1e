/** Texts as words and as counts of neighbouring words or characters, and what two such counts share. */
import { ValueError } from '@nn/core';

/** The words of a text, parted by white space. */
export const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** How often each n-gram occurs; its parts are joined by a character that no word holds. */
export function countNgrams(parts: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + n <= parts.length; at++) {
    const gram = parts.slice(at, at + n).join('\u0000');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** How many n-grams both have. */
export function overlap(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let shared = 0;
  for (const [gram, count] of a) shared += Math.min(count, b.get(gram) ?? 0);
  return shared;
}

export function totalOf(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

/** Predictions with their references, all as lists. Throws where there are not as many of both. */
export function paired<R>(
  metric: object,
  predictions: string | readonly string[],
  references: R | readonly R[],
): (readonly [string, R])[] {
  const left = typeof predictions === 'string' ? [predictions] : predictions;
  const right = typeof predictions === 'string' ? [references as R] : (references as readonly R[]);
  if (left.length !== right.length) {
    throw new ValueError(
      String(metric),
      `${left.length} predictions and ${right.length} references: give one for each.`,
    );
  }
  return left.map((text, k) => [text, right[k] as R] as const);
}
