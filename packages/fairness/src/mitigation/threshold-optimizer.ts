/**
 * After the training: thresholds of each group's own, mixed by chance, so that groups are treated alike at the least cost in
 * accuracy. The optimum is exact: it lies at a corner of the groups' hulls, and all of them are tried. (Hardt, Price and
 * Srebro 2016; Fairlearn's `ThresholdOptimizer` takes the best of a grid.)
 */
import { checkOptions, randomValue, ValueError } from '@nn/core';
import { type Attribute, checkBinary, checkLength, groupsOf } from '../groups.ts';

export type FairnessConstraint = 'demographicParity' | 'equalOpportunity' | 'equalizedOdds';

/**
 * How a group is decided: with chance `ignored` by a coin that falls on 1 with chance `constant`, else 1 where the score is at
 * least a threshold: the first with chance `share`, else the second.
 */
export interface ThresholdRule {
  readonly share: number;
  readonly first: number;
  readonly second: number;
  readonly ignored: number;
  readonly constant: number;
}

/** Rules of each group, and what they give on the data they were fitted to. */
export interface FittedThresholds {
  readonly rules: ReadonlyMap<string, ThresholdRule>;
  /** The expected accuracy. */
  readonly accuracy: number;
  /** The chance that each sample is predicted 1. Throws ValueError for a group that was not fitted. */
  probabilities(scores: ArrayLike<number>, groups: Attribute): Float64Array;
  /** 0 or 1 for each sample, drawn by the seed: the same for the same seed and position. */
  predict(scores: ArrayLike<number>, groups: Attribute, seed?: number): Uint8Array;
}

/** What a threshold gives: x is what must be equal among groups, y what is to be high. */
interface Corner {
  readonly x: number;
  readonly y: number;
  readonly threshold: number;
}

interface GroupCurve {
  readonly name: string;
  readonly size: number;
  readonly hull: readonly Corner[];
}

/**
 * Finds the thresholds of each group. Targets are 0 or 1, higher scores speak for 1; the groups must be known when deciding.
 * Throws ValueError where a group has no positive, or for equal odds no negative, targets.
 *
 * @example
 * import { fitThresholds } from '@nn/fairness';
 * const [scores, targets, groups] = [[0.9, 0.6, 0.4, 0.5, 0.3, 0.1], [1, 1, 0, 1, 0, 0], ['a', 'a', 'a', 'b', 'b', 'b']];
 * const fitted = fitThresholds(scores, targets, groups, { constraint: 'demographicParity' });
 * console.log(fitted.accuracy.toFixed(3), [...fitted.predict(scores, groups)].length); // => 0.833 6
 */
export function fitThresholds(
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
  groups: Attribute,
  options: { readonly constraint: FairnessConstraint },
): FittedThresholds {
  checkOptions('fitThresholds', options, ['constraint']);
  const { constraint } = options;
  checkLength('fitThresholds', 'scores', scores, targets.length);
  checkBinary('fitThresholds', 'target', targets);
  const positives = Array.from(targets).filter((target) => target === 1).length;
  const curves = [...groupsOf('fitThresholds', groups, targets.length)].map(([name, members]) => ({
    name,
    size: members.length,
    hull: upperHull(cornersOf(name, members, scores, targets, constraint)),
  }));
  const isOdds = constraint === 'equalizedOdds';
  const worth = (x: number): number => {
    const values = curves.map(({ hull }) => heightAt(hull, x));
    if (isOdds) return (positives * Math.min(...values) + (targets.length - positives) * (1 - x)) / targets.length;
    return curves.reduce((sum, { size }, k) => sum + size * values[k]!, 0) / targets.length;
  };
  let best = 0;
  for (const x of candidates(curves, isOdds)) if (worth(x) > worth(best) + 1e-15) best = x;
  const height = Math.min(...curves.map(({ hull }) => heightAt(hull, best)));
  const rules = new Map(curves.map(({ name, hull }) => [name, ruleAt(hull, best, isOdds ? height : null)]));
  return { rules, accuracy: worth(best), ...deciders(rules) };
}

/** Corners of a concave function's pieces: there its maximum is. For odds the function is the least of all, so also where two cross. */
function candidates(curves: readonly GroupCurve[], isOdds: boolean): number[] {
  const corners = [...new Set(curves.flatMap(({ hull }) => hull.map(({ x }) => x)))].sort((a, b) => a - b);
  if (!isOdds) return corners;
  const crossings = corners.slice(1).flatMap((to, k) => {
    const from = corners[k]!;
    // between two corners every hull is a line
    const lines = curves.map(({ hull }) => [heightAt(hull, from), heightAt(hull, to)] as const);
    return lines.flatMap(([a0, a1], i) =>
      lines.slice(i + 1).flatMap(([b0, b1]) => {
        const share = (b0 - a0) / (b0 - a0 - (b1 - a1));
        return share > 0 && share < 1 ? [from + share * (to - from)] : [];
      }),
    );
  });
  return [...corners, ...crossings];
}

