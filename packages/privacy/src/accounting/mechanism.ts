/**
 * What the accountants account for: steps of the Gaussian mechanism on Poisson-sampled batches, and the checks of their
 * numbers. Neighbours are data sets that differ by one sample, added or taken away.
 */
import { ValueError } from '@nn/core';

/** Steps of DP-SGD that are alike. */
export interface PrivateSteps {
  /** Standard deviation of the noise, as a multiple of the clipping norm. */
  readonly noiseMultiplier: number;
  /** The chance of each sample to be in a batch, above 0, at most 1. */
  readonly sampleRate: number;
  readonly steps: number;
}

/** Throws ValueError for numbers that no run can have. */
export function checkSteps(operation: string, { noiseMultiplier, sampleRate, steps }: PrivateSteps): void {
  if (!(noiseMultiplier >= 0 && Number.isFinite(noiseMultiplier))) {
    throw new ValueError(operation, `noiseMultiplier is ${noiseMultiplier}: it must be a finite number from 0.`, {
      noiseMultiplier,
    });
  }
  if (!(sampleRate > 0 && sampleRate <= 1)) {
    throw new ValueError(operation, `sampleRate is ${sampleRate}: it must be above 0 and at most 1.`, { sampleRate });
  }
  if (!(Number.isInteger(steps) && steps >= 0)) {
    throw new ValueError(operation, `steps is ${steps}: it must be a whole number from 0.`, { steps });
  }
}

/** Throws ValueError unless delta is a chance between 0 and 1. */
export function checkDelta(operation: string, delta: number): void {
  if (delta > 0 && delta < 1) return;
  throw new ValueError(
    operation,
    `delta is ${delta}: it must be between 0 and 1, and well below 1 / the number of samples.`,
    { delta },
  );
}
