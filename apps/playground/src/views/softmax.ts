/** The shares of the classes, and what they are made of. Shifted by the largest logit, as the network computes it. */
export function softmaxOf(logits: ArrayLike<number>): {
  readonly top: number;
  readonly powers: readonly number[];
  readonly sum: number;
  readonly shares: readonly number[];
} {
  const all = Array.from(logits);
  const top = Math.max(...all);
  const powers = all.map((z) => Math.exp(z - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return { top, powers, sum, shares: powers.map((power) => power / sum) };
}
