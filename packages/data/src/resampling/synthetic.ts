/**
 * New samples of small classes between those there are: SMOTE and its kin. They differ in the samples from which they start, how many
 * start from each, and where a line leads to. Owns no distances (`classes.ts`); SMOTE for categories is `smote-nc.ts`.
 */
import { checkOptions, ValueError } from '@nn/core';
import { checkDataset, type DataArray, Dataset, type Elements, everyIndex } from '../samples/dataset.ts';
import { checkSeed, RandomSequence, streams } from '../samples/random.ts';
import {
  type Classes,
  type CountOptions,
  checkNeighbors,
  classesOf,
  denseInputs,
  nearest,
  type ResampleOptions,
  type Rows,
  rowsOf,
  wantedCounts,
} from './classes.ts';

export interface SmoteOptions extends ResampleOptions, CountOptions {
  /** How many nearest samples of the class a line may lead to; 5 where not given. */
  readonly neighbors?: number;
}

export interface BorderlineOptions extends SmoteOptions {
  /** How many nearest samples of all classes say whether one is in danger; 10 where not given. */
  readonly dangerNeighbors?: number;
  /** 1: lines lead to the own class. 2: half of the new samples stand on the nearer half of lines to other classes. 1 where not given. */
  readonly variant?: 1 | 2;
}

/**
 * Samples that there were, in their order, then new ones by class. Bytes and whole numbers become float32. The fields
 * are called 'inputs' and 'targets' whatever they were; others are left out, for a made sample has none.
 */
export type Synthetic = Dataset<{
  readonly inputs: DataArray<Float32Array> | DataArray<Float64Array>;
  readonly targets: DataArray<Int32Array>;
}>;

/** A line from a sample: to one of `ends`, at most `reach` of its way. */
interface Line {
  readonly from: number;
  readonly ends: Int32Array;
  readonly reach: number;
}

/** The lines on which `count` new samples of a class shall stand. */
type Lines = (members: Int32Array, target: number, count: number, random: RandomSequence) => readonly Line[];

const smoteOptions = ['inputs', 'targets', 'seed', 'counts', 'ratio', 'neighbors'];

/**
 * SMOTE: adds x + u (x' - x) with u uniform in [0, 1), where x is a drawn sample of the class and x' one of its nearest of
 * that class, until classes have the wanted numbers. Normalise inputs first, for distances compare all elements; use `smoteNc`
 * where some are codes of categories. Resample the training part only. Throws a `ValueError` where a class has too few samples.
 * Source: Chawla et al. (2002).
 *
 * @example
 * import { Dataset, dense, smote } from '@nn/data';
 * const data = new Dataset({ inputs: dense([[0], [0], [1], [1], [4], [6]]), targets: dense([0, 0, 0, 0, 1, 1], 'int32') });
 * const { inputs, targets } = smote(data, { neighbors: 1 }).fields;
 * console.log(targets.data, inputs.data.subarray(6).every((x) => x >= 4 && x <= 6));
 * // => Int32Array(8) [ 0, 0, 0, 0, 1, 1, 1, 1 ] true
 */
export function smote(dataset: Dataset, options: SmoteOptions = {}): Synthetic {
  checkOptions('smote', options, smoteOptions);
  const { neighbors = 5 } = options;
  return synthesize('smote', dataset, options, (rows) => (members, target, count, random) => {
    checkNeighbors('smote', neighbors, members.length, `class ${target}`);
    const ends = lazily((from) => nearest(rows, from, members, neighbors));
    return drawLines(members, count, random, (from) => ({ from, ends: ends(from), reach: 1 }));
  });
}

/**
 * Borderline-SMOTE: as `smote`, but lines start only from samples in danger, those of which at least half, but not all, of
 * the nearest are of other classes. With variant 2 every second line leads to one of the nearest samples of other classes,
 * at most half of the way. Throws a `ValueError` where no sample is in danger. Source: Han, Wang, Mao (2005), who leave open how
 * many of the lines of variant 2 lead where. imbalanced-learn draws that share f from Beta(10, 10) and makes floor(f (n + 1)) and
 * floor((1 - f) n) of n samples, which can be one too few, and its second kind of lines leads to any samples of other classes, not
 * the nearest; here they are the nearest, and n samples.
 *
 * @example
 * import { blobs, borderlineSmote } from '@nn/data';
 * const rare = blobs(60, { seed: 1, noise: 1.5 }).take(Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 3 !== 1 || i < 30));
 * console.log(borderlineSmote(rare).size); // => 60
 */
