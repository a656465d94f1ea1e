/**
 * Parts of data for cross-validation, as indices: k folds (plain, in equal shares of each class, by whole groups, or both)
 * and folds of a time series, which test on what comes after. Nothing is copied; `dataset.take` and `takeRows` do that.
 */

import { checkOptions, ValueError } from '@nn/core';
import { checkWhole } from '../check-whole.ts';
import type { Table } from '../readers/csv.ts';
import { type Dataset, everyIndex } from '../samples/dataset.ts';
import { checkSeed, RandomSequence, streams } from '../samples/random.ts';
import { type DataWarning, warningOf } from '../warning.ts';
import { groupsOf, type Labels, labelsOf, membersOf, sampleCount } from './labels.ts';

/** The samples to train with and to test with, in ascending order. */
export interface Fold {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

export interface FoldOptions {
  /** The number of folds; 5 where not given. As many as samples (or groups) leaves one out at a time. */
  readonly folds?: number;
  /** Draw who comes into which fold, by `seed`; otherwise the order of the samples decides. */
  readonly shuffle?: boolean;
  readonly seed?: number;
  /** A field of whole numbers [samples], or a column of a table: each of its values gets its share in every fold. */
  readonly stratifyBy?: string;
  /** A field of whole numbers [samples], or a column: samples of one value (a patient, a speaker) stay in one fold. */
  readonly groupBy?: string;
  /** Takes what is suspicious, a sentence each; `console.warn` where not given. */
  readonly onWarning?: (message: string, warning: DataWarning) => void;
}

export interface TimeSeriesFoldOptions {
  /** The number of folds; 5 where not given. */
  readonly folds?: number;
  /** Samples to test with in each fold; a part of folds + 1 equal ones where not given. */
  readonly testSize?: number;
  /** Samples left out between training and testing, as many as a window looks ahead; 0 where not given. */
  readonly gap?: number;
  /** The most samples to train with, the last before the gap: a window that rolls. All where not given: one that grows. */
  readonly maxTrainSize?: number;
}

/**
 * Parts a dataset or a table into k folds: every sample is tested with once, and trained with in the other folds. Without
 * `shuffle` the folds are those of scikit-learn's KFold and StratifiedKFold; groups go into folds by the rules of its
 * GroupKFold and StratifiedGroupKFold, which leave open what comes first of equal ones. Throws a `ValueError` for more folds than
 * samples, groups or members of the largest class; warns where some folds will lack a class.
 *
 * @example
 * import { blobs, kFolds } from '@nn/data';
 * const data = blobs(30);
 * const folds = kFolds(data, { folds: 3, stratifyBy: 'targets', shuffle: true, seed: 1 });
 * console.log(folds.map(({ train, test }) => [data.take(train).size, test.length])); // => [ [ 20, 10 ], [ 20, 10 ], [ 20, 10 ] ]
 */
export function kFolds(source: Dataset | Table, options: FoldOptions = {}): Fold[] {
  checkOptions('kFolds', options, ['folds', 'shuffle', 'seed', 'stratifyBy', 'groupBy', 'onWarning']);
  const { folds = 5, shuffle = false, seed = 0, stratifyBy, groupBy } = options;
  const { onWarning = (message: string) => console.warn(message) } = options;
  const size = sampleCount('kFolds', source);
  checkSeed('kFolds', seed);
  if (!shuffle && options.seed !== undefined) {
    throw new ValueError('kFolds', 'a seed decides nothing without shuffle: true; add it, or leave the seed out.', {
      seed,
    });
  }
  const classes = stratifyBy === undefined ? undefined : labelsOf('kFolds', source, 'stratifyBy', stratifyBy);
  const groups = groupBy === undefined ? undefined : groupsOf('kFolds', source, groupBy);
  const most = groups ? groups.count : size;
  if (!Number.isInteger(folds) || folds < 2 || folds > most) {
    throw new ValueError(
      'kFolds',
      `${folds} folds of ${most} ${groups ? 'groups' : 'samples'} leave one empty or are no whole number; choose 2 to ${most}.`,
      { folds, most },
    );
  }
  if (classes) checkClasses(classes, folds, stratifyBy!, onWarning);
  const random = shuffle ? new RandomSequence(seed, streams.folds) : undefined;
  let foldOf: Int32Array;
  if (groups) foldOf = byGroups(groups, classes, folds, random);
  else if (classes) foldOf = byClasses(classes, folds, random);
  else foldOf = inRuns(size, folds, random);
  const every = everyIndex(size);
  return Array.from({ length: folds }, (_, fold) => ({
    train: every.filter((index) => foldOf[index] !== fold),
    test: every.filter((index) => foldOf[index] === fold),
  }));
}

/**
 * Folds of samples in the order of time: each trains on what comes before its test part, so that no fold knows its future.
 * They are those of scikit-learn's TimeSeriesSplit. One fold is a split in two. Throws a `ValueError` where the
 * first fold would have nothing to train with.
 *
 * @example
 * import { Dataset, dense, timeSeriesFolds } from '@nn/data';
 * const days = new Dataset({ inputs: dense([[1], [2], [3], [4], [5], [6]]) });
 * console.log(timeSeriesFolds(days, { folds: 2, gap: 1 }).map(({ train, test }) => `${train} | ${test}`));
 * // => [ '0 | 2,3', '0,1,2 | 4,5' ]
 */
export function timeSeriesFolds(source: Dataset | Table, options: TimeSeriesFoldOptions = {}): Fold[] {
  checkOptions('timeSeriesFolds', options, ['folds', 'testSize', 'gap', 'maxTrainSize']);
  const { folds = 5, gap = 0, maxTrainSize = Number.MAX_SAFE_INTEGER } = options;
  const size = sampleCount('timeSeriesFolds', source);
  // Not below 1: where there are too few samples, that is what is said below.
  const { testSize = Math.max(1, Math.floor(size / (folds + 1))) } = options;
  checkWhole('timeSeriesFolds', { folds, testSize, maxTrainSize });
  checkWhole('timeSeriesFolds', { gap }, 0);
  const first = size - folds * testSize;
  if (first - gap < 1) {
    throw new ValueError(
      'timeSeriesFolds',
      `${folds} folds of ${testSize} samples and a gap of ${gap} leave nothing of ${size} samples to train the first fold with; take fewer or smaller folds.`,
      { folds, testSize, gap, size },
    );
  }
  const every = everyIndex(size);
  return Array.from({ length: folds }, (_, fold) => {
    const start = first + fold * testSize;
    return {
      train: every.slice(Math.max(0, start - gap - maxTrainSize), start - gap),
      test: every.slice(start, start + testSize),
    };
  });
}

/** Runs of equal length; the first ones have one sample more where they do not come out even. */
function inRuns(size: number, folds: number, random: RandomSequence | undefined): Int32Array {
  const order = everyIndex(size);
  random?.shuffle(order);
  const foldOf = new Int32Array(size);
  const [least, more] = [Math.floor(size / folds), size % folds];
  order.forEach((index, at) => {
    const long = (least + 1) * more;
    foldOf[index] = at < long ? Math.floor(at / (least + 1)) : more + Math.floor((at - long) / least);
  });
  return foldOf;
}

/**
 * All samples sorted by class are dealt to the folds in turn, like cards, which says how many of each class a fold gets: sizes
 * of folds, too, differ by one at most. The first of a class, in the order of the samples, go into the first fold.
 */
function byClasses(classes: Labels, folds: number, random: RandomSequence | undefined): Int32Array {
  const members = inOrderOfAppearance(membersOf(classes));
  const foldOf = new Int32Array(classes.codes.length);
  let dealt = 0;
  for (const indices of members) {
    const quotas = new Int32Array(folds);
    for (let i = 0; i < indices.length; i++) quotas[dealt++ % folds]!++;
    const order = Int32Array.from(quotas).reduce<number[]>((list, quota, fold) => {
      for (let i = 0; i < quota; i++) list.push(fold);
      return list;
    }, []);
    const drawn = Int32Array.from(order);
    random?.shuffle(drawn);
    indices.forEach((index, i) => {
      foldOf[index] = drawn[i]!;
    });
  }
  return foldOf;
}

function inOrderOfAppearance(members: readonly Int32Array[]): Int32Array[] {
  return members.filter(({ length }) => length > 0).sort((a, b) => a[0]! - b[0]!);
}

/**
 * Whole groups, one after the other, each into the fold that it serves best. Without classes: the largest group first,
 * into the smallest fold. With classes: the most uneven group first (by the deviation of its counts), into the fold after which the
 * shares of the classes differ least between the folds.
 */
function byGroups(
  groups: Labels,
  classes: Labels | undefined,
  folds: number,
  random: RandomSequence | undefined,
): Int32Array {
  const kinds = classes?.count ?? 1;
  const counts = Array.from({ length: groups.count }, () => new Float64Array(kinds));
  const total = new Float64Array(kinds);
  groups.codes.forEach((group, index) => {
    const kind = classes?.codes[index] ?? 0;
    counts[group]![kind]!++;
    total[kind]!++;
  });
  const weight = counts.map((count) => (classes ? deviation(count) : count[0]!));
  const order = everyIndex(groups.count);
  random?.shuffle(order);
  const filled = Array.from({ length: folds }, () => new Float64Array(kinds));
  const foldOfGroup = new Int32Array(groups.count);
  // Sorting is stable: groups of equal weight stay in their (drawn) order.
  for (const group of [...order].sort((a, b) => weight[b]! - weight[a]!)) {
    const fold = bestFold(filled, counts[group]!, total);
    foldOfGroup[group] = fold;
    counts[group]!.forEach((count, kind) => {
      filled[fold]![kind]! += count;
    });
  }
  return groups.codes.map((group) => foldOfGroup[group]!);
}

/** The fold into which a group with these counts fits best; of equal ones the one with fewest samples. */
function bestFold(filled: readonly Float64Array[], added: Float64Array, total: Float64Array): number {
  let best = 0;
  let [leastUneven, leastSamples] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  filled.forEach((counts, fold) => {
    let uneven = 0;
    for (let kind = 0; kind < total.length; kind++) {
      const sharesOfFolds = filled.map((other, i) => (other[kind]! + (i === fold ? added[kind]! : 0)) / total[kind]!);
      uneven += deviation(sharesOfFolds) / total.length;
    }
    const samples = counts.reduce((a, b) => a + b, 0);
    const isEqual = Math.abs(uneven - leastUneven) <= 1e-8 + 1e-5 * leastUneven;
    if ((!isEqual && uneven < leastUneven) || (isEqual && samples < leastSamples)) {
      [best, leastUneven, leastSamples] = [fold, uneven, samples];
    }
  });
  return best;
}

/** The standard deviation of the population. */
function deviation(values: ArrayLike<number>): number {
  const { length } = values;
  let sum = 0;
  for (let i = 0; i < length; i++) sum += values[i]!;
  let squares = 0;
  for (let i = 0; i < length; i++) squares += (values[i]! - sum / length) ** 2;
  return Math.sqrt(squares / length);
}

function checkClasses(
  classes: Labels,
  folds: number,
  name: string,
  onWarning: (message: string, warning: DataWarning) => void,
): void {
  const sizes = membersOf(classes).map(({ length }) => length);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  if (most < folds) {
    throw new ValueError(
      'kFolds',
      `the largest class of '${name}' has ${most} samples, too few for ${folds} folds; take fewer folds.`,
      { folds, most },
    );
  }
  if (least < folds) {
    const warning = warningOf(
      'kFolds/rare-class',
      `the smallest class of '${name}' has ${least} samples, so some of the ${folds} folds will have none of it.`,
      { field: name, least, folds },
    );
    onWarning(`kFolds: ${warning.message}`, warning);
  }
}
