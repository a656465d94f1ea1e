/**
 * Two classes at any threshold: from the share of class 1 that the network gives to each sample to counts and scores.
 * Plain arithmetic; the table is views/mistakes-tab.tsx.
 */

/** Counts of a confusion matrix of two classes. */
export interface Counts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** Counts samples whose share exceeds the threshold as class 1. */
export function countsAt(shares: ArrayLike<number>, truth: ArrayLike<number>, threshold: number): Counts {
  const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
  for (let i = 0; i < shares.length; i++) {
    const isCalled = (shares[i] as number) > threshold;
    if (truth[i] === 1) counts[isCalled ? 'truePositives' : 'falseNegatives']++;
    else counts[isCalled ? 'falsePositives' : 'trueNegatives']++;
  }
  return counts;
}

/**
 * Of the samples called class 1 the share that is (precision), of those that are the share that was called so (recall),
 * the harmonic mean of both (F1), and the share that is right (accuracy). A precision of nothing called is null.
 */
export function scoresOf({ truePositives, falsePositives, falseNegatives, trueNegatives }: Counts): {
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly accuracy: number | null;
} {
  const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
  const all = truePositives + falsePositives + falseNegatives + trueNegatives;
  return {
    precision: ratio(truePositives, truePositives + falsePositives),
    recall: ratio(truePositives, truePositives + falseNegatives),
    // F1 = 2 P R / (P + R) = 2 TP / (2 TP + FP + FN)
    f1: ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
    accuracy: ratio(truePositives + trueNegatives, all),
  };
}