export function borderlineSmote(dataset: Dataset, options: BorderlineOptions = {}): Synthetic {
  checkOptions('borderlineSmote', options, [...smoteOptions, 'dangerNeighbors', 'variant']);
  const { neighbors = 5, dangerNeighbors = 10, variant = 1 } = options;
  if (variant !== 1 && variant !== 2) {
    throw new ValueError('borderlineSmote', `variant ${variant} does not exist; choose 1 or 2.`, { variant });
  }
  return synthesize('borderlineSmote', dataset, options, (rows, { targets }) => {
    const every = everyIndex(rows.count);
    checkNeighbors('borderlineSmote', dangerNeighbors, rows.count, 'the dataset');
    return (members, target, count, random) => {
      checkNeighbors('borderlineSmote', neighbors, members.length, `class ${target}`);
      const danger = members.filter((from) => {
        const others = strangers(nearest(rows, from, every, dangerNeighbors), targets, target);
        return others >= dangerNeighbors / 2 && others < dangerNeighbors;
      });
      if (danger.length === 0) {
        throw new ValueError(
          'borderlineSmote',
          `no sample of class ${target} stands at a border, half but not all of its ${dangerNeighbors} nearest of other classes; use smote.`,
          { class: target },
        );
      }
      const own = lazily((from) => nearest(rows, from, members, neighbors));
      const foreign = every.filter((index) => targets[index] !== target);
      const other = lazily((from) => nearest(rows, from, foreign, neighbors));
      let made = 0;
      return drawLines(danger, count, random, (from) =>
        variant === 2 && made++ % 2 === 1
          ? { from, ends: other(from), reach: 0.5 }
          : { from, ends: own(from), reach: 1 },
      );
    };
  });
}

/**
 * ADASYN: as `smote`, but the more of a sample's nearest of all classes are of others, the more lines start from it: of G new ones
 * round(G r / sum(r)), halves to even, where r is that share. So the classes come out nearly, not exactly, as large as wanted. Throws a
 * `ValueError` where no sample has a neighbor of another class. Source: He et al. (2008).
 *
 * @example
 * import { adasyn, Dataset, dense } from '@nn/data';
 * const data = new Dataset({ inputs: dense([[0], [1], [2], [3], [4], [9]]), targets: dense([0, 0, 0, 0, 1, 1], 'int32') });
 * // Both new ones start from the sample 4, whose nearest is 3, of the other class.
 * console.log(adasyn(data, { neighbors: 1 }).size); // => 8
 */
export function adasyn(dataset: Dataset, options: SmoteOptions = {}): Synthetic {
  checkOptions('adasyn', options, smoteOptions);
  const { neighbors = 5 } = options;
  return synthesize('adasyn', dataset, options, (rows, { targets }) => {
    const every = everyIndex(rows.count);
    return (members, target, count) => {
      checkNeighbors('adasyn', neighbors, members.length, `class ${target}`);
      const others = members.map((from) => strangers(nearest(rows, from, every, neighbors), targets, target));
      const sum = others.reduce((a, b) => a + b, 0);
      if (sum === 0) {
        throw new ValueError('adasyn', `no sample of class ${target} has one of another class near; use smote.`, {
          class: target,
        });
      }
      return Array.from(members).flatMap((from, i) => {
        const times = roundToEven((count * others[i]!) / sum);
        if (times === 0) return [];
        return new Array<Line>(times).fill({ from, ends: nearest(rows, from, members, neighbors), reach: 1 });
      });
    };
  });
}

/** The samples, and for each class that is to grow one new sample on each line. */
function synthesize(
  operation: string,
  dataset: Dataset,
  options: SmoteOptions,
  prepare: (rows: Rows, classes: Classes) => Lines,
): Synthetic {
  checkDataset(operation, dataset);
  const inputs = denseInputs(operation, dataset, options.inputs);
  const classes = classesOf(operation, dataset, options.targets);
  const wanted = wantedCounts(operation, classes, options, true);
  const rows = rowsOf(inputs);
  const random = new RandomSequence(checkSeed(operation, options.seed ?? 0), streams.resampling);
  const linesOf = prepare(rows, classes);
  const made: number[] = [];
  const targets = Array.from(classes.targets);
  for (const [target, members] of classes.members) {
    const count = wanted.get(target)! - members.length;
    if (count === 0) continue;
    for (const { from, ends, reach } of linesOf(members, target, count, random)) {
      const end = ends[random.integer(ends.length)]!;
      const step = reach * random.fraction();
      for (let i = 0; i < rows.width; i++) {
        const x = rows.data[from * rows.width + i]!;
        made.push(x + step * (rows.data[end * rows.width + i]! - x));
      }
      targets.push(target);
    }
  }
  return withMade(inputs, made, targets);
}

/** The dataset of the samples there were and of those made. */
export function withMade(inputs: DataArray, made: readonly number[], targets: readonly number[]): Synthetic {
  const length = inputs.data.length + made.length;
  const data = isDoubles(inputs.data) ? new Float64Array(length) : new Float32Array(length);
  data.set(inputs.data);
  data.set(made, inputs.data.length);
  const shape = [targets.length, ...inputs.shape.slice(1)];
  return new Dataset({
    inputs: data instanceof Float64Array ? { data, shape } : { data, shape },
    targets: { data: Int32Array.from(targets), shape: [targets.length] },
  });
}

function isDoubles(data: Elements): boolean {
  return data.BYTES_PER_ELEMENT === 8;
}

function drawLines(
  starts: Int32Array,
  count: number,
  random: RandomSequence,
  line: (from: number) => Line,
): readonly Line[] {
  return Array.from({ length: count }, () => line(starts[random.integer(starts.length)]!));
}

/** Remembers what was found for a sample. */
export function lazily(find: (from: number) => Int32Array): (from: number) => Int32Array {
  const found = new Map<number, Int32Array>();
  return (from) => {
    let ends = found.get(from);
    if (!ends) {
      ends = find(from);
      found.set(from, ends);
    }
    return ends;
  };
}

function strangers(neighbors: Int32Array, targets: ArrayLike<number>, target: number): number {
  return neighbors.reduce((count, index) => count + Number(targets[index] !== target), 0);
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
