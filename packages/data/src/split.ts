/**
 * Parts a dataset into training and test data, by a seed, and where asked in equal shares of each class.
 * Pure: the parts are copies. Fitting a normalisation on the training part alone is `normalization.ts`.
 */
import { ValueError } from '@nn/core';
import type { Dataset, Fields } from './dataset.ts';
import { checkDataset, isRagged } from './dataset.ts';
import { RandomSequence, streams } from './random.ts';

export interface SplitOptions {
  /** The share of samples for testing, between 0 and 1; 0.2 where not given. */
  readonly testFraction?: number;
  /** The number of samples for testing, instead of a share. */
  readonly testSize?: number;
  readonly seed?: number;
  /** A field of whole numbers [samples]: each of its values gets its share in both parts. */
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
  const { testFraction = 0.2, seed = 0, stratifyBy } = options;
  const testSize = options.testSize ?? Math.round(dataset.size * testFraction);
  if (!Number.isInteger(testSize) || testSize < 1 || testSize >= dataset.size) {
    throw new ValueError(
      `trainTestSplit: ${testSize} of ${dataset.size} samples for testing leave a part empty or are no whole number; choose 1 to ${dataset.size - 1}.`,
      { testSize, size: dataset.size },
    );
  }
  const random = new RandomSequence(seed, streams.split);
  const groups = stratifyBy === undefined ? [everyIndex(dataset.size)] : classesOf(dataset, stratifyBy);
  const quotas = shares(
    groups.map((group) => group.length),
    testSize,
  );
  const forTest = new Uint8Array(dataset.size);
  groups.forEach((group, i) => {
    random.shuffle(group);
    for (const index of group.subarray(0, quotas[i])) forTest[index] = 1;
  });
  const every = everyIndex(dataset.size);
  return {
    train: dataset.take(every.filter((index) => forTest[index] === 0)),
    test: dataset.take(every.filter((index) => forTest[index] === 1)),
  };
}

function everyIndex(size: number): Int32Array {
  return Int32Array.from({ length: size }, (_, i) => i);
}

/** The indices of each class, classes in ascending order. */
function classesOf(dataset: Dataset, name: string): Int32Array[] {
  const field = dataset.fields[name];
  if (!field || isRagged(field) || field.shape.length !== 1 || field.data instanceof Float32Array) {
    throw new ValueError(
      `trainTestSplit: stratifyBy '${name}' must name a field of whole numbers, one a sample; there are ${Object.keys(dataset.fields).join(', ')}. For a column of a table: readCsv(bytes, { kinds: { column: 'category' } }).`,
      { stratifyBy: name },
    );
  }
  const groups = new Map<number, number[]>();
  field.data.forEach((value, index) => {
    const group = groups.get(value);
    if (group) group.push(index);
    else groups.set(value, [index]);
  });
  return [...groups.entries()].sort(([a], [b]) => a - b).map(([, group]) => Int32Array.from(group));
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
  for (const [, i] of byRemainder.slice(0, left)) quotas[i] = (quotas[i] as number) + 1;
  return quotas;
}
