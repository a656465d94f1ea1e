/**
 * Parts a dataset or a table into training and test data, by a seed, and where asked in equal shares of each class
 * or without parting groups. Pure: the parts are copies. Many parts are `folds.ts`; fitting a normalisation on the
 * training part alone is `normalization.ts`.
 */
import { checkOptions, ValueError } from '@nn/core';
import type { Table } from '../readers/csv.ts';
import type { Dataset, Fields } from '../samples/dataset.ts';
import { checkDataset, everyIndex } from '../samples/dataset.ts';
import { checkSeed, RandomSequence, streams } from '../samples/random.ts';
import { takeRows } from '../tables/table.ts';
import { groupsOf, type Labels, labelsOf, membersOf, sampleCount } from './labels.ts';

export interface SplitOptions {
  /** The share of samples for testing, between 0 and 1; 0.2 where not given. */
  readonly testFraction?: number;
  /** The number of samples for testing, instead of a share. */
  readonly testSize?: number;
  readonly seed?: number;
  /** A field of whole numbers [samples], or a column of a table: each of its values gets its share in both parts. */
  readonly stratifyBy?: string;
  /**
   * A field of whole numbers [samples], or a column: samples of one value (a patient, a speaker) stay in one part, so that
   * the test tells of groups never seen. The test part comes as near to its size as whole groups allow.
   */
  readonly groupBy?: string;
}

/**
 * Parts a dataset in two; both keep the order of the whole. Shares of classes are rounded by largest remainders, so
 * that the sizes come out exactly. Throws a `ValueError` where a part would be empty.
 *
 * @example
 * import { moons, trainTestSplit } from '@nn/data';
 * const { train, test } = trainTestSplit(moons(100), { testFraction: 0.25, stratifyBy: 'targets' });
 * console.log(train.size, test.size); // => 75 25
 */
export function trainTestSplit<F extends Fields>(
  dataset: Dataset<F>,
  options: SplitOptions = {},
): { readonly train: Dataset<F>; readonly test: Dataset<F> } {
  checkDataset('trainTestSplit', dataset);
  const { train, test } = parts('trainTestSplit', dataset, options);
  return { train: dataset.take(train), test: dataset.take(test) };
}

/**
 * Parts a table in two, before anything is fitted, so that categories, fill-ins and means come from the training rows
 * alone. `stratifyBy` names a column; a missing value counts as a class of its own. Both parts keep the order of the whole.
 * Throws a `ValueError` where a part would be empty.
 *
 * @example
 * import { parseCsv, splitTable } from '@nn/data';
 * const table = parseCsv('x,kind\n1,a\n2,b\n3,a\n4,b\n');
 * const { train, test } = splitTable(table, { testFraction: 0.5, stratifyBy: 'kind' });
 * console.log(train.lines, test.columns[1]?.values.length); // => Int32Array(2) [ 3, 4 ] 2
 */
export function splitTable(table: Table, options: SplitOptions = {}): { readonly train: Table; readonly test: Table } {
  const { train, test } = parts('splitTable', table, options);
  return { train: takeRows(table, train), test: takeRows(table, test) };
}

