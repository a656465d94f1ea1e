/** Advantages of a rollout: how much better than expected each action was. */
import { ShapeError } from '@nn/core';

export interface AdvantageInput {
  /** [steps, environments], as all the others. */
  readonly rewards: Float32Array;
  /** The value of what each action answered. */
  readonly values: Float32Array;
  /** The value of what each action led to: of the last observation, where an episode was truncated. */
  readonly nextValues: Float32Array;
  /** 1 where the task ended, and no value is left. */
  readonly terminated: Uint8Array;
  /** 1 where the episode ended for either reason, so that the next row is of another one. */
  readonly ended: Uint8Array;
  readonly environments: number;
}

export interface AdvantageOptions {
  /** 0.99 by default. */
  readonly discount?: number;
  /** 0 trusts the values, 1 the rewards; 0.95 by default. */
  readonly lambda?: number;
}

/**
 * Generalised advantage estimation (Schulman et al. 2016), from the last step to the first:
 *
 *     delta_t = r_t + discount V(s_t+1) - V(s_t),   A_t = delta_t + discount lambda A_t+1
 *
 * where V is 0 after a terminated episode, and A_t+1 after any. `returns` are A + V, what the values should have been.
 *
 * @example
 * import { generalizedAdvantages } from '@nn/reinforcement';
 * const { advantages, returns } = generalizedAdvantages(
 *   {
 *     rewards: Float32Array.of(1, 1),
 *     values: Float32Array.of(0.5, 0.5),
 *     nextValues: Float32Array.of(0.5, 9),
 *     terminated: Uint8Array.of(0, 1),
 *     ended: Uint8Array.of(0, 1),
 *     environments: 1,
 *   },
 *   { discount: 1, lambda: 1 },
 * );
 * console.log(advantages, returns); // => Float32Array(2) [ 1.5, 0.5 ] Float32Array(2) [ 2, 1 ]
 */
export function generalizedAdvantages(
  { rewards, values, nextValues, terminated, ended, environments }: AdvantageInput,
  { discount = 0.99, lambda = 0.95 }: AdvantageOptions = {},
): { readonly advantages: Float32Array; readonly returns: Float32Array } {
  const { length } = rewards;
  const lengths = [values, nextValues, terminated, ended].map((list) => list.length);
  if (length % environments !== 0 || lengths.some((other) => other !== length)) {
    throw new ShapeError(
      'generalizedAdvantages',
      `all lists need as many elements, a multiple of ${environments}: rewards have ${length}, the others ${lengths.join(', ')}.`,
      { rewards: length, others: lengths, environments },
    );
  }
  const advantages = new Float32Array(length);
  const returns = new Float32Array(length);
  for (let at = length - 1; at >= 0; at--) {
    const after = terminated[at] === 1 ? 0 : nextValues[at]!;
    const delta = rewards[at]! + discount * after - values[at]!;
    const later = ended[at] === 1 || at + environments >= length ? 0 : advantages[at + environments]!;
    advantages[at] = delta + discount * lambda * later;
    returns[at] = advantages[at]! + values[at]!;
  }
  return { advantages, returns };
}
