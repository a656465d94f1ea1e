/**
 * Samples in memory: named typed arrays whose first axis counts the samples, and sequences of unequal lengths.
 * It owns storage and selection of samples. Order and batches are the loader's; no tensor is made here.
 */
import type { NestedNumbers, Shape } from '@nn/core';
import { checkChoices, excerpt, ShapeError, ValueError } from '@nn/core';

/**
 * Host data of samples: numbers, indices or classes, and bytes (images). Doubles stay doubles until they are normalised
 * or become a tensor, so that times, money and coordinates keep their digits as long as digits matter.
 */
export type Elements = Float32Array | Float64Array | Int32Array | Uint8Array | Int8Array;

/** Samples of one size: `data` is row-major, `shape[0]` counts the samples. */
export interface DataArray<Data extends Elements = Elements> {
  readonly data: Data;
  readonly shape: Shape;
}

/** Sequences of unequal lengths: sample i holds the steps `offsets[i]` up to `offsets[i + 1]`, each of shape `stepShape`. */
export interface RaggedArray<Data extends Elements = Elements> {
  readonly data: Data;
  readonly offsets: Int32Array;
  readonly stepShape: Shape;
}

export type Field = DataArray | RaggedArray;
export type Fields = Readonly<Record<string, Field>>;

/** Inputs and one class a sample, as the drawn problems and `readIdxImages` make them. */
export type Classified<Inputs extends Elements = Float32Array> = Dataset<{
  readonly inputs: DataArray<Inputs>;
  readonly targets: DataArray<Int32Array>;
}>;

/** Names that a batch needs for itself. */
const reserved = ['count', 'globalCount', 'indices', 'lengths', 'mask'];

export function isRagged(field: Field): field is RaggedArray {
  return 'offsets' in field;
}

/** Throws unless it is a dataset: in JavaScript tables and generators come, too. */
export function checkDataset(operation: string, dataset: Dataset): void {
  if (typeof dataset?.size === 'number' && typeof dataset.fields === 'object') return;
  throw new ValueError(operation, 'takes a Dataset, as encodeTable(table, encoding) gives.');
}

/** The number of elements in a shape, or in one sample of it. */
export function elementCount(shape: Shape, from = 0): number {
  let count = 1;
  for (let axis = from; axis < shape.length; axis++) count *= shape[axis]!;
  return count;
}

/** 0, 1, ..., size - 1: samples in their own order. */
export function everyIndex(size: number): Int32Array {
  return Int32Array.from({ length: size }, (_, i) => i);
}

/** `length` zeros of the kind of `like`. */
export function allocateLike<Data extends Elements>(like: Data, length: number): Data {
  const Kind = like.constructor as new (length: number) => Data; // The one cast: a typed array's constructor makes its own kind.
  return new Kind(length);
}

/**
 * Samples held in memory as named fields, all of the same number of samples.
 *
 * Throws a `ShapeError` where data and shape, or the fields' numbers of samples, do not fit, and a `ValueError` for a
 * name that batches use themselves (count, globalCount, indices, lengths, mask).
 *
 * @example
 * import { Dataset } from '@nn/data';
 * const points = new Dataset({
 *   inputs: { data: new Float32Array([0, 0, 0, 1, 1, 0, 1, 1]), shape: [4, 2] },
 *   targets: { data: new Int32Array([0, 1, 1, 0]), shape: [4] },
 * });
 * console.log(points.size, points.take([1, 3]).fields.targets.data); // => 4 Int32Array(2) [ 1, 0 ]
 */
export class Dataset<F extends Fields = Fields> {
  readonly fields: F;
  /** The number of samples. */
  readonly size: number;

  constructor(fields: F) {
    let first: string | undefined;
    let size = 0;
    for (const [name, field] of Object.entries(fields)) {
      if (reserved.includes(name)) {
        throw new ValueError('Dataset', `the field name '${name}' is taken by batches; choose another.`, { name });
      }
      const count = isRagged(field) ? checkRagged(name, field) : checkDense(name, field);
      if (first === undefined) {
        first = name;
        size = count;
      } else if (count !== size) {
        throw new ShapeError('Dataset', `'${first}' has ${size} samples, '${name}' has ${count}; they must be equal.`, {
          [first]: size,
          [name]: count,
        });
      }
    }
    if (first === undefined) throw new ValueError('Dataset', 'no fields; name at least one, as { inputs: ... }.');
    this.fields = fields;
    this.size = size;
  }

