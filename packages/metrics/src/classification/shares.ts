/** Where predictions have to be probabilities: what is none is marked, so that no sum with it can be overlooked. */
import { type Tensor, ValueError, where } from '@nn/core';

/** Weights of probabilities [columns, n], infinite where they are none; up to the rounding of a softmax, and NaN is none. */
export function weightsOfShares(shares: Tensor, weights: Tensor): Tensor {
  const isShare = shares.greaterEqual(0).logicalAnd(shares.lessEqual(1 + 1e-5));
  return where(isShare.logicalOr(weights.equal(0)), weights, Number.POSITIVE_INFINITY);
}

/** Throws ValueError where sums tell of what is no probability. */
export function requireShares(metric: object, areShares: boolean): void {
  if (areShares) return;
  throw new ValueError(
    String(metric),
    'some predictions are no probabilities from 0 to 1, or some targets no labels: check from, or set ignoreIndex.',
  );
}
