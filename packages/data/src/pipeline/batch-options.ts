/** What `DataPipeline.batch` may be told, and what of it does not go together. Owns no batch: that is `batch-pipeline.ts`. */
import { type AbortSignalLike, type Backend, checkChoices, checkOptions, ValueError } from '@nn/core';
import { checkWhole } from '../check-whole.ts';
import type { Padding } from '../samples/batches.ts';
import { checkChoice } from '../samples/loader.ts';
import type { Normalization } from '../samples/normalization.ts';
import type { Sampler } from '../samples/sampler.ts';
import type { Work } from './chunk.ts';
import { isStream, type Sample } from './source.ts';
import { checkWorkers, type WorkerOptions } from './workers.ts';

export interface BatchOptions<S extends Sample = Sample> {
  /**
   * A new order each epoch: true mixes all samples, without reading them; 'blocks' mixes runs that a file reads together, `window` of
   * them at a time. A stream knows no place but the next: its shards come in a drawn order, and `window` samples are mixed.
   */
  readonly shuffle?: boolean | 'blocks';
  /** For streams, samples that are mixed: 10,000 where not given. For 'blocks', blocks: 8 where not given. */
  readonly window?: number;
  /** What chooses the samples of an epoch instead, as for a `DataLoader`. */
  readonly sampler?: Sampler;
  /** The part of each batch for one of several processes, as for a `DataLoader`. */
  readonly slice?: { readonly index: number; readonly count: number };
  /** That of `setSeed` where not given, as it is when the batches are made. */
  readonly seed?: number;
  /** Leaves out a last batch that is smaller than the others. */
  readonly dropLast?: boolean;
  /** Buckets, so that few shapes are compiled; see `Padding`. */
  readonly padTo?: Padding;
  readonly normalize?: { readonly [Name in keyof S]?: Normalization };
  /** Where the tensors go; the default backend where not given. */
  readonly backend?: Backend;
  /** What plain numbers become: float32 where not given. Classes and tokens are 'int32'. */
  readonly dtypes?: { readonly [Name in keyof S]?: 'float32' | 'int32' };
  /** Fields of unequal lengths, which are padded and get `lengths`. */
  readonly sequences?: readonly (keyof S & string)[];
  /**
   * Rows of this many steps, each with as many sequences as fit: little is padded. The batch also has `segments` (1, 2, ... for the
   * sequences of a row, 0 for padding) and `positions`, int32 [rows, length]. Every field must be named in `sequences`.
   */
  readonly pack?: { readonly length: number };
  /** Batches that are fetched while others are used; 2 where not given. */
  readonly prefetch?: number;
  /**
   * Fetches and maps in workers; the batches stay the same. They start with the first loop, stay from epoch to epoch, and end by
   * `close()`, or a second after a loop was left before the end of its epoch, unless another loop goes on.
   */
  readonly workers?: WorkerOptions;
  /** Once it is aborted a loop throws the signal's reason, also while it waits. The position stays. */
  readonly signal?: AbortSignalLike;
}

const known = [
  ...['shuffle', 'window', 'sampler', 'slice', 'seed', 'dropLast', 'padTo', 'normalize', 'backend', 'dtypes'],
  ...['sequences', 'pack', 'prefetch', 'workers', 'signal'],
];

/** Whether a batch has as many rows as positions: every sample of the source becomes one row. */
export function isPlain({ source, stages }: Work, { pack }: Pick<BatchOptions, 'pack'>): boolean {
  return pack === undefined && !isStream(source) && stages.every(({ kind }) => kind === 'map');
}

/** Throws a `ValueError` for options that do not exist, and for those that do not fit the pipeline or each other. */
export function checkBatchOptions<S extends Sample>(work: Work, batchSize: number, options: BatchOptions<S>): void {
  const operation = 'DataPipeline.batch';
  checkOptions(operation, options, known);
  checkWhole(operation, { batchSize }, 1, ' of samples');
  const { dtypes = {}, pack, sampler, slice, workers, window = 1, prefetch = 0 } = options;
  checkChoices(operation, options, { shuffle: [true, false, 'blocks'] });
  for (const [name, dtype] of Object.entries(dtypes)) {
    checkChoices(`${operation}: dtypes`, { [name]: dtype }, { [name]: ['float32', 'int32'] });
  }
  if (pack) checkOptions(`${operation}: pack`, pack, ['length']);
  if (workers) checkWorkers(`${operation}: workers`, workers);
  checkChoice(operation, isStream(work.source) ? -1 : work.source.length, options);
  checkWhole(operation, { window, 'pack.length': pack ? pack.length : 1 });
  checkWhole(operation, { prefetch }, 0);
  const refuse = (what: string): never => {
    throw new ValueError(operation, what);
  };
  if (slice && !isPlain(work, options)) {
    refuse('slice needs to know the samples of a batch beforehand, which streams, filter and pack do not.');
  }
  if (sampler?.endsBatches && !isPlain(work, options)) {
    refuse(`the sampler ${sampler.signature} makes batches of its own sizes, which filter and pack would change.`);
  }
  if (isStream(work.source) && workers) {
    refuse(
      'a stream is read in one place, so workers cannot share it: give each worker files with an index, or leave workers out.',
    );
  }
}
