/** Which character comes next: the chances of @nn/text by the two sliders, and a draw among them. */
import { tokenChances } from '@nn/text';
import type { Steering } from './protocol.ts';

export type Chances = ReturnType<typeof tokenChances>;

/**
 * The characters that may come, the most probable first: softmax(logits / temperature), cut to the `topK` most probable. None after
 * a training that diverged, whose logits are no numbers.
 */
export function chancesOf(logits: Float32Array, { temperature, topK }: Steering): Chances {
  if (!logits.every(Number.isFinite)) return [];
  return tokenChances(logits, topK === 0 ? { temperature } : { temperature, topK });
}

/** The first at which the sum of the chances passes a number from 0 to 1. */
export function drawFrom(chances: Chances, number: number): number | undefined {
  let rest = number;
  const found = chances.find(({ probability }) => {
    rest -= probability;
    return rest < 0;
  });
  return (found ?? chances.at(-1))?.id; // rounding may leave the sum just below 1
}
