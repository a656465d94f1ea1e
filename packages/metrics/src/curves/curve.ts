/**
 * A curve of outcomes over thresholds, and the numbers read off it. The same for binned and for exact scores, so every
 * metric below has both. Plain arithmetic on lists; owns no tensor.
 */

/** Outcomes from the strictest threshold (nothing is positive) to the loosest (everything is). */
export interface OutcomeCurve {
  readonly thresholds: readonly number[];
  /** Weighted positives found at each threshold. */
  readonly truePositives: readonly number[];
  /** Weighted negatives taken for positives. */
  readonly falsePositives: readonly number[];
  /** How much there is of each. */
  readonly positives: number;
  readonly negatives: number;
}

/** What is positive from a threshold on, and was not before: weighted positives and negatives. */
export type Point = readonly [threshold: number, positives: number, negatives: number];

/** The curve of points from the strictest threshold on; equal ones are one point. */
export function curveOf(points: readonly Point[]): OutcomeCurve {
  const thresholds: number[] = [];
  const truePositives: number[] = [];
  const falsePositives: number[] = [];
  let [positives, negatives] = [0, 0];
  for (const [threshold, found, taken] of points) {
    if (threshold !== thresholds.at(-1)) thresholds.push(threshold);
    const at = thresholds.length - 1;
    truePositives[at] = positives += found;
    falsePositives[at] = negatives += taken;
  }
  return { thresholds, truePositives, falsePositives, positives, negatives };
}

/** Whether there is something of both kinds; without it no curve has a meaning. */
export function isDefined({ positives, negatives }: OutcomeCurve): boolean {
  return positives > 0 && negatives > 0;
}

/** The points of a receiver operating characteristic. */
export interface RocPoints {
  readonly falsePositiveRate: number[];
  readonly truePositiveRate: number[];
  readonly thresholds: number[];
}

export function rocOf({ truePositives, falsePositives, positives, negatives, thresholds }: OutcomeCurve): RocPoints {
  return {
    falsePositiveRate: falsePositives.map((count) => count / negatives),
    truePositiveRate: truePositives.map((count) => count / positives),
    thresholds: [...thresholds],
  };
}

/** The points of precision over recall, from recall 0 (precision 1 by convention) to 1. */
export interface PrecisionRecallPoints {
  readonly recall: number[];
  readonly precision: number[];
  readonly thresholds: number[];
}

export function precisionRecallOf({
  truePositives,
  falsePositives,
  positives,
  thresholds,
}: OutcomeCurve): PrecisionRecallPoints {
  return {
    recall: truePositives.map((count) => count / positives),
    precision: truePositives.map((count, at) => {
      const all = count + falsePositives[at]!;
      return all === 0 ? 1 : count / all;
    }),
    thresholds: [...thresholds],
  };
}

/** The area below points by trapezoids; with `sign` -1 what the steps up add to it, which is half of each step's own box. */
function area(x: readonly number[], y: readonly number[], sign = 1): number {
  let sum = 0;
  for (let at = 1; at < x.length; at++) sum += ((x[at]! - x[at - 1]!) * (y[at]! + sign * y[at - 1]!)) / 2;
  return sum;
}

/** The share of pairs of a positive and a negative in the right order, ties 1/2 (Mann and Whitney); NaN where there are none. */
export function rocArea({ truePositives, falsePositives, positives, negatives }: OutcomeCurve, sign = 1): number {
  return area(falsePositives, truePositives, sign) / (positives * negatives);
}

/** How far the area can be from the exact one: pairs within a point count 1/2, and could all be right or all wrong. */
export function rocAreaError(curve: OutcomeCurve): number {
  return rocArea(curve, -1);
}

/** The sum of (R_n - R_n-1) P_n, which does not interpolate. */
export function averagePrecisionOf(curve: OutcomeCurve): number {
  if (curve.positives === 0) return Number.NaN;
  const { recall, precision } = precisionRecallOf(curve);
  let sum = 0;
  for (let at = 1; at < recall.length; at++) sum += (recall[at]! - recall[at - 1]!) * precision[at]!;
  return sum;
}

