/** What is counted within a group: of samples with a target, a prediction and a weight. Owns the fractions. */

/** Samples of one group. */
export interface Outcomes {
  readonly targets: ArrayLike<number>;
  readonly predictions: ArrayLike<number>;
  /** Default: 1 each. */
  readonly weights?: ArrayLike<number>;
}

/** Any number of outcomes as one. */
export type GroupMetric = (outcomes: Outcomes) => number;

/** The weighted share of those with `inside` among those with `among`; NaN where there are none. */
function share(
  { targets, predictions, weights }: Outcomes,
  among: (target: number, prediction: number) => boolean,
  inside: (target: number, prediction: number) => boolean,
): number {
  let [part, all] = [0, 0];
  for (let i = 0; i < targets.length; i++) {
    const [target, prediction, weight] = [targets[i]!, predictions[i]!, weights?.[i] ?? 1];
    if (!among(target, prediction)) continue;
    all += weight;
    if (inside(target, prediction)) part += weight;
  }
  return part / all;
}

/** The share of samples that are predicted 1. */
export const selectionRate: GroupMetric = (of) =>
  share(
    of,
    () => true,
    (_, prediction) => prediction === 1,
  );
/** The share of right predictions. */
export const accuracyRate: GroupMetric = (of) =>
  share(
    of,
    () => true,
    (target, prediction) => target === prediction,
  );
/** Of those whose target is 1, the share predicted 1. */
export const truePositiveRate: GroupMetric = (of) =>
  share(
    of,
    (target) => target === 1,
    (_, prediction) => prediction === 1,
  );
/** Of those whose target is 0, the share predicted 1. */
export const falsePositiveRate: GroupMetric = (of) =>
  share(
    of,
    (target) => target === 0,
    (_, prediction) => prediction === 1,
  );
/** Of those predicted 1, the share whose target is 1. */
export const precisionRate: GroupMetric = (of) =>
  share(
    of,
    (_, prediction) => prediction === 1,
    (target) => target === 1,
  );
