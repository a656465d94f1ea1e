/** Whether a probability means the same in every group. Owns the bins. */
import { ValueError } from '@nn/core';
import { type Attributes, checkBinary, checkLength, groupsOf } from '../groups.ts';

/** Samples whose scores lie in one bin. */
export interface CalibrationBin {
  readonly meanScore: number;
  /** The share whose target is 1. */
  readonly rate: number;
  readonly count: number;
}

export interface GroupCalibration {
  readonly bins: readonly CalibrationBin[];
  /** The mean distance of score and rate over the bins, by their counts: the expected calibration error. */
  readonly error: number;
}

/**
 * Calibration of each group in bins of equal width; empty ones are left out. Where base rates differ it cannot be had together
 * with equal odds. (Kleinberg et al. 2016.)
 *
 * @example
 * import { calibrationByGroup } from '@nn/fairness';
 * const found = calibrationByGroup([1, 0, 1, 1], [0.6, 0.6, 0.5, 0.5], ['a', 'a', 'b', 'b'], 2);
 * console.log(found.get('a')?.error.toFixed(2), found.get('b')?.error.toFixed(2)); // => 0.10 0.50
 */
export function calibrationByGroup(
  targets: ArrayLike<number>,
  scores: ArrayLike<number>,
  groups: Attributes,
  bins = 10,
): Map<string, GroupCalibration> {
  checkLength('calibrationByGroup', 'scores', scores, targets.length);
  checkBinary('calibrationByGroup', 'target', targets);
  for (let i = 0; i < scores.length; i++) {
    if (scores[i]! >= 0 && scores[i]! <= 1) continue;
    throw new ValueError('calibrationByGroup', `score ${i} is ${scores[i]}: probabilities are from 0 to 1.`, {
      index: i,
    });
  }
  const all = groupsOf('calibrationByGroup', groups, targets.length);
  return new Map(
    [...all].map(([name, members]) => {
      const parts = Array.from({ length: bins }, (_, bin) =>
        members.filter((i) => Math.min(bins - 1, Math.floor(scores[i]! * bins)) === bin),
      ).filter((part) => part.length > 0);
      const mean = (part: readonly number[], of: ArrayLike<number>): number =>
        part.reduce((sum, i) => sum + of[i]!, 0) / part.length;
      const found = parts.map((part) => ({
        meanScore: mean(part, scores),
        rate: mean(part, targets),
        count: part.length,
      }));
      const error = found.reduce((sum, { meanScore, rate, count }) => sum + count * Math.abs(meanScore - rate), 0);
      return [name, { bins: found, error: error / members.length }] as const;
    }),
  );
}