  /** A copy of the samples at `indices`, in that order; repeats are allowed. */
  take(indices: ArrayLike<number>): Dataset<F> {
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i]!;
      if (!Number.isInteger(index) || index < 0 || index >= this.size) {
        throw new ValueError('Dataset.take', `there is no sample ${index} among ${this.size}.`, { index });
      }
    }
    const taken: Record<string, Field> = Object.create(null);
    for (const [name, field] of Object.entries(this.fields)) {
      taken[name] = isRagged(field) ? takeRagged(field, indices) : takeDense(field, indices);
    }
    return new Dataset(taken as F);
  }

  /** The same samples with fields added or replaced. */
  with<Added extends Fields>(fields: Added): Dataset<Omit<F, keyof Added> & Added> {
    return new Dataset({ ...this.fields, ...fields });
  }
}

/**
 * Nested arrays, one item a sample, as one field: of doubles, which a loader's normalisation still sees in full and its
 * tensors round to float32; of float32 at once, in half the memory; or of int32 for classes. What a generator yields is
 * collected first: `dense([...rows()])`. Throws a `ShapeError` where samples differ in size, and a `ValueError` for what
 * is no number, or no whole number of 32 bits where those are asked for.
 *
 * @example
 * import { Dataset, dense } from '@nn/data';
 * const points = new Dataset({ inputs: dense([[0, 0], [0, 1], [1, 0]]), targets: dense([0, 1, 1], 'int32') });
 * console.log(points.fields.inputs.shape, points.fields.targets.data); // => [ 3, 2 ] Int32Array(3) [ 0, 1, 1 ]
 */
export function dense(samples: readonly NestedNumbers[], dtype?: 'float64'): DataArray<Float64Array>;
export function dense(samples: readonly NestedNumbers[], dtype: 'float32'): DataArray<Float32Array>;
export function dense(samples: readonly NestedNumbers[], dtype: 'int32'): DataArray<Int32Array>;
export function dense(
  samples: readonly NestedNumbers[],
  dtype: 'float64' | 'float32' | 'int32' = 'float64',
): DataArray {
  const shape: number[] = [];
  for (let item: NestedNumbers | undefined = samples; isList(item); item = item[0]) shape.push(item.length);
  const values: (number | boolean)[] = [];
  const sampleOf = (i: number): number => Math.floor(i / elementCount(shape, 1));
  const collect = (item: NestedNumbers, axis: number): void => {
    const length = isList(item) ? item.length : undefined;
    if (length !== shape[axis]) {
      throw new ShapeError(
        'dense',
        `sample ${sampleOf(values.length)} does not have the shape [${shape.slice(1).join(', ')}] of the first: see ragged().`,
        { shape },
      );
    }
    if (!isList(item)) values.push(item);
    else for (const part of item) collect(part, axis + 1);
  };
  collect(samples, 0);
  const data = elements('dense', dtype, values.length);
  for (let i = 0; i < values.length; i++) write('dense', data, i, values[i], () => sampleOf(i));
  return { data, shape };
}

/**
 * Sequences of unequal lengths as one field; the loader pads them batch by batch. They are int32, as tokens are; say
 * 'float32' or 'float64' where they are measurements. Throws a `ValueError` for what is no number, or no whole number of 32
 * bits where those are stored.
 *
 * @example
 * import { Dataset, ragged } from '@nn/data';
 * const words = new Dataset({ letters: ragged([[8, 9], [3, 1, 20]]), loudness: ragged([[0.5], [0.1, 0.7]], 'float32') });
 * console.log(words.size, words.fields.letters.offsets); // => 2 Int32Array(3) [ 0, 2, 5 ]
 */