/** What each threshold gives a group, from none to all. */
function cornersOf(
  name: string,
  members: readonly number[],
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
  constraint: FairnessConstraint,
): Corner[] {
  const sorted = [...members].sort((a, b) => scores[b]! - scores[a]!);
  const positives = members.filter((i) => targets[i] === 1).length;
  const negatives = members.length - positives;
  const missing =
    constraint !== 'demographicParity' && positives === 0
      ? 1
      : constraint === 'equalizedOdds' && negatives === 0
        ? 0
        : null;
  if (missing !== null) {
    throw new ValueError(
      'fitThresholds',
      `the group ${name} has no targets ${missing}, so its rates cannot be made equal to others.`,
      { group: name },
    );
  }
  const at = (hits: number, alarms: number, threshold: number): Corner => {
    const accuracy = (hits + negatives - alarms) / members.length;
    if (constraint === 'demographicParity') return { x: (hits + alarms) / members.length, y: accuracy, threshold };
    if (constraint === 'equalOpportunity') return { x: hits / positives, y: accuracy, threshold };
    return { x: alarms / negatives, y: hits / positives, threshold };
  };
  const corners = [at(0, 0, Number.POSITIVE_INFINITY)];
  let [hits, alarms] = [0, 0];
  sorted.forEach((i, k) => {
    if (targets[i] === 1) hits++;
    else alarms++;
    const [score, next] = [scores[i]!, sorted[k + 1]];
    if (next === undefined) corners.push(at(hits, alarms, Number.NEGATIVE_INFINITY));
    else if (scores[next] !== score) corners.push(at(hits, alarms, (score + scores[next]!) / 2));
  });
  return corners;
}

/** The corners that a rope from above would touch, from left to right. (Andrew's monotone chain.) */
function upperHull(corners: readonly Corner[]): Corner[] {
  const hull: Corner[] = [];
  for (const corner of [...corners].sort((a, b) => a.x - b.x || a.y - b.y)) {
    while (hull.length >= 2) {
      const [a, b] = [hull.at(-2)!, hull.at(-1)!];
      if ((b.x - a.x) * (corner.y - a.y) - (b.y - a.y) * (corner.x - a.x) < 0) break;
      hull.pop();
    }
    hull.push(corner);
  }
  return hull;
}

/** The two corners about x and the share of the first. Where one stands above another the higher counts. */
function about(hull: readonly Corner[], x: number): { readonly a: Corner; readonly b: Corner; readonly share: number } {
  for (let k = hull.length - 1; k > 0; k--) {
    const [a, b] = [hull[k - 1]!, hull[k]!];
    if (a.x > x) continue;
    if (b.x <= x) return { a: b, b, share: 1 };
    return { a, b, share: (b.x - x) / (b.x - a.x) };
  }
  return { a: hull[0]!, b: hull[0]!, share: 1 };
}

function heightAt(hull: readonly Corner[], x: number): number {
  const { a, b, share } = about(hull, x);
  return share * a.y + (1 - share) * b.y;
}

/** The rule that gives x, and where `height` is said, that height by coins of chance x, which lie on the diagonal. */
function ruleAt(hull: readonly Corner[], x: number, height: number | null): ThresholdRule {
  const { a, b, share } = about(hull, x);
  const own = share * a.y + (1 - share) * b.y;
  const ignored = height === null || own - x <= 1e-15 ? 0 : (own - height) / (own - x);
  return { share, first: a.threshold, second: b.threshold, ignored, constant: x };
}

function deciders(rules: ReadonlyMap<string, ThresholdRule>): Pick<FittedThresholds, 'probabilities' | 'predict'> {
  const probabilities = (scores: ArrayLike<number>, groups: Attribute): Float64Array => {
    checkLength('probabilities', 'groups', groups, scores.length);
    return Float64Array.from(scores, (score, i) => {
      const rule = rules.get(String(groups[i]));
      if (rule === undefined) {
        throw new ValueError(
          'probabilities',
          `the group ${groups[i]} of sample ${i} was not among those fitted: ${[...rules.keys()].join(', ')}.`,
          { group: groups[i] },
        );
      }
      const { share, first, second, ignored, constant } = rule;
      const mixed = share * Number(score >= first) + (1 - share) * Number(score >= second);
      return ignored * constant + (1 - ignored) * mixed;
    });
  };
  return {
    probabilities,
    predict: (scores, groups, seed = 0) =>
      Uint8Array.from(probabilities(scores, groups), (chance, i) => Number(randomValue(seed, 0x1e000000, i) < chance)),
  };
}
