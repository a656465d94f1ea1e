/**
 * From which score on a sample is called positive: chosen on a validation set for what matters, with an interval of the choice and
 * of what it is worth on samples that it was not made with.
 */
import { checkOptions, ValueError } from '@nn/core';
import { type BootstrapOptions, bootstrapNames, type Interval, kindOf, percentiles, resample } from './bootstrap.ts';

/** How many samples fell where at a threshold. */
export interface ThresholdCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

/** What is to be as large as possible: a name, or a number of the counts (minus the costs of errors). */
export type ThresholdGoal =
  | 'f1'
  | 'balancedAccuracy'
  | 'geometricMean'
  | 'matthews'
  | ((counts: ThresholdCounts) => number);

export interface TuneThresholdOptions extends BootstrapOptions {
  /** Default 'f1'. */
  readonly goal?: ThresholdGoal;
}

export interface TunedThreshold {
  /** Scores from here on are positive. */
  readonly threshold: number;
  /** What the goal reaches on these very samples: too much, for it was chosen on them. */
  readonly value: number;
  readonly counts: ThresholdCounts;
  /** Where the threshold falls when the samples are drawn again. */
  readonly thresholdInterval: Interval;
  /** What a threshold that was chosen on drawn samples is worth on those that were not drawn: mean and interval. */
  readonly expected: number;
  readonly expectedInterval: Interval;
}

/**
 * The threshold of scores [N] (probabilities, logits, any) at which a goal is largest, half way to the next lower score; of equal
 * ones the highest, and Infinity where a goal of your own is larger with no positive at all. Labels are 1 for positive, else 0.
 *
 * Throws ValueError where one of the classes is missing.
 *
 * @example
 * import { tuneThreshold } from '@nn/train';
 * const scores = [0.1, 0.2, 0.3, 0.35, 0.4, 0.6];
 * const { threshold, value } = tuneThreshold(scores, [0, 0, 0, 1, 1, 1]);
 * console.log(threshold.toFixed(3), value); // => 0.325 1
 */
export function tuneThreshold(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  options: TuneThresholdOptions = {},
): TunedThreshold {
  const operation = 'tuneThreshold';
  checkOptions(operation, options, ['goal', ...bootstrapNames]);
  const { confidence = 0.95 } = options;
  const { goal: wanted = 'f1' } = options;
  const goal = goalOf(operation, wanted);
  const n = checkScores(operation, scores, labels);
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number),
  );
  const whole = best(order, scores, labels, new Uint32Array(n).fill(1), goal);
  const thresholds: number[] = [];
  const values: number[] = [];
  resample(operation, n, options, (drawn) => {
    const { threshold, value } = best(order, scores, labels, drawn, goal);
    if (Number.isNaN(value)) return;
    thresholds.push(threshold);
    values.push(goal(countsAt(scores, labels, threshold, (i) => (drawn[i] === 0 ? 1 : 0))));
  });
  const outside = values.filter((value) => !Number.isNaN(value));
  return {
    ...whole,
    counts: countsAt(scores, labels, whole.threshold, () => 1),
    thresholdInterval: percentiles(operation, thresholds, confidence),
    expected: outside.reduce((sum, value) => sum + value, 0) / outside.length,
    expectedInterval: percentiles(operation, values, confidence),
  };
}

/** One pass from the highest score down: after each group of equal scores those so far are positive. */
function best(
  order: Uint32Array,
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  weights: Uint32Array,
  goal: (counts: ThresholdCounts) => number,
): { readonly threshold: number; readonly value: number } {
  let [positives, negatives] = [0, 0];
  for (const i of order) {
    if (labels[i] === 1) positives += weights[i] as number;
    else negatives += weights[i] as number;
  }
  let [truePositives, falsePositives] = [0, 0];
  let [threshold, value] = [Infinity, Number.NaN];
  for (let k = 0; k < order.length; k++) {
    const i = order[k] as number;
    if (labels[i] === 1) truePositives += weights[i] as number;
    else falsePositives += weights[i] as number;
    const score = scores[i] as number;
    const next = k + 1 < order.length ? (scores[order[k + 1] as number] as number) : score;
    if (next === score && k + 1 < order.length) continue;
    const found = goal({
      truePositives,
      falsePositives,
      trueNegatives: negatives - falsePositives,
      falseNegatives: positives - truePositives,
    });
    if (!(found > value) && !(Number.isNaN(value) && !Number.isNaN(found))) continue;
    [threshold, value] = [between(score, next), found];
  }
  // a goal of costs may be largest where nothing is called positive
  const none = goal({ truePositives: 0, falsePositives: 0, trueNegatives: negatives, falseNegatives: positives });
  const isAbove = (scores[order[0] as number] as number) < Infinity;
  if (none > value && isAbove) return { threshold: Infinity, value: none };
  return { threshold, value };
}

