/**
 * SMOTE for samples of which some elements are codes of categories: lines for the numbers, the most frequent code for the
 * categories. The rest of SMOTE is `synthetic.ts`.
 */
import { checkOptions, ValueError } from '@nn/core';
import { checkDataset, type Dataset, everyIndex } from '../samples/dataset.ts';
import { checkSeed, RandomSequence, streams } from '../samples/random.ts';
import { checkNeighbors, classesOf, denseInputs, nearest, type Rows, rowsOf, wantedCounts } from './classes.ts';
import { lazily, type SmoteOptions, type Synthetic, withMade } from './synthetic.ts';

export interface SmoteNcOptions extends SmoteOptions {
  /** Which elements of a sample are codes of categories. */
  readonly categorical: readonly number[];
}

/**
 * SMOTE-NC: numbers as in `smote`; each category is the most frequent one among the nearest samples (the smallest code of equally
 * frequent ones). For the distance, categories that differ count as much as the median of the standard deviations of the
 * numbers within the class. Throws a `ValueError` where no element is a number. Source: Chawla et al. (2002), section 6.1.
 *
 * @example
 * import { Dataset, dense, smoteNc } from '@nn/data';
 * const inputs = dense([[0, 1], [1, 1], [2, 1], [3, 1], [7, 2], [8, 2]]);
 * const data = new Dataset({ inputs, targets: dense([0, 0, 0, 0, 1, 1], 'int32') });
 * const made = smoteNc(data, { categorical: [1], neighbors: 1 }).fields.inputs;
 * console.log(made.shape, made.data[13], made.data[15]); // => [ 8, 2 ] 2 2
 */
export function smoteNc(dataset: Dataset, options: SmoteNcOptions): Synthetic {
  checkDataset('smoteNc', dataset);
  checkOptions('smoteNc', options, ['inputs', 'targets', 'seed', 'counts', 'ratio', 'neighbors', 'categorical']);
  const { categorical, neighbors = 5 } = options;
  if (!Array.isArray(categorical)) {
    throw new ValueError(
      'smoteNc',
      'categorical is missing: a list of the elements that are codes of categories, as [0, 3].',
    );
  }
  const inputs = denseInputs('smoteNc', dataset, options.inputs);
  const classes = classesOf('smoteNc', dataset, options.targets);
  const wanted = wantedCounts('smoteNc', classes, options, true);
  const rows = rowsOf(inputs);
  const isCategory = checkCategorical(categorical, rows.width);
  const random = new RandomSequence(checkSeed('smoteNc', options.seed ?? 0), streams.resampling);
  const made: number[] = [];
  const targets = Array.from(classes.targets);
  for (const [target, members] of classes.members) {
    const count = wanted.get(target)! - members.length;
    if (count === 0) continue;
    checkNeighbors('smoteNc', neighbors, members.length, `class ${target}`);
    const apart = spread(rows, members, isCategory);
    const near = lazily((from) =>
      nearest(apart, members.indexOf(from), everyIndex(members.length), neighbors).map((at) => members[at]!),
    );
    for (let n = 0; n < count; n++) {
      const from = members[random.integer(members.length)]!;
      const ends = near(from);
      const end = ends[random.integer(ends.length)]!;
      const step = random.fraction();
      for (let i = 0; i < rows.width; i++) {
        const x = rows.data[from * rows.width + i]!;
        const value = (row: number): number => rows.data[row * rows.width + i]!;
        made.push(isCategory[i] ? mostFrequent(Array.from(ends, value)) : x + step * (value(end) - x));
      }
      targets.push(target);
    }
  }
  return withMade(inputs, made, targets);
}

function checkCategorical(categorical: readonly number[], width: number): Uint8Array {
  const isCategory = new Uint8Array(width);
  for (const element of categorical) {
    if (!Number.isInteger(element) || element < 0 || element >= width) {
      throw new ValueError(
        'smoteNc',
        `categorical names element ${typeof element === 'number' ? element : JSON.stringify(element)}; a sample has the elements 0 to ${width - 1}.`,
        { element },
      );
    }
    isCategory[element] = 1;
  }
  if (isCategory.every((flag) => flag === 1)) {
    throw new ValueError(
      'smoteNc',
      `all ${width} elements are categorical; distances need a number at least. Use randomOversample.`,
      {
        width,
      },
    );
  }
  return isCategory;
}

/**
 * The members of a class as points whose plain distance is that of SMOTE-NC: a category becomes as many elements as it has codes, of
 * which its own is median / sqrt(2), so that two that differ are the median apart.
 */
function spread(rows: Rows, members: Int32Array, isCategory: Uint8Array): Rows {
  const columns = Array.from({ length: rows.width }, (_, i) =>
    Array.from(members, (row) => rows.data[row * rows.width + i]!),
  );
  const deviations = columns
    .filter((_, i) => !isCategory[i])
    .map(deviation)
    .sort((a, b) => a - b);
  const half = deviations.length >> 1;
  const median = deviations.length % 2 === 1 ? deviations[half]! : (deviations[half - 1]! + deviations[half]!) / 2;
  const wide = columns.flatMap((column, i) =>
    isCategory[i]
      ? [...new Set(column)].map((code) => column.map((value) => (value === code ? median / Math.SQRT2 : 0)))
      : [column],
  );
  const data = new Float64Array(members.length * wide.length);
  wide.forEach((column, i) => {
    column.forEach((value, row) => {
      data[row * wide.length + i] = value;
    });
  });
  return { data, width: wide.length, count: members.length };
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** The value that comes most often; the smallest of equally frequent ones. */
export function mostFrequent(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = Number.POSITIVE_INFINITY;
  for (const [value, count] of counts) {
    const most = counts.get(best) ?? 0;
    if (count > most || (count === most && value < best)) best = value;
  }
  return best;
}
