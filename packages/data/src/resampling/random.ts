/**
 * Classes brought to wanted sizes by drawing among their samples: repeats of small ones, or parts of large ones. All fields go along.
 */
import { checkOptions } from '@nn/core';
import { checkDataset, type Dataset, everyIndex, type Fields } from '../samples/dataset.ts';
import { checkSeed, RandomSequence, streams } from '../samples/random.ts';
import { type CountOptions, classesOf, type ResampleOptions, wantedCounts } from './classes.ts';

export type RandomResampleOptions = Omit<ResampleOptions, 'inputs'> & CountOptions;

const known = ['targets', 'seed', 'counts', 'ratio'];

/**
 * Repeats samples of the smaller classes, drawn with replacement, until all classes have the wanted numbers. The samples that
 * there were come first, in their order. Resample the training part only, after the split. A sampler
 * (`balancedSampler`) does the like without copies.
 *
 * @example
 * import { Dataset, dense, randomOversample } from '@nn/data';
 * const data = new Dataset({ inputs: dense([[0], [1], [2], [9]]), targets: dense([0, 0, 0, 1], 'int32') });
 * console.log(randomOversample(data).fields.inputs.data); // => Float64Array(6) [ 0, 1, 2, 9, 9, 9 ]
 */
export function randomOversample<F extends Fields>(
  dataset: Dataset<F>,
  options: RandomResampleOptions = {},
): Dataset<F> {
  checkDataset('randomOversample', dataset);
  checkOptions('randomOversample', options, known);
  const classes = classesOf('randomOversample', dataset, options.targets);
  const wanted = wantedCounts('randomOversample', classes, options, true);
  const random = new RandomSequence(checkSeed('randomOversample', options.seed ?? 0), streams.resampling);
  const rows = [...everyIndex(dataset.size)];
  for (const [target, members] of classes.members) {
    for (let i = members.length; i < wanted.get(target)!; i++) rows.push(members[random.integer(members.length)]!);
  }
  return dataset.take(rows);
}

/**
 * Keeps as many samples of the larger classes, drawn without replacement, as wanted; the order of the samples stays.
 *
 * @example
 * import { Dataset, dense, randomUndersample } from '@nn/data';
 * const data = new Dataset({ inputs: dense([[0], [1], [2], [9]]), targets: dense([0, 0, 0, 1], 'int32') });
 * console.log(randomUndersample(data).fields.targets.data); // => Int32Array(2) [ 0, 1 ]
 */
export function randomUndersample<F extends Fields>(
  dataset: Dataset<F>,
  options: RandomResampleOptions = {},
): Dataset<F> {
  checkDataset('randomUndersample', dataset);
  checkOptions('randomUndersample', options, known);
  const classes = classesOf('randomUndersample', dataset, options.targets);
  const wanted = wantedCounts('randomUndersample', classes, options, false);
  const random = new RandomSequence(checkSeed('randomUndersample', options.seed ?? 0), streams.resampling);
  const rows: number[] = [];
  for (const [target, members] of classes.members) {
    rows.push(...random.shuffle(Int32Array.from(members)).subarray(0, wanted.get(target)!));
  }
  return dataset.take(rows.sort((a, b) => a - b));
}
