/**
 * Samples to the columns of a dataset, and columns to one another: what stands between the functions of a pipeline and the batches,
 * also what workers send. Padding and tensors come after it (`samples/batches.ts`).
 */
import type { Shape } from '@nn/core';
import { excerpt, realmTag, ShapeError, ValueError } from '@nn/core';
import { allocateLike, type DataArray, type Elements, elementCount, type Field, isRagged } from '../samples/dataset.ts';
import type { Sample, SampleValue } from './source.ts';

/** How values become columns. */
export interface CollateOptions {
  /** Of plain numbers: float32 where not given. */
  readonly dtypes: Readonly<Record<string, 'float32' | 'int32'>>;
  /** Fields whose values may differ in length. */
  readonly sequences: readonly string[];
}

export type Columns = Readonly<Record<string, Field>>;

/** The samples as columns. `indices` names them in errors. */
export function collate(samples: readonly Sample[], indices: readonly number[], options: CollateOptions): Columns {
  const first = samples[0]!;
  if (typeof first !== 'object' || first === null || Array.isArray(first) || ArrayBuffer.isView(first)) {
    throw new ValueError(
      'DataPipeline.batch',
      `sample ${indices[0]} is ${excerpt(String(first), 40)}; a sample is an object with numbers by name, as { inputs, targets }: map() makes one.`,
    );
  }
  const names = Object.keys(first);
  if (names.length === 0) throw new ValueError('DataPipeline.batch', `sample ${indices[0]} has no fields.`);
  for (const name of [...Object.keys(options.dtypes), ...options.sequences]) {
    if (!names.includes(name)) {
      throw new ValueError('DataPipeline.batch', `there is no field '${name}'; samples have ${names.join(', ')}.`, {
        name,
      });
    }
  }
  samples.forEach((sample, i) => {
    const own = Object.keys(sample);
    if (own.length === names.length && own.every((name) => Object.hasOwn(first, name))) return;
    throw new ValueError(
      'DataPipeline.batch',
      `sample ${indices[i]} has ${own.join(', ')}, sample ${indices[0]} has ${names.join(', ')}; they must be equal.`,
      { index: indices[i] },
    );
  });
  const columns: Record<string, Field> = Object.create(null);
  for (const name of names) {
    const values = samples.map((sample) => sample[name]!);
    const dtype = Object.hasOwn(options.dtypes, name) ? options.dtypes[name] : undefined;
    columns[name] = column({ name, indices, dtype, isSequence: options.sequences.includes(name) }, values);
  }
  return columns;
}

interface Place {
  readonly name: string;
  readonly indices: readonly number[];
  readonly dtype: 'float32' | 'int32' | undefined;
  readonly isSequence: boolean;
}

/** A value as data and shape; plain numbers are in a list that is checked later. */
interface Value {
  readonly data: ArrayLike<number>;
  readonly shape: Shape;
}

function arrayOf(value: SampleValue): Value | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return { data: [Number(value)], shape: [] };
  if (typeof value !== 'object' || value === null) return undefined;
  if ('data' in value && 'shape' in value) return value;
  return 'length' in value ? { data: value, shape: [value.length] } : undefined;
}

function column(place: Place, samples: readonly SampleValue[]): Field {
  const { name, indices, isSequence } = place;
  const values = samples.map((sample, i) => {
    const value = arrayOf(sample);
    if (value) return value;
    throw new ValueError(
      'DataPipeline.batch',
      `'${name}' of sample ${indices[i]} is ${excerpt(String(sample), 40)}; numbers, lists of numbers or { data, shape } can be batched.`,
      { name, index: indices[i] },
    );
  });
  const { shape } = values[0]!;
  if (isSequence && shape.length === 0) {
    throw new ShapeError('DataPipeline.batch', `'${name}' is named in sequences, but is one number a sample.`, {
      name,
    });
  }
  const from = isSequence ? 1 : 0;
  const width = elementCount(shape, from);
  let length = 0;
  values.forEach((value, i) => {
    const isSame =
      value.shape.length === shape.length && value.shape.slice(from).every((size, k) => size === shape[from + k]);
    if (!isSame) {
      throw new ShapeError(
        'DataPipeline.batch',
        `'${name}' has the shape [${value.shape.join(', ')}] in sample ${indices[i]}, [${shape.join(', ')}] in sample ${indices[0]}; where lengths differ, say sequences: ['${name}'].`,
        { name, index: indices[i] },
      );
    }
    length += value.data.length;
  });
  const data = allocate(place, values[0]!.data, length);
  let at = 0;
  values.forEach((value, i) => {
    fill(place, indices[i]!, data, value.data, at);
    at += value.data.length;
  });
  if (!isSequence) return { data, shape: [values.length, ...shape] };
  const offsets = new Int32Array(values.length + 1);
  values.forEach((value, i) => {
    offsets[i + 1] = offsets[i]! + (width === 0 ? value.shape[0]! : value.data.length / width);
  });
  return { data, offsets, stepShape: shape.slice(1) };
}

