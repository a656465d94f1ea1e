/** How a program calls a kernel: one object for each step, filled before the call, so that a run allocates nothing. */
import type { TensorData } from '@nn/core';

export class Call {
  /** The array that is written, from element `base` on (where the box of an `into` starts; else 0). */
  out: TensorData = nothing;
  base = 0;
  /** The array that the rest of `out` is copied from, for steps into a box. */
  source: TensorData = nothing;
  /** The array of finished reductions, for nests that load their accumulator. */
  accumulator: TensorData = nothing;
  /** Sums in double precision, for nests that scatter into them instead of `out`. */
  wide: Float64Array = noSums;
  reads: TensorData[];
  /** The element that counts as element 0, for each read; in a loop, in the turn that runs. */
  offsets: number[];
  /** The program's scalars, converted to their dtypes. */
  scalars: Float64Array;
  /** For each scalar slot of the kernel, its place in `scalars`. */
  slots: readonly number[];

  constructor(reads: number, offsets: number[], scalars: Float64Array, slots: readonly number[]) {
    this.reads = new Array<TensorData>(reads).fill(nothing);
    this.offsets = offsets;
    this.scalars = scalars;
    this.slots = slots;
  }

  /** Takes the reads and scalars of another call over, to do a part of its work. */
  adopt(whole: Call): void {
    this.reads = whole.reads;
    this.offsets = whole.offsets;
    this.scalars = whole.scalars;
    this.slots = whole.slots;
  }
}

/** What stands in a call while it has no memory. */
export const nothing: TensorData = new Float32Array(0);

const noSums = new Float64Array(0);

export type KernelFunction = (call: Call) => void;
