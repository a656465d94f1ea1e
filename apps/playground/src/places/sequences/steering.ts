/** From logits to probabilities: divided by the temperature, cut to the most probable, and drawn. */
import type { Steering } from './protocol.ts';

/**
 * p_i = exp(z_i / T) / sum exp(z_j / T) over the `topK` largest z, 0 for the others. The temperature 0 stands for the largest alone.
 */
export function probabilitiesOf(logits: ArrayLike<number>, { temperature, topK }: Steering): Float32Array {
  const order = Array.from({ length: logits.length }, (_, i) => i).sort(
    (a, b) => (logits[b] as number) - (logits[a] as number),
  );
  const kept = temperature === 0 ? 1 : topK === 0 ? order.length : Math.min(topK, order.length);
  const largest = logits[order[0] ?? 0] as number;
  const result = new Float32Array(logits.length);
  let total = 0;
  for (const i of order.slice(0, kept)) {
    const weight = temperature === 0 ? 1 : Math.exp(((logits[i] as number) - largest) / temperature);
    result[i] = weight;
    total += weight;
  }
  return result.map((weight) => weight / total);
}

/** The index at which the sum of probabilities passes a number from 0 to 1. */
export function drawFrom(probabilities: Float32Array, number: number): number {
  let rest = number;
  for (let i = 0; i < probabilities.length; i++) {
    rest -= probabilities[i] as number;
    if (rest < 0) return i;
  }
  return probabilities.findLastIndex((share) => share > 0);
}
