/**
 * Several sequences in one row, so that little is padded: which sequence goes into which row, and the arrays of it. Attention and
 * losses keep them apart by the numbers in `segments`.
 */
import { ValueError } from '@nn/core';
import type { ArrayBatch } from '../samples/batches.ts';
import { allocateLike, type DataArray, elementCount, isRagged, type RaggedArray } from '../samples/dataset.ts';
import type { Columns } from './collate.ts';

/** Fields that packing adds. */
export const packedFields = ['segments', 'positions'] as const;

/**
 * Rows of `length` steps that fill up. A sequence goes where the least room is left that is enough (best fit); what fits nowhere
 * is for the next batch, so no sequence waits, and the place in the data is one number.
 */
export class Packer {
  readonly length: number;
  readonly #rooms: number[];
  /** The row of each sequence. */
  readonly rows: number[] = [];

  constructor(rows: number, length: number) {
    this.length = length;
    this.#rooms = new Array<number>(rows).fill(length);
  }

  /** Whether the sequence found a row. */
  add(steps: number, index: number): boolean {
    if (steps > this.length) {
      throw new ValueError(
        'DataPipeline.batch',
        `sample ${index} has ${steps} steps, pack.length is ${this.length}; cut it with map(), or raise the length.`,
        { index, steps },
      );
    }
    let best = -1;
    this.#rooms.forEach((room, row) => {
      if (room >= steps && (best < 0 || room < this.#rooms[best]!)) best = row;
    });
    if (best < 0) return false;
    this.#rooms[best] = this.#rooms[best]! - steps;
    this.rows.push(best);
    return true;
  }
}

/** The steps of each row's sample, from the first field; throws where fields of one sample differ in length. */
export function stepsOf(columns: Columns, row: number): number {
  let steps: number | undefined;
  for (const [name, field] of Object.entries(columns)) {
    if (!isRagged(field)) {
      throw new ValueError(
        'DataPipeline.batch',
        `pack puts several samples into a row, so '${name}' needs a number for each step: name it in sequences, or leave it out with map().`,
        { name },
      );
    }
    const own = field.offsets[row + 1]! - field.offsets[row]!;
    steps ??= own;
    if (own !== steps) {
      throw new ValueError(
        'DataPipeline.batch',
        `'${name}' has ${own} steps where '${Object.keys(columns)[0]}' has ${steps}; packed fields must be equally long.`,
        { name },
      );
    }
  }
  return steps ?? 0;
}

/** The batch of packed rows: each field [rows, length, ...step], and `segments` and `positions` int32 [rows, length]. */
export function packedBatch(
  columns: Columns,
  { rows: rowOf, length }: Packer,
  rows: number,
  values: Readonly<Record<string, number>>,
  indices: Int32Array,
): ArrayBatch {
  const used = Math.max(0, ...rowOf.map((row) => row + 1));
  const arrays: Record<string, DataArray> = Object.create(null);
  const segments = new Int32Array(rows * length);
  const positions = new Int32Array(rows * length);
  const ends = new Int32Array(rows);
  const counts = new Int32Array(rows);
  const starts = rowOf.map((row, sample) => {
    const start = ends[row]!;
    const steps = stepsOf(columns, sample);
    counts[row] = counts[row]! + 1;
    for (let step = 0; step < steps; step++) {
      segments[row * length + start + step] = counts[row]!;
      positions[row * length + start + step] = step;
    }
    ends[row] = start + steps;
    return start;
  });
  const lengths: Record<string, Int32Array> = Object.create(null);
  for (const [name, column] of Object.entries(columns)) {
    const { data, offsets, stepShape } = column as RaggedArray; // The one cast: stepsOf saw that it is one.
    const step = elementCount(stepShape);
    const packed = allocateLike(data, rows * length * step);
    const fill = Object.hasOwn(values, name) ? values[name]! : 0;
    if (fill !== 0) packed.fill(fill);
    rowOf.forEach((row, sample) => {
      const own = data.subarray(offsets[sample]! * step, offsets[sample + 1]! * step);
      packed.set(own, (row * length + starts[sample]!) * step);
    });
    arrays[name] = { data: packed, shape: [rows, length, ...stepShape] };
    lengths[name] = ends;
  }
  arrays.segments = { data: segments, shape: [rows, length] };
  arrays.positions = { data: positions, shape: [rows, length] };
  const mask = new Float32Array(rows);
  for (let row = 0; row < rows; row++) mask[row] = counts[row]! > 0 ? 1 : 0;
  return { arrays, lengths, mask, count: used, indices };
}
