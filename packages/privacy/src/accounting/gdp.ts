/**
 * Gaussian differential privacy by its central limit: quick, and close where steps are many and the rate is small. An
 * approximation, not a bound: it may be below the true epsilon. (Dong, Roth and Su 2019; Bu et al. 2020.)
 */
import { firstBelow } from './bisect.ts';
import type { PrivateSteps } from './mechanism.ts';
import { logNormalBelow } from './normal-distribution.ts';

/** mu^2 of steps: T q^2 (exp(1 / s^2) - 1); of a history they add up. */
function squaredMu({ steps, sampleRate, noiseMultiplier }: PrivateSteps): number {
  if (steps === 0) return 0;
  // with all samples in every batch there is no limit to take: T mechanisms of mu = 1 / s are one of sqrt(T) / s
  if (sampleRate === 1) return steps / (noiseMultiplier * noiseMultiplier);
  return steps * sampleRate * sampleRate * Math.expm1(1 / (noiseMultiplier * noiseMultiplier));
}

/**
 * The delta of mu-Gaussian privacy at an epsilon: Phi(-e / mu + mu / 2) - exp(e) Phi(-e / mu - mu / 2), which is also exact
 * for the Gaussian mechanism itself, mu = 1 / s. (Balle and Wang 2018, theorem 8.)
 */
function deltaOfMu(mu: number, epsilon: number): number {
  const [first, second] = [logNormalBelow(-epsilon / mu + mu / 2), epsilon + logNormalBelow(-epsilon / mu - mu / 2)];
  return second >= first ? 0 : Math.exp(first) * -Math.expm1(second - first);
}

/** Epsilon of a history of steps. */
export function epsilonByGdp(history: readonly PrivateSteps[], delta: number): number {
  const mu = Math.sqrt(history.reduce((sum, steps) => sum + squaredMu(steps), 0));
  if (mu === 0) return 0;
  if (!Number.isFinite(mu)) return Number.POSITIVE_INFINITY;
  const excess = (epsilon: number): number => deltaOfMu(mu, epsilon) - delta;
  if (excess(0) <= 0) return 0;
  let high = 1;
  while (excess(high) > 0) high *= 2;
  return firstBelow(excess, 0, high);
}
