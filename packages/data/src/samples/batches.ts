/**
 * One batch of a dataset as typed arrays: gathers samples, normalises, pads to buckets. Pure functions, no device.
 * Which samples come when is the loader's (`loader.ts`), which also makes the tensors.
 */
import type { Shape } from '@nn/core';
import { checkOptions, ValueError } from '@nn/core';
import type { DataArray, Dataset, Elements, Fields, RaggedArray } from './dataset.ts';
import { allocateLike, elementCount, isRagged } from './dataset.ts';
import type { Normalization } from './normalization.ts';
import { normalize } from './normalization.ts';

/**
 * Sizes to pad to, so that few different shapes reach the device (each shape is compiled once): a batch of 7 samples
 * with `samples: [8, 32]` gets 8 rows. A single number is one bucket.
 */
export interface Padding {
  /** Buckets for the number of samples, for a smaller last batch. */
  readonly samples?: number | readonly number[];
  /** Buckets for the length of sequences; without it they are padded to the longest of the batch. */
  readonly length?: number | readonly number[];
  /** What to fill with, by field; 0 where not given. */
  readonly values?: Readonly<Record<string, number>>;
}

/** Throws unless the buckets are whole numbers, and all options exist. */
export function checkPadding(operation: string, padding: Padding): void {
  checkOptions(operation, padding, ['samples', 'length', 'values']);
  for (const [name, buckets] of Object.entries({ samples: padding.samples ?? [], length: padding.length ?? [] })) {
    for (const bucket of [buckets].flat()) {
      if (Number.isInteger(bucket) && bucket >= 1) continue;
      throw new ValueError(operation, `${name} has the bucket ${bucket}, which is not a whole number, 1 or more.`, {
        bucket,
      });
    }
  }
}

/** A batch on the host. Padded rows stand at the end and have mask 0. */
export interface ArrayBatch {
  readonly arrays: Readonly<Record<string, DataArray>>;
  /** For each field of sequences, the number of steps that are not padding: [rows]. */
  readonly lengths: Readonly<Record<string, Int32Array>>;
  /** 1 for samples, 0 for padded rows: [rows]. */
  readonly mask: Float32Array;
  /** The number of samples that are not padding. */
  readonly count: number;
  /** Where in the dataset the samples stand: [count]. */
  readonly indices: Int32Array;
}

/**
 * The smallest bucket that holds `size`. Throws a `ValueError` where none does.
 *
 * @example
 * import { padTo } from '@nn/data';
 * console.log(padTo(7, [8, 32]), padTo(9, [8, 32])); // => 8 32
 */
export function padTo(size: number, buckets: number | readonly number[]): number {
  const sizes = typeof buckets === 'number' ? [buckets] : buckets;
  let best = Number.POSITIVE_INFINITY;
  for (const bucket of sizes) if (bucket >= size && bucket < best) best = bucket;
  if (best === Number.POSITIVE_INFINITY) {
    throw new ValueError('padTo', `${size} is more than the largest of the buckets [${sizes.join(', ')}].`, {
      size,
      buckets: sizes,
    });
  }
  return best;
}

/**
 * The samples at `indices` as one batch of typed arrays. Dense fields become [rows, ...sample], sequences
 * [rows, steps, ...step]; a field with a normalisation becomes float32.
 *
 * @example
 * import { gatherBatch, moons } from '@nn/data';
 * const batch = gatherBatch(moons(100), Int32Array.of(4, 2, 9), { padding: { samples: 4 } });
 * console.log(batch.arrays.inputs?.shape, batch.mask); // => [ 4, 2 ] Float32Array(4) [ 1, 1, 1, 0 ]
 */
export function gatherBatch<F extends Fields>(
  dataset: Dataset<F>,
  indices: Int32Array,
  options: { readonly padding?: Padding; readonly normalize?: Readonly<Record<string, Normalization>> } = {},
): ArrayBatch {
  checkOptions('gatherBatch', options, ['padding', 'normalize']);
  const { padding = {} } = options;
  checkPadding('gatherBatch: padding', padding);
  checkNames('gatherBatch', 'normalize', dataset, options.normalize);
  checkNames('gatherBatch', 'padding.values', dataset, padding.values);
  const rows = padding.samples === undefined ? indices.length : padTo(indices.length, padding.samples);
  const taken = dataset.take(indices);
  // Without a prototype, for fields may have any name, as `constructor`.
  const arrays: Record<string, DataArray> = Object.create(null);
  const lengths: Record<string, Int32Array> = Object.create(null);
  for (const [name, field] of Object.entries(taken.fields)) {
    const fill = ownValue(padding.values, name) ?? 0;
    const normalization = ownValue(options.normalize, name);
    let array: DataArray;
    if (isRagged(field)) {
      array = padSequences(field, padding.length, fill);
      lengths[name] = new Int32Array(rows);
      for (let i = 0; i < indices.length; i++) {
        lengths[name][i] = field.offsets[i + 1]! - field.offsets[i]!;
      }
    } else {
      array = field;
    }
    if (normalization) array = normalize(array, normalization);
    arrays[name] = rows === indices.length ? array : padRows(array, rows, fill);
  }
  const mask = new Float32Array(rows).fill(1, 0, indices.length);
  return { arrays, lengths, mask, count: indices.length, indices };
}

/** Throws for a name that no field has. */
export function checkNames(
  operation: string,
  option: string,
  { fields }: Pick<Dataset, 'fields'>,
  named: object = {},
): void {
  // true has no names
  if (Object(named) !== named)
    throw new ValueError(operation, `${option} is ${named}: give values by the names of fields.`);
  for (const name of Object.keys(named)) {
    if (Object.hasOwn(fields, name)) continue;
    throw new ValueError(operation, `${option} names '${name}', the samples have ${Object.keys(fields).join(', ')}.`, {
      name,
    });
  }
}

/** What the record itself has under this name, not what all objects have. */
function ownValue<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/**
 * Sequences of unequal lengths as one dense array [samples, steps, ...step]; `steps` is the longest length, or the
 * smallest of `buckets` that holds it.
 *
 * @example
 * import { padSequences, ragged } from '@nn/data';
 * console.log(padSequences(ragged([[1], [2, 3]]), [4]).shape); // => [ 2, 4 ]
 */
export function padSequences<Data extends Elements>(
  { data, offsets, stepShape }: RaggedArray<Data>,
  buckets?: number | readonly number[],
  value = 0,
): DataArray<Data> {
  const samples = offsets.length - 1;
  let longest = 0;
  for (let i = 0; i < samples; i++) longest = Math.max(longest, offsets[i + 1]! - offsets[i]!);
  const steps = buckets === undefined ? longest : padTo(longest, buckets);
  const step = elementCount(stepShape);
  const padded = allocateLike(data, samples * steps * step);
  if (value !== 0) padded.fill(value);
  for (let i = 0; i < samples; i++) {
    padded.set(data.subarray(offsets[i]! * step, offsets[i + 1]! * step), i * steps * step);
  }
  return { data: padded, shape: [samples, steps, ...stepShape] };
}

function padRows({ data, shape }: DataArray, rows: number, value: number): DataArray {
  const padded: Shape = [rows, ...shape.slice(1)];
  const filled = allocateLike(data, elementCount(padded));
  filled.set(data);
  if (value !== 0) filled.fill(value, data.length);
  return { data: filled, shape: padded };
}