/** The indices of both parts, in ascending order. */
function parts(
  operation: string,
  source: Dataset | Table,
  options: SplitOptions,
): { train: Int32Array; test: Int32Array } {
  checkOptions(operation, options, ['testFraction', 'testSize', 'seed', 'stratifyBy', 'groupBy']);
  const { testFraction = 0.2, seed = 0, stratifyBy, groupBy } = options;
  const size = sampleCount(operation, source);
  const testSize = options.testSize ?? Math.round(size * testFraction);
  if (size < 2) {
    throw new ValueError(`${operation}/part`, `of ${size} samples none can be set apart; two are needed.`, {
      testSize,
      size,
    });
  }
  if (options.testSize !== undefined && testSize > 0 && testSize < 1) {
    throw new ValueError(
      operation,
      `testSize ${testSize} is a number of samples; for a share of them set testFraction: ${testSize}.`,
      { testSize },
    );
  }
  if (!Number.isInteger(testSize) || testSize < 1 || testSize >= size) {
    throw new ValueError(
      `${operation}/part`,
      `${testSize} of ${size} samples for testing leave a part empty or are no whole number; choose 1 to ${size - 1}.`,
      { testSize, size },
    );
  }
  if (stratifyBy !== undefined && groupBy !== undefined) {
    throw new ValueError(
      operation,
      'stratifyBy and groupBy together need the balance of several parts: take the first of kFolds(data, { folds: 5, stratifyBy, groupBy }).',
      { stratifyBy, groupBy },
    );
  }
  const own = checkSeed(operation, seed);
  const random = new RandomSequence(own, streams.split);
  // Of their own, so that whom they choose does not depend on whether anything was equal.
  const ties = new RandomSequence(own, streams.split + 1);
  const forTest =
    groupBy === undefined
      ? sharesForTest(
          stratifyBy === undefined ? undefined : labelsOf(operation, source, 'stratifyBy', stratifyBy),
          size,
          testSize,
          random,
          ties,
        )
      : groupsForTest(operation, groupsOf(operation, source, groupBy), testSize, random);
  const every = everyIndex(size);
  return {
    train: every.filter((index) => forTest[index] === 0),
    test: every.filter((index) => forTest[index] === 1),
  };
}

/** 1 for the samples to test with: from each class its share, drawn. */
function sharesForTest(
  classes: Labels | undefined,
  size: number,
  testSize: number,
  random: RandomSequence,
  ties: RandomSequence,
): Uint8Array {
  const members = classes ? membersOf(classes) : [everyIndex(size)];
  const quotas = shares(
    members.map((indices) => indices.length),
    testSize,
    ties,
  );
  const forTest = new Uint8Array(size);
  members.forEach((indices, i) => {
    random.shuffle(indices);
    for (const index of indices.subarray(0, quotas[i])) forTest[index] = 1;
  });
  return forTest;
}

/** 1 for the samples to test with: groups in a drawn order, each taken where that brings the number nearer to `testSize`. */
function groupsForTest(operation: string, groups: Labels, testSize: number, random: RandomSequence): Uint8Array {
  if (groups.count < 2) {
    throw new ValueError(operation, `groupBy finds ${groups.count} group; two parts need two groups or more.`, {
      groups: groups.count,
    });
  }
  const members = membersOf(groups);
  const forTest = new Uint8Array(groups.codes.length);
  let taken = 0;
  let count = 0;
  for (const group of random.shuffle(everyIndex(groups.count))) {
    const { length } = members[group]!;
    const isNearer = Math.abs(taken + length - testSize) < Math.abs(taken - testSize);
    // One group must stay for training.
    if (!isNearer || count === groups.count - 1) continue;
    for (const index of members[group]!) forTest[index] = 1;
    taken += length;
    count++;
  }
  if (taken > 0) return forTest;
  // Every group is more than twice what is wanted: the smallest is nearest.
  const smallest = members.reduce((least, indices) => (indices.length < least.length ? indices : least));
  for (const index of smallest) forTest[index] = 1;
  return forTest;
}

/**
 * Whole numbers near total * size / sum(sizes) that sum to `total`: the largest remainders are rounded up (Hamilton's method). Of equal
 * ones it is drawn which: many classes of one size would otherwise be tested by the first of them alone, whatever the seed.
 */
function shares(sizes: readonly number[], total: number, ties: RandomSequence): number[] {
  const sum = sizes.reduce((a, b) => a + b, 0);
  const exact = sizes.map((size) => (total * size) / sum);
  const quotas = exact.map(Math.floor);
  const left = total - quotas.reduce((a, b) => a + b, 0);
  const remainder = (i: number): number => exact[i]! - quotas[i]!;
  // Sorting is stable: equal ones stay in their drawn order.
  const drawn = ties.shuffle(everyIndex(sizes.length));
  const byRemainder = [...drawn].sort((a, b) => remainder(b) - remainder(a));
  for (const i of byRemainder.slice(0, left)) quotas[i] = quotas[i]! + 1;
  return quotas;
}
