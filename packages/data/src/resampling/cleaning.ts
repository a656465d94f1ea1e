/**
 * Samples of large classes that stand among others taken out: Tomek links and edited nearest neighbors. Whole samples stay, in their order,
 * with all fields; nothing is drawn.
 */
import { checkChoices, checkOptions } from '@nn/core';
import { checkDataset, type Dataset, everyIndex, type Fields } from '../samples/dataset.ts';
import {
  type Classes,
  checkNeighbors,
  classesOf,
  denseInputs,
  nearest,
  type ResampleOptions,
  rowsOf,
} from './classes.ts';
import { mostFrequent } from './smote-nc.ts';

export interface CleaningOptions extends Omit<ResampleOptions, 'seed'> {
  /** Whose samples may go: those of all classes but the smallest ('larger'), or of all. 'larger' where not given. */
  readonly from?: 'larger' | 'all';
}

export interface EditedOptions extends CleaningOptions {
  /** How many nearest samples are asked; 3 where not given. */
  readonly neighbors?: number;
  /** Whether all of them, or most (the smallest class of equally frequent ones), must be of the sample's class. 'all' where not given. */
  readonly agree?: 'all' | 'most';
}

const choices = { from: ['larger', 'all'], agree: ['all', 'most'] } as const;

/**
 * Takes out the samples of larger classes that make a Tomek link with one of another class: each is the other's nearest.
 * Source: Tomek, Two modifications of CNN (1976).
 *
 * @example
 * import { Dataset, dense, removeTomekLinks } from '@nn/data';
 * const data = new Dataset({ inputs: dense([[0], [1], [3], [3.5], [9]]), targets: dense([0, 0, 0, 1, 1], 'int32') });
 * console.log(removeTomekLinks(data).fields.inputs.data); // => Float64Array(4) [ 0, 1, 3.5, 9 ]
 */
export function removeTomekLinks<F extends Fields>(dataset: Dataset<F>, options: CleaningOptions = {}): Dataset<F> {
  checkDataset('removeTomekLinks', dataset);
  checkOptions('removeTomekLinks', options, ['inputs', 'targets', 'from']);
  checkChoices('removeTomekLinks', options, choices);
  const rows = rowsOf(denseInputs('removeTomekLinks', dataset, options.inputs));
  const classes = classesOf('removeTomekLinks', dataset, options.targets);
  const { targets } = classes;
  const every = everyIndex(rows.count);
  const nearestOf = every.map((row) => nearest(rows, row, every, 1)[0]!);
  const mayGo = removable(classes, options);
  const kept = every.filter((row) => {
    const other = nearestOf[row]!;
    return !(mayGo(row) && targets[row] !== targets[other] && nearestOf[other] === row);
  });
  return dataset.take(kept);
}

/**
 * Takes out the samples of larger classes whose nearest samples are not of their class (edited nearest neighbors). Source:
 * Wilson, Asymptotic properties of nearest neighbor rules using edited data (1972).
 *
 * @example
 * import { Dataset, dense, editedNearestNeighbors } from '@nn/data';
 * const data = new Dataset({ inputs: dense([[0], [1], [2], [7], [8], [9]]), targets: dense([0, 0, 0, 0, 1, 1], 'int32') });
 * console.log(editedNearestNeighbors(data, { neighbors: 2 }).fields.inputs.data); // => Float64Array(5) [ 0, 1, 2, 8, 9 ]
 */
export function editedNearestNeighbors<F extends Fields>(dataset: Dataset<F>, options: EditedOptions = {}): Dataset<F> {
  checkDataset('editedNearestNeighbors', dataset);
  checkOptions('editedNearestNeighbors', options, ['inputs', 'targets', 'from', 'neighbors', 'agree']);
  checkChoices('editedNearestNeighbors', options, choices);
  const { neighbors = 3, agree = 'all' } = options;
  const rows = rowsOf(denseInputs('editedNearestNeighbors', dataset, options.inputs));
  const classes = classesOf('editedNearestNeighbors', dataset, options.targets);
  checkNeighbors('editedNearestNeighbors', neighbors, rows.count, 'the dataset');
  const every = everyIndex(rows.count);
  const mayGo = removable(classes, options);
  const kept = every.filter((row) => {
    if (!mayGo(row)) return true;
    const target = classes.targets[row];
    const votes = Array.from(nearest(rows, row, every, neighbors), (index) => classes.targets[index]!);
    return agree === 'most' ? mostFrequent(votes) === target : votes.every((vote) => vote === target);
  });
  return dataset.take(kept);
}

/** Whether a sample may go; of several smallest classes the first counts as the smallest. */
function removable(
  { targets, members, smallest }: Classes,
  { from = 'larger' }: CleaningOptions,
): (row: number) => boolean {
  if (from === 'all') return () => true;
  const [protectedClass] = [...members].find(([, { length }]) => length === smallest)!;
  return (row) => targets[row] !== protectedClass;
}
