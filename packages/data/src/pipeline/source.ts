/**
 * Where a pipeline's samples come from: by their index, or only one after the other in shards. The two interfaces that sources of
 * users implement, and what makes one of what is in memory. Files as sources are in `sources/`.
 */
import { ValueError } from '@nn/core';
import { type DataArray, Dataset, elementCount, type Fields, isRagged } from '../samples/dataset.ts';

/** Samples that can be had by their index, each as often as asked, always the same. */
export interface Source<T> {
  /** The number of samples; at most 2^31 - 1. */
  readonly length: number;
  get(index: number): T | Promise<T>;
  /** Several samples in this order, where that is cheaper than one by one. */
  getMany?(indices: readonly number[]): Promise<readonly T[]>;
  /** The first sample of each run that is read together, as a row group of a file: for `shuffle: 'blocks'`. */
  readonly blocks?: ArrayLike<number>;
}

/** Samples that come one after the other only, in one or more shards that can be opened again. */
export interface StreamSource<T> {
  /** The number of shards: files, parts, addresses. */
  readonly shards: number;
  /** The samples of a shard from its `skip`th on; always the same in the same order. */
  open(shard: number, skip: number): Iterable<T> | AsyncIterable<T>;
}

/** A sample as batches take it: numbers, lists of numbers, or arrays with a shape, by name. */
export type Sample = Readonly<Record<string, SampleValue>>;
export type SampleValue = number | boolean | ArrayLike<number> | DataArray;

/** What `sourceOf` can make a source of. */
export type SourceLike<T> = Source<T> | StreamSource<T> | readonly T[];

/** A source of a list, or the source itself. Throws a `ValueError` for anything else. */
export function sourceOf<T>(operation: string, from: SourceLike<T>): Source<T> | StreamSource<T> {
  if (isList(from)) return { length: from.length, get: (index) => from[index] as T };
  const isSource =
    typeof (from as Partial<Source<T>>)?.get === 'function' && Number.isInteger((from as Source<T>).length);
  const isStream =
    typeof (from as Partial<StreamSource<T>>)?.open === 'function' &&
    Number.isInteger((from as StreamSource<T>).shards);
  if (!isSource && !isStream) {
    throw new ValueError(
      operation,
      `takes a list, a Dataset, a source { length, get(index) }, or a stream { shards, open(shard, skip) }.`,
    );
  }
  if (isSource && !((from as Source<T>).length < 2 ** 31)) {
    throw new ValueError(operation, `the source has ${(from as Source<T>).length} samples; 2^31 - 1 is the most.`, {
      length: (from as Source<T>).length,
    });
  }
  return from;
}

function isList<T>(from: SourceLike<T>): from is readonly T[] {
  return Array.isArray(from);
}

export function isStream<T>(source: Source<T> | StreamSource<T>): source is StreamSource<T> {
  return 'open' in source;
}

/** A sample of a dataset: typed arrays, those of dense fields with their shape. */
export type SampleOf<F extends Fields> = { readonly [Name in keyof F]: DataArray };

/** The samples of a dataset one by one; no number is copied. */
export function datasetSource<F extends Fields>(dataset: Dataset<F>): Source<SampleOf<F>> {
  const fields = Object.entries(dataset.fields);
  return {
    length: dataset.size,
    get(index) {
      const sample: Record<string, DataArray> = Object.create(null);
      for (const [name, field] of fields) {
        if (isRagged(field)) {
          const [from, to] = [field.offsets[index]!, field.offsets[index + 1]!];
          const step = elementCount(field.stepShape);
          sample[name] = { data: field.data.subarray(from * step, to * step), shape: [to - from, ...field.stepShape] };
        } else {
          const width = elementCount(field.shape, 1);
          sample[name] = { data: field.data.subarray(index * width, (index + 1) * width), shape: field.shape.slice(1) };
        }
      }
      return sample as SampleOf<F>; // The one cast: the loop made an entry for each name of F.
    },
  };
}

export function isDataset(from: object): from is Dataset {
  return from instanceof Dataset || ('fields' in from && 'size' in from && 'take' in from);
}
