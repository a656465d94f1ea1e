/**
 * Any metric by group: overall, for each group, the gaps between them, and how sure one can be of each. Owns the split and
 * the bootstrap; `rates.ts` has what is counted. (The form is Fairlearn's `MetricFrame`.)
 */
import { checkOptions, randomValue, ValueError } from '@nn/core';
import { type Attributes, checkLength, groupsOf } from '../groups.ts';
import type { GroupMetric, Outcomes } from './rates.ts';

export interface MetricFrameOptions<Name extends string = string> extends Outcomes {
  /** Groups: one attribute, or several, whose intersections are looked at. */
  readonly groups: Attributes;
  readonly metrics: Readonly<Record<Name, GroupMetric>>;
  /** How often samples are drawn again for the intervals; 0 for none. Default 0. */
  readonly bootstraps?: number;
  /** Of the intervals. Default 0.95. */
  readonly confidence?: number;
  /** Of the bootstraps. Default 0. */
  readonly seed?: number;
}

/** A value and where it lies in `confidence` of the samples drawn again; without bootstraps both ends are NaN. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** One metric over the groups. */
export interface GroupedMetric {
  readonly overall: Estimate;
  readonly byGroup: ReadonlyMap<string, Estimate>;
  /** The largest value less the smallest. */
  readonly difference: Estimate;
  /** The smallest value by the largest; 1 is equal. */
  readonly ratio: Estimate;
  /** The largest distance of a group to the overall value. */
  readonly differenceToOverall: Estimate;
}

type Values = { readonly overall: number; readonly groups: readonly number[] };

/**
 * Metrics by group. Samples are drawn again within their groups, so that small ones stay in. A group in which a metric is
 * not defined (no positive targets) has NaN, and the gaps leave it out. Throws ShapeError for lists of unequal lengths.
 *
 * @example
 * import { metricFrame, selectionRate } from '@nn/fairness';
 * const { selection } = metricFrame({
 *   targets: [1, 0, 1, 0], predictions: [1, 0, 1, 1], groups: ['a', 'a', 'b', 'b'], metrics: { selection: selectionRate },
 * });
 * console.log(selection.byGroup.get('a')?.value, selection.difference.value, selection.ratio.value); // => 0.5 0.5 0.5
 */
export function metricFrame<Name extends string>(options: MetricFrameOptions<Name>): Record<Name, GroupedMetric> {
  const known = ['targets', 'predictions', 'weights', 'groups', 'metrics', 'bootstraps', 'confidence', 'seed'];
  checkOptions('metricFrame', options, known);
  const { targets, predictions, weights, bootstraps = 0, confidence = 0.95, seed = 0 } = options;
  checkLength('metricFrame', 'predictions', predictions, targets.length);
  if (weights !== undefined) checkLength('metricFrame', 'weights', weights, targets.length);
  if (targets.length === 0) throw new ValueError('metricFrame', 'there are no samples.');
  if (!(confidence > 0 && confidence < 1)) {
    throw new ValueError('metricFrame', `confidence is ${confidence}: it must be between 0 and 1.`, { confidence });
  }
  const groups = groupsOf('metricFrame', options.groups, targets.length);
  const takenOf = (indices: readonly number[]): Outcomes => ({
    targets: indices.map((i) => targets[i]!),
    predictions: indices.map((i) => predictions[i]!),
    ...(weights && { weights: indices.map((i) => weights[i]!) }),
  });
  const lists = [...groups.values()];
  const draws = Array.from({ length: bootstraps }, (_, turn) =>
    lists.map((list, k) =>
      list.map((_, i) => list[Math.floor(randomValue(seed, 0x1d000000 + turn * 1024 + k, i) * list.length)]!),
    ),
  );
  const samples = [lists, ...draws].map((each) => ({ all: takenOf(each.flat()), parts: each.map(takenOf) }));
  const entries = Object.entries<GroupMetric>(options.metrics).map(([name, metric]) => {
    const values = samples.map(({ all, parts }): Values => ({ overall: metric(all), groups: parts.map(metric) }));
    const estimate = (of: (each: Values) => number): Estimate => {
      const [value = Number.NaN, ...others] = values.map(of);
      return { value, ...interval(others, confidence) };
    };
    const grouped: GroupedMetric = {
      overall: estimate(({ overall }) => overall),
      byGroup: new Map([...groups.keys()].map((group, k) => [group, estimate((each) => each.groups[k]!)])),
      difference: estimate((each) => most(each) - least(each)),
      ratio: estimate((each) => (most(each) === 0 ? Number.NaN : least(each) / most(each))),
      differenceToOverall: estimate(({ overall, groups: each }) =>
        Math.max(...defined(each).map((x) => Math.abs(x - overall))),
      ),
    };
    return [name, grouped] as const;
  });
  return Object.fromEntries(entries) as Record<Name, GroupedMetric>; // the cast: there is an entry for each name
}

const defined = (values: readonly number[]): number[] => values.filter((value) => !Number.isNaN(value));
const most = ({ groups }: Values): number => Math.max(...defined(groups));
const least = ({ groups }: Values): number => Math.min(...defined(groups));

/** The middle part of the values, by linear interpolation. */
function interval(values: readonly number[], confidence: number): { low: number; high: number } {
  const sorted = defined(values).sort((a, b) => a - b);
  if (sorted.length === 0) return { low: Number.NaN, high: Number.NaN };
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const [below, rest] = [Math.floor(place), place % 1];
    return sorted[below]! * (1 - rest) + (sorted[below + 1] ?? 0) * rest;
  };
  return { low: at((1 - confidence) / 2), high: at((1 + confidence) / 2) };
}