/** The area with true positives linear in predicted ones between points (Davis and Goadrich 2006), as Keras computes it. */
export function interpolatedArea({ truePositives, falsePositives, positives }: OutcomeCurve): number {
  if (positives === 0) return Number.NaN;
  let sum = 0;
  for (let at = 1; at < truePositives.length; at++) {
    const [strict, loose] = [truePositives[at - 1]!, truePositives[at]!];
    const [less, more] = [strict + falsePositives[at - 1]!, loose + falsePositives[at]!];
    if (more === less) continue;
    const slope = (loose - strict) / (more - less);
    const logarithm = less > 0 && more > 0 ? Math.log(more / less) : 0;
    sum += slope * (loose - strict + (strict - slope * less) * logarithm);
  }
  return sum / positives;
}

/** A point of a curve that was asked for. */
export interface OperatingPoint {
  readonly value: number;
  readonly threshold: number;
}

/** The largest of `of` where `where` is at least `least`; the strictest threshold among equals. */
function best(
  of: readonly number[],
  where: readonly number[],
  least: number,
  thresholds: readonly number[],
): OperatingPoint {
  let found: OperatingPoint = { value: 0, threshold: Number.POSITIVE_INFINITY };
  of.forEach((value, at) => {
    if (where[at]! >= least && value > found.value) found = { value, threshold: thresholds[at]! };
  });
  return found;
}

export function precisionAtRecallOf(curve: OutcomeCurve, recall: number): OperatingPoint {
  const points = precisionRecallOf(curve);
  // the point of no predictions has a precision by convention only
  return best(points.precision.slice(1), points.recall.slice(1), recall, points.thresholds.slice(1));
}

export function recallAtPrecisionOf(curve: OutcomeCurve, precision: number): OperatingPoint {
  const points = precisionRecallOf(curve);
  return best(points.recall.slice(1), points.precision.slice(1), precision, points.thresholds.slice(1));
}

export function sensitivityAtSpecificityOf(curve: OutcomeCurve, specificity: number): OperatingPoint {
  const { falsePositiveRate, truePositiveRate, thresholds } = rocOf(curve);
  return best(
    truePositiveRate,
    falsePositiveRate.map((rate) => 1 - rate),
    specificity,
    thresholds,
  );
}

export function specificityAtSensitivityOf(curve: OutcomeCurve, sensitivity: number): OperatingPoint {
  const { falsePositiveRate, truePositiveRate, thresholds } = rocOf(curve);
  return best(
    falsePositiveRate.map((rate) => 1 - rate),
    truePositiveRate,
    sensitivity,
    thresholds,
  );
}

/** Where as large a share of negatives is taken as of positives is missed, between points linear. */
export function equalErrorRateOf(curve: OutcomeCurve): OperatingPoint {
  const { falsePositiveRate: f, truePositiveRate: t, thresholds } = rocOf(curve);
  const gap = (at: number): number => f[at]! - (1 - t[at]!);
  const after = f.findIndex((_, at) => gap(at) >= 0);
  if (after < 0) return { value: Number.NaN, threshold: Number.NaN };
  const before = Math.max(0, after - 1);
  const share = gap(after) === gap(before) ? 0 : gap(before) / (gap(before) - gap(after));
  const value = f[before]! + share * (f[after]! - f[before]!);
  return { value, threshold: thresholds[after]! };
}

/** The mean true positive rate over the logarithm of false positive rates from `from` to `to`. */
export function logAreaOf(curve: OutcomeCurve, from: number, to: number): number {
  if (!isDefined(curve)) return Number.NaN;
  const { falsePositiveRate: f, truePositiveRate: t } = rocOf(curve);
  // the rate at a position between points; the highest where there are several
  const rateAt = (x: number): number => {
    const next = f.findIndex((value) => value > x);
    if (next < 0) return t.at(-1)!;
    if (next === 0) return t[0]!;
    const [x0, x1, y0, y1] = [f[next - 1], f[next], t[next - 1], t[next]] as [number, number, number, number];
    return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
  };
  const inside = f.flatMap((x, at) => (x > from && x < to ? [[Math.log10(x), t[at]!] as const] : []));
  const points = [[Math.log10(from), rateAt(from)] as const, ...inside, [Math.log10(to), rateAt(to)] as const];
  return (
    area(
      points.map(([x]) => x),
      points.map(([, y]) => y),
    ) /
    (Math.log10(to) - Math.log10(from))
  );
}
