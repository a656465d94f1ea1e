/**
 * Gaps between groups as single numbers, by the names of Fairlearn and AIF360. Owns the definitions; predictions and targets
 * are 0 or 1, with 1 for what is good to get.
 */
import { checkOptions, ValueError } from '@nn/core';
import { type Attribute, type Attributes, checkBinary, checkLength } from '../groups.ts';
import { metricFrame } from './metric-frame.ts';
import { falsePositiveRate, type GroupMetric, type Outcomes, selectionRate, truePositiveRate } from './rates.ts';

/** Outcomes and the groups they are of. */
export interface GroupedOutcomes extends Outcomes {
  readonly groups: Attributes;
}

/** A gap: 0, or 1, where groups are treated alike. */
export interface Gap {
  /** The largest value less the smallest: 0 is equal. */
  readonly difference: number;
  /** The smallest by the largest: 1 is equal. */
  readonly ratio: number;
}

function gapOf(
  operation: string,
  { targets, predictions, weights, groups }: GroupedOutcomes,
  metric: GroupMetric,
): Gap {
  checkBinary(operation, 'prediction', predictions);
  checkBinary(operation, 'target', targets);
  const { value } = metricFrame({
    targets,
    predictions,
    groups,
    metrics: { value: metric },
    ...(weights && { weights }),
  });
  return { difference: value.difference.value, ratio: value.ratio.value };
}

/** Whether groups are selected equally often: the gap of selection rates. (Calders et al. 2009.) */
export function demographicParity(outcomes: GroupedOutcomes): Gap {
  return gapOf('demographicParity', outcomes, selectionRate);
}

/** Whether those who deserve it are selected equally often: the gap of true positive rates. (Hardt et al. 2016.) */
export function equalOpportunity(outcomes: GroupedOutcomes): Gap {
  return gapOf('equalOpportunity', outcomes, truePositiveRate);
}

/**
 * Whether predictions err equally often: the gaps of true and false positive rates, the worse of both, or with `mean` their
 * mean. (Hardt et al. 2016.)
 *
 * @example
 * import { demographicParity, equalizedOdds } from '@nn/fairness';
 * const outcomes = { targets: [1, 0, 1, 0], predictions: [1, 0, 1, 1], groups: ['a', 'a', 'b', 'b'] };
 * console.log(demographicParity(outcomes).difference, equalizedOdds(outcomes).difference); // => 0.5 1
 */
export function equalizedOdds(outcomes: GroupedOutcomes, options: { readonly combine?: 'worst' | 'mean' } = {}): Gap {
  checkOptions('equalizedOdds', options, ['combine']);
  const [a, b] = [truePositiveRate, falsePositiveRate].map((metric) => gapOf('equalizedOdds', outcomes, metric)) as [
    Gap,
    Gap,
  ]; // the cast: two of two
  if (options.combine === 'mean') {
    return { difference: (a.difference + b.difference) / 2, ratio: (a.ratio + b.ratio) / 2 };
  }
  return {
    difference: Math.max(a.difference, b.difference),
    ratio: Math.min(...[a.ratio, b.ratio].filter((x) => !Number.isNaN(x))),
  };
}

/** Outcomes of two groups, one of which is named as the one that has it better. */
export interface PrivilegedOutcomes extends Outcomes {
  readonly groups: Attribute;
  readonly privileged: string | number;
}

function sides(
  operation: string,
  { targets, predictions, weights, groups, privileged }: PrivilegedOutcomes,
): [Outcomes, Outcomes] {
  checkBinary(operation, 'prediction', predictions);
  checkBinary(operation, 'target', targets);
  checkLength(operation, 'groups', groups, targets.length);
  const take = (isPrivileged: boolean): Outcomes => {
    const at = Array.from(targets, (_, i) => i).filter((i) => (groups[i] === privileged) === isPrivileged);
    if (at.length === 0) {
      throw new ValueError(operation, `${isPrivileged ? 'nobody' : 'everybody'} is of the group ${privileged}.`, {
        privileged,
      });
    }
    return {
      targets: at.map((i) => targets[i]!),
      predictions: at.map((i) => predictions[i]!),
      ...(weights && { weights: at.map((i) => weights[i]!) }),
    };
  };
  return [take(false), take(true)];
}

/** The selection rate of all others by that of the privileged; below 0.8 it is called disparate. (Feldman et al. 2015.) */
export function disparateImpact(outcomes: PrivilegedOutcomes): number {
  const [others, privileged] = sides('disparateImpact', outcomes);
  return selectionRate(others) / selectionRate(privileged);
}

/** The mean of both gaps, others less privileged: ((FPR - FPR) + (TPR - TPR)) / 2. (AIF360.) */
export function averageOddsDifference(outcomes: PrivilegedOutcomes): number {
  const [others, privileged] = sides('averageOddsDifference', outcomes);
  const gap = (metric: GroupMetric): number => metric(others) - metric(privileged);
  return (gap(falsePositiveRate) + gap(truePositiveRate)) / 2;
}

/**
 * The Theil index of benefits b = prediction - target + 1: mean of (b / mu) ln(b / mu). 0 where all are served alike, the
 * unfairness between single persons, not only groups. (Speicher et al. 2018.)
 *
 * @example
 * import { theilIndex } from '@nn/fairness';
 * console.log(theilIndex({ targets: [0, 1], predictions: [0, 1] }), theilIndex({ targets: [1, 0], predictions: [0, 1] }).toFixed(4)); // => 0 0.6931
 */
export function theilIndex({ targets, predictions }: Outcomes): number {
  checkLength('theilIndex', 'predictions', predictions, targets.length);
  const benefits = Array.from(targets, (target, i) => predictions[i]! - target + 1);
  const mean = benefits.reduce((sum, b) => sum + b, 0) / benefits.length;
  return benefits.reduce((sum, b) => sum + (b === 0 ? 0 : (b / mean) * Math.log(b / mean)), 0) / benefits.length;
}

/**
 * Whether those who are alike are treated alike: 1 - the mean of |prediction - mean prediction of the `neighbours` nearest|,
 * by Euclidean distance over `features`, one row a sample, itself among them. (Zemel et al. 2013.)
 */
export function consistency(
  predictions: ArrayLike<number>,
  features: readonly ArrayLike<number>[],
  neighbours = 5,
): number {
  checkLength('consistency', 'predictions', predictions, features.length);
  if (!(Number.isInteger(neighbours) && neighbours >= 1 && neighbours <= features.length)) {
    throw new ValueError(
      'consistency',
      `neighbours is ${neighbours}: it must be a whole number from 1 to ${features.length}.`,
      { neighbours },
    );
  }
  let apart = 0;
  for (const [i, own] of features.entries()) {
    const nearest = features
      .map((row, k) => ({ k, distance: Array.from(row).reduce((sum, x, j) => sum + (x - own[j]!) ** 2, 0) }))
      .sort((a, b) => a.distance - b.distance || a.k - b.k)
      .slice(0, neighbours);
    const mean = nearest.reduce((sum, { k }) => sum + predictions[k]!, 0) / neighbours;
    apart += Math.abs(predictions[i]! - mean);
  }
  return 1 - apart / features.length;
}
