/** How good a policy is: episodes to their end, without learning. */
import { ValueError } from '@nn/core';
import type { VectorEnvironment } from './vector.ts';

/** What can be asked for actions: the agents of this package, or an object of your own. */
export interface Actor {
  act(
    observations: Float32Array,
    options?: { readonly legal?: Uint8Array },
  ): ArrayLike<number> | Promise<ArrayLike<number>>;
}

export interface Evaluation {
  /** The return of each episode. */
  readonly returns: readonly number[];
  readonly steps: readonly number[];
  readonly mean: number;
  readonly standardDeviation: number;
}

/**
 * Plays `episodes` episodes with the best actions. Each environment plays its share of them, so that short episodes are not counted
 * more often than long ones. It begins them anew, with the seeds of the environments: take others than those that are learned in.
 *
 * @example
 * import { CartPole, evaluatePolicy, VectorEnvironment } from '@nn/reinforcement';
 * const environments = new VectorEnvironment(() => new CartPole(), 5, { seed: 100 });
 * const towardsTheFall = {
 *   act: (rows: Float32Array) => Array.from({ length: rows.length / 4 }, (_, i) => (rows[4 * i + 2]! > 0 ? 1 : 0)),
 * };
 * const { returns, mean } = await evaluatePolicy(towardsTheFall, environments, 10);
 * console.log(returns.length, mean > 30); // => 10 true
 */
export async function evaluatePolicy(
  actor: Actor,
  environments: VectorEnvironment,
  episodes: number,
): Promise<Evaluation> {
  const { count } = environments;
  if (!Number.isInteger(episodes) || episodes < 1) {
    throw new ValueError('evaluatePolicy', `${episodes} is not a number of episodes; pass an integer of 1 and more.`, {
      episodes,
    });
  }
  const wanted = Array.from({ length: count }, (_, i) => Math.floor(episodes / count) + (i < episodes % count ? 1 : 0));
  const returns: number[] = [];
  const steps: number[] = [];
  environments.reset();
  while (returns.length < episodes) {
    const legal = environments.hasLegalActions ? environments.legalActions() : undefined;
    const step = environments.step(await actor.act(environments.observations, legal && { legal }));
    for (const episode of step.episodes) {
      if (wanted[episode.environment]! === 0) continue;
      wanted[episode.environment]!--;
      returns.push(episode.total);
      steps.push(episode.steps);
    }
  }
  const mean = returns.reduce((sum, x) => sum + x, 0) / episodes;
  const standardDeviation = Math.sqrt(returns.reduce((sum, x) => sum + (x - mean) ** 2, 0) / episodes);
  return { returns, steps, mean, standardDeviation };
}