/** Typed arrays stay what they are; plain numbers become float32, or int32 where asked. */
function allocate({ dtype }: Place, like: ArrayLike<number>, length: number): Elements {
  if (dtype === 'int32') return new Int32Array(length);
  if (dtype === 'float32') return new Float32Array(length);
  const kinds = ['Float32Array', 'Float64Array', 'Int32Array', 'Uint8Array', 'Int8Array'];
  // The one cast: the tag says that it is one of these kinds.
  return kinds.includes(realmTag(like) ?? '') ? allocateLike(like as Elements, length) : new Float32Array(length);
}

function fill({ name }: Place, index: number, into: Elements, from: ArrayLike<number>, at: number): void {
  // of one kind: there is nothing to check
  if (realmTag(from) === realmTag(into)) {
    into.set(from, at);
    return;
  }
  const isInteger = realmTag(into) !== 'Float32Array' && realmTag(into) !== 'Float64Array';
  for (let i = 0; i < from.length; i++) {
    const value = from[i] as unknown;
    into[at + i] = value as number;
    const isKept = isInteger ? into[at + i] === value : typeof value === 'number';
    if (isKept) continue;
    const what = typeof value === 'number' ? `is no whole number of the kind ${realmTag(into)}` : 'is no number';
    throw new ValueError(
      'DataPipeline.batch',
      `'${name}' of sample ${index} holds ${excerpt(String(value), 40)}, which ${what}.`,
      { name, index },
    );
  }
}

/** The columns below one another. Throws where kinds or shapes differ between chunks of samples. */
export function concatenate(parts: readonly Columns[]): Columns {
  if (parts.length === 1) return parts[0]!;
  const columns: Record<string, Field> = Object.create(null);
  for (const [name, first] of Object.entries(parts[0]!)) {
    const fields = parts.map((part) => part[name]);
    const same = (field: Field | undefined): boolean =>
      field !== undefined &&
      realmTag(field.data) === realmTag(first.data) &&
      isRagged(field) === isRagged(first) &&
      stepOf(field).join() === stepOf(first).join();
    if (!fields.every(same)) {
      throw new ShapeError(
        'DataPipeline.batch',
        `'${name}' has samples of shape [${stepOf(first).join(', ')}] and later of another shape or kind; where lengths differ, say sequences: ['${name}'].`,
        { name },
      );
    }
    columns[name] = joined(fields as Field[]);
  }
  return columns;
}

function stepOf(field: Field): Shape {
  return isRagged(field) ? field.stepShape : field.shape.slice(1);
}

function joined(fields: readonly Field[]): Field {
  const first = fields[0]!;
  const data = allocateLike<Elements>(
    first.data,
    fields.reduce((sum, field) => sum + field.data.length, 0),
  );
  let at = 0;
  for (const field of fields) {
    data.set(field.data, at);
    at += field.data.length;
  }
  if (!isRagged(first)) {
    const rows = (fields as readonly DataArray[]).reduce((sum, { shape }) => sum + shape[0]!, 0);
    return { data, shape: [rows, ...first.shape.slice(1)] };
  }
  const offsets = [0];
  for (const field of fields) {
    if (!isRagged(field)) continue;
    const before = offsets.at(-1)!;
    for (const offset of field.offsets.subarray(1)) offsets.push(before + offset);
  }
  return { data, offsets: Int32Array.from(offsets), stepShape: first.stepShape };
}