/** Half way from a score to the next lower one; the score itself where half way is that lower one (next to each other, or -Infinity). */
function between(score: number, next: number): number {
  const middle = Math.min(score, (score + next) / 2);
  return middle > next ? middle : score;
}

function countsAt(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
  weightOf: (i: number) => number,
): ThresholdCounts {
  let [truePositives, falsePositives, trueNegatives, falseNegatives] = [0, 0, 0, 0];
  for (let i = 0; i < scores.length; i++) {
    const weight = weightOf(i);
    const isCalled = (scores[i] as number) >= threshold;
    if (labels[i] === 1) {
      if (isCalled) truePositives += weight;
      else falseNegatives += weight;
    } else if (isCalled) falsePositives += weight;
    else trueNegatives += weight;
  }
  return { truePositives, falsePositives, trueNegatives, falseNegatives };
}

/** The goal as a function; NaN where a class is missing. */
function goalOf(operation: string, goal: ThresholdGoal): (counts: ThresholdCounts) => number {
  if (typeof goal === 'function') {
    return (counts) => {
      const value = goal(counts);
      if (typeof value === 'number') return value;
      throw new ValueError(operation, `the goal gave ${kindOf(value)}: it returns a number for counts.`);
    };
  }
  const recalls = ({
    truePositives,
    falsePositives,
    trueNegatives,
    falseNegatives,
  }: ThresholdCounts): [number, number] => [
    truePositives / (truePositives + falseNegatives),
    trueNegatives / (trueNegatives + falsePositives),
  ];
  const goals = {
    f1: (counts: ThresholdCounts): number =>
      counts.truePositives + counts.falseNegatives === 0
        ? Number.NaN
        : (2 * counts.truePositives) / (2 * counts.truePositives + counts.falsePositives + counts.falseNegatives),
    balancedAccuracy: (counts: ThresholdCounts): number => {
      const [positive, negative] = recalls(counts);
      return (positive + negative) / 2;
    },
    geometricMean: (counts: ThresholdCounts): number => {
      const [positive, negative] = recalls(counts);
      return Math.sqrt(positive * negative);
    },
    // (tp tn - fp fn) / sqrt of the product of the four sums; 0 where all are called alike
    matthews: ({
      truePositives: tp,
      falsePositives: fp,
      trueNegatives: tn,
      falseNegatives: fn,
    }: ThresholdCounts): number => {
      if (tp + fn === 0 || tn + fp === 0) return Number.NaN;
      const scale = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
      return scale === 0 ? 0 : (tp * tn - fp * fn) / scale;
    },
  };
  if (Object.hasOwn(goals, goal)) return goals[goal];
  throw new ValueError(
    operation,
    `goal is '${goal}': it is ${Object.keys(goals).join(', ')}, or a function of counts.`,
  );
}

function checkScores(operation: string, scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const wrong = [scores, labels].find((list) => typeof list?.length !== 'number');
  if (wrong !== undefined) {
    throw new ValueError(operation, `takes lists of numbers, got ${String(wrong)}: of a tensor await tensor.data().`);
  }
  if (scores.length !== labels.length) {
    throw new ValueError(operation, `${scores.length} scores and ${labels.length} labels: give one for each sample.`);
  }
  const found = new Set<number>();
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (label !== 0 && label !== 1) throw new ValueError(operation, `label ${i} is ${label}: labels are 0 and 1.`);
    const score: unknown = scores[i];
    if (Number.isNaN(score)) throw new ValueError(operation, `score ${i} is NaN.`);
    if (typeof score !== 'number')
      throw new ValueError(operation, `score ${i} is ${kindOf(score)}: scores are numbers.`);
    found.add(label);
  }
  if (found.size < 2) {
    throw new ValueError(operation, `all ${labels.length} labels are alike: samples of both classes are needed.`);
  }
  return labels.length;
}
