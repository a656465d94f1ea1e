/**
 * Parts a dataset or a table into training and test data, by a seed, and where asked in equal shares of each class.
 * Pure: the parts are copies. Fitting a normalisation on the training part alone is `normalization.ts`.
 */
import { checkOptions, realmTag, ValueError } from '@nn/core';
import type { Table } from '../readers/csv.ts';
import type { Dataset, Fields } from '../samples/dataset.ts';
import { checkDataset, isRagged } from '../samples/dataset.ts';
import { RandomSequence, streams } from '../samples/random.ts';
import { columnFinder, takeRows } from '../tables/table.ts';

export interface SplitOptions {
  /** The share of samples for testing, between 0 and 1; 0.2 where not given. */
  readonly testFraction?: number;
  /** The number of samples for testing, instead of a share. */
  readonly testSize?: number;
  readonly seed?: number;
  /** A field of whole numbers [samples], or a column of a table: each of its values gets its share in both parts. */
  readonly stratifyBy?: string;
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
  const { stratifyBy } = options;
  const { train, test } = parts('trainTestSplit', dataset.size, options, () =>
    stratifyBy === undefined ? undefined : classesOf(dataset, stratifyBy),
  );
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
  const { stratifyBy } = options;
  const { train, test } = parts('splitTable', table.lines.length, options, () => {
    if (stratifyBy === undefined) return undefined;
    const column = columnFinder('splitTable', table)(stratifyBy);
    return grouped<number | string>(column.values, (a, b) => (a < b ? -1 : a > b ? 1 : 0));
  });
  return { train: takeRows(table, train), test: takeRows(table, test) };
}

/** The indices of both parts, in ascending order. */
function parts(
  operation: string,
  size: number,
  options: SplitOptions,
  classes: () => Int32Array[] | undefined,
): { train: Int32Array; test: Int32Array } {
  checkOptions(operation, options, ['testFraction', 'testSize', 'seed', 'stratifyBy']);
  const { testFraction = 0.2, seed = 0 } = options;
  const testSize = options.testSize ?? Math.round(size * testFraction);
  if (!Number.isInteger(testSize) || testSize < 1 || testSize >= size) {
    throw new ValueError(
      `${operation}: ${testSize} of ${size} samples for testing leave a part empty or are no whole number; choose 1 to ${size - 1}.`,
      { testSize, size },
    );
  }
  const random = new RandomSequence(seed, streams.split);
  const groups = classes() ?? [everyIndex(size)];
  const quotas = shares(
    groups.map((group) => group.length),
    testSize,
  );
  const forTest = new Uint8Array(size);
  groups.forEach((group, i) => {
    random.shuffle(group);
    for (const index of group.subarray(0, quotas[i])) forTest[index] = 1;
  });
  const every = everyIndex(size);
  return {
    train: every.filter((index) => forTest[index] === 0),
    test: every.filter((index) => forTest[index] === 1),
  };
}

function everyIndex(size: number): Int32Array {
  return Int32Array.from({ length: size }, (_, i) => i);
}

/** The indices of each class, classes in ascending order. */
function classesOf(dataset: Dataset, name: string): Int32Array[] {
  const field = Object.hasOwn(dataset.fields, name) ? dataset.fields[name] : undefined;
  if (!field || isRagged(field) || field.shape.length !== 1 || realmTag(field.data).startsWith('Float')) {
    throw new ValueError(
      `trainTestSplit: stratifyBy '${name}' must name a field of whole numbers, one a sample; there are ${Object.keys(dataset.fields).join(', ')}. For a column of a table: readCsv(bytes, { kinds: { column: 'category' } }).`,
      { stratifyBy: name },
    );
  }
  return grouped(field.data, (a, b) => a - b);
}

/** The indices of equal values, groups in the order of their values; null and NaN, which stand for missing ones, last. */
function grouped<Value extends number | string>(
  values: ArrayLike<Value | null>,
  compare: (a: Value, b: Value) => number,
): Int32Array[] {
  const groups = new Map<Value | null, number[]>();
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? null;
    const group = groups.get(value);
    if (group) group.push(index);
    else groups.set(value, [index]);
  }
  const isMissing = (value: Value | null): value is null => value === null || Number.isNaN(value);
  return [...groups]
    .sort(([a], [b]) => (isMissing(a) || isMissing(b) ? Number(isMissing(a)) - Number(isMissing(b)) : compare(a, b)))
    .map(([, group]) => Int32Array.from(group));
}

/** Whole numbers near total * size / sum(sizes) that sum to `total`: the largest remainders are rounded up (Hamilton's method). */
function shares(sizes: readonly number[], total: number): number[] {
  const sum = sizes.reduce((a, b) => a + b, 0);
  const exact = sizes.map((size) => (total * size) / sum);
  const quotas = exact.map(Math.floor);
  const left = total - quotas.reduce((a, b) => a + b, 0);
  const byRemainder = exact
    .map((share, i) => [share - Math.floor(share), i] as const)
    .sort(([a, i], [b, j]) => b - a || i - j);
  for (const [, i] of byRemainder.slice(0, left)) quotas[i] = quotas[i]! + 1;
  return quotas;
}