export function ragged(sequences: readonly ArrayLike<number>[], dtype?: 'int32'): RaggedArray<Int32Array>;
export function ragged(sequences: readonly ArrayLike<number>[], dtype: 'float32'): RaggedArray<Float32Array>;
export function ragged(sequences: readonly ArrayLike<number>[], dtype: 'float64'): RaggedArray<Float64Array>;
export function ragged(sequences: readonly ArrayLike<number>[], dtype: keyof typeof kinds = 'int32'): RaggedArray {
  const offsets = new Int32Array(sequences.length + 1);
  sequences.forEach((sequence, i) => {
    offsets[i + 1] = offsets[i]! + sequence.length;
  });
  const data = elements('ragged', dtype, offsets[sequences.length]!);
  sequences.forEach((sequence, i) => {
    for (let step = 0; step < sequence.length; step++)
      write('ragged', data, offsets[i]! + step, sequence[step], () => i);
  });
  return { data, offsets, stepShape: [] };
}

const kinds = { float64: Float64Array, float32: Float32Array, int32: Int32Array } as const;

function elements(
  operation: string,
  dtype: keyof typeof kinds,
  length: number,
): Float64Array | Float32Array | Int32Array {
  checkChoices(operation, { dtype }, { dtype: Object.keys(kinds) });
  return new kinds[dtype](length);
}

/** Whether it goes on inside; null is no list. */
function isList(item: NestedNumbers | undefined): item is Extract<NestedNumbers, object> {
  return typeof item === 'object' && item !== null;
}

/** Stores one number. Throws for what is none, and for one that an array of whole numbers would change. */
function write(operation: string, data: Elements, at: number, value: unknown, sample: () => number): void {
  const isNumber = typeof value === 'number' || typeof value === 'boolean';
  if (isNumber) data[at] = Number(value);
  if (isNumber && (!(data instanceof Int32Array) || data[at] === Number(value))) return;
  throw new ValueError(
    operation,
    `sample ${sample()} holds ${excerpt(String(value), 40)}, which is no ${isNumber ? `whole number of 32 bits${operation === 'ragged' ? ": say 'float32' or 'float64'" : ''}` : 'number'}.`,
    { value },
  );
}

function checkDense(name: string, field: DataArray): number {
  const { data, shape } = field;
  // In JavaScript anything comes: nested arrays, tensors.
  if (!ArrayBuffer.isView(data) || !Array.isArray(shape)) {
    throw new ValueError('Dataset', `'${name}' must be { data, shape }, as dense(rows) makes it.`, { name });
  }
  if (shape.length === 0) throw new ShapeError('Dataset', `'${name}' has no axis for its samples; its shape is [].`);
  if (elementCount(shape) !== data.length) {
    throw new ShapeError(
      'Dataset',
      `'${name}' has ${data.length} elements, its shape [${shape.join(', ')}] needs ${elementCount(shape)}.`,
      { shape, length: data.length },
    );
  }
  return shape[0] as number;
}

function checkRagged(name: string, { data, offsets, stepShape }: RaggedArray): number {
  const step = elementCount(stepShape);
  if (offsets[0] !== 0 || offsets[offsets.length - 1]! * step !== data.length) {
    throw new ShapeError(
      'Dataset',
      `the offsets of '${name}' must run from 0 to ${data.length / step} (its ${data.length} elements in steps of ${step}).`,
      { length: data.length, step },
    );
  }
  for (let i = 1; i < offsets.length; i++) {
    if (offsets[i]! < offsets[i - 1]!) {
      throw new ShapeError('Dataset', `the offsets of '${name}' fall at sample ${i - 1}; they must not.`, {
        sample: i - 1,
      });
    }
  }
  return offsets.length - 1;
}

function takeDense({ data, shape }: DataArray, indices: ArrayLike<number>): DataArray {
  const width = elementCount(shape, 1);
  const taken = allocateLike(data, indices.length * width);
  for (let i = 0; i < indices.length; i++) {
    const start = indices[i]! * width;
    taken.set(data.subarray(start, start + width), i * width);
  }
  return { data: taken, shape: [indices.length, ...shape.slice(1)] };
}

function takeRagged({ data, offsets, stepShape }: RaggedArray, indices: ArrayLike<number>): RaggedArray {
  const step = elementCount(stepShape);
  const taken = new Int32Array(indices.length + 1);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    taken[i + 1] = taken[i]! + offsets[index + 1]! - offsets[index]!;
  }
  const copy = allocateLike(data, taken[indices.length]! * step);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    const from = data.subarray(offsets[index]! * step, offsets[index + 1]! * step);
    copy.set(from, taken[i]! * step);
  }
  return { data: copy, offsets: taken, stepShape };
}
