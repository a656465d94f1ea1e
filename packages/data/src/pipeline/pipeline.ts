/**
 * A pipeline: a function from index to sample, made of a source and functions over its samples. It holds no place and no random
 * state, so it can be shared, run anywhere and begun anywhere. Batches, order and place are `batch-pipeline.ts`.
 */
import { ValueError } from '@nn/core';
import type { Dataset, Fields } from '../samples/dataset.ts';
import type { BatchOptions } from './batch-options.ts';
import { BatchPipeline } from './batch-pipeline.ts';
import type { SampleContext, Stage } from './chunk.ts';
import {
  datasetSource,
  isDataset,
  isStream,
  type Sample,
  type SampleOf,
  type Source,
  type SourceLike,
  type StreamSource,
  sourceOf,
} from './source.ts';

/** What `dataPipeline` makes. */
export class DataPipeline<T> {
  readonly source: Source<unknown> | StreamSource<unknown>;
  readonly stages: readonly Stage[];

  constructor(source: Source<unknown> | StreamSource<unknown>, stages: readonly Stage[] = []) {
    this.source = source;
    this.stages = stages;
  }

  /** The number of samples of the source; null for a stream. Filters may leave fewer. */
  get size(): number | null {
    return isStream(this.source) ? null : this.source.length;
  }

  /**
   * Every sample by a function of it, which may be asynchronous. It must depend on its arguments alone; random numbers come from
   * `context.random`, which are the same for a sample of an epoch whoever computes it.
   */
  map<R>(change: (sample: T, context: SampleContext) => R | Promise<R>): DataPipeline<R> {
    return new DataPipeline<R>(this.source, [...this.stages, { kind: 'map', apply: checked('map', change) }]);
  }

  /** The samples for which the function answers true. */
  filter(keep: (sample: T, context: SampleContext) => boolean | Promise<boolean>): DataPipeline<T> {
    return new DataPipeline<T>(this.source, [...this.stages, { kind: 'filter', apply: checked('filter', keep) }]);
  }

  /** Batches of so many samples as tensors; see `BatchOptions`. The samples must be objects of numbers and arrays. */
  batch<S extends Sample>(this: DataPipeline<S>, batchSize: number, options: BatchOptions<S> = {}): BatchPipeline<S> {
    return new BatchPipeline<S>(this, batchSize, options);
  }
}

function checked<F>(operation: string, change: F): F {
  if (typeof change === 'function') return change;
  throw new ValueError(`DataPipeline.${operation}`, `takes a function of a sample, got ${typeof change}.`);
}

/**
 * A pipeline over a list, a dataset, a source of samples by index (`textLines`, `csvRows`, `tarSamples`, your own), or a stream.
 *
 * @example
 * import { dataPipeline } from '@nn/data';
 * const words = dataPipeline(['plum', 'fig', 'apple']);
 * const batches = words
 *   .filter((word) => word.length > 3)
 *   .map((word, { random }) => ({ inputs: [...word].map((letter) => letter.charCodeAt(0)), targets: random.integer(2) }))
 *   .batch(2, { sequences: ['inputs'], dtypes: { targets: 'int32' }, seed: 1 });
 * for await (const { inputs, lengths } of batches) console.log(inputs.shape, await lengths.inputs?.array()); // => [ 2, 5 ] [ 4, 5 ]
 */
export function dataPipeline<F extends Fields>(dataset: Dataset<F>): DataPipeline<SampleOf<F>>;
export function dataPipeline<T>(from: SourceLike<T>): DataPipeline<T>;
export function dataPipeline(from: Dataset | SourceLike<unknown>, ...more: readonly unknown[]): DataPipeline<unknown> {
  if (more.length > 0) {
    throw new ValueError(
      'dataPipeline',
      'takes what the samples come from, and no options; those are batch(size, options).',
    );
  }
  if (typeof from === 'object' && from !== null && isDataset(from)) return new DataPipeline(datasetSource(from));
  return new DataPipeline(sourceOf('dataPipeline', from));
}
